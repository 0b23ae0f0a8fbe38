"""Laws that turn the truth into what stands there: transposed, shifted, a multiple, a constant away, an input mixed up with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import Floats
from pixel_core.kernels.results import Pattern
from pixel_core.kernels.seen_output import FEWEST, Mask, SeenOutput

SLACK = 4.0
"""A law's prediction carries the errors of two computations, so it is held to a few bounds."""


def find_law(seen: SeenOutput, sizes: Sequence[int], inputs: Mapping[str, NDArray[Any]]) -> Pattern | None:
    """The first law that explains the wrong elements.

    Args:
        seen: The output.
        sizes: Lengths by which a result may be shifted besides one element, and of blocks that may be off together.
        inputs: Arrays before the first pass, by name.
    """
    searches = (
        _transposed(seen),
        _shifted(seen, sizes),
        _one_value(seen),
        _factor(seen),
        _offset(seen),
        _with_input(seen, inputs),
        _by_group(seen, sizes),
    )
    for search in searches:
        for pattern in search:
            return pattern
    return None


def _is_closer(actual: Floats, predicted: Floats, expected: Floats) -> bool:
    """Whether a prediction takes away most of the error; one within everybody's tolerance explains nothing."""
    return float(np.sum(np.abs(actual - predicted))) < 0.1 * float(np.sum(np.abs(actual - expected)))


def _stands_out(predicted: Floats, expected: Floats, tolerance: Floats) -> bool:
    """Whether a prediction differs from the truth by clearly more than the tolerance it is held to."""
    return float(np.median(np.abs(predicted - expected))) > 4 * float(np.median(tolerance))


def _explains(seen: SeenOutput, actual: Floats, predicted: Floats, expected: Floats, bound: Floats, wrong: Mask) -> bool:
    """Whether a prediction meets nearly every element, among them enough that are wrong and that differ from each other."""
    close = np.abs(actual - predicted) <= SLACK * bound + seen.tolerance(predicted)
    explained = close & wrong
    return bool(
        np.count_nonzero(close) >= 0.95 * close.size
        and np.count_nonzero(explained) >= max(FEWEST, 0.9 * np.count_nonzero(wrong))
        and np.unique(predicted[explained]).size >= FEWEST
        and _is_closer(actual[explained], predicted[explained], expected[explained])
    )


def _transposed(seen: SeenOutput) -> Iterator[Pattern]:
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


def _shifted(seen: SeenOutput, sizes: Sequence[int]) -> Iterator[Pattern]:
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


def _one_value(seen: SeenOutput) -> Iterator[Pattern]:
    values = seen.actual[seen.wrong]
    if values.size >= FEWEST and (values == values[0]).all() and np.unique(seen.expected[seen.wrong]).size > 1:
        which = "every element" if seen.count == seen.raw.size else "every wrong element"
        yield Pattern(kind="one_value", text=f"{which} is {short(float(values[0]))}")


def _wrong_values(seen: SeenOutput) -> tuple[Floats, Floats, Floats]:
    chosen = seen.wrong & np.isfinite(seen.expected) & np.isfinite(seen.actual)
    return seen.expected[chosen], seen.actual[chosen], seen.bound[chosen]


def _is_law(expected: Floats, actual: Floats, predicted: Floats, tolerance: Floats, share: float = 0.95) -> bool:
    """Whether a prediction meets that share of the given elements, is no coincidence, and says something."""
    close = np.abs(actual - predicted) <= tolerance
    return (
        bool(np.count_nonzero(close) >= share * close.size)
        and np.unique(expected).size >= FEWEST
        and _is_closer(actual, predicted, expected)
        and _stands_out(predicted, expected, tolerance)
    )


def _factor(seen: SeenOutput) -> Iterator[Pattern]:
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
    return f"{short(factor)} ×"


def _offset(seen: SeenOutput) -> Iterator[Pattern]:
    expected, actual, bound = _wrong_values(seen)
    if expected.size < FEWEST or expected.size < 0.9 * seen.count:
        return
    offset = float(np.median(actual - expected))
    if abs(offset - round(offset)) < 1e-3 * abs(offset):
        offset = float(round(offset))
    if not _is_law(expected, actual, expected + offset, SLACK * bound + seen.tolerance(np.abs(expected) + abs(offset))):
        return
    which = "every element" if seen.count >= 0.98 * seen.raw.size else "every wrong element"
    yield Pattern(kind="constant_offset", text=f"{which} is off by the constant {short(offset)}")


def _with_input(seen: SeenOutput, inputs: Mapping[str, NDArray[Any]]) -> Iterator[Pattern]:
    """An input in place of the result, added to it, or left out of it."""
    expected, actual, bound = _wrong_values(seen)
    if expected.size < FEWEST or expected.size < 0.9 * seen.count:
        return
    chosen = seen.wrong & np.isfinite(seen.expected) & np.isfinite(seen.actual)
    for name, values in inputs.items():
        if values.shape != seen.expected.shape:
            continue
        held = values.astype(np.float64)[chosen]
        for predicted, text in (
            (held, f"the wrong elements are those of the input `{name}`"),
            (expected - held, f"the wrong elements lack what `{name}` held before: expected - {name}"),
            (expected + held, f"the wrong elements have `{name}` in them once more: expected + {name}"),
        ):
            if _is_law(expected, actual, predicted, SLACK * bound + seen.tolerance(np.abs(expected) + np.abs(held))):
                yield Pattern(kind="input_mixed_up", text=text)
                return


def _by_group(seen: SeenOutput, sizes: Sequence[int]) -> Iterator[Pattern]:
    """One factor or one offset for each row, or for each block of an output with one axis."""
    shape = tuple(length for length in seen.expected.shape if length > 1)
    if not np.isfinite(seen.actual).all() or not np.isfinite(seen.expected).all():
        return
    if len(shape) == 2:
        groupings = [("row", seen.expected.shape[-1])]
    else:
        groupings = [(f"block of {size}", size) for size in sizes if FEWEST <= size < seen.expected.size] if len(shape) == 1 else []
    for name, length in groupings:
        count = seen.expected.size // length
        expected, actual, bound = (
            array.reshape(-1)[: count * length].reshape(count, length) for array in (seen.expected, seen.actual, seen.bound)
        )
        if count < 2 or length < FEWEST:
            continue
        ratio = np.median(np.where(expected != 0, actual / expected, np.nan), axis=1, keepdims=True)
        offset = np.median(actual - expected, axis=1, keepdims=True)
        for predicted, parameter, words in ((expected * ratio, ratio, "the same factor"), (expected + offset, offset, "the same amount")):
            tolerance = SLACK * bound + seen.tolerance(np.maximum(np.abs(predicted), np.abs(expected)))
            if np.unique(parameter).size > 1 and _is_law(expected, actual, predicted, tolerance, share=0.999):
                yield Pattern(kind="group_law", text=f"within each {name} all elements are off by {words}")
                return


def short(number: float) -> str:
    """A number as it is said in a sentence."""
    return f"{number:.6g}"
