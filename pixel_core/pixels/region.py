"""Rectangles of the plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Region:
    """A rectangle of texels; coordinates may be negative.

    Attributes:
        x: Of its left column.
        y: Of its upper row.
        width: Columns, at least 1.
        height: Rows, at least 1.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a region has at least one texel, not {self.width} × {self.height}")

    def tiles(self, side: int) -> Iterator[tuple[int, int, Region]]:
        """The tiles that it touches, row by row: column and row of the tile, and the part of the region that lies in it.

        Args:
            side: Texels along a side of a tile.
        """
        for row in range(self.y // side, (self.y + self.height - 1) // side + 1):
            top, bottom = max(self.y, row * side), min(self.y + self.height, (row + 1) * side)
            for column in range(self.x // side, (self.x + self.width - 1) // side + 1):
                left, right = max(self.x, column * side), min(self.x + self.width, (column + 1) * side)
                yield column, row, Region(x=left, y=top, width=right - left, height=bottom - top)

    def slices(self, x: int, y: int) -> tuple[slice, slice]:
        """Where it is in an array whose first texel lies at (x, y): rows, then columns."""
        return slice(self.y - y, self.y - y + self.height), slice(self.x - x, self.x - x + self.width)
