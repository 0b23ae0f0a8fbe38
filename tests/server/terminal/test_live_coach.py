"""A run of the coach as it is written, event by event."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pixel_coach.agents.base import Availability, Usage
from pixel_coach.attempts import CheckStatus, CriterionScore, Evidence, EvidenceCheck, Proof, Review, ReviewUnavailable
from pixel_coach.events import (
    CandidateWritten,
    Event,
    EvidenceGathered,
    Notice,
    ReviewArrived,
    ReviewStarted,
    RoundStarted,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskStarted,
    TextArrived,
)
from pixel_coach.tasks import State
from pixel_server.terminal.live_coach import RULE, LiveCoach
from pixel_server.terminal.medium import Medium

OLLAMA = Availability(agent="ollama", is_available=True, reason="", model="qwen2.5-coder:7b")
GEMINI = Availability(agent="gemini", is_available=True, reason="", model="gemini-2.5-flash", is_local=False)


class Terminal(io.StringIO):
    def __init__(self, *, is_terminal: bool = False) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def written(*events: Event, is_terminal: bool = False) -> str:
    file = Terminal(is_terminal=is_terminal)
    console = Console(file=file, force_terminal=is_terminal, width=80, no_color=True, highlight=False)
    with LiveCoach(console, Medium(), "phase 2_inference of /work", clock=lambda: 0.0) as live:
        for event in events:
            live.tell(event)
    return file.getvalue()


def check(expected: str, *events: Event) -> None:
    assert written(*events) == expected.replace("=====", RULE)


def evidence(proof: Proof, status: CheckStatus, summary: str) -> EvidenceGathered:
    checks = (EvidenceCheck(name="contract", status=status, summary=summary, seconds=0.21, feedback="told to the model alone"),)
    return EvidenceGathered(
        task=12, round=1, candidate=0, attempt=1, evidence=Evidence(proof=proof, checks=checks, text_sha256="", engine="device llvmpipe")
    )


def review(score: int, feedback: str) -> Review:
    criterion = CriterionScore(criterion="completeness", evidence="every size is computed", score=score)
    return Review(reviewer="gemini", is_model=True, score=score, criteria=(criterion,), findings=(), feedback=feedback, text_sha256="")


STARTED = RunStarted(run="r", mode="full", generator=OLLAMA, reviewer=GEMINI, tasks=3)
TASK = TaskStarted(
    task=12, title="WGSL matrix multiplication kernel", phase="2_inference", target="matmul.wgsl", action="write_file", priority=10
)
WRITTEN = CandidateWritten(task=12, round=1, candidate=0, characters=1842, usage=Usage(reply_tokens=600, thinking_tokens=12, seconds=14.2))


def test_the_example_session() -> None:
    check(
        """\
=====
pixel-lsp coach, mode: full
  generator ✓ ollama qwen2.5-coder:7b
  reviewer  ✓ gemini gemini-2.5-flash
  up to 3 tasks of phase 2_inference of /work
=====

=====
task 12: WGSL matrix multiplication kernel
  phase     2_inference
  file      matmul.wgsl (write_file)
  priority  10/10
=====

--- Iteration 1/3 ---
✓ generated 1,842 characters (612 tokens, 14 s)
  evidence: proved on device llvmpipe
    ✓ contract  14 cases  0.21 s
  review: 6/10 by gemini
     6  completeness  every size is computed
    feedback:
      Good structure!
      Needs tiling.
score: 6/10 ($0.0011)

--- Iteration 2/3 ---
✓ generated 1,842 characters (612 tokens, 14 s)
✓ completed: proved; scored 8/10
  saved: matmul.wgsl
  34 s, $0.0023

=====
the coach stopped: no task is ready
  processed     3 tasks: 2 completed, 1 needs_human
  success rate  67% completed or awaiting acceptance
  spent         $0.0031
  log           /state/r.jsonl
