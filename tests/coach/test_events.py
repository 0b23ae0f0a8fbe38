from __future__ import annotations

import json

import msgspec
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
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskStarted,
    TextArrived,
    decode,
    encode,
)
from pixel_coach.tasks import State

CHECK = EvidenceCheck(name="contract", status=CheckStatus.FAILED, summary="c is wrong", detail={"cases": [1, None, "x"]})
EVIDENCE = Evidence(proof=Proof.REFUTED, checks=(CHECK,), text_sha256="0", seeds=(1, 2))
REVIEW = Review(reviewer="gemini", is_model=True, score=8, criteria=(), findings=(), feedback="größer ✓", text_sha256="0")
GENERATOR = Availability(agent="ollama", is_available=True, reason="ollama 0.9.1 has qwen", model="qwen", context_tokens=4096)

EVENTS: list[Event] = [
    RunStarted(run="r", mode="local only", generator=GENERATOR, reviewer=None, tasks=3),
    TaskStarted(task=1, title="a", phase=None, target="a.wgsl", action="write_file", priority=9),
    RoundStarted(task=1, round=1, rounds=3, candidates=2),
    TextArrived(task=1, source="generator", text="line\nline \u2028"),
    CandidateWritten(task=1, round=1, candidate=0, characters=12, usage=Usage(prompt_tokens=3, is_exact=False), problem="cut"),
    EvidenceGathered(task=1, round=1, candidate=0, attempt=4, evidence=EVIDENCE),
    ReviewStarted(task=1, round=1, reviewer="gemini"),
    ReviewArrived(task=1, round=1, review=REVIEW, unavailable=None, dollars=0.0019),
    ReviewArrived(task=1, round=1, review=None, unavailable=ReviewUnavailable(reason="quota", retry_after_s=46.0), dollars=0.0),
    TaskEnded(task=1, state=State.NEEDS_HUMAN, reason="why", attempt=4, score=None, applied=False, dollars=0.0, seconds=1.5),
    RunEnded(reason="no task is left", processed=1, by_state={"needs_human": 1}, dollars=0.0, log="/log"),
    Notice(level="warning", message="m", hint="h", task=None),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_is_one_line_and_comes_back(event: Event) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line)["event"] == type(event).__name__
    assert decode(line) == event


def test_no_event_is_left_out() -> None:
    assert {type(event) for event in EVENTS} == set(Event.__args__)


@pytest.mark.parametrize("line", [b"", b"{}", b'{"event":"Nothing"}', b'{"event":"Notice","level":1,"message":""}', b"[1"])
def test_refuses_what_is_no_event(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(line)
