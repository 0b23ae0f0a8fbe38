"""Cells of a tensor as colours.

Magnitude goes from black over violet and orange to pale yellow, in powers of two beside the root mean square of the whole tensor, so a
tensor of even noise is one calm colour, and structure stands out of it. Cells with an outlier are cyan, dead rows green: colours that the
scale does not have.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.measure_tensor import OUTLIER, TensorCells
from pixel_core.weights.pillow import Pixels

OUTLIER_COLOUR = (0, 229, 255)
DEAD_COLOUR = (30, 160, 70)
MISSING_COLOUR = (60, 60, 68)
MAGNITUDES = (-3.0, 3.0)
"""The scale of a tensor reaches from 2⁻³ of the root mean square to 2³ of it."""
DIFFERENCES = (-10.0, 2.0)
"""That of a difference, beside the root mean square of the first tensor."""

_STOPS = np.array([[0, 0, 6], [44, 17, 95], [128, 37, 130], [214, 69, 96], [251, 135, 60], [254, 206, 110], [255, 253, 215]], np.float64)
_RAMP = np.stack([np.interp(np.linspace(0, 1, 97), np.linspace(0, 1, len(_STOPS)), channel) for channel in _STOPS.T], axis=1).astype(
    np.uint8
)
"""Sixteen steps an octave of magnitudes: more cannot be told apart, and make the files larger."""


def colour_scale(level: NDArray[np.float64]) -> Pixels:
    """Colours of levels from 0 to 1, which are clipped to that; `[…]` → `u8[…, 3]`."""
    return _RAMP[np.rint(np.clip(level, 0, 1) * (len(_RAMP) - 1)).astype(np.intp)]


def levels(energy: NDArray[np.float64], rms: float, scale: tuple[float, float]) -> NDArray[np.float64]:
    """Levels of mean squares on a scale of powers of two beside a root mean square; what is below it, and zeros, are 0 or less."""
    if not rms:
        return np.where(energy > 0, 1.0, -1.0)
    with np.errstate(divide="ignore"):
        octaves = np.log2(np.sqrt(energy) / rms)
    return (octaves - scale[0]) / (scale[1] - scale[0])


def colour_cells(
    cells: TensorCells, rms: float, scale: tuple[float, float] = MAGNITUDES, outlier: float | None = OUTLIER, *, mark_dead: bool = True
) -> Pixels:
    """The cells of a tensor, `u8[rows, columns, 3]`.

    Args:
        cells: The tensor.
        rms: What 0 on the scale stands for.
        scale: Powers of two at its ends.
        outlier: How many times the tensor's own root mean square stands out; None marks nothing.
        mark_dead: Mark rows of zeros, unless all are.
    """
    pixels = colour_scale(levels(cells.energy, rms, scale))
    if outlier is not None and cells.rms:
        pixels[cells.peak > outlier * cells.rms] = OUTLIER_COLOUR
    if mark_dead and not cells.dead_rows.all():
        # One dead row among others in a row of cells shows as well, or it would never be seen in a large tensor.
        height = len(cells.energy)
        top = np.arange(height, dtype=np.int64) * cells.tensor.rows // height
        pixels[np.logical_or.reduceat(cells.dead_rows, top)] = DEAD_COLOUR
    return pixels


def shrink(cells: TensorCells, height: int, width: int) -> TensorCells:
    """The same tensor in fewer cells: at most so many rows and columns."""
    rows, columns = cells.energy.shape
    if rows > height:
        top = np.arange(height) * rows // height
        sums = np.add.reduceat(cells.energy, top, axis=0) / np.diff(np.append(top, rows))[:, None]
        cells = replace(cells, energy=sums, peak=np.maximum.reduceat(cells.peak, top, axis=0))
    if columns > width:
        left = np.arange(width) * columns // width
        sums = np.add.reduceat(cells.energy, left, axis=1) / np.diff(np.append(left, columns))
        cells = replace(cells, energy=sums, peak=np.maximum.reduceat(cells.peak, left, axis=1))
    return cells


def resize(pixels: Pixels, height: int, width: int) -> Pixels:
    """A picture in another size: each pixel is the nearest one."""
    rows = np.arange(height) * len(pixels) // height
    columns = np.arange(width) * pixels.shape[1] // width
    return pixels[rows[:, None], columns]
