"""From criteria to a score: weights, rounding, caps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_coach.attempts import ACCEPTANCE_SCORE, CriterionScore, ReviewFinding
from pixel_coach.score import score_review, score_rules
from pixel_coach.settings import CRITERIA, Criterion


def criteria(scores: Sequence[int]) -> list[CriterionScore]:
    return [CriterionScore(criterion=asked.id, evidence="e", score=score) for asked, score in zip(CRITERIA, scores, strict=False)]


def remark(severity: str) -> ReviewFinding:
    return ReviewFinding(rule="PX803", line=1, quote="q", message="m", severity=severity)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([8, 8, 8, 8, 8], 8),
        ([9, 9, 9, 9, 9], 9),
        ([10, 10, 10, 10, 10], 10),
        ([10, 10, 10, 10, 9], 9),  # the mean is rounded down
        ([8, 8, 8, 8, 7], 7),
        ([9, 9, 8, 8, 7], 8),  # 8.2, and nothing below what production needs
        ([10, 10, 10, 10, 8], 9),
        ([10, 10, 10, 10, 6], 7),  # one criterion needs work: not accepted
        ([10, 10, 10, 10, 5], 6),
        ([10, 10, 10, 10, 4], 6),
        ([10, 10, 10, 10, 3], 5),  # one criterion is a stub
        ([10, 10, 10, 10, 2], 4),
        ([10, 10, 10, 10, 1], 3),
        ([1, 1, 1, 1, 1], 1),
        ([6, 6, 7, 6, 6], 6),
    ],
)
def test_the_weakest_criterion_caps_the_mean(scores: Sequence[int], expected: int) -> None:
    assert score_review(criteria(scores), CRITERIA) == expected


def test_a_finding_that_is_an_error_vetoes() -> None:
    assert score_review(criteria([10] * 5), CRITERIA, [remark("error")]) == ACCEPTANCE_SCORE - 1
    assert score_review(criteria([10] * 5), CRITERIA, [remark("warning"), remark("info")]) == 10
    assert score_review(criteria([2] * 5), CRITERIA, [remark("error")]) == 2


def test_weights_count() -> None:
    asked = (Criterion(id="a", question="?", weight=3.0), Criterion(id="b", question="?"))
    given_scores = [CriterionScore(criterion="a", evidence="e", score=9), CriterionScore(criterion="b", evidence="e", score=7)]
    assert score_review(given_scores, asked) == 8
    assert score_review(given_scores, [Criterion(id="a", question="?", weight=0.0), Criterion(id="b", question="?", weight=-1.0)]) == 8


def test_a_missing_criterion_is_no_score() -> None:
    with pytest.raises(ValueError, match="no score for completeness"):
        score_review(criteria([8, 8, 8, 8]), CRITERIA)
    with pytest.raises(ValueError, match="no score for any criterion"):
        score_review([], ())
    with pytest.raises(ValueError, match="not 1 to 10"):
        score_review(criteria([8, 8, 8, 8, 11]), CRITERIA)


@given(st.lists(st.integers(1, 10), min_size=5, max_size=5))
def test_a_score_lies_between_the_weakest_and_the_strongest_criterion_or_at_the_cap(scores: list[int]) -> None:
    score = score_review(criteria(scores), CRITERIA)
    assert 1 <= score <= max(scores)
    assert score >= min(scores)
    if score >= ACCEPTANCE_SCORE:
        assert min(scores) >= 7


@given(st.lists(st.integers(1, 9), min_size=5, max_size=5), st.integers(0, 4))
def test_a_better_criterion_never_lowers_the_score(scores: list[int], index: int) -> None:
    better = [score + (number == index) for number, score in enumerate(scores)]
    assert score_review(criteria(better), CRITERIA) >= score_review(criteria(scores), CRITERIA)


def test_the_local_rules_never_accept() -> None:
    assert [score_rules([remark(severity)]) for severity in ("error", "warning", "info")] == [3, 6, 7]
    assert score_rules([]) == 7 < ACCEPTANCE_SCORE
