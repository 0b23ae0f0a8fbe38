"""A running coach, event by event, as lines; on a terminal with a moving line below them that says what is being waited for.

======================================================================
task 3: WGSL matrix multiplication kernel
  phase     2_inference
  file      kernels/matmul.wgsl (write_file)
  priority  10/10
======================================================================
--- Iteration 1/3 ---
✓ generated 1,842 characters (612 tokens, 14.2 s)
  evidence: proved on device llvmpipe
    ✓ contract   14 cases, max error 3.1e-6
score: 6/10 ($0.0011)
feedback: …
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, final

from rich.console import Console
from rich.status import Status
from rich.text import Text

from pixel_coach.agents.base import Availability
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
from pixel_coach.tasks import Action, State
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_tasks import STATE_STYLES, render_evidence, render_review, render_unavailable
from pixel_server.verdict_words import count, seconds

RULE: Final = "=" * 70
NO_AGENT: Final = "none"
"""The mode in which nothing can be asked."""
REACHED: Final = frozenset({State.COMPLETED.value, State.AWAITING_ACCEPTANCE.value})
"""What counts as success of a run: done, or only a person's yes is missing."""


@final
class LiveCoach:
    """Writes events to a console. A context manager, so that the moving line is always taken away.

    Args:
        console: Where to.
        medium: What it can show.
        scope: What is worked on, such as `phase 2_inference of ~/kernels`.
        clock: Seconds, for the speed of arriving text.
    """

    def __init__(self, console: Console, medium: Medium, scope: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._medium = medium
        self._scope = scope
        self._clock = clock
        # FORCE_COLOR makes a pipe look like a terminal to rich; a line that moves is still of no use there.
        self._status: Status | None = None
        self._moves = console.file.isatty() and not console.is_dumb_terminal
        self._generator = "the generator"
        self._target = ""
        self._writes = True
        self._is_review = False
        self._mode = ""
        self._characters = 0
        self._since = 0.0

    def __enter__(self) -> LiveCoach:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._wait_for(None)

    def tell(self, event: Event) -> None:
        """Write one event."""
        match event:
            case RunStarted():
                self._run_started(event)
            case TaskStarted():
                self._task_started(event)
            case RoundStarted():
                each = f", {event.candidates} candidates" if event.candidates > 1 else ""
                self._write(Text(f"\n--- Iteration {event.round}/{event.rounds}{each} ---", "bold"))
                self._begin(f"{self._generator} writes")
            case TextArrived():
                self._text_arrived(event)
            case CandidateWritten():
                self._candidate_written(event)
            case EvidenceGathered():
                self._write(render_evidence(event.evidence, self._medium, with_feedback=False))
            case ReviewStarted():
                self._begin(f"{event.reviewer} reviews")
            case ReviewArrived():
                self._review_arrived(event)
            case TaskEnded():
                self._task_ended(event)
            case RunEnded():
                self._run_ended(event)
            case Notice():
                self._notice(event)

    def _run_started(self, event: RunStarted) -> None:
        self._mode = event.mode
        self._write(Text(RULE, "dim"))
        self._write(Text(f"pixel-lsp coach, mode: {event.mode}", "bold"))
        for role, agent in (("generator", event.generator), ("reviewer", event.reviewer)):
            self._write(Text(f"  {role:<10}").append(self._agent(agent)))
        self._writes = event.generator is not None
        if event.generator is not None:
            self._generator = self._said(f"{event.generator.agent} {event.generator.model}".strip())
        limit = f"up to {count(event.tasks, 'task')}" if event.tasks else "every task that is ready"
        self._write(Text(f"  {limit} of {self._said(self._scope)}"))
        self._write(Text(RULE, "dim"))

    def _agent(self, agent: Availability | None) -> Text:
        glyphs = self._medium.glyphs
        if agent is None:
            return Text("none", "yellow")
        sign = (f"{glyphs.passed} ", "green") if agent.is_available else (f"{glyphs.failed} ", "bold red")
        text = Text.assemble(sign, (self._said(f"{agent.agent} {agent.model}".strip()), "bold"))
        if agent.agent == "scripted":
            text.append(" (no model: it plays replies from a file)", "yellow")
        if not agent.is_available:
            text.append(f": {self._said(agent.reason)}")
        return text

    def _task_started(self, event: TaskStarted) -> None:
        self._target = self._said(event.target)
        self._is_review = event.action == Action.REVIEW.value
        facts = (("phase", event.phase or ""), ("file", f"{event.target} ({event.action})"), ("priority", f"{event.priority}/10"))
        self._write(Text(f"\n{RULE}", "dim"))
        self._write(Text(f"task {event.task}: {self._said(event.title)}", "bold"))
        for name, value in facts:
            if value:
                self._write(Text(f"  {name:<9} {self._said(value)}"))
        self._write(Text(RULE, "dim"))

    def _text_arrived(self, event: TextArrived) -> None:
        self._characters += len(event.text)
        if self._status is not None:
            passed = max(self._clock() - self._since, 1e-3)
            writer = "the reviewer writes" if event.source == "reviewer" else f"{self._generator} writes"
            self._wait_for(f"{writer}: {count(self._characters, 'character')}, {self._characters / passed:,.0f} per second")

    def _candidate_written(self, event: CandidateWritten) -> None:
        usage = event.usage
        about = "" if usage.is_exact else "about "
        if event.characters and (self._is_review or not self._writes):
            self._write(Text.assemble(self._sign(True), f"read {count(event.characters, 'character')} of {self._target}"))
            return
        took = f" ({about}{count(usage.reply_tokens + usage.thinking_tokens, 'token')}, {seconds(usage.seconds)})"
        if event.characters:
            self._write(Text.assemble(self._sign(True), f"generated {count(event.characters, 'character')}{took}"))
        else:
            self._write(Text.assemble(self._sign(False), f"no usable text{took}: {self._said(event.problem)}"))
        self._begin("the candidate is being executed")

    def _review_arrived(self, event: ReviewArrived) -> None:
        self._wait_for(None)
        cost = f" (${event.dollars:.4f})" if event.dollars else ""
        if event.unavailable is not None:
            self._write(render_unavailable(event.unavailable, self._medium))
        if event.review is not None:
            self._write(render_review(event.review, self._medium))
            self._write(Text(f"score: {event.review.score}/10{cost}", "bold"))

    def _task_ended(self, event: TaskEnded) -> None:
        self._wait_for(None)
        is_good = event.state.value in REACHED
        said = event.state.value.replace("_", " ")
        why = f": {self._said(event.reason)}" if event.reason else ""
        self._write(Text.assemble(self._sign(is_good), (said, STATE_STYLES[event.state]), why))
        if event.applied:
            self._write(Text(f"  saved: {self._target}"))
        elif event.attempt is not None and event.state in {State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN}:
            then = f", then pixel-lsp accept {event.task}" if event.state is State.AWAITING_ACCEPTANCE else ""
            diff = "" if self._is_review else " --diff"
            self._write(Text(f"  to do: pixel-lsp show-task {event.task}{diff}{then}"))
        cost = f", ${event.dollars:.4f}" if event.dollars else ""
        self._write(Text(f"  {seconds(event.seconds)}{cost}", "dim"))

    def _run_ended(self, event: RunEnded) -> None:
        self._wait_for(None)
        reached = sum(number for state, number in event.by_state.items() if state in REACHED)
        states = ", ".join(f"{number:,} {state}" for state, number in event.by_state.items())
        self._write(Text(f"\n{RULE}", "dim"))
        # Which, why and how to mend it stands above already, a notice an agent.
        reason = "no model can be asked, see above" if self._mode == NO_AGENT else self._said(event.reason)
        self._write(Text("the coach stopped, as it was told to" if reason == "stopped" else f"the coach stopped: {reason}", "bold"))
        self._write(Text(f"  processed     {count(event.processed, 'task')}{f': {states}' if states else ''}"))
        if event.processed:
            self._write(Text(f"  success rate  {100 * reached / event.processed:.0f}% completed or awaiting acceptance"))
        self._write(Text(f"  spent         ${event.dollars:.4f}"))
        if event.log:
            self._write(Text(f"  log           {self._said(event.log)}"))
        self._write(Text(RULE, "dim"))

    def _notice(self, event: Notice) -> None:
        style = "bold yellow" if event.level == "warning" else "bold"
        hint = f"\n  hint: {self._said(event.hint)}" if event.hint else ""
        self._write(Text.assemble((f"{event.level}: ", style), self._said(event.message), hint))

    def _begin(self, what: str) -> None:
        self._characters = 0
        self._since = self._clock()
        self._wait_for(what)

    def _wait_for(self, what: str | None) -> None:
        """Say on the moving line what is being waited for; None takes it away."""
        if not self._moves:
            return
        if what is None:
            if self._status is not None:
                self._status.stop()
                self._status = None
        elif self._status is None:
            self._status = self._console.status(Text(what))
            self._status.start()
        else:
            self._status.update(Text(what))

    def _sign(self, is_good: bool) -> tuple[str, str]:
        glyphs = self._medium.glyphs
        return (f"{glyphs.passed} ", "bold green") if is_good else (f"{glyphs.failed} ", "bold red")

    def _said(self, text: str) -> str:
        """One line that drives no terminal."""
        return self._medium.printable(" ".join(text.split()))

    def _write(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
