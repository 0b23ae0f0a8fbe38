"""What stands in the wrong elements: zeros, memory that nobody wrote, neighbours, multiples, less precision."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import F16, Floats
from pixel_core.kernels.memory import POISONS
from pixel_core.kernels.results import Pattern

Mask = NDArray[np.bool_]

SLACK = 4.0
"""A pattern's own prediction carries the errors of two computations, so it is held to a few bounds."""

FEWEST = 4
"""Elements that a law over values must explain; fewer are explained by anything."""


def find_value_patterns(wrong: Mask, expected: NDArray[Any], actual: NDArray[Any], bound: Floats, sizes: Sequence[int]) -> list[Pattern]:
    """Patterns of value, most telling first.

    Args:
        wrong: Which elements are; may be none.
        expected: The truth.
        actual: What the kernel wrote.
        bound: Error bound of each element.
        sizes: Lengths by which a result may be shifted besides one element.
    """
    seen = _Seen(wrong, expected, actual, bound)
    if not wrong.any():
        return list(_less_precise(seen))
    found = [*_unwritten(seen), *_zeros(seen), *_not_a_number(seen)]
    if found:
        return found
    laws = (*_transposed(seen), *_shifted(seen, sizes), *_one_value(seen), *_factor(seen), *_offset(seen))
    return [*laws[:1], *_less_precise(seen), *(() if laws else _grows(seen))]


class _Seen:
    """The arrays of one output, in float64."""

    def __init__(self, wrong: Mask, expected: NDArray[Any], actual: NDArray[Any], bound: Floats) -> None:
        self.wrong = wrong
        self.expected: Floats = expected.astype(np.float64)
        self.raw = actual
        self.actual: Floats = actual.astype(np.float64)
        self.bound = np.where(np.isfinite(bound), bound, 0.0)
        self.count = int(np.count_nonzero(wrong))
        self.is_float = actual.dtype.kind == "f"

    def tolerance(self, values: Floats) -> Floats:
        """How closely a prediction must be met: rounding of the output's type where no bound is known."""
        unit = (F16.ulp if self.raw.dtype.itemsize == 2 else 2.0**-21) if self.is_float else 0.0
        return unit * np.abs(values)


def _unwritten(seen: _Seen) -> Iterator[Pattern]:
    width = seen.raw.dtype.itemsize
    words = np.ascontiguousarray(seen.raw).view(f"<u{width}").reshape(seen.raw.shape)
    poisoned = np.isin(words, [word & ((1 << (8 * width)) - 1) for word in POISONS]) & seen.wrong
    count = int(np.count_nonzero(poisoned))
    if count and count == seen.raw.size:
        yield Pattern(kind="unwritten", text="the kernel never wrote this output")
    elif count == seen.count and count:
        yield Pattern(kind="unwritten", text="these elements were never written" if count > 1 else "this element was never written")
    elif count:
        yield Pattern(kind="unwritten", text=f"{count:,} of the {seen.count:,} wrong elements were never written")


def _zeros(seen: _Seen) -> Iterator[Pattern]:
    if not (seen.actual != 0).any():
        yield Pattern(kind="all_zeros", text="the output is all zeros")
    elif seen.count > 1 and not (seen.actual[seen.wrong] != 0).any():
        yield Pattern(kind="zeros", text="every wrong element is 0")


def _not_a_number(seen: _Seen) -> Iterator[Pattern]:
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


def _is_closer(actual: Floats, predicted: Floats, expected: Floats) -> bool:
    """Whether a prediction takes away most of the error; one within everybody's tolerance explains nothing."""
    return float(np.sum(np.abs(actual - predicted))) < 0.1 * float(np.sum(np.abs(actual - expected)))


def _stands_out(predicted: Floats, expected: Floats, tolerance: Floats) -> bool:
    """Whether a prediction differs from the truth by clearly more than the tolerance it is held to."""
    return float(np.median(np.abs(predicted - expected))) > 4 * float(np.median(tolerance))


def _explains(seen: _Seen, actual: Floats, predicted: Floats, expected: Floats, bound: Floats, wrong: Mask) -> bool:
    """Whether a prediction meets nearly every element, among them enough that are wrong and that differ from each other."""
    close = np.abs(actual - predicted) <= SLACK * bound + seen.tolerance(predicted)
    explained = close & wrong
    return bool(
        np.count_nonzero(close) >= 0.95 * close.size
        and np.count_nonzero(explained) >= max(FEWEST, 0.9 * np.count_nonzero(wrong))
        and np.unique(predicted[explained]).size >= FEWEST
        and _is_closer(actual[explained], predicted[explained], expected[explained])
    )


def _transposed(seen: _Seen) -> Iterator[Pattern]:
    shape = seen.expected.shape
    lengths = [length for length in shape if length > 1]
    if len(lengths) != 2:
        return
    rows, columns = lengths
    expected, bound = seen.expected.reshape(rows, columns), seen.bound.reshape(rows, columns)
    # A kernel that swaps its indices writes the transposed matrix into the same memory, whatever its shape says.
    predicted, spread = expected.T.reshape(-1), bound.T.reshape(-1)
    if _explains(
        seen, seen.actual.reshape(-1), predicted, seen.expected.reshape(-1), np.maximum(spread, bound.reshape(-1)), seen.wrong.reshape(-1)
    ):
        yield Pattern(kind="transposed", text="it looks transposed: actual[i, j] is expected[j, i]")


