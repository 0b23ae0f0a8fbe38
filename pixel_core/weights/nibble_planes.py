"""Blocks whose values have four bits, or four and two, as planes of eight rows, and back.

Source of the blocks: `block_q4_0`, `block_q4_1`, `block_q4_K`, `block_q6_K` in ggml-common.h, github.com/ggml-org/llama.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.ggml_types import GgmlType

Bytes = NDArray[np.uint8]

NIBBLE_RUNS: Mapping[GgmlType, int] = MappingProxyType({GgmlType.Q4_0: 16, GgmlType.Q4_1: 16, GgmlType.Q4_K: 32, GgmlType.Q6_K: 64})
"""So many bytes hold twice as many columns: the first half of them in their low nibbles, the second in their high ones."""

_SHIFTS = np.array([0, 2, 4, 6], np.uint8)[:, None]
_LOW, _HIGH, _SCALES = slice(0, 128), slice(128, 192), slice(192, 208)
"""Parts of a block of Q6_K; its f16 scale is behind them."""


def nibble_columns(kind: GgmlType, packed: Bytes) -> Bytes:
    """Nibbles in the order of columns, `u8[…, 2 n]` of `u8[…, n]`."""
    runs = packed.reshape(*packed.shape[:-1], -1, NIBBLE_RUNS[kind])
    return np.concatenate((runs & np.uint8(15), runs >> np.uint8(4)), axis=-1).reshape(*packed.shape[:-1], -1)


def nibble_bytes(kind: GgmlType, columns: Bytes) -> Bytes:
    """The reverse of `nibble_columns`."""
    runs = columns.reshape(*columns.shape[:-1], -1, 2, NIBBLE_RUNS[kind])
    return (runs[..., 0, :] | runs[..., 1, :] << np.uint8(4)).reshape(*columns.shape[:-1], -1)


def pack_eight_rows(columns: Bytes) -> Bytes:
    """Words of eight nibbles, `u8[groups, columns, 4]` of `u8[groups, 8, columns]`: row j in the bits from 4j."""
    return np.ascontiguousarray((columns[:, 0::2] | columns[:, 1::2] << np.uint8(4)).transpose(0, 2, 1))


def unpack_eight_rows(words: Bytes) -> Bytes:
    """The reverse: `u8[8 groups, columns]`."""
    pairs = words.transpose(0, 2, 1)  # [group, pair of rows, column]
    return np.stack((pairs & np.uint8(15), pairs >> np.uint8(4)), axis=2).reshape(-1, words.shape[1])


def pack_six_bits(plane: str, fields: Bytes) -> Bytes:
    """Rows of a plane of Q6_K.

    Args:
        plane: `quants`, `high` or `scales`.
        fields: `u8[groups, 8, blocks, 210]`.
    """
    groups, rows, blocks = fields.shape[:3]
    if plane == "quants":
        return pack_eight_rows(nibble_columns(GgmlType.Q6_K, fields[..., _LOW]).reshape(groups, rows, -1))
    if plane == "high":
        # Both halves of a block hold 128 columns: byte i has the bits of columns i, i + 32, i + 64 and i + 96.
        bits = fields[..., _HIGH].reshape(groups, rows, blocks, 2, 1, 32) >> _SHIFTS & np.uint8(3)
        pairs = bits.reshape(groups, rows, -1, 2)
        return pack_eight_rows(pairs[..., 0] | pairs[..., 1] << np.uint8(2))
    scales = fields[..., _SCALES].reshape(groups, rows, blocks, 8, 2).transpose(0, 2, 3, 1, 4)
    factors = fields[..., 208:].transpose(0, 2, 1, 3)
    return np.concatenate((scales.reshape(groups, blocks, 128), factors.reshape(groups, blocks, 16)), axis=2)


def unpack_six_bits(planes: Mapping[str, Bytes], columns: int) -> Bytes:
    """Blocks of Q6_K, `u8[8 groups, blocks, 210]`.

    Args:
        planes: The bytes of each plane, `u8[…]`.
        columns: Of the tensor.
    """
    blocks = columns // 256
    quants = unpack_eight_rows(planes["quants"].reshape(-1, columns, 4))
    pairs = unpack_eight_rows(planes["high"].reshape(-1, columns // 2, 4))
    high = np.stack((pairs & np.uint8(3), pairs >> np.uint8(2)), axis=-1).reshape(-1, blocks, 2, 4, 32)
    scales = planes["scales"].reshape(-1, blocks, 144)
    made = np.empty((len(quants), blocks, 210), np.uint8)
    made[..., _LOW] = nibble_bytes(GgmlType.Q6_K, quants.reshape(len(quants), blocks, 256))
    made[..., _HIGH] = np.bitwise_or.reduce(high << _SHIFTS, axis=3).reshape(len(quants), blocks, 64)
    made[..., _SCALES] = scales[..., :128].reshape(-1, blocks, 8, 8, 2).transpose(0, 3, 1, 2, 4).reshape(-1, blocks, 16)
    made[..., 208:] = scales[..., 128:].reshape(-1, blocks, 8, 2).transpose(0, 2, 1, 3).reshape(-1, blocks, 2)
    return made
