"""Which elements of an output are wrong, and whether all of them together are: the arithmetic of a comparison, without its report."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import F16, F32, ZERO, Bounded, Floats
from pixel_core.kernels.contract import Compare
from pixel_core.kernels.judge_indices import judge_indices
from pixel_core.kernels.memory import DTYPES
from pixel_core.kernels.ulp import ulp_distance

NMSE_SAFETY = 4.0
"""The root mean square error may be this many times the spread: 4 standard deviations for an output of one element, and room for a
kernel that computes the same formula in more operations."""

ELEMENT_SAFETY = 16.0
"""One element may be this many times its spread from the truth, where that is less than the worst case. In a sum of thousands of terms
the worst case (all roundings in one direction) is a hundred times what any device does, and would hide a missing term."""

ROUNDING_LEVELS = 0.6
"""How far a number may lie from its level: half a level, and what conversions to normalised integers may err besides (Direct3D 11.3
functional specification, section 3.2.3.6; a kernel that truncates is off by up to 1)."""

Bits = NDArray[np.bool_]


class Yardstick(msgspec.Struct, frozen=True, kw_only=True):
    """What an output is held against, prepared once per output and used for the kernel's and for every dumb output.

    Attributes:
        scalar: WGSL type of the output.
        mode: One of `contract.COMPARE_MODES`.
        nan: `refuse` or `equal`.
        expected: The truth in float64, rounded to the type for `exact` and `ulp`; integers as they are.
        limit: Greatest |actual - expected| of each element; infinite where nothing can be said.
        low: Sorted least values, for `multiset`.
        high: Sorted greatest values.
        ulp: Greatest distance, for `ulp`.
        judged: Elements with a finite truth and a finite limit; the NMSE counts these.
        energy: Σ expected² over them.
        nmse_limit: What the NMSE may be; infinite where it does not apply.
        keys: What the indices sort, for `argsort`.
        moved: Elements that may be counted in another bin, for `histogram`.
    """

    scalar: str
    mode: str
    nan: str
    expected: NDArray[Any]
    limit: Floats
    low: NDArray[Any]
    high: NDArray[Any]
    ulp: int
    judged: Bits | None
    energy: float
    nmse_limit: float
    keys: Bounded | None = None
    moved: int = 0


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one candidate.

    Attributes:
        wrong: Elements beyond their limit.
        count: Their number.
        error: |actual - expected|; NaN where either is.
        nmse: Σ error² / Σ expected² over the judged elements.
        passed: No wrong element, and the NMSE within its limit.
    """

    wrong: Bits
    count: int
    error: Floats
    nmse: float
    passed: bool


def yardstick(expected: Bounded, scalar: str, compare: Compare, keys: Bounded | None = None, level: Floats | float = 1.0) -> Yardstick:
    """Prepare a comparison.

    Args:
        expected: The truth, in the output's shape and type.
        scalar: The output's WGSL scalar.
        compare: How it is judged.
        keys: What its indices sort, for `argsort`.
        level: Distance of two levels, of all or of each element, for `quantised`.
    """
    is_float = scalar in {"f32", "f16"}
    value = expected.value
    limit, nmse_limit, judged, energy = ZERO, math.inf, None, 0.0
    low = high = value
    if compare.mode in {"exact", "ulp"} and is_float:
        with np.errstate(all="ignore"):
            value = value.astype(DTYPES[scalar]).astype(np.float64)
    if not is_float:
        # Integers are exact unless the truth itself is open: a float that may fall into either of two bins.
        limit = expected.bound
    if compare.mode == "quantised":
        limit = expected.bound + (ROUNDING_LEVELS + compare.levels) * level
    if compare.mode == "scaled":
        tolerance = compare.atol + compare.rtol * np.abs(value) if compare.atol or compare.rtol else ZERO
        limit = _element_limit(expected) + np.where(np.isfinite(tolerance), tolerance, 0.0)
        if is_float:
            judged, energy, nmse_limit = _mean_square(expected, limit, tolerance, compare)
    elif compare.mode == "multiset":
        low, high = np.sort(value - expected.bound, axis=None), np.sort(value + expected.bound, axis=None)
    return Yardstick(
        scalar=scalar, mode=compare.mode, nan=compare.nan, expected=value, limit=limit, low=low, high=high, ulp=compare.ulp,
        judged=judged, energy=energy, nmse_limit=nmse_limit, keys=keys, moved=compare.moved,
    )  # fmt: skip


def _element_limit(expected: Bounded) -> Floats:
    """The lesser of worst case and statistics; an open bound stays open, because what opened it is not linear."""
    if expected.is_exact or expected.is_estimated:
        return expected.bound
    return np.where(np.isfinite(expected.bound), np.minimum(expected.bound, ELEMENT_SAFETY * expected.spread), np.inf)


def _mean_square(expected: Bounded, limit: Floats, tolerance: Floats, compare: Compare) -> tuple[Bits | None, float, float]:
    """Which elements count for the NMSE, their energy, and the limit: (safety · spread + tolerance)² summed / energy."""
    value = expected.value
    allowed = NMSE_SAFETY * expected.spread + tolerance
    open_to_judgement = np.isfinite(value) & np.isfinite(limit) & np.isfinite(allowed)
    judged = None if open_to_judgement.all() else np.broadcast_to(open_to_judgement, value.shape)
    if judged is not None:
        value, allowed = value[judged], np.broadcast_to(allowed, judged.shape)[judged]
    energy = float(np.sum(value * value))
    if compare.nmse is not None:
        return judged, energy, compare.nmse
    if energy == 0:
        return judged, energy, math.inf
    room = np.broadcast_to(allowed, value.shape)
    return judged, energy, float(np.sum(room * room)) / energy


