"""The error of an output whose truth came from a reference function, which gives a value and perhaps a scale, but no operations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import F16, F32, INTEGER_KINDS, Bounded, settled
from pixel_core.kernels.evaluate import REARRANGEMENT, stored
from pixel_core.kernels.reductions import growth

EXTRA_OPERATIONS = 8
"""Roundings besides those of the sum: a handful of elementwise operations or one built-in function."""

ESTIMATE_DEVIATIONS = 8.0
"""An estimated bound is this many root-mean-square errors."""


def bound_from_reference(
    value: NDArray[Any],
    scale: NDArray[Any] | None,
    *,
    scalar: str,
    inputs: Mapping[str, Mapping[str, NDArray[Any]]],
) -> Bounded:
    """A reference's result with an error.

    With a scale (the magnitude that a unit roundoff multiplies, such as |a| @ |b|) the error is that of a sum of `n` terms of that
    magnitude, as `reductions` derives it: γ(n)·scale at worst, √n·u/√3·scale usually. n is the longest sum that the sizes of inputs
    and output admit (`longest_sum`).

    Without one, the magnitude of what was added up is not known: the estimate takes random signs, for which Σ|x| ≈ √n·rms(result),
    and `ESTIMATE_DEVIATIONS` usual errors as the bound. It is marked as estimated.

    Args:
        value: Of the output's logical shape.
        scale: Same shape or broadcastable; None when the reference gave none.
        scalar: The output's WGSL scalar.
        inputs: Buffer → part → values; only sizes are used.

    Raises:
        ExpressionProblem: `value` does not fit the output's type.
    """
    is_whole = not np.issubdtype(value.dtype, np.floating)
    if scalar in INTEGER_KINDS or is_whole:
        exact = Bounded(value=value.astype(np.int64 if is_whole else np.float64), kind="int" if is_whole else "float")
        return stored(exact, scalar, value.shape)
    truth = value.astype(np.float64)
    precision = F16 if scalar == "f16" else F32
    terms = longest_sum(truth.size, inputs) + EXTRA_OPERATIONS
    if scale is not None:
        magnitude = np.maximum(np.abs(scale.astype(np.float64)), np.abs(truth))
        bound = REARRANGEMENT * growth(terms, precision.ulp) * magnitude + precision.smallest_normal
        spread = math.sqrt(terms) * precision.nearest * magnitude + precision.smallest_normal
        return settled(truth, scalar, bound, spread, varies=True)
    finite = truth[np.isfinite(truth)]
    level = math.sqrt(float(np.mean(finite**2))) if finite.size else 0.0
    spread = math.sqrt(terms) * precision.nearest * (np.abs(truth) + level) + precision.smallest_normal
    estimated = settled(truth, scalar, ESTIMATE_DEVIATIONS * spread, spread, varies=True)
    return Bounded(value=estimated.value, kind=scalar, bound=estimated.bound, spread=estimated.spread, varies=True, is_estimated=True)


def longest_sum(output_elements: int, inputs: Mapping[str, Mapping[str, NDArray[Any]]]) -> int:
    """How many terms one output element may sum: the longest axis of an input, or all elements of an input per output element."""
    arrays = [values for parts in inputs.values() for values in parts.values()]
    longest = max((max(values.shape, default=1) for values in arrays), default=1)
    share = max((values.size for values in arrays), default=1) // max(output_elements, 1)
    return max(longest, share, 1)
