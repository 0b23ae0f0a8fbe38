"""The heat map of a tensor, with a line that says what it shows."""

from __future__ import annotations

import numpy as np

from pixel_core.weights.colours import DIFFERENCES, MAGNITUDES, OUTLIER_COLOUR, colour_cells, colour_scale, levels, resize
from pixel_core.weights.measure_tensor import OUTLIER, TensorCells
from pixel_core.weights.pillow import PAPER, Pixels, letter

MAX_SIDE = 1024
CAPTION_ROWS = 44
MIN_WIDTH = 420
BAR_ROWS = 160


def draw_tensor(cells: TensorCells, *, beside: TensorCells | None = None) -> Pixels:
    """A picture of no more than 1,024 by 1,024 pixels.

    Args:
        cells: The tensor, or a difference of two.
        beside: For a difference, the first of the two: its root mean square is the middle of the scale.

    Raises:
        ModelFileError: Pillow is not installed.
    """
    rms = (beside or cells).rms
    scale = DIFFERENCES if beside else MAGNITUDES
    if cells.tensor.rows == 1:
        body = _bars(cells, rms, scale)
    else:
        body = _enlarged(colour_cells(cells, rms, scale, None if beside else OUTLIER, mark_dead=beside is None))
    width = max(len(body[0]), MIN_WIDTH)
    pixels = np.empty((len(body) + CAPTION_ROWS, width, 3), np.uint8)
    pixels[:] = PAPER
    pixels[CAPTION_ROWS:, : len(body[0])] = body
    return letter(pixels, [(6, 4, _title(cells, beside)), (6, 23, _facts(cells, beside))], size=13)


def _enlarged(pixels: Pixels) -> Pixels:
    """Small tensors are enlarged by whole numbers, so that a cell stays a square."""
    height, width = pixels.shape[:2]
    scale = max(min((MAX_SIDE - CAPTION_ROWS) // height, MAX_SIDE // width), 1)
    return resize(pixels, height * scale, width * scale)


def _bars(cells: TensorCells, rms: float, scale: tuple[float, float]) -> Pixels:
    """A tensor of one row, such as the weights of a norm: a bar for each cell, as high as its peak."""
    count = cells.peak.shape[1]
    widen = max(min(MAX_SIDE // count, 8), 1)
    top = float(cells.peak.max()) or 1.0
    heights = np.rint(cells.peak[0] / top * (BAR_ROWS - 4)).astype(int)
    colours = colour_scale(levels(cells.energy, rms, scale))[0]
    colours[cells.outlier_cells[0]] = OUTLIER_COLOUR
    is_filled = np.arange(BAR_ROWS)[::-1, None] < heights
    pixels = np.where(is_filled[..., None], colours, np.array(PAPER, np.uint8)).astype(np.uint8)
    return resize(pixels, BAR_ROWS, count * widen)


def _title(cells: TensorCells, beside: TensorCells | None) -> str:
    shape = " x ".join(f"{length:,}" for length in cells.tensor.shape)
    return f"{'difference of ' if beside else ''}{cells.tensor.name[:80]}   {shape}   {cells.tensor.type.name}"


def _facts(cells: TensorCells, beside: TensorCells | None) -> str:
    facts = [f"rms {cells.rms:.3g}"]
    if beside is not None:
        facts.append(f"{cells.rms / beside.rms:.2%} of the first" if beside.rms else "the first is zero")
        facts.append(f"largest {max(abs(cells.minimum), abs(cells.maximum)):.3g}")
    else:
        facts.append(f"from {cells.minimum:.3g} to {cells.maximum:.3g}")
        facts.append(f"{np.count_nonzero(cells.outlier_cells):,} cells over {OUTLIER:g} rms (cyan)")
    dead = int(np.count_nonzero(cells.dead_rows))
    if dead and beside is None:
        facts.append(f"{dead:,} rows of zeros (green)")
    if cells.not_finite:
        facts.append(f"{cells.not_finite:,} not finite")
    return "   ".join(facts)
