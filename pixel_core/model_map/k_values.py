"""The weights in texels of Q4_K and Q6_K, whose scales are numbers times the scale of a block of 256 columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pixel_core.model_map.pick_texels import Indices
from pixel_core.weights.texel_formats import Texels

Floats = NDArray[np.float32]

Pick = Callable[[str, Indices], Texels]
"""Texels `u32[rows, columns, 4]` of a plane of the tensor, in the rows that are looked at."""

_SHIFTS = (np.arange(8, dtype=np.uint32) * 4)[:, None]


def q4_k_values(plane: str, columns: Indices, pick: Pick) -> Floats:
    """`f32[rows, columns, down, across]`: of `quants` eight rows of four columns; of `scales` what the runs of a row are scaled by."""
    texels = pick(plane, columns)
    if plane == "scales":
        return _runs_of_q4_k(texels)[0][:, :, None, :]
    blocks, which = np.unique(columns // 64, return_inverse=True)
    heads = pick("scales", (blocks[:, None] * 8 + np.arange(8)).reshape(-1))
    factors, minima = (
        one.reshape(len(texels), len(blocks), 8, 8)[:, which.reshape(-1)[:, None], np.arange(8), (columns // 8 % 8)[:, None]]
        for one in _runs_of_q4_k(heads)
    )
    return factors[..., None] * _nibbles(texels) - minima[..., None]


def q6_k_values(plane: str, columns: Indices, pick: Pick) -> Floats:
    """As `q4_k_values`; `high` shows the weights of its eight columns, `scales` two runs of eight rows, or eight scales of blocks twice."""
    if plane == "quants":
        return _weights_of_q6_k(columns, pick)
    if plane == "high":
        return np.concatenate((_weights_of_q6_k(2 * columns, pick), _weights_of_q6_k(2 * columns + 1, pick)), axis=-1)
    factors = _halves(pick("scales", columns // 9 * 9 + 8))
    numbers = np.ascontiguousarray(pick("scales", columns)).view(np.int8).reshape(*factors.shape, 2).astype(np.float32)
    numbers[:, columns % 9 == 8] = 1
    return (numbers * factors[..., None]).reshape(*factors.shape[:2], 1, 16)


def _weights_of_q6_k(columns: Indices, pick: Pick) -> Floats:
    """`f32[rows, columns, 8, 4]` for columns of `quants`."""
    more = pick("high", columns // 2)
    pairs = _nibbles(np.where((columns % 2 == 1)[:, None], more[..., 2:], more[..., :2])).astype(np.uint8)
    upper = np.stack((pairs & 3, pairs >> 2), axis=-1).reshape(*pairs.shape[:3], 4)
    levels = _nibbles(pick("quants", columns)) + np.float32(16) * upper.astype(np.float32) - np.float32(32)
    blocks, parts = columns // 64, columns // 8 % 8
    both = np.ascontiguousarray(pick("scales", blocks * 9 + parts)).view(np.int8).reshape(*levels.shape[:3], 2)
    scales = np.where((columns // 4 % 2 == 1)[:, None], both[..., 1], both[..., 0]).astype(np.float32)
    return (_halves(pick("scales", blocks * 9 + 8)) * scales)[..., None] * levels


def _nibbles(texels: Texels) -> Floats:
    """`f32[rows, columns, 8, words]`."""
    return (texels[:, :, None, :] >> _SHIFTS & 15).astype(np.float32)


def _halves(texels: Texels) -> Floats:
    """`f32[rows, columns, 8]`."""
    return np.ascontiguousarray(texels).view(np.float16).astype(np.float32)


def _runs_of_q4_k(heads: Texels) -> tuple[Floats, Floats]:
    """Factors and minima `f32[rows, columns, 8]` of the first 16 bytes of blocks."""
    data = np.ascontiguousarray(heads).view(np.uint8)
    scales, least = (_halves(heads)[..., one, None] for one in (0, 1))
    low, middle, high = (data[..., 4 + 4 * part : 8 + 4 * part] for part in range(3))
    factors = np.concatenate((low & 63, high & 15 | low >> 2 & 48), axis=-1).astype(np.float32)
    minima = np.concatenate((middle & 63, high >> 4 | middle >> 2 & 48), axis=-1).astype(np.float32)
    return scales * factors, least * minima