def judge(candidate: NDArray[Any], standard: Yardstick) -> Judgement:
    """Hold one candidate output against the truth.

    Args:
        candidate: Of the output's shape, in the dtype of its scalar.
        standard: From `yardstick`.
    """
    with np.errstate(all="ignore"):
        if standard.mode == "multiset":
            return _judge_multiset(candidate, standard)
        if standard.mode == "argsort" and standard.keys is not None:
            wrong, error = judge_indices(candidate, standard.expected, standard.keys)
            return _judgement(wrong, error, 0.0, standard)
        if standard.mode == "histogram":
            return _judge_counts(candidate, standard)
        if standard.scalar not in {"f32", "f16"}:
            return _judge_integers(candidate, standard)
        return _judge_floats(candidate, standard)


def _judge_integers(candidate: NDArray[Any], standard: Yardstick) -> Judgement:
    error = np.abs(candidate.astype(np.int64) - standard.expected).astype(np.float64)
    return _judgement(error > standard.limit, error, 0.0, standard)


def _judge_counts(candidate: NDArray[Any], standard: Yardstick) -> Judgement:
    """Counts: as many as expected, and no more of them in other bins than may have moved.

    An element whose bin is uncertain by its own error counts as the truth's bound says; each of `moved` leaves one bin and enters another.
    All together can be more or fewer only by elements that may lie outside of all bins, and those are uncertain in the first or the last.
    """
    difference = np.atleast_1d(candidate.astype(np.float64) - standard.expected)
    uncertain = np.broadcast_to(standard.limit, difference.shape)
    error = np.abs(difference)
    at_ends = float(np.sum(uncertain[..., 0]) + np.sum(uncertain[..., -1]))
    wrong = error > uncertain + standard.moved
    if float(np.sum(error)) > float(np.sum(uncertain)) + 2 * standard.moved or abs(float(np.sum(difference))) > at_ends:
        wrong = error > uncertain
        wrong = wrong if wrong.any() else error > 0
    return _judgement(wrong.reshape(candidate.shape), error.reshape(candidate.shape), 0.0, standard)


def _judge_floats(candidate: NDArray[Any], standard: Yardstick) -> Judgement:
    actual = candidate.astype(np.float64)
    error = np.abs(actual - standard.expected)
    if standard.mode == "ulp":
        rounded = standard.expected.astype(candidate.dtype)
        within = (ulp_distance(candidate, rounded) <= standard.ulp) & np.isfinite(error)
    else:
        within = error <= standard.limit
    wrong = ~within
    if wrong.any() or not np.isfinite(standard.expected).all():
        wrong = _settle_special(actual, wrong, standard)
    return _judgement(wrong, error, _nmse(error, standard), standard)


def _settle_special(actual: Floats, wrong: Bits, standard: Yardstick) -> Bits:
    """NaN and infinity, which a difference cannot judge.

    Where the truth is NaN, `refuse` asks nothing (a WGSL device may assume that NaN never occurs) and `equal` asks for NaN. Where it
    is infinite, the kernel must have that infinity or the largest number of its type, at which a conversion may stop. Anywhere else
    a NaN is wrong, even where the bound is infinite.
    """
    expected = standard.expected
    nan_expected = np.isnan(expected)
    wrong = np.where(nan_expected, ~np.isnan(actual) if standard.nan == "equal" else False, wrong)
    largest = (F16 if standard.scalar == "f16" else F32).largest
    saturated = (np.abs(actual) >= largest) & (np.sign(actual) == np.sign(expected))
    wrong = np.where(np.isinf(expected), ~saturated, wrong)
    return np.asarray(wrong | (np.isnan(actual) & ~nan_expected), dtype=np.bool_)


def _judge_multiset(candidate: NDArray[Any], standard: Yardstick) -> Judgement:
    """The same elements in any order: sorted, each lies between the sorted ends of the expected intervals."""
    flat = candidate.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ascending = flat[order].astype(np.float64 if flat.dtype.kind == "f" else np.int64)
    outside = ~((ascending >= standard.low) & (ascending <= standard.high))
    both_nan = np.isnan(ascending.astype(np.float64)) & np.isnan(standard.low.astype(np.float64))
    wrong = np.zeros(flat.size, dtype=np.bool_)
    wrong[order] = outside & ~both_nan
    error = np.zeros(flat.size)
    error[order] = np.maximum(np.maximum(standard.low - ascending, ascending - standard.high), 0).astype(np.float64)
    return _judgement(wrong.reshape(candidate.shape), error.reshape(candidate.shape), 0.0, standard)


def _nmse(error: Floats, standard: Yardstick) -> float:
    if math.isinf(standard.nmse_limit):
        return 0.0
    counted = error if standard.judged is None else error[standard.judged]
    total = float(np.sum(counted * counted))
    return total / standard.energy if standard.energy else (0.0 if total == 0 else math.inf)


def _judgement(wrong: Bits, error: Floats, nmse: float, standard: Yardstick) -> Judgement:
    count = int(np.count_nonzero(wrong))
    # Negated so that a NaN fails.
    passed = count == 0 and not (math.isfinite(standard.nmse_limit) and not nmse <= standard.nmse_limit)
    return Judgement(wrong=wrong, count=count, error=error, nmse=nmse, passed=passed)