=====
""",
        STARTED,
        TASK,
        RoundStarted(task=12, round=1, rounds=3, candidates=1),
        TextArrived(task=12, source="generator", text="fn main"),
        WRITTEN,
        evidence(Proof.PROVED, CheckStatus.PASSED, "14 cases"),
        ReviewStarted(task=12, round=1, reviewer="gemini"),
        ReviewArrived(task=12, round=1, review=review(6, "Good structure!\nNeeds tiling."), unavailable=None, dollars=0.0011),
        RoundStarted(task=12, round=2, rounds=3, candidates=1),
        WRITTEN,
        TaskEnded(
            task=12, state=State.COMPLETED, reason="proved; scored 8/10", attempt=2, score=8, applied=True, dollars=0.0023, seconds=34.2
        ),
        RunEnded(reason="no task is ready", processed=3, by_state={"completed": 2, "needs_human": 1}, dollars=0.0031, log="/state/r.jsonl"),
    )


def test_what_goes_wrong() -> None:
    check(
        """\

--- Iteration 3/3, 4 candidates ---
✗ no usable text (about 0 tokens, 1.00 s): the reply was cut
  evidence: refuted on device llvmpipe
    ✗ contract  3 of 12 cases failed  0.21 s
  review: unavailable: the quota of today is used up
    hint: wait until midnight
warning: the disk is nearly full
  hint: make room
✗ needs human: 3 of 12 cases failed
  to do: pixel-lsp show-task 12 --diff
  2.00 s
""",
        RoundStarted(task=12, round=3, rounds=3, candidates=4),
        CandidateWritten(
            task=12, round=3, candidate=0, characters=0, usage=Usage(seconds=1.0, is_exact=False), problem="the reply\nwas cut"
        ),
        evidence(Proof.REFUTED, CheckStatus.FAILED, "3 of 12 cases failed"),
        ReviewArrived(
            task=12,
            round=3,
            review=None,
            unavailable=ReviewUnavailable(reason="the quota of today is used up", hint="wait until midnight"),
            dollars=0.0,
        ),
        Notice(level="warning", message="the disk is nearly full", hint="make room"),
        TaskEnded(
            task=12, state=State.NEEDS_HUMAN, reason="3 of 12 cases failed", attempt=1, score=None, applied=False, dollars=0.0, seconds=2.0
        ),
    )


def test_a_scripted_agent_is_called_what_it_is() -> None:
    scripted = Availability(agent="scripted", is_available=True, reason="", model="demo.json")
    said = written(RunStarted(run="r", mode="local only", generator=scripted, reviewer=None, tasks=0))
    assert "  generator ✓ scripted demo.json (no model: it plays replies from a file)\n  reviewer  none\n" in said
    assert "  every task that is ready of phase 2_inference of /work\n" in said


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "\x07"])
def test_texts_drive_no_terminal(text: str) -> None:
    said = written(
        TaskStarted(task=1, title=text, phase=text, target=text, action="review", priority=1),
        Notice(level="info", message=text, hint=text),
        RunEnded(reason=text, processed=0, by_state={}, dollars=0.0, log=text),
    )
    assert not set(text) & {"\x1b", "\u202e", "\x07"} & set(said)


def test_a_terminal_is_told_how_far_it_is_and_is_left_clean() -> None:
    said = written(
        STARTED,
        RoundStarted(task=12, round=1, rounds=3, candidates=1),
        TextArrived(task=12, source="generator", text="fn main"),
        is_terminal=True,
    )
    assert "ollama qwen2.5-coder:7b writes: 7 characters" in said
    hidden, cursor_back = said.rindex("\x1b[?25l"), said.rindex("\x1b[?25h")
    assert hidden < cursor_back
    assert said.endswith("\x1b[2K")


def test_a_pipe_gets_no_moving_line() -> None:
    said = written(RoundStarted(task=12, round=1, rounds=3, candidates=1), TextArrived(task=12, source="generator", text="fn main"))
    assert said == "\n--- Iteration 1/3 ---\n"
