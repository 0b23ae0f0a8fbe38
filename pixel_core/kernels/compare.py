"""The verdict on one output: elementwise bound *and* normalised mean squared error *and* what a dumb output would have got.

One criterion alone is never enough: the mean misses a wrong tile edge among good elements, a bound that must hold for every order of
summation misses inputs that were silently rounded to f16, and either accepts zeros where the truth is nearly zero.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import Bounded, Floats
from pixel_core.kernels.contract import Compare
from pixel_core.kernels.dumb_outputs import passing_dumb_output
from pixel_core.kernels.judgement import Judgement, Yardstick, judge, yardstick
from pixel_core.kernels.memory import DTYPES
from pixel_core.kernels.patterns import PatternContext, find_patterns
from pixel_core.kernels.results import Element, Mismatch, OutputResult, Real
from pixel_core.kernels.ulp import ulp_distance


def compare_output(
    expected: Bounded,
    actual: NDArray[Any],
    compare: Compare,
    *,
    output: str,
    context: PatternContext,
    keys: Bounded | None = None,
    level: Floats | float = 1.0,
) -> OutputResult:
    """Compare one output with its truth.

    Args:
        expected: From `evaluate_expect` or `bound_from_reference`, in the output's shape and type.
        actual: What the kernel wrote: same shape, dtype f32, f16, i32 or u32.
        compare: How it is judged.
        output: Its name, for the result.
        context: Inputs for the dumb outputs; sizes for patterns.
        keys: What its indices sort, for `argsort`.
        level: Distance of two levels, of all or of each element, for `quantised`.

    Raises:
        ExpressionProblem: Indices and what they sort do not fit.
    """
    scalar = next(name for name, dtype in DTYPES.items() if dtype == actual.dtype)
    with np.errstate(all="ignore"):
        standard = yardstick(expected, scalar, compare, keys, level)
        judgement = judge(actual, standard)
        dumb = passing_dumb_output(standard, context.inputs)
        ratio = _bound_ratio(judgement, standard)
        return OutputResult(
            output=output,
            shape=actual.shape,
            mode=compare.mode,
            passed=judgement.passed,
            informative=dumb is None,
            passing_dumb_output=dumb,
            max_absolute_error=_real(_greatest(judgement.error)),
            max_bound_ratio=_real(_greatest(ratio)),
            nmse=_real(judgement.nmse),
            nmse_limit=_real(standard.nmse_limit),
            bound_is_estimated=expected.is_estimated,
            only_element=_element(0, actual, standard) if actual.size == 1 else None,
            mismatch=None if judgement.passed else _mismatch(expected, actual, standard, judgement, ratio, context),
        )


def _mismatch(
    expected: Bounded, actual: NDArray[Any], standard: Yardstick, judgement: Judgement, ratio: Floats, context: PatternContext
) -> Mismatch:
    first = int(np.argmax(judgement.wrong)) if judgement.count else None
    rank = np.where(np.isnan(ratio), np.inf, ratio)
    if judgement.count:
        rank = np.where(judgement.wrong, rank, -1.0)
    worst = int(np.argmax(rank)) if rank.size else None
    if worst is not None and math.isinf(float(rank.flat[worst])):
        # Among several beyond any ratio (NaN, or a bound of 0), the greatest error; NaN before all.
        error = np.where(np.isnan(judgement.error), np.inf, judgement.error)
        worst = int(np.argmax(np.where(rank == np.inf, error, -1.0)))
    return Mismatch(
        wrong=judgement.count,
        total=actual.size,
        first=None if first is None else _element(first, actual, standard),
        worst=None if worst is None else _element(worst, actual, standard),
        patterns=find_patterns(judgement.wrong, standard.expected, actual, np.maximum(standard.limit, expected.spread), context),
    )


def _element(flat: int, actual: NDArray[Any], standard: Yardstick) -> Element:
    index = tuple(int(place) for place in np.unravel_index(flat, actual.shape))
    truth, found = standard.expected[index], actual[index]
    error = abs(float(found) - float(truth))
    if math.isnan(error) and float(found) == float(truth):
        error = 0.0
    distance = -1
    if actual.dtype.kind == "f":
        distance = int(ulp_distance(np.asarray(found), np.asarray(truth, dtype=actual.dtype)))
    elif not math.isnan(error):
        distance = abs(int(found) - int(truth))
    limit = standard.limit[index] if standard.limit.ndim else standard.limit
    return Element(
        index=index,
        expected=_real(truth),
        actual=_real(found),
        absolute_error=_real(error),
        relative_error=_real(error / abs(float(truth)) if float(truth) else math.inf),
        ulp=distance,
        bound=_real(float(limit)),
    )


def _bound_ratio(judgement: Judgement, standard: Yardstick) -> Floats:
    """Error / limit; 0 for no error, infinite for any error where none is allowed."""
    if standard.limit.ndim == 0 and float(standard.limit) == 0:
        return np.where(judgement.error == 0, 0.0, np.where(np.isnan(judgement.error), np.nan, np.inf))
    ratio = judgement.error / standard.limit
    settled = (
        (judgement.error == 0) | (np.isinf(standard.limit) & np.isfinite(judgement.error)) | ~judgement.wrong & np.isnan(judgement.error)
    )
    return np.where(settled, 0.0, ratio)


def _greatest(values: Floats) -> float:
    """The maximum, NaN counting as greatest; 0 of none."""
    return float(np.max(values)) if values.size else 0.0


def _real(number: Any) -> Real:
    """A number as text: `repr` of a float, decimal digits of an integer."""
    if isinstance(number, (int, np.integer)):
        return str(int(number))
    return repr(float(number))
