"""Packed formats that a storage buffer may hold, in ggml's exact layout: logical float values ⇄ bytes.

Sources: `block_q4_0` and `block_q8_0` of ggml (`ggml-common.h`, `ggml-quants.c`), whose rounding the `gguf` Python package
reproduces; `f16x2` is WGSL's `pack2x16float` (two f16 in a u32, the first in the low half), `unorm8x4` its `pack4x8unorm`, and `u8x4` its
`pack4xU8`: four whole numbers from 0 to 255, the first in the low byte. `f32` is `bitcast<u32>` of one float, for atomics of floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.expression_nodes import ExpressionProblem

Bytes = NDArray[np.uint8]
Values = NDArray[np.float32]


class Codec(msgspec.Struct, frozen=True, kw_only=True):
    """A packed format.

    Attributes:
        name: As contracts write it.
        block_values: Values per block; the last axis must be a multiple of it.
        block_bytes: Bytes per block.
        encode_blocks: `f32[blocks, block_values]` → `u8[blocks, block_bytes]`.
        decode_blocks: The reverse.
        scalar: What one value is to an expression: `f32`, or `u32`.
        judged_as: The type in which a packed output is judged: `f16` where every value is one, else `scalar`.
        step_blocks: `u8[blocks, block_bytes]` → `f32[blocks, block_values]`, the distance of a value to its neighbours; None where
            values are not rounded to such steps.
        has_f16_scale: Whether a scale in f16 multiplies the levels of a block, which WGSL lets a device round in either direction.
    """

    name: str
    block_values: int
    block_bytes: int
    encode_blocks: Callable[[Values], Bytes]
    decode_blocks: Callable[[Bytes], Values]
    scalar: str = "f32"
    judged_as: str = "f32"
    step_blocks: Callable[[Bytes], Values] | None = None
    has_f16_scale: bool = False


def encode(codec: str, values: NDArray[Any]) -> bytes:
    """Pack values; the bytes are padded with zeros to a multiple of four, as a binding needs.

    Args:
        codec: A key of `CODEC_TABLE`.
        values: Any shape; the last axis is a multiple of the codec's block.

    Raises:
        ExpressionProblem: The last axis does not fit the codec's blocks.
    """
    row = CODEC_TABLE[codec]
    check_shape(codec, values.shape)
    blocks = np.ascontiguousarray(values, dtype=np.float32).reshape(-1, row.block_values)
    with np.errstate(all="ignore"):
        packed = row.encode_blocks(blocks).tobytes()
    return packed + bytes(-len(packed) % 4)


def decode(codec: str, data: bytes | memoryview, shape: tuple[int, ...]) -> NDArray[Any]:
    """Unpack values of that logical shape, as f32 or u32; bytes past its end are ignored.

    Raises:
        ExpressionProblem: The last axis does not fit the codec's blocks.
    """
    row = CODEC_TABLE[codec]
    check_shape(codec, shape)
    blocks = prod(shape) // row.block_values
    packed = np.frombuffer(data, dtype=np.uint8, count=blocks * row.block_bytes).reshape(blocks, row.block_bytes)
    with np.errstate(all="ignore"):
        values = row.decode_blocks(packed).reshape(shape)
    return values if row.scalar == "f32" else values.astype(np.uint32)


def steps(codec: str, data: bytes | memoryview, shape: tuple[int, ...]) -> NDArray[Any]:
    """How far each of the packed values lies from its neighbours, in the logical shape, for a codec with `step_blocks`."""
    row = CODEC_TABLE[codec]
    assert row.step_blocks is not None
    blocks = prod(shape) // row.block_values
    packed = np.frombuffer(data, dtype=np.uint8, count=blocks * row.block_bytes).reshape(blocks, row.block_bytes)
    return np.broadcast_to(row.step_blocks(packed), (blocks, row.block_values)).reshape(shape)


def packed_size(codec: str, shape: tuple[int, ...]) -> int:
    """Bytes of a buffer of that logical shape, padded to a multiple of four."""
    row = CODEC_TABLE[codec]
    size = prod(shape) // row.block_values * row.block_bytes
    return size + -size % 4


def check_shape(codec: str, shape: tuple[int, ...]) -> None:
    """Refuse a shape whose rows are not whole blocks.

    Raises:
        ExpressionProblem: They are not.
    """
    block = CODEC_TABLE[codec].block_values
    last = shape[-1] if shape else 1
    if last % block:
        raise ExpressionProblem(
            f"{codec} packs {block} values into a block; the last axis has {last:,}",
            None,
            f"make the last axis a multiple of {block}, with `where` if it comes from a dim",
        )


def _encode_q4_0(blocks: Values) -> Bytes:
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=-1, keepdims=True), axis=-1)
    scale = largest / np.float32(-8)
    inverse = np.where(scale == 0, np.float32(0), np.float32(1) / scale)
    # In float64, as gguf does: ggml's own rounding depends on whether its compiler fuses this.
    steps = np.trunc(blocks.astype(np.float64) * inverse.astype(np.float64) + 8.5)
    # Where the inverse overflows, the scale is 0 as f16 and the nibbles mean nothing; gguf writes 0.
    nibbles = np.clip(np.where(np.isfinite(steps), steps, 0), 0, 15).astype(np.uint8).reshape(-1, 2, 16)
    return _joined(scale, nibbles[:, 0] | (nibbles[:, 1] << 4))


def _decode_q4_0(packed: Bytes) -> Values:
    scale, quants = _split(packed)
    nibbles = np.concatenate([quants & 0x0F, quants >> 4], axis=-1)
    return scale * (nibbles.astype(np.int8) - np.int8(8)).astype(np.float32)


def _encode_q8_0(blocks: Values) -> Bytes:
    scale = np.abs(blocks).max(axis=-1, keepdims=True) / np.float32(127)
    inverse = np.where(scale == 0, np.float32(0), np.float32(1) / scale)
    steps = blocks * inverse
    magnitude = np.abs(steps)
    whole = np.floor(magnitude)
    # Halves away from zero, as C's roundf.
    rounded = np.sign(steps) * (whole + np.floor(2 * (magnitude - whole)))
    return _joined(scale, np.clip(np.nan_to_num(rounded), -127, 127).astype(np.int8).view(np.uint8))


def _decode_q8_0(packed: Bytes) -> Values:
    scale, quants = _split(packed)
    return scale * quants.view(np.int8).astype(np.float32)


def _scale_steps(packed: Bytes) -> Values:
    return np.abs(_split(packed)[0])


def _joined(scale: NDArray[Any], quants: NDArray[Any]) -> Bytes:
    return np.concatenate([scale.astype("<f2").view(np.uint8), quants], axis=-1)


def _split(packed: Bytes) -> tuple[Values, Bytes]:
    return np.ascontiguousarray(packed[:, :2]).view("<f2").astype(np.float32), np.ascontiguousarray(packed[:, 2:])


def _encode_f16x2(blocks: Values) -> Bytes:
    return blocks.astype("<f2").view(np.uint8)


def _decode_f16x2(packed: Bytes) -> Values:
    return np.ascontiguousarray(packed).view("<f2").astype(np.float32)


def _encode_f32(blocks: Values) -> Bytes:
    return blocks.astype("<f4").view(np.uint8)


def _decode_f32(packed: Bytes) -> Values:
    return np.ascontiguousarray(packed).view("<f4").astype(np.float32)


def _encode_u8x4(blocks: Values) -> Bytes:
    return np.clip(np.rint(blocks), 0, 255).astype(np.uint8)


def _decode_u8x4(packed: Bytes) -> Values:
    return packed.astype(np.float32)


def _encode_unorm8x4(blocks: Values) -> Bytes:
    # ⌊0.5 + 255 · e⌋, as WGSL says of pack4x8unorm; NaN becomes 0.
    return np.floor(0.5 + 255 * np.clip(np.nan_to_num(blocks.astype(np.float64)), 0, 1)).astype(np.uint8)


def _decode_unorm8x4(packed: Bytes) -> Values:
    return (packed / np.float32(255)).astype(np.float32)


def _unorm8_steps(packed: Bytes) -> Values:
    return np.full((len(packed), 1), 1 / 255, np.float32)


# fmt: off
CODEC_TABLE: Mapping[str, Codec] = MappingProxyType(
    {
        "f32": Codec(name="f32", block_values=1, block_bytes=4, encode_blocks=_encode_f32, decode_blocks=_decode_f32),
        "q4_0": Codec(
            name="q4_0", block_values=32, block_bytes=18, encode_blocks=_encode_q4_0, decode_blocks=_decode_q4_0,
            step_blocks=_scale_steps, has_f16_scale=True,
        ),
        "q8_0": Codec(
            name="q8_0", block_values=32, block_bytes=34, encode_blocks=_encode_q8_0, decode_blocks=_decode_q8_0,
            step_blocks=_scale_steps, has_f16_scale=True,
        ),
        "f16x2": Codec(
            name="f16x2", block_values=2, block_bytes=4, encode_blocks=_encode_f16x2, decode_blocks=_decode_f16x2, judged_as="f16"
        ),
        "u8x4": Codec(
            name="u8x4", block_values=4, block_bytes=4, encode_blocks=_encode_u8x4, decode_blocks=_decode_u8x4,
            scalar="u32", judged_as="u32",
        ),
        "unorm8x4": Codec(
            name="unorm8x4", block_values=4, block_bytes=4, encode_blocks=_encode_unorm8x4, decode_blocks=_decode_unorm8x4,
            step_blocks=_unorm8_steps,
        ),
    }
)
# fmt: on
"""Every codec by name."""
