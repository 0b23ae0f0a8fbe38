"""Distances between floats, counted in representable numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ulp_distance(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
    """How many steps from one representable number to the next lie between two values; 0 for +0 and -0.

    Args:
        left: Of dtype f32 or f16.
        right: Of the same dtype and shape.

    Returns:
        -1 where either is not finite.
    """
    distance = np.abs(_ordered(left) - _ordered(right))
    return np.where(np.isfinite(left) & np.isfinite(right), distance, -1)


def _ordered(values: NDArray[Any]) -> NDArray[np.int64]:
    """The bits as integers that grow with the value: sign and magnitude turned into a signed count from zero."""
    width = values.dtype.itemsize * 8
    bits = np.ascontiguousarray(values).view(f"<i{values.dtype.itemsize}").reshape(values.shape).astype(np.int64)
    return np.where(bits < 0, -(bits + (1 << (width - 1))), bits)
