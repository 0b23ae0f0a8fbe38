"""Whether rectangles overlap."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """A rectangle on a map; it holds its left and upper edge, not its right and lower one.

    Attributes:
        x: Its left edge.
        y: Its upper edge.
        width: At least 1.
        height: At least 1.
    """

    x: int
    y: int
    width: int
    height: int


def find_overlap(rectangles: Sequence[Rectangle]) -> tuple[int, int] | None:
    """Two rectangles that share a cell, by index, or None. A line sweeps down; those it cuts are sorted and disjoint until one is found."""
    events: list[tuple[int, int, int]] = []
    for index, one in enumerate(rectangles):
        events.append((one.y, 1, index))
        events.append((one.y + one.height, 0, index))  # at the same row, ends come before beginnings
    cut: list[tuple[int, int]] = []
    for _, begins, index in sorted(events):
        entry = (rectangles[index].x, index)
        place = bisect_left(cut, entry)
        if not begins:
            del cut[place]
            continue
        for neighbour in cut[max(place - 1, 0) : place + 1]:
            other = rectangles[neighbour[1]]
            if other.x < rectangles[index].x + rectangles[index].width and rectangles[index].x < other.x + other.width:
                return min(index, neighbour[1]), max(index, neighbour[1])
        insort(cut, entry)
    return None
