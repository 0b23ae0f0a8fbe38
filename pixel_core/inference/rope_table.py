"""Cosines and sines of rope: computed once, in float64, so that no device's sine matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rope_table(positions: int, length: int, base: float, scale: float, factors: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """The turn of every pair at every position.

    Args:
        positions: How many, from 0.
        length: Components of a head that turn.
        base: θ.
        scale: Of the positions.
        factors: float32[length / 2]: what each pair's frequency is divided by; None for 1.

    Returns:
        float32[positions, length / 2, 2]: cosine and sine.
    """
    frequencies = base ** (-2.0 * np.arange(length // 2) / length) / (1.0 if factors is None else factors.astype(np.float64))
    angles = np.arange(positions, dtype=np.float64)[:, None] * scale * frequencies
    return np.stack((np.cos(angles), np.sin(angles)), axis=2).astype(np.float32)
