"""What is said of a run of the coach, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pixel_coach.agents.base import Availability, Usage
from pixel_coach.attempts import CheckStatus, Evidence, EvidenceCheck, Proof, Review, ReviewUnavailable
from pixel_coach.events import (
    CandidateWritten,
    Event,
    EvidenceGathered,
    Notice,
    ReviewArrived,
    ReviewStarted,
    RoundStarted,
    RunStarted,
    TaskEnded,
    TextArrived,
)
from pixel_coach.tasks import Action, NewTask, State, Task
from pixel_server.coach_runs import said_ending
from pixel_server.features.coach_progress import CoachWords

OLLAMA = Availability(agent="ollama", is_available=True, reason="it is there", model="qwen2.5-coder:7b")
REVIEW = Review(reviewer="gemini", is_model=True, score=6, criteria=(), findings=(), feedback="", text_sha256="")


def evidence(proof: Proof, status: CheckStatus, summary: str) -> EvidenceGathered:
    check = EvidenceCheck(name="contract", status=status, summary=summary)
    return EvidenceGathered(task=1, round=1, candidate=0, attempt=1, evidence=Evidence(proof=proof, checks=(check,), text_sha256=""))


def ended(state: State, reason: str) -> TaskEnded:
    return TaskEnded(task=1, state=state, reason=reason, attempt=None, score=None, applied=False, dollars=0.0, seconds=1.0)


def check(events: Sequence[Event], expected: Sequence[str | None], seconds: Iterator[float]) -> None:
    words = CoachWords(lambda: next(seconds))
    assert [words.after(event) for event in events] == expected


def test_a_run_in_words() -> None:
    check(
        [
            RunStarted(run="r", mode="full", generator=OLLAMA, reviewer=None, tasks=1),
            RoundStarted(task=1, round=1, rounds=3, candidates=2),
            TextArrived(task=1, source="generator", text="x" * 37),
            TextArrived(task=1, source="generator", text="x" * 333),
            CandidateWritten(task=1, round=1, candidate=0, characters=300, usage=Usage()),
            evidence(Proof.REFUTED, CheckStatus.FAILED, "3 of 12 cases failed"),
            evidence(Proof.PROVED, CheckStatus.PASSED, "12 cases"),
            Notice(level="info", message="by the way"),
            ReviewStarted(task=1, round=1, reviewer="gemini"),
            TextArrived(task=1, source="reviewer", text="x" * 74),
            ReviewArrived(task=1, round=1, review=REVIEW, unavailable=None, dollars=0.0),
            ReviewArrived(task=1, round=1, review=None, unavailable=ReviewUnavailable(reason="no key"), dollars=0.0),
            CandidateWritten(task=1, round=1, candidate=1, characters=0, usage=Usage(), problem="there is no code block"),
            ended(State.NEEDS_HUMAN, "not accepted in 3 rounds"),
        ],
        [
            "mode: full",
            "round 1 of 3, 2 candidates: ollama qwen2.5-coder:7b writes",
            "round 1 of 3, 2 candidates: about 10 tokens",
            "round 1 of 3, 2 candidates: 50 tokens/s, about 100 tokens",
            "round 1 of 3, 2 candidates: 300 characters written, running it",
            "round 1 of 3, 2 candidates: refuted: 3 of 12 cases failed",
            "round 1 of 3, 2 candidates: proved",
            None,
            "round 1 of 3, 2 candidates: gemini reviews",
            "round 1 of 3, 2 candidates: the reviewer writes, 20 tokens/s, about 20 tokens",
            "round 1 of 3, 2 candidates: scored 6/10",
            "round 1 of 3, 2 candidates: unreviewed: no key",
            "round 1 of 3, 2 candidates: no usable text: there is no code block",
            "waiting for a person: not accepted in 3 rounds",
        ],
        # The round begins, two pieces of text, the candidate; the review begins, a piece of it; another candidate.
        iter([10.0, 10.2, 12.0, 13.0, 20.0, 21.0, 30.0]),
    )


@pytest.mark.parametrize(
    ("action", "state", "reason", "expected"),
    [
        (Action.EDIT_FILE, State.AWAITING_ACCEPTANCE, "proved", "task 1 'Tidy' awaits your acceptance: proved"),
        (Action.EDIT_FILE, State.NEEDS_HUMAN, "no key", "task 1 'Tidy' needs you: no key"),
        (Action.EDIT_FILE, State.BLOCKED, "k.wgsl is a link", "task 1 'Tidy' is blocked: k.wgsl is a link"),
        (Action.EDIT_FILE, State.PENDING, "ollama is gone", "task 1 'Tidy' went back to the queue: ollama is gone"),
        (Action.REVIEW, State.NEEDS_HUMAN, "scored 6/10", "k.wgsl is reviewed: scored 6/10"),
        (Action.REVIEW, State.NEEDS_HUMAN, "not reviewed: no key", "k.wgsl is not reviewed: no key"),
        # What the user did, or somebody else, is no news.
        (Action.EDIT_FILE, State.PENDING, "stopped", None),
        (Action.EDIT_FILE, State.CANCELLED, "", None),
        (Action.EDIT_FILE, State.COMPLETED, "", None),
    ],
)
def test_only_what_matters_is_told(action: Action, state: State, reason: str, expected: str | None, tmp_path: Path) -> None:
    new = NewTask(workspace=tmp_path, title="Tidy", action=action, target="k.wgsl")
    task = Task(number=1, workspace=new.workspace, title=new.title, action=new.action, target=new.target)
    assert said_ending(task, ended(state, reason)) == expected
