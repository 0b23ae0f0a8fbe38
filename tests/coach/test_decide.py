"""What follows from evidence and opinion: the whole table. No opinion lifts what evidence refuted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from coach_testing.desk import evidence
from pixel_coach.attempts import Attempt, CheckStatus, Evidence, EvidenceCheck, Patch, Proof, Review, ReviewFinding, ReviewUnavailable
from pixel_coach.decide import decide
from pixel_coach.select_best import select_best
from pixel_coach.tasks import State

AWAY = ReviewUnavailable(reason="no key")
BACK, ASK, WAIT = None, State.NEEDS_HUMAN, State.AWAITING_ACCEPTANCE


def opinion(score: int, *, is_model: bool = True, severity: str = "") -> Review:
    findings = (ReviewFinding(rule="PX801", line=3, quote="q", message="a stub", severity=severity),) if severity else ()
    return Review(reviewer="r", is_model=is_model, score=score, criteria=(), findings=findings, feedback="", text_sha256="")


RULES, STUB = opinion(7, is_model=False), opinion(3, is_model=False, severity="error")


@pytest.mark.parametrize(
    ("proof", "review", "unavailable", "state", "reason"),
    [
        (Proof.REFUTED, None, None, BACK, "the contract says refuted"),
        (Proof.REFUTED, opinion(10), None, BACK, "the contract says refuted"),
        (Proof.REFUTED, RULES, AWAY, BACK, "the contract says refuted"),
        (Proof.NOT_VALIDATED, None, None, ASK, "not validated: the contract says not_validated"),
        (Proof.NOT_VALIDATED, opinion(10), None, ASK, "not validated: the contract says not_validated"),
        (Proof.PROVED, opinion(10), None, WAIT, "proved; scored 10/10"),
        (Proof.PROVED, opinion(8), None, WAIT, "proved; scored 8/10"),
        (Proof.PROVED, opinion(7), None, BACK, "proved; scored 7/10, accepted from 8"),
        (Proof.UNPROVED, opinion(10), None, WAIT, "unproved: the contract says unproved; scored 10/10"),
        (Proof.UNPROVED, opinion(1), None, BACK, "unproved: the contract says unproved; scored 1/10, accepted from 8"),
        (Proof.PROVED, RULES, AWAY, WAIT, "proved; unreviewed: no key"),
        (Proof.PROVED, STUB, AWAY, BACK, "proved; local rules: line 3: a stub"),
        (Proof.PROVED, None, AWAY, WAIT, "proved; unreviewed: no key"),
        (Proof.PROVED, None, None, WAIT, "proved; unreviewed: no reviewer"),
        (Proof.UNPROVED, RULES, AWAY, WAIT, "unproved: the contract says unproved; unreviewed: no key"),
        (Proof.PROVED, opinion(7, is_model=False, severity="warning"), AWAY, WAIT, "proved; unreviewed: no key"),
    ],
)
def test_the_table(proof: Proof, review: Review | None, unavailable: ReviewUnavailable | None, state: State | None, reason: str) -> None:
    decision = decide(evidence(proof), review, unavailable)
    assert (decision.state, decision.reason) == (state, reason)


def attempt(
    number: int, proof: Proof | None, *, score: int = 0, is_model: bool = True, has_patch: bool = True, speedup: float = 0
) -> Attempt:
    found = None if proof is None else evidence(proof, measured_speedup=speedup or None)
    patch = Patch(path="k", base_sha256=None, new_text=str(number)) if has_patch else None
    review = opinion(score, is_model=is_model) if score else None
    return Attempt(
        number=number, task=1, run=1, round=1, candidate=number, agent="a", model="", patch=patch, reply="", evidence=found, review=review
    )


@pytest.mark.parametrize(
    ("attempts", "best"),
    [
        ([], None),
        ([attempt(1, None)], None),
        ([attempt(1, Proof.REFUTED, has_patch=False)], None),
        ([attempt(1, Proof.REFUTED), attempt(2, Proof.NOT_VALIDATED), attempt(3, Proof.UNPROVED), attempt(4, Proof.PROVED)], 4),
        ([attempt(1, Proof.PROVED), attempt(2, Proof.PROVED)], 1),
        ([attempt(1, Proof.PROVED, score=6), attempt(2, Proof.PROVED, score=7)], 2),
        ([attempt(1, Proof.PROVED, score=2), attempt(2, Proof.UNPROVED, score=10)], 1),
        ([attempt(1, Proof.PROVED), attempt(2, Proof.PROVED, score=7, is_model=False)], 1),
        ([attempt(1, Proof.PROVED, speedup=1.2), attempt(2, Proof.PROVED, speedup=1.9)], 2),
    ],
)
def test_the_best_of_several(attempts: list[Attempt], best: int | None) -> None:
    found = select_best(attempts)
    assert (found.number if found else None) == best


def test_of_refuted_attempts_the_one_that_fails_fewer_cases_is_better() -> None:
    def failing(number: int, failed: int) -> Attempt:
        check = EvidenceCheck(name="hidden", status=CheckStatus.FAILED, summary="wrong", detail={"cases": 12, "failed": ["c"] * failed})
        return replace(attempt(number, Proof.REFUTED), evidence=Evidence(proof=Proof.REFUTED, checks=(check,), text_sha256=""))

    best = select_best([failing(1, 6), failing(2, 1), failing(3, 12)])
    assert best is not None
    assert best.number == 2
