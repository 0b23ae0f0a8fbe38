"""What follows from evidence and opinion: another round, a person's acceptance, or a person's help.

A review can veto and never rescue: no branch lets an opinion lift what evidence refuted.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pixel_coach.attempts import ACCEPTANCE_SCORE, CheckStatus, Evidence, Proof, Review, ReviewUnavailable
from pixel_coach.tasks import State

NOT_REVIEWED: Final = "not reviewed: "
"""How the reason of a review begins that could not be had."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with a task.

    Attributes:
        state: Where it goes; None for another round.
        reason: One sentence.
    """

    state: State | None
    reason: str


def decide(evidence: Evidence, review: Review | None, unavailable: ReviewUnavailable | None) -> Decision:
    """Judge the best attempt of a round.

    Args:
        evidence: What was executed.
        review: The model's opinion, or that of the local rules; None where none was asked for.
        unavailable: Why no model gave one.
    """
    if evidence.proof is Proof.REFUTED:
        return Decision(state=None, reason=refutation(evidence))
    if evidence.proof is Proof.NOT_VALIDATED:
        why = next((check.summary for check in evidence.checks if check.status is CheckStatus.UNAVAILABLE), "it cannot be executed here")
        return Decision(state=State.NEEDS_HUMAN, reason=f"not validated: {why}")
    proof = "proved" if evidence.proof is Proof.PROVED else f"unproved: {_absence(evidence)}"
    if review is not None and review.is_model:
        if review.score < ACCEPTANCE_SCORE:
            return Decision(state=None, reason=f"{proof}; scored {review.score}/10, accepted from {ACCEPTANCE_SCORE}")
        return Decision(state=State.AWAITING_ACCEPTANCE, reason=f"{proof}; scored {review.score}/10")
    errors = [finding for finding in review.findings if finding.severity == "error"] if review else []
    if errors:
        return Decision(state=None, reason=f"{proof}; local rules: line {errors[0].line}: {errors[0].message}")
    why = unavailable.reason if unavailable else "no reviewer"
    return Decision(state=State.AWAITING_ACCEPTANCE, reason=f"{proof}; unreviewed: {why}")


def refutation(evidence: Evidence) -> str:
    """The first thing that evidence found wrong, one sentence."""
    return next((check.summary for check in evidence.checks if check.status is CheckStatus.FAILED), "a check failed")


def _absence(evidence: Evidence) -> str:
    return next((check.summary for check in evidence.checks if check.status is CheckStatus.ABSENT), "nothing to prove it by")