def _shifted(seen: _Seen, sizes: Sequence[int]) -> Iterator[Pattern]:
    shape = seen.expected.shape
    axes = [axis for axis, length in enumerate(shape) if length > FEWEST]
    for axis in reversed(axes):
        length = shape[axis]
        for distance in (1, 2, *(size for size in sizes if 2 < size < length - FEWEST)):
            for step in (distance, -distance):
                here = (slice(None),) * axis + (slice(step, None) if step > 0 else slice(None, step),)
                there = (slice(None),) * axis + (slice(None, -step) if step > 0 else slice(-step, None),)
                bound = np.maximum(seen.bound[here], seen.bound[there])
                if _explains(seen, seen.actual[here], seen.expected[there], seen.expected[here], bound, seen.wrong[here]):
                    yield _shift_pattern(axis, len(shape), step)
                    return


def _shift_pattern(axis: int, rank: int, step: int) -> Pattern:
    names = "ijklmnop"[:rank]
    sign = "-" if step > 0 else "+"
    place = ", ".join(f"{name} {sign} {abs(step)}" if number == axis else name for number, name in enumerate(names))
    by = "one" if abs(step) == 1 else f"{abs(step):,}"
    return Pattern(kind="shifted", text=f"shifted by {by}: actual[{', '.join(names)}] is expected[{place}]")


def _one_value(seen: _Seen) -> Iterator[Pattern]:
    values = seen.actual[seen.wrong]
    if values.size >= FEWEST and (values == values[0]).all() and np.unique(seen.expected[seen.wrong]).size > 1:
        which = "every element" if seen.count == seen.raw.size else "every wrong element"
        yield Pattern(kind="one_value", text=f"{which} is {_short(float(values[0]))}")


def _wrong_values(seen: _Seen) -> tuple[Floats, Floats, Floats]:
    chosen = seen.wrong & np.isfinite(seen.expected) & np.isfinite(seen.actual)
    return seen.expected[chosen], seen.actual[chosen], seen.bound[chosen]


def _is_law(expected: Floats, actual: Floats, predicted: Floats, tolerance: Floats) -> bool:
    """Whether a prediction meets nearly all of the given elements, is no coincidence, and says something."""
    close = np.abs(actual - predicted) <= tolerance
    return (
        bool(np.count_nonzero(close) >= 0.95 * close.size)
        and np.unique(expected).size >= FEWEST
        and _is_closer(actual, predicted, expected)
        and _stands_out(predicted, expected, tolerance)
    )


def _factor(seen: _Seen) -> Iterator[Pattern]:
    expected, actual, bound = _wrong_values(seen)
    if expected.size < FEWEST or expected.size < 0.9 * seen.count:
        return
    large = np.abs(expected) > 0
    if np.count_nonzero(large) < FEWEST:
        return
    # The least squares fit is thrown off by single elements, the median is not.
    factor = float(np.median(actual[large] / expected[large]))
    if factor == 0 or not math.isfinite(factor):
        return
    near = _simple_ratio(factor)
    factor = near if near is not None else factor
    predicted = factor * expected
    tolerance = SLACK * (1 + abs(factor)) * bound + seen.tolerance(predicted)
    if not _is_law(expected, actual, predicted, tolerance):
        return
    which = "every element" if seen.count >= 0.98 * seen.raw.size else "every wrong element"
    text = f"{which} has the wrong sign" if factor == -1 else f"{which} is {_factor_text(factor)} the expected value"
    yield Pattern(kind="constant_factor", text=text)


def _simple_ratio(factor: float) -> float | None:
    """The small whole number or its inverse that a factor is close to."""
    for candidate in (round(factor), 1 / round(1 / factor) if abs(factor) < 1 and round(1 / factor) else 0.0):
        if candidate and abs(factor / candidate - 1) < 1e-3:
            return float(candidate)
    return None


def _factor_text(factor: float) -> str:
    inverse = 1 / factor
    if abs(factor) < 1 and inverse == round(inverse):
        return f"1/{round(inverse):,} of" if inverse > 0 else f"-1/{-round(inverse):,} of"
    return f"{_short(factor)} ×"


def _offset(seen: _Seen) -> Iterator[Pattern]:
    expected, actual, bound = _wrong_values(seen)
    if expected.size < FEWEST or expected.size < 0.9 * seen.count:
        return
    offset = float(np.median(actual - expected))
    if abs(offset - round(offset)) < 1e-3 * abs(offset):
        offset = float(round(offset))
    if not _is_law(expected, actual, expected + offset, SLACK * bound + seen.tolerance(np.abs(expected) + abs(offset))):
        return
    which = "every element" if seen.count >= 0.98 * seen.raw.size else "every wrong element"
    yield Pattern(kind="constant_offset", text=f"{which} is off by the constant {_short(offset)}")


def _less_precise(seen: _Seen) -> Iterator[Pattern]:
    """Errors of the size that f16 makes, everywhere alike."""
    if not seen.is_float or seen.raw.dtype.itemsize == 2:
        return
    finite = np.isfinite(seen.expected) & np.isfinite(seen.actual)
    expected, actual = seen.expected[finite], seen.actual[finite]
    if expected.size < 2 * FEWEST:
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


def _grows(seen: _Seen) -> Iterator[Pattern]:
    """Errors that get larger from beginning to end, as a lost carry or an accumulated error does."""
    if seen.actual.size < 64 or seen.count < FEWEST:
        return
    error = np.abs(seen.actual - seen.expected).reshape(-1)
    parts = np.array([float(np.mean(part)) for part in np.array_split(np.where(np.isfinite(error), error, 0.0), 8)])
    if (np.diff(parts) >= 0).all() and parts[-1] > 4 * max(float(parts[0]), 0.0) and parts[-1] > parts[3] > 0:
        yield Pattern(kind="grows", text="the errors grow with the index, as when a carry is lost or an error accumulates")


def _short(number: float) -> str:
    return f"{number:.6g}"
