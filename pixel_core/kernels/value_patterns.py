"""What stands in the wrong elements: zeros, memory that nobody wrote, NaN, less precision, more and more error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import Floats
from pixel_core.kernels.law_patterns import find_law
from pixel_core.kernels.memory import POISONS
from pixel_core.kernels.place_patterns import find_place_patterns
from pixel_core.kernels.results import Pattern
from pixel_core.kernels.seen_output import FEWEST, Mask, SeenOutput


def find_value_patterns(
    wrong: Mask,
    expected: NDArray[Any],
    actual: NDArray[Any],
    bound: Floats,
    sizes: Sequence[int],
    inputs: Mapping[str, NDArray[Any]],
    unwritten: Mask | None = None,
    names: Sequence[str] = (),
) -> list[Pattern]:
    """Patterns of value, most telling first.

    Args:
        wrong: Which elements are; may be none.
        expected: The truth.
        actual: What the kernel wrote.
        bound: Error bound of each element.
        sizes: Lengths by which a result may be shifted besides one element.
        inputs: Arrays before the first pass, by name.
        unwritten: Elements that still hold the filling, where their own bits do not show it.
        names: Of a texture, its axes.
    """
    seen = SeenOutput(wrong, expected, actual, bound)
    if not wrong.any():
        return list(_less_precise(seen))
    found = [*_unwritten(seen, sizes, unwritten, names), *_zeros(seen), *_not_a_number(seen)]
    if found:
        return found
    precision = [*_less_precise(seen), *_whole_in_f32(seen)]
    law = None if precision else find_law(seen, sizes, inputs)
    if law is not None:
        return [law]
    return precision or [*_grows(seen)] or [*_totals(seen)]


def _unwritten(seen: SeenOutput, sizes: Sequence[int], known: Mask | None, names: Sequence[str]) -> Iterator[Pattern]:
    width = seen.raw.dtype.itemsize
    words = np.ascontiguousarray(seen.raw).view(f"<u{width}").reshape(seen.raw.shape)
    filled = np.isin(words, [word & ((1 << (8 * width)) - 1) for word in POISONS]) if known is None else known
    poisoned = filled & seen.wrong
    count = int(np.count_nonzero(poisoned))
    if count and count == seen.raw.size:
        yield Pattern(kind="unwritten", text="the kernel never wrote this output")
    elif count == seen.count and count:
        yield Pattern(kind="unwritten", text="these elements were never written" if count > 1 else "this element was never written")
    elif count:
        places = find_place_patterns(poisoned, sizes, names)
        where = f": {places[0].text}" if places and count > 1 else ""
        yield Pattern(kind="unwritten", text=f"{count:,} of the {seen.count:,} wrong elements were never written{where}")


def _zeros(seen: SeenOutput) -> Iterator[Pattern]:
    if not (seen.actual != 0).any():
        yield Pattern(kind="all_zeros", text="the output is all zeros")
    elif seen.count > 1 and not (seen.actual[seen.wrong] != 0).any():
        yield Pattern(kind="zeros", text="every wrong element is 0")


def _not_a_number(seen: SeenOutput) -> Iterator[Pattern]:
    nan = np.isnan(seen.actual) & seen.wrong
    count = int(np.count_nonzero(nan))
    words = np.ascontiguousarray(seen.raw).view(f"<u{seen.raw.dtype.itemsize}").reshape(seen.raw.shape) if count else None
    if words is not None:
        # The NaN that marks unwritten memory has been told already.
        count -= int(np.count_nonzero(np.isin(words, [POISONS[0] & ((1 << (8 * seen.raw.dtype.itemsize)) - 1)]) & nan))
    if count and count == seen.raw.size:
        yield Pattern(kind="all_nan", text="every element is NaN")
    elif count:
        yield Pattern(kind="some_nan", text=f"{count:,} elements are NaN" if count > 1 else "one element is NaN")


def _less_precise(seen: SeenOutput) -> Iterator[Pattern]:
    """Errors of the size that f16 makes, everywhere alike."""
    if not seen.is_float or seen.raw.dtype.itemsize == 2:
        return
    finite = np.isfinite(seen.expected) & np.isfinite(seen.actual)
    expected, actual = seen.expected[finite], seen.actual[finite]
    if expected.size < 2 * FEWEST:
        yield from _few_less_precise(expected, actual)
        return
    halves = actual.astype(np.float16).astype(np.float64)
    distinct = np.unique(actual)
    if distinct.size >= 2 * FEWEST and (halves == actual).all():
        yield Pattern(kind="precision_f16", text="the output holds only values that an f16 can hold: results were rounded to f16")
        return
    level = math.sqrt(float(np.mean(expected**2)))
    error = np.abs(actual - expected)
    relative = math.sqrt(float(np.mean(error**2))) / level if level else 0.0
    even = float(np.max(error)) < 16 * relative * level
    if 2.0**-16 < relative < 2.0**-9 and even and np.count_nonzero(error > 0) > 0.9 * error.size:
        yield Pattern(
            kind="precision_f16",
            text=f"all elements are slightly off (about {relative:.1g} relative), as if inputs or sums had been rounded to f16",
        )


def _grows(seen: SeenOutput) -> Iterator[Pattern]:
    """Errors that get larger from beginning to end, as a lost carry or an accumulated error does."""
    if seen.actual.size < 64 or seen.count < FEWEST:
        return
    error = np.abs(seen.actual - seen.expected).reshape(-1)
    parts = np.array([float(np.mean(part)) for part in np.array_split(np.where(np.isfinite(error), error, 0.0), 8)])
    if (np.diff(parts) >= 0).all() and parts[-1] > 4 * max(float(parts[0]), 0.0) and parts[-1] > parts[3] > 0:
        yield Pattern(kind="grows", text="the errors grow with the index, as when a carry is lost or an error accumulates")


def _few_less_precise(expected: Floats, actual: Floats) -> Iterator[Pattern]:
    """A few elements tell no more than the size of their error."""
    relative = np.abs(actual - expected) / np.abs(expected)
    if relative.size and float(np.min(relative)) > 2.0**-16 and float(np.max(relative)) < 2.0**-10:
        text = f"off by about {float(np.max(relative)):.1g} relative, as much as rounding inputs or sums to f16 makes"
        yield Pattern(kind="precision_f16", text=text)


def _whole_in_f32(seen: SeenOutput) -> Iterator[Pattern]:
    """Integers beyond 2²⁴ that all happen to be floats: they went through f32."""
    if seen.is_float:
        return
    large = seen.wrong & (np.abs(seen.actual) > 2**24)
    held = seen.actual[large]
    if held.size < 2 * FEWEST or held.size < 0.5 * seen.count:
        return
    error = np.abs(held - seen.expected[large])
    # One in two odd numbers beyond 2^24 is no float: eight in a row are no accident.
    if (held.astype(np.float32).astype(np.float64) == held).all() and float(np.max(error)) < 2.0**-16 * float(np.max(np.abs(held))):
        yield Pattern(kind="precision_f32", text="the wrong elements hold only whole numbers that an f32 can hold: sums went through f32")


def _totals(seen: SeenOutput) -> Iterator[Pattern]:
    """For counts that are scattered wrongly: whether something was lost, or only put in the wrong place."""
    if seen.is_float or seen.raw.size < 2 * FEWEST or float(np.sum(np.abs(seen.expected))) > 2**53:
        return
    missing = int(np.sum(seen.expected) - np.sum(seen.actual))
    if not missing:
        yield Pattern(kind="total_kept", text="the sum of all elements is right: what is missing in some is too much in others")
    elif (seen.actual <= seen.expected).all():
        yield Pattern(kind="total_short", text=f"no element is too large, and all together are {missing:,} short")
    elif (seen.actual >= seen.expected).all():
        yield Pattern(kind="total_over", text=f"no element is too small, and all together hold {-missing:,} too much")
