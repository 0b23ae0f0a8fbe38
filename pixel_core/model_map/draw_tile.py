"""Tiles of the map at every scale. Whatever the scale, a tile costs about the same: of what is small, some is looked at."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixel_core.model_map.atlas import Atlas, PlacedPlane
from pixel_core.model_map.palette import MISSING, NOTHING, magnitude_indices, signed_indices
from pixel_core.model_map.pick_texels import Indices
from pixel_core.model_map.texel_values import texel_values

SIDE: Final = 256
"""Pixels of a tile's side."""
NEAREST: Final = -5
"""The level at which a texel is 32 pixels wide."""
FARTHEST: Final = 32
SIGNED: Final = -3
"""From this level on single weights are shown, with their sign."""
_SAMPLES = 1024
"""Texels that the scale of a plane's colours comes from."""


class TileDrawer:
    """Draws tiles of a model's map. Threads may draw together.

    At level L a pixel is 2^L texels wide, and a tile 256 pixels. From level 2 on, a pixel shows four of its texels.

    Args:
        atlas: The map.
    """

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._rms: dict[int, float] = {}

    def draw(self, level: int, column: int, row: int) -> NDArray[np.uint8]:
        """A tile as numbers of the palette's colours, `u8[256, 256]`.

        Args:
            level: `NEAREST` to `FARTHEST`.
            column: Of the tile; column 0 begins at texel 0, and there are negative ones.
            row: Likewise.

        Raises:
            ValueError: There is no such level.
            ModelFileError: A compressed tile of a PXI is damaged.
        """
        if not NEAREST <= level <= FARTHEST:
            raise ValueError(f"levels go from {NEAREST} to {FARTHEST}, and {level} is none")
        span = SIDE << level if level >= 0 else SIDE >> -level
        left, top = column * span, row * span
        tile = np.full((SIDE, SIDE), NOTHING, np.uint8)
        for placed in self._atlas.planes_in(left, top, left + span, top + span):
            self._draw_plane(tile, placed, level, left, top)
        return tile

    def _draw_plane(self, tile: NDArray[np.uint8], placed: PlacedPlane, level: int, left: int, top: int) -> None:
        plane = placed.plane
        if level >= 0:
            across, xs = _samples(plane.x - left, plane.width, level)
            down, ys = _samples(plane.y - top, plane.height, level)
            each = 1 if level == 0 else 2
            values = texel_values(self._atlas.model, placed, ys, xs)
            if values is None:
                tile[down, across] = MISSING
                return
            shape = (len(ys) // each, each, len(xs) // each, each)
            with np.errstate(all="ignore"):
                energy = np.mean(np.square(values.rms).reshape(shape), axis=(1, 3))
            peak = values.peak.reshape(shape).max(axis=(1, 3))
            tile[down, across] = magnitude_indices(np.sqrt(energy), peak, self._scale(placed))
            return
        zoom = 1 << -level  # pixels of a texel's side
        count = SIDE // zoom
        xs, ys = _inside(plane.x - left, plane.width, count), _inside(plane.y - top, plane.height, count)
        values = texel_values(self._atlas.model, placed, ys, xs)
        x, y = (plane.x - left + int(xs[0])) * zoom, (plane.y - top + int(ys[0])) * zoom
        part = tile[y : y + len(ys) * zoom, x : x + len(xs) * zoom]
        if values is None:
            part[:] = MISSING
        elif level > SIGNED:
            part[:] = _enlarged(magnitude_indices(values.rms, values.peak, self._scale(placed)), zoom, zoom)
        else:
            cells = values.cells.transpose(0, 2, 1, 3).reshape(len(ys) * values.cells.shape[2], -1)
            indices = signed_indices(cells, self._scale(placed))
            part[:] = _enlarged(indices, zoom // values.cells.shape[2], zoom // values.cells.shape[3])

    def _scale(self, placed: PlacedPlane) -> float:
        """The root mean square of a plane, from texels spread over it."""
        number = placed.plane.number
        if number not in self._rms:
            side = int(np.sqrt(_SAMPLES))
            rows = np.unique(np.linspace(0, placed.plane.height - 1, side).astype(np.int64))
            columns = np.unique(np.linspace(0, placed.plane.width - 1, _SAMPLES // len(rows)).astype(np.int64))
            values = texel_values(self._atlas.model, placed, rows, columns)
            assert values is not None
            finite = values.cells[np.isfinite(values.cells)].astype(np.float64)
            self._rms[number] = float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0
        return self._rms[number]


def _samples(start: int, length: int, level: int) -> tuple[slice, Indices]:
    """The pixels of a tile that a plane touches along an axis, and which of its texels they show: one at level 0, else two.

    Args:
        start: Where the plane begins, in texels from the tile's edge.
        length: Of the plane.
        level: At least 0.
    """
    step = 1 << level
    first, last = max(start // step, 0), min(-(-(start + length) // step), SIDE)
    pixels = np.arange(first, last, dtype=np.int64)
    offsets = np.array([0]) if level == 0 else np.array([step // 4, step - 1 - step // 4])
    texels = (pixels[:, None] * step + offsets).reshape(-1) - start
    return slice(first, last), np.clip(texels, 0, length - 1)


def _inside(start: int, length: int, count: int) -> Indices:
    """The texels of a plane within a tile of so many."""
    return np.arange(max(-start, 0), min(length, count - start), dtype=np.int64)


def _enlarged(indices: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
    return np.repeat(np.repeat(indices, down, axis=0), across, axis=1)
