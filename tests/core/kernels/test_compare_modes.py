"""Indices, counts and levels: what each mode lets pass, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from array_testing import NOWHERE, evaluate
from pixel_core.kernels.bounded import Bounded, from_input
from pixel_core.kernels.compare import compare_output
from pixel_core.kernels.contract import Compare
from pixel_core.kernels.evaluate import stored
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.patterns import PatternContext
from pixel_core.kernels.results import OutputResult

NO_CONTEXT = PatternContext(inputs={})


def u32(values: Any) -> Bounded:
    return from_input(np.asarray(values, np.uint32), "u32")


def check(
    mode: str, expected: Bounded, actual: Any, wrong: int, *, level: float = 1.0, keys: Bounded | None = None, **fields: Any
) -> OutputResult:
    """`wrong` elements are wrong; 0 means that the output passes."""
    dtype = np.uint32 if expected.kind not in {"f32", "float"} or level == 1.0 else np.float32
    compare = Compare(mode=mode, span=NOWHERE, **fields)
    result = compare_output(expected, np.asarray(actual, dtype), compare, output="y", context=NO_CONTEXT, keys=keys, level=level)
    assert result.passed == (wrong == 0)
    assert (0 if result.mismatch is None else result.mismatch.wrong) == wrong
    return result


KEYS = from_input(np.array([0.5, 0.25, 0.5, 0.75], np.float32), "f32")


@pytest.mark.parametrize(
    ("actual", "wrong"),
    [
        ([1, 0, 2, 3], 0),
        ([1, 2, 0, 3], 0),  # equal keys in any order
        ([0, 1, 2, 3], 2),
        ([1, 0, 0, 3], 1),  # one index twice
        ([1, 0, 2, 4], 1),  # out of range
        ([1, 0, 2, 0xFFFFFFFF], 1),
        ([0, 0, 0, 0], 4),
    ],
)
def test_indices_by_what_they_lead_to(actual: list[int], wrong: int) -> None:
    check("argsort", u32([1, 0, 2, 3]), actual, wrong, keys=KEYS)


def test_the_first_few_indices_of_rows() -> None:
    keys = from_input(np.array([[3, 1, 2], [5, 5, 4]], np.float32), "f32")
    check("argsort", u32([[1, 2], [2, 0]]), [[1, 2], [2, 1]], 0, keys=keys)
    check("argsort", u32([[1, 2], [2, 0]]), [[1, 0], [2, 1]], 1, keys=keys)


def test_keys_that_may_be_equal_within_their_errors_are() -> None:
    x = np.array([1.0, 1.0, 2.0], np.float32)
    keys = evaluate("x * 0.1 + x * 0.2", x=x)
    near = Bounded(value=keys.value + np.array([0, 1e-9, 0]), kind="f32", bound=keys.bound, spread=keys.spread)
    check("argsort", u32([0, 1, 2]), [1, 0, 2], 0, keys=near)
    check("argsort", u32([0, 1, 2]), [2, 1, 0], 2, keys=near)


def test_indices_that_do_not_fit_what_they_sort() -> None:
    with pytest.raises(ExpressionProblem, match=r"indices and what they sort have the shapes \[4\] and \[2, 2\], which do not fit"):
        check("argsort", u32([0, 1, 2, 3]), [0, 1, 2, 3], 0, keys=from_input(np.zeros((2, 2), np.float32), "f32"))


def test_sorted_keys_say_little_about_a_sort() -> None:
    keys = from_input(np.array([1, 2, 3], np.float32), "f32")
    assert check("argsort", u32([0, 1, 2]), [0, 1, 2], 0, keys=keys).passing_dumb_output == "0, 1, 2, …"


@pytest.mark.parametrize(
    ("actual", "moved", "wrong"),
    [
        ([3, 5, 2], 0, 0),
        ([4, 4, 2], 0, 2),
        ([4, 4, 2], 1, 0),
        ([4, 5, 1], 1, 0),  # wherever it went
        ([5, 3, 2], 1, 2),
        ([2, 5, 2], 1, 1),  # lost, not moved
        ([4, 5, 2], 3, 1),  # counted twice
    ],
)
def test_counts_by_what_moved(actual: list[int], moved: int, wrong: int) -> None:
    check("histogram", u32([3, 5, 2]), actual, wrong, moved=moved)


def test_counts_whose_bins_are_uncertain() -> None:
    """2.0 · 1.1 / 1.1 may come out a little below 2; 4.5 may not come out as 7, and nothing may be lost."""
    x = np.array([0.9, 2.0, 2.0, 4.5], np.float32)
    truth = stored(evaluate("bincount(u32(x * 1.1 / 1.1), 8)", x=x), "u32", (8,))
    check("histogram", truth, [1, 0, 2, 0, 1, 0, 0, 0], 0)
    check("histogram", truth, [1, 2, 0, 0, 1, 0, 0, 0], 0)
    check("histogram", truth, [1, 0, 2, 0, 0, 0, 0, 1], 2)
    check("histogram", truth, [1, 0, 1, 0, 1, 0, 0, 0], 1)
    check("histogram", truth, [0, 0, 0, 0, 0, 0, 0, 0], 2)


@pytest.mark.parametrize(
    ("actual", "levels", "wrong"),
    [([10, 11], 0, 0), ([11, 10], 0, 1), ([11, 9], 1, 0), ([12, 9], 1, 1), ([10, 10], 0, 0)],
)
def test_levels_by_rounding(actual: list[int], levels: int, wrong: int) -> None:
    """10.2 may not become 11; 10.5 may become either."""
    truth = Bounded(value=np.array([10.2, 10.5]), kind="f32")
    check("quantised", truth, actual, wrong, levels=levels)


def test_normalised_levels() -> None:
    truth = Bounded(value=np.array([10.2, 10.7]) / 255, kind="f32")
    check("quantised", truth, np.array([10, 11]) / 255, 0, level=1 / 255)
    check("quantised", truth, np.array([10, 10]) / 255, 1, level=1 / 255)
