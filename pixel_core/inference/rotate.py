"""Rope: turns pairs of components of a head by an angle that grows with the position.

Source: Su et al., RoFormer (arXiv 2104.09864), and `ggml_rope_ext` of ggml for the order of pairs and the factors of Llama 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixel_core.inference.config import ModelConfig


def rope_angles(config: ModelConfig, layer: int, positions: NDArray[np.int64], factors: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """float64[positions, pairs]: the angle of each pair at each position, in radians.

    Args:
        config: Of the model.
        layer: From 0; local layers have a base of their own.
        positions: From 0.
        factors: float32[pairs] that frequencies are divided by; None for ones.
    """
    length = config.rope.length
    frequencies = config.rope_base(layer) ** (-np.arange(0, length, 2, dtype=np.float64) / length) * config.rope_scale(layer)
    if factors is not None:
        frequencies = frequencies / factors
    return positions[:, None] * frequencies


def rotate(heads: NDArray[np.float32], angles: NDArray[np.float64], config: ModelConfig) -> NDArray[np.float32]:
    """Turn every head.

    Args:
        heads: float32[heads, positions, head_length].
        angles: float64[positions, pairs].
        config: Says which components make a pair; those behind `rope.length` stay as they are.
    """
    length = config.rope.length
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first, second = _pairs(config)
    result = heads.copy()
    x, y = heads[..., first], heads[..., second]
    result[..., first] = x * cosine - y * sine
    result[..., second] = x * sine + y * cosine
    assert length % 2 == 0
    return result


def _pairs(config: ModelConfig) -> tuple[slice, slice]:
    length = config.rope.length
    if config.rope.pairs == "adjacent":
        return slice(0, length, 2), slice(1, length, 2)
    return slice(0, length // 2), slice(length // 2, length)
