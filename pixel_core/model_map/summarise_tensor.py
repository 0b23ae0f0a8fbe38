"""A tensor in figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.dequantize import DEQUANTIZERS, dequantize
from pixel_core.weights.measure_tensor import OUTLIER
from pixel_core.weights.model_file import ModelFile, Tensor

_VALUES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSummary:
    """Figures of a tensor; those of the values are of the finite ones, and None where there are none.

    Attributes:
        values: How many there are.
        minimum: The least.
        maximum: The greatest.
        mean: Their mean.
        deviation: Their standard deviation.
        rms: Their root mean square.
        zeros: How many are zero.
        not_finite: How many are infinite or no number.
        outliers: How many are greater than six times the root mean square.
        strongest: The greatest magnitude, in root mean squares; None where all are zero.
        dead_rows: How many rows hold nothing but zeros.
    """

    values: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None
    rms: float | None
    zeros: int
    not_finite: int
    outliers: int
    strongest: float | None
    dead_rows: int


def summarise_tensor(model: ModelFile, tensor: Tensor, *, go_on: Callable[[], bool] = lambda: True) -> TensorSummary | None:
    """Look at every value of a tensor; None if they cannot be computed, or if it shall not go on.

    Args:
        model: The model.
        tensor: One of its tensors.
        go_on: Asked every million values.

    Raises:
        ModelFileError: A compressed tile of a PXI is damaged.
    """
    if tensor.type not in DEQUANTIZERS:
        return None
    blocks = model.blocks(tensor.name)
    count, total, squares = 0, 0.0, 0.0
    minimum, maximum = np.inf, -np.inf
    zeros, dead = 0, 0
    for values in _pieces(tensor, blocks):
        if not go_on():
            return None
        dead += int(np.count_nonzero(~np.any(values, axis=1)))
        finite = values[np.isfinite(values)]
        if not finite.size:
            continue
        wide = finite.astype(np.float64)
        count += finite.size
        total += float(wide.sum())
        squares += float(np.dot(wide, wide))
        minimum, maximum = min(minimum, float(finite.min())), max(maximum, float(finite.max()))
        zeros += finite.size - int(np.count_nonzero(finite))
    values = tensor.rows * tensor.columns
    if not count:
        return TensorSummary(
            values=values,
            minimum=None,
            maximum=None,
            mean=None,
            deviation=None,
            rms=None,
            zeros=0,
            not_finite=values,
            outliers=0,
            strongest=None,
            dead_rows=dead,
        )
    mean, rms = total / count, float(np.sqrt(squares / count))
    greatest = max(abs(minimum), abs(maximum))
    return TensorSummary(
        values=values,
        minimum=minimum,
        maximum=maximum,
        mean=mean,
        # What is left of the squares is at worst their rounding, and so is a mean without a deviation.
        deviation=float(np.sqrt(max(squares / count - mean * mean, 0.0))),
        rms=rms,
        zeros=zeros,
        not_finite=values - count,
        outliers=_count_above(tensor, blocks, OUTLIER * rms) if greatest > OUTLIER * rms else 0,
        strongest=greatest / rms if rms else None,
        dead_rows=dead,
    )


def _count_above(tensor: Tensor, blocks: memoryview, limit: float) -> int:
    return sum(int(np.count_nonzero(np.isfinite(values) & (np.abs(values) > limit))) for values in _pieces(tensor, blocks))


def _pieces(tensor: Tensor, blocks: memoryview) -> Iterator[NDArray[np.float32]]:
    """The values some rows at a time, `f32[rows, columns]`."""
    step = max(_VALUES_AT_ONCE // tensor.columns, 1)
    for first in range(0, tensor.rows, step):
        last = min(first + step, tensor.rows)
        part = blocks[first * tensor.row_bytes : last * tensor.row_bytes]
        yield dequantize(tensor.type, part, (tensor.columns, last - first))
