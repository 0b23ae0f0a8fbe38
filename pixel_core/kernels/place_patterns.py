"""Where the wrong elements are: a row, a tile edge, every k-th, one workgroup's block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.results import Pattern

_FEWEST_IN_BLOCK = 3
"""One or two wrong elements always lie in one block of some size."""

Mask = NDArray[np.bool_]
Places = NDArray[Any]

MOST = 0.98
"""Share of elements from which on "every" is said; a few are right by chance."""


def find_place_patterns(wrong: Mask, sizes: Sequence[int], names: Sequence[str] = ()) -> list[Pattern]:
    """Patterns of place, most telling first.

    Args:
        wrong: At least one element is.
        sizes: Lengths at which the output may break (workgroup, tiles), largest first.
        names: Of a texture, its axes: `layer`, `z`, `y`, `x`, `channel`; else the axes are named by their number.
    """
    if not wrong.ndim:
        return []
    if np.count_nonzero(wrong) >= MOST * wrong.size and wrong.size > 1:
        return [Pattern(kind="all_wrong", text="every element is wrong" if wrong.all() else "nearly every element is wrong")]
    if names and np.count_nonzero(wrong, axis=tuple(range(wrong.ndim - 1))).all():
        # Whole texels are wrong, as a rule: then the channels say nothing.
        wrong, names = np.count_nonzero(wrong, axis=-1) > 0, names[:-1]
    axes = [_Axis(wrong, axis, names) for axis in range(wrong.ndim) if wrong.shape[axis] > 1]
    if len(axes) == 1:
        return _along_one(axes[0], sizes)
    found = _block(axes, sizes)
    for axis in reversed(axes):
        found += _along_axis(axis, sizes)
    # A single row says more than a range of rows, and a full description of one axis more than two half ones.
    return sorted(found, key=lambda pattern: _ORDER.index(pattern.kind))


_ORDER = (
    "last_element",
    "first_element",
    "last_row",
    "last_column",
    "first_row",
    "first_column",
    "one_row",
    "one_column",
    "tile_edge",
    "one_workgroup",
    "last_workgroup",
    "tile_part",
    "every_kth",
    "tail",
    "head",
)


_WORDS = {
    "layer": ("layer", "layers"),
    "z": ("slice", "slices"),
    "y": ("row", "rows"),
    "x": ("column", "columns"),
    "channel": ("channel", "channels"),
}
"""What one coordinate and several along an axis of a texture are called."""


class _Axis:
    """One axis of an output: its coordinates that hold wrong elements, and the words for it."""

    def __init__(self, wrong: Mask, axis: int, names: Sequence[str]) -> None:
        others = tuple(other for other in range(wrong.ndim) if other != axis)
        per_coordinate = np.count_nonzero(wrong, axis=others) if others else wrong.astype(np.int64)
        self.length = wrong.shape[axis]
        self.places: Places = np.flatnonzero(per_coordinate)
        ranks = [length for length in wrong.shape if length > 1]
        position = sum(1 for length in wrong.shape[:axis] if length > 1)
        is_named = bool(names) and len(ranks) > 1
        if is_named:
            self.one, self.many = _WORDS[names[axis]]
            self.kind = "column" if position == len(ranks) - 1 else "row"
        elif len(ranks) == 1:
            self.one, self.many, self.kind = "element", "elements", "element"
        elif len(ranks) == 2:
            self.one, self.many, self.kind = ("row", "rows", "row") if position == 0 else ("column", "columns", "column")
        else:
            self.one, self.many = f"index of axis {axis}", f"indices of axis {axis}"
            self.kind = "column" if position == len(ranks) - 1 else "row"
        self._of_axis = f" of axis {axis}" if len(ranks) > 2 and not is_named else ""

    def named(self, place: int) -> str:
        """One coordinate in words: `row 64`, `index 5 of axis 2`."""
        return f"index {place:,}{self._of_axis}" if self._of_axis else f"{self.one} {place:,}"


def _along_one(axis: _Axis, sizes: Sequence[int]) -> list[Pattern]:
    """An output with one axis, in its own words: elements and workgroups."""
    places = axis.places
    if places.size == 1:
        place = int(places[0])
        if place == axis.length - 1:
            return [Pattern(kind="last_element", text=f"only the last element ({place:,})")]
        return [Pattern(kind="first_element", text="only the first element")] if place == 0 else _in_one_block(axis, sizes)
    return _along_axis(axis, sizes) or _in_one_block(axis, sizes)


def _in_one_block(axis: _Axis, sizes: Sequence[int]) -> list[Pattern]:
    first, last = int(axis.places[0]), int(axis.places[-1])
    for size in sorted(sizes) if axis.places.size >= _FEWEST_IN_BLOCK else ():
        if size < axis.length and first // size == last // size:
            block = first // size
            end = min((block + 1) * size, axis.length) - 1
            return [
                Pattern(kind="one_workgroup", text=f"all in one block of {size}: elements {block * size:,} to {end:,} (block {block:,})")
            ]
    return []


def _along_axis(axis: _Axis, sizes: Sequence[int]) -> list[Pattern]:
    places, length = axis.places, axis.length
    first, last, count = int(places[0]), int(places[-1]), int(places.size)
    if count == length:
        return []
    if count == 1:
        return [_single(axis, first)]
    is_run = last - first + 1 == count
    if is_run and last == length - 1:
        return [_tail(axis, first, sizes)]
    if is_run and first == 0:
        return [_head(axis, last, sizes)]
    part = _part_of_tiles(axis, sizes)
    return [part] if part is not None else _regular(axis, sizes)


def _single(axis: _Axis, place: int) -> Pattern:
    if place == axis.length - 1:
        return Pattern(kind=f"last_{axis.kind}", text=f"all in the last {axis.one} ({axis.named(place)})")
    if place == 0:
        return Pattern(kind=f"first_{axis.kind}", text=f"all in the first {axis.one}")
    return Pattern(kind=f"one_{axis.kind}" if axis.kind != "element" else "one_row", text=f"all in {axis.named(place)}")


def _tail(axis: _Axis, first: int, sizes: Sequence[int]) -> Pattern:
    count = axis.length - first
    for size in sizes:
        if first % size == 0 and first > 0 and count <= size:
            filled = "" if count == size else f", which only {count:,} of {size} fill"
            return Pattern(kind="last_workgroup", text=f"only {axis.many} ≥ {first:,}: the last block of {size}{filled}")
    for size in sizes:
        if first % size == 0 and first > 0:
            return Pattern(kind="tail", text=f"only {axis.many} ≥ {first:,}: everything after the first {_blocks(first // size, size)}")
    return Pattern(kind="tail", text=f"only {axis.many} ≥ {first:,} (the last {count:,} of {axis.length:,})")


def _head(axis: _Axis, last: int, sizes: Sequence[int]) -> Pattern:
    count = last + 1
    for size in sizes:
        if count % size == 0:
            return Pattern(kind="head", text=f"only {axis.many} < {count:,}: the first {_blocks(count // size, size)}")
    return Pattern(kind="head", text=f"only {axis.many} < {count:,} (the first {count:,} of {axis.length:,})")


def _blocks(count: int, size: int) -> str:
    return f"block of {size}" if count == 1 else f"{count:,} blocks of {size}"


def _part_of_tiles(axis: _Axis, sizes: Sequence[int]) -> Pattern | None:
    """The same coordinates inside each tile: its last one, its second half."""
    for size in sorted(sizes):
        if size >= axis.length or (axis.length < 2 * size and axis.length - size < 2):
            continue
        inside = np.unique(axis.places % size)
        run = int(inside[-1]) - int(inside[0]) + 1 == inside.size
        if inside.size > size // 2 or not run or not _fills(axis, size, inside):
            continue
        if inside.size == 1 and int(inside[0]) in {0, size - 1}:
            which = "first" if int(inside[0]) == 0 else "last"
            return Pattern(kind="tile_edge", text=f"only the {which} {axis.one} of each block of {size}")
        if inside.size > 1 and int(inside[-1]) == size - 1:
            return Pattern(kind="tile_part", text=f"only {axis.many} ≥ {int(inside[0])} within each block of {size}")
        if inside.size > 1 and int(inside[0]) == 0:
            return Pattern(kind="tile_part", text=f"only {axis.many} < {inside.size} within each block of {size}")
    return None


def _fills(axis: _Axis, period: int, inside: Places) -> bool:
    """Whether every coordinate of the axis with those remainders is wrong, at least twice each."""
    wanted = np.flatnonzero(np.isin(np.arange(axis.length) % period, inside))
    return wanted.size >= 2 * inside.size and np.array_equal(wanted, axis.places)


def _regular(axis: _Axis, sizes: Sequence[int]) -> list[Pattern]:
    """Every k-th coordinate: at least three at equal distances that run through the whole axis."""
    places = axis.places
    steps = np.unique(np.diff(places))
    if places.size < 3 or steps.size != 1:
        return _complement(axis)
    step = int(steps[0])
    start = int(places[0])
    if start >= step or int(places[-1]) + step < axis.length:
        return []
    of_block = f" (a block is {step})" if step in sizes else ""
    return [Pattern(kind="every_kth", text=f"every {_ordinal(step)} {axis.one}, from {start} on{of_block}")]


def _complement(axis: _Axis) -> list[Pattern]:
    """All but every k-th."""
    right = np.setdiff1d(np.arange(axis.length), axis.places, assume_unique=True)
    steps = np.unique(np.diff(right))
    if right.size < 3 or steps.size != 1 or int(right[0]) >= int(steps[0]) or int(right[-1]) + int(steps[0]) < axis.length:
        return []
    step = int(steps[0])
    return [Pattern(kind="every_kth", text=f"all but every {_ordinal(step)} {axis.one} (from {int(right[0])} on)")]


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{suffix}"


def _block(axes: list[_Axis], sizes: Sequence[int]) -> list[Pattern]:
    """One aligned block of the last two axes."""
    if len(axes) != 2:
        return []
    rows, columns = axes
    if rows.places.size == 1 or columns.places.size == 1:
        return []
    corners: list[tuple[int, int]] = []
    for axis in axes:
        first, last = int(axis.places[0]), int(axis.places[-1])
        size = next((size for size in sorted(sizes) if first // size == last // size and size < axis.length), None)
        if size is None:
            return []
        corners.append((first // size * size, size))
    (top, height), (left, width) = corners
    return [Pattern(kind="one_workgroup", text=f"all in one block of {height} × {width} starting at [{top}, {left}]")]
