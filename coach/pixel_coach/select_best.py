"""Which of several attempts is the best: what was executed decides first, opinions second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pixel_coach.attempts import Attempt, CheckStatus, Proof

_RANK: Final = {Proof.PROVED: 3, Proof.UNPROVED: 2, Proof.NOT_VALIDATED: 1, Proof.REFUTED: 0}


def select_best(attempts: Iterable[Attempt]) -> Attempt | None:
    """The best attempt that holds a patch and has evidence; of equals the earliest. None where there is none."""
    judged = [attempt for attempt in attempts if attempt.patch is not None and attempt.evidence is not None]
    return max(judged, key=_merit, default=None)


def _merit(attempt: Attempt) -> tuple[int, int, int, float, float, int, int]:
    evidence, review = attempt.evidence, attempt.review
    assert evidence is not None
    passed = sum(check.status is CheckStatus.PASSED for check in evidence.checks)
    score = review.score if review is not None and review.is_model else 0
    share = sum(_share_of_cases(check.detail) for check in evidence.checks)
    return (_RANK[evidence.proof], score, passed, evidence.measured_speedup or 0.0, share, -attempt.round, -attempt.number)


def _share_of_cases(detail: Mapping[str, Any]) -> float:
    """How many of a check's cases passed, 0 to 1; 0 for a check that does not say."""
    cases, failed = detail.get("cases"), detail.get("failed")
    if not isinstance(cases, int) or not isinstance(failed, (list, tuple)) or not cases:
        return 0.0
    return 1.0 - min(len(failed) / cases, 1.0)
