"""From the criteria of a review to one number: computed here, never taken from a model.

The scale is 1–3 a stub, 4–6 needs work, 7–9 fit for production, 10 exceptional. A mean alone would let four good criteria hide one
that is a stub, so the weakest criterion caps the score, and so does a finding that is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from types import MappingProxyType
from typing import Final

from pixel_coach.attempts import CriterionScore, ReviewFinding
from pixel_coach.settings import Criterion

CAPS: Final[Mapping[int, int]] = MappingProxyType({1: 3, 2: 4, 3: 5, 4: 6, 5: 6, 6: 7, 7: 9, 8: 9, 9: 10, 10: 10})
"""Score of the weakest criterion → highest score of the whole: what is a stub in one respect is at most 5, what needs work in one
respect is not accepted, and only what is 9 throughout can be exceptional."""

ERROR_CAP: Final = 7
"""Highest score with a finding that is an error."""


def score_review(criteria: Sequence[CriterionScore], asked: Sequence[Criterion], findings: Sequence[ReviewFinding] = ()) -> int:
    """The score of a review, 1–10: the weighted mean of its criteria, rounded down, under the caps.

    Args:
        criteria: One for each that was asked, 1–10 each.
        asked: With their weights; where all are 0 they count alike.
        findings: Those that could be anchored.

    Raises:
        ValueError: A criterion is missing, or its score is not 1–10.
    """
    given = {criterion.criterion: criterion.score for criterion in criteria}
    missing = [criterion.id for criterion in asked if criterion.id not in given]
    if missing or not asked:
        raise ValueError(f"no score for {', '.join(missing) or 'any criterion'}")
    if any(not 1 <= given[criterion.id] <= 10 for criterion in asked):
        raise ValueError("a score is not 1 to 10")
    weights = [max(criterion.weight, 0.0) for criterion in asked]
    weights = weights if sum(weights) > 0 else [1.0] * len(asked)
    # A little above, since 0.2 × 8 five times is 7.999…
    mean = sum(weight * given[criterion.id] for weight, criterion in zip(weights, asked, strict=True)) / sum(weights) + 1e-9
    caps = [CAPS[min(given[criterion.id] for criterion in asked)]]
    if any(finding.severity == "error" for finding in findings):
        caps.append(ERROR_CAP)
    return min(floor(mean), *caps)


def score_rules(findings: Sequence[ReviewFinding]) -> int:
    """The score of the local rules: 3 with an error, 6 with a warning, else 7. They see forms and no meaning, so they never reach 8."""
    severities = {finding.severity for finding in findings}
    return 3 if "error" in severities else 6 if "warning" in severities else 7
