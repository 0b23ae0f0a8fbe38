"""A tensor in cells: how large its values are here and there, what stands out, and what is dead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.dequantize import dequantize
from pixel_core.weights.model_file import ModelFile, Tensor
from pixel_core.weights.texel_formats import Blocks

MAX_ROWS = 980
"""Of cells; with a caption above them they are a picture of 1,024 rows."""
MAX_COLUMNS = 1024
"""Of cells."""
OUTLIER = 6.0
"""A value so many times the tensor's root mean square stands out: of a normal distribution, two in a thousand million."""
_VALUES_AT_ONCE = 1 << 21

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorCells:
    """A tensor as a picture would show it. All that is not finite counts as zero, but in `not_finite`.

    Attributes:
        tensor: The tensor.
        energy: `f64[rows, columns]`, the mean of the squares of each cell.
        peak: `f32[rows, columns]`, the largest magnitude in each cell.
        minimum: The least value.
        maximum: The greatest value.
        rms: Root mean square of all values.
        zeros: How many values are zero.
        not_finite: How many are infinite or no number.
        dead_rows: Rows that hold nothing but zeros, `bool[tensor.rows]`.
    """

    tensor: Tensor
    energy: NDArray[np.float64]
    peak: Floats
    minimum: float
    maximum: float
    rms: float
    zeros: int
    not_finite: int
    dead_rows: NDArray[np.bool_]

    @property
    def outlier_cells(self) -> NDArray[np.bool_]:
        """Cells with a value that stands out."""
        return self.peak > OUTLIER * self.rms if self.rms else np.zeros(self.peak.shape, np.bool_)


def measure_tensor(model: ModelFile, tensor: Tensor, minus: ModelFile | None = None) -> TensorCells:
    """Measure a tensor, or its difference to the same tensor of another model.

    Args:
        model: The model.
        tensor: One of its tensors, of a type that can be computed.
        minus: A model with a tensor of that name and shape; its values are subtracted.

    Raises:
        ModelFileError: Values of the type cannot be computed.
    """
    blocks = model.blocks(tensor.name)
    others = None if minus is None else (minus.tensors[tensor.name], minus.blocks(tensor.name))

    def values(first: int, last: int) -> Floats:
        own = _rows(tensor, blocks, first, last)
        return own if others is None else own - _rows(*others, first, last)

    return measure_values(tensor, values)


def measure_values(tensor: Tensor, values: Callable[[int, int], Floats]) -> TensorCells:
    """Measure values that are given some rows at a time.

    Args:
        tensor: What they belong to.
        values: From a first row to a last one, which is not among them, the values `f32[rows, columns]`.
    """
    height, width = min(tensor.rows, MAX_ROWS), min(tensor.columns, MAX_COLUMNS)
    top = np.arange(height + 1, dtype=np.int64) * tensor.rows // height
    left = np.arange(width, dtype=np.int64) * tensor.columns // width
    energy, peak = np.zeros((height, width)), np.zeros((height, width), np.float32)
    dead = np.zeros(tensor.rows, np.bool_)
    minimum, maximum, zeros, not_finite = np.inf, -np.inf, 0, 0
    for begin, end in _batches(top, tensor.columns):
        found = values(int(top[begin]), int(top[end]))
        is_finite = np.isfinite(found)
        not_finite += int(found.size - np.count_nonzero(is_finite))
        found = np.where(is_finite, found, np.float32(0))
        minimum, maximum = min(minimum, float(found.min())), max(maximum, float(found.max()))
        zeros += int(found.size - np.count_nonzero(found))
        dead[top[begin] : top[end]] = ~found.any(axis=1)
        magnitude, squares = np.abs(found), np.square(found, dtype=np.float64)
        if width < tensor.columns:
            magnitude, squares = np.maximum.reduceat(magnitude, left, axis=1), np.add.reduceat(squares, left, axis=1)
        if height < tensor.rows:
            rows = top[begin:end] - top[begin]
            magnitude, squares = np.maximum.reduceat(magnitude, rows, axis=0), np.add.reduceat(squares, rows, axis=0)
        peak[begin:end], energy[begin:end] = magnitude, squares
    rms = float(np.sqrt(energy.sum() / (tensor.rows * tensor.columns)))
    areas = np.diff(top)[:, None] * np.diff(np.append(left, tensor.columns))
    return TensorCells(
        tensor=tensor,
        energy=energy / areas,
        peak=peak,
        minimum=minimum,
        maximum=maximum,
        rms=rms,
        zeros=zeros,
        not_finite=not_finite,
        dead_rows=dead,
    )


def _batches(top: NDArray[np.int64], columns: int) -> Iterator[tuple[int, int]]:
    """Rows of cells that are measured together."""
    count = len(top) - 1
    rows_of_cell = -(-int(top[-1]) // count)
    step = max(_VALUES_AT_ONCE // (rows_of_cell * columns), 1)
    for begin in range(0, count, step):
        yield begin, min(begin + step, count)


def _rows(tensor: Tensor, blocks: Blocks, first: int, last: int) -> Floats:
    part = blocks[first * tensor.row_bytes : last * tensor.row_bytes]
    return dequantize(tensor.type, part, (tensor.columns, last - first))
