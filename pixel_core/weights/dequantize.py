"""ggml's blocks as float32, bit for bit as ggml computes them.

Source: `dequantize_row_*` of `ggml-quants.c`; a test compares with the `gguf` Python package. Multiplications and additions are rounded one
by one, in ggml's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelFileError
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.texel_formats import Blocks

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_BLOCKS_AT_ONCE = 1 << 16
"""So that what lies between stays in the cache, or near it."""


def dequantize(kind: GgmlType, blocks: Blocks, shape: tuple[int, ...]) -> Floats:
    """The values of a tensor, `f32` in numpy's order of axes: `shape` reversed, rows last.

    Args:
        kind: The type of the blocks.
        blocks: The tensor's bytes.
        shape: In ggml's order, as `Tensor.shape`.

    Raises:
        ModelFileError: The type cannot be computed here.
        ValueError: The bytes are not as many as the shape needs.
    """
    if kind not in DEQUANTIZERS:
        raise ModelFileError(f"values of the type {kind.name} cannot be computed here; {', '.join(one.name for one in DEQUANTIZERS)} can")
    data = np.frombuffer(blocks, dtype=np.uint8)
    count = prod(shape) // kind.block_length
    if len(data) != count * kind.block_bytes or shape[0] % kind.block_length:
        raise ValueError(f"{len(data):,} bytes are no {kind.name} of the shape {list(shape)}")
    rows = data.reshape(count, kind.block_bytes)
    if kind is GgmlType.F32:
        values: Floats = rows.view(np.float32)
        return values.reshape(shape[::-1]).copy()
    values = np.empty((count, kind.block_length), np.float32)
    one_type = DEQUANTIZERS[kind]
    step = _BLOCKS_AT_ONCE * 32 // max(kind.block_length, 1) // 2
    with np.errstate(all="ignore"):  # infinite scales are allowed, and give what they give in ggml
        for first in range(0, count, step):
            values[first : first + step] = one_type(rows[first : first + step])
    return values.reshape(shape[::-1])


def _from_f32(blocks: Bytes) -> Floats:
    return blocks.view(np.float32)


def _from_f16(blocks: Bytes) -> Floats:
    return blocks.view("<f2").astype(np.float32)


def _from_bf16(blocks: Bytes) -> Floats:
    return (blocks.view("<u2").astype(np.uint32) << 16).view(np.float32)


def _from_q4_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * (_nibbles(blocks[:, 2:]).astype(np.int8) - np.int8(8)).astype(np.float32)


def _from_q4_1(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * _nibbles(blocks[:, 4:]).astype(np.float32) + _half(blocks, 2)


def _from_q8_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * blocks[:, 2:].view(np.int8).astype(np.float32)


def _from_q4_k(blocks: Bytes) -> Floats:
    """Eight groups of 32 values; each has a scale and a minimum of six bits."""
    low, middle, high = (blocks[:, 4 + 4 * part : 8 + 4 * part] for part in range(3))
    scales = np.concatenate((low & 63, high & 15 | low >> 2 & 48), axis=1).astype(np.float32)
    minima = np.concatenate((middle & 63, high >> 4 | middle >> 2 & 48), axis=1).astype(np.float32)
    quants = _nibbles(blocks[:, 16:].reshape(-1, 32)).reshape(-1, 8, 32).astype(np.float32)
    scale: Floats = _half(blocks, 0) * scales
    minimum: Floats = _half(blocks, 2) * minima
    return (scale[..., None] * quants - minimum[..., None]).reshape(len(blocks), 256)


def _from_q6_k(blocks: Bytes) -> Floats:
    """Sixteen groups of 16 values with a scale of eight bits each; quants of four low and two high bits."""
    low = _nibbles(blocks[:, :128].reshape(-1, 64)).reshape(-1, 256)
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8).reshape(4, 1) & 3
    quants = (low | high.reshape(-1, 256) << 4).astype(np.int8) - np.int8(32)
    scales = _half(blocks, 208) * blocks[:, 192:208].view(np.int8).astype(np.float32)
    return (scales[..., None] * quants.reshape(-1, 16, 16).astype(np.float32)).reshape(len(blocks), 256)


def _half(blocks: Bytes, offset: int) -> Floats:
    """The f16 at an offset of each block, `f32[blocks, 1]`."""
    return np.ascontiguousarray(blocks[:, offset : offset + 2]).view("<f2").astype(np.float32)


def _nibbles(packed: Bytes) -> Bytes:
    """The low halves of a row's bytes, then the high ones."""
    return np.concatenate((packed & np.uint8(15), packed >> np.uint8(4)), axis=1)


DEQUANTIZERS: Mapping[GgmlType, Callable[[Bytes], Floats]] = MappingProxyType(
    {
        GgmlType.F32: _from_f32,
        GgmlType.F16: _from_f16,
        GgmlType.BF16: _from_bf16,
        GgmlType.Q4_0: _from_q4_0,
        GgmlType.Q4_1: _from_q4_1,
        GgmlType.Q8_0: _from_q8_0,
        GgmlType.Q4_K: _from_q4_k,
        GgmlType.Q6_K: _from_q6_k,
    }
)
"""Blocks `u8[count, block_bytes]` → `f32[count, block_length]`, by type."""
