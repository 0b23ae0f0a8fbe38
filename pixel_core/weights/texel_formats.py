"""How a tensor's blocks lie in texels of 16 bytes (`rgba32uint`); packing loses nothing and can be undone.

A tensor has one or more *planes*, images `u32[height, width, 4]`, little-endian. docs/formats/pxi.md is the norm.

`linear`   `bytes`: the tensor's bytes in their order, zeros behind them. Where a row of the tensor fills whole texels and no more than
           8,192 of them, it is a row of the image.
`nibbles`  Q4_0 and Q4_1. `quants`: component i of texel (r, c) is column 4c + i, rows 8r to 8r + 7, the row 8r + j in the bits from 4j.
           (So rows j and j + 4 stand 16 bits apart, and one multiplication takes both.)
           `scales`: for each 8 rows and 32 columns the eight f16 scales in the rows' order, one texel; of Q4_1 scale and minimum
           alternate, two texels.
           Of Q4_K the scales of eight rows and 256 columns are eight texels, one a row: the first 16 bytes of its block.
`bytes4`   Q8_0. `quants`: component j of texel (r, c) is row 4r + j, columns 4c to 4c + 3. `scales`: as of Q4_0.
`six_bits` Q6_K. `quants`: the low four bits, as in `nibbles`. `high`: the others, as in `nibbles` with two columns for one: component i of
           texel (r, c) has those of columns 8c + 2i and 8c + 2i + 1. `scales`: for eight rows and 256 columns nine texels: eight with
           two signed bytes a row, for 16 columns each, then one with the eight f16 scales of the blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Union

import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.nibble_planes import (
    nibble_bytes,
    nibble_columns,
    pack_eight_rows,
    pack_six_bits,
    unpack_eight_rows,
    unpack_six_bits,
)

TEXEL_BYTES = 16
MAX_WIDTH = 8192
"""Texels beside each other in a plane; every adapter takes a texture of that width."""
LINEAR_WIDTH = 1024
"""Of a `linear` plane whose rows are not the tensor's."""
ROW_GROUP = 8
"""Formats other than `linear` pack so many rows of the tensor together."""

Texels = NDArray[np.uint32]
Blocks = Union[bytes, memoryview, NDArray[np.uint8]]


class TexelFormat(IntEnum):
    """How a tensor lies in texels, by the number that a PXI holds."""

    LINEAR = 0
    NIBBLES = 1
    BYTES4 = 2
    SIX_BITS = 3

    @property
    def planes(self) -> tuple[str, ...]:
        """Names of the planes, in the order in which a PXI holds them."""
        if self is TexelFormat.LINEAR:
            return ("bytes",)
        return ("quants", "high", "scales") if self is TexelFormat.SIX_BITS else ("quants", "scales")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneSize:
    """The size of a plane.

    Attributes:
        height: Rows of texels.
        width: Texels in a row.
        group: Rows of the tensor in a row of texels; 0 for `linear`, which does not go by rows.
    """

    height: int
    width: int
    group: int


def texel_format_of(tensor: Tensor) -> TexelFormat:
    """The format that a PXI gives a tensor, and in which a GGUF shows it."""
    return _FORMATS.get(tensor.type, TexelFormat.LINEAR) if tensor.columns // 4 <= MAX_WIDTH else TexelFormat.LINEAR


_FORMATS = {
    GgmlType.Q4_0: TexelFormat.NIBBLES,
    GgmlType.Q4_1: TexelFormat.NIBBLES,
    GgmlType.Q4_K: TexelFormat.NIBBLES,
    GgmlType.Q8_0: TexelFormat.BYTES4,
    GgmlType.Q6_K: TexelFormat.SIX_BITS,
}
_SCALE_TEXELS = {GgmlType.Q4_0: 1, GgmlType.Q4_1: 2, GgmlType.Q8_0: 1, GgmlType.Q4_K: 8, GgmlType.Q6_K: 9}
"""Of eight rows and the columns of a block."""
_HEAD_BYTES = {GgmlType.Q4_0: 2, GgmlType.Q4_1: 4, GgmlType.Q8_0: 2, GgmlType.Q4_K: 16}
"""Of a block, in front of its quants."""


def plane_sizes(tensor: Tensor, texel_format: TexelFormat) -> Mapping[str, PlaneSize]:
    """The planes of a tensor, in the order in which a PXI holds them."""
    if texel_format is TexelFormat.LINEAR:
        width = tensor.row_bytes // TEXEL_BYTES
        if tensor.row_bytes % TEXEL_BYTES or width > MAX_WIDTH:
            width = min(LINEAR_WIDTH, -(-tensor.byte_count // TEXEL_BYTES))
        return {"bytes": PlaneSize(height=-(-tensor.byte_count // (width * TEXEL_BYTES)), width=width, group=0)}
    groups, kind = -(-tensor.rows // ROW_GROUP), tensor.type
    quants = PlaneSize(height=groups, width=tensor.columns // 4, group=ROW_GROUP)
    if texel_format is TexelFormat.BYTES4:
        quants = PlaneSize(height=-(-tensor.rows // 4), width=tensor.columns // 4, group=4)
    scales = PlaneSize(height=groups, width=tensor.columns // kind.block_length * _SCALE_TEXELS[kind], group=ROW_GROUP)
    if texel_format is TexelFormat.SIX_BITS:
        return {"quants": quants, "high": PlaneSize(height=groups, width=tensor.columns // 8, group=ROW_GROUP), "scales": scales}
    return {"quants": quants, "scales": scales}


def source_range(tensor: Tensor, size: PlaneSize, first: int, last: int) -> tuple[int, int]:
    """The bytes of a tensor that the rows `first` to `last` (which is no part of it) of a plane are made of: where they begin and end."""
    step = size.width * TEXEL_BYTES if size.group == 0 else size.group * tensor.row_bytes
    return min(first * step, tensor.byte_count), min(last * step, tensor.byte_count)


def pack_plane(tensor: Tensor, texel_format: TexelFormat, plane: str, blocks: Blocks) -> Texels:
    """A whole plane of a tensor.

    Args:
        tensor: The tensor.
        texel_format: Its format.
        plane: The plane's name.
        blocks: All bytes of the tensor.

    Raises:
        KeyError: The format has no such plane.
    """
    return pack_rows(tensor, texel_format, plane, plane_sizes(tensor, texel_format)[plane].height, blocks)


def pack_rows(tensor: Tensor, texel_format: TexelFormat, plane: str, height: int, blocks: Blocks) -> Texels:
    """Some rows of a plane, `u32[height, width, 4]`.

    Args:
        tensor: The tensor.
        texel_format: Its format.
        plane: The plane's name.
        height: How many rows of texels.
        blocks: The bytes that `source_range` names for them.
    """
    size = plane_sizes(tensor, texel_format)[plane]
    data = np.frombuffer(blocks, dtype=np.uint8)
    if size.group == 0:
        padded = _padded(data, height * size.width * TEXEL_BYTES)
        return padded.view("<u4").reshape(height, size.width, 4)
    rows = _padded(data.reshape(-1, tensor.row_bytes), height * size.group)
    fields = rows.reshape(height, size.group, -1, tensor.type.block_bytes)  # [height, row, block, byte]
    if texel_format is TexelFormat.SIX_BITS:
        words = pack_six_bits(plane, fields)
    elif plane == "scales":
        words = np.ascontiguousarray(fields[..., : _HEAD_BYTES[tensor.type]].transpose(0, 2, 1, 3))
    elif texel_format is TexelFormat.NIBBLES:
        columns = nibble_columns(tensor.type, fields[..., _HEAD_BYTES[tensor.type] :])
        words = pack_eight_rows(columns.reshape(height, ROW_GROUP, tensor.columns))
    else:
        columns = fields[..., 2:].reshape(height, 4, tensor.columns // 4, 4)
        words = np.ascontiguousarray(columns.transpose(0, 2, 1, 3))
    return words.reshape(-1).view("<u4").reshape(height, size.width, 4)


def unpack_rows(tensor: Tensor, texel_format: TexelFormat, planes: Mapping[str, Texels], byte_count: int) -> NDArray[np.uint8]:
    """Blocks of rows that were packed, `u8[byte_count]`.

    Args:
        tensor: The tensor.
        texel_format: Its format.
        planes: All planes of the format, `u32[height, width, 4]`, each with the rows of texels for the same rows of the tensor: of
            `bytes4`, two rows of `quants` for each of `scales`, but for the end of the tensor.
        byte_count: Bytes to be had; those behind them are padding.
    """
    if texel_format is TexelFormat.LINEAR:
        return np.ascontiguousarray(planes["bytes"]).reshape(-1).view(np.uint8)[:byte_count]
    rows = byte_count // tensor.row_bytes
    kind, count = tensor.type, tensor.columns // tensor.type.block_length
    raw = {name: np.ascontiguousarray(texels).reshape(-1).view(np.uint8) for name, texels in planes.items()}
    if texel_format is TexelFormat.SIX_BITS:
        return unpack_six_bits(raw, tensor.columns)[:rows].reshape(-1)
    head = _HEAD_BYTES[kind]
    blocks = np.empty((rows, count, kind.block_bytes), np.uint8)
    blocks[..., :head] = raw["scales"].reshape(-1, count, ROW_GROUP, head).transpose(0, 2, 1, 3).reshape(-1, count, head)[:rows]
    if texel_format is TexelFormat.NIBBLES:
        columns = unpack_eight_rows(raw["quants"].reshape(-1, tensor.columns, 4))[:rows]
        blocks[..., head:] = nibble_bytes(kind, columns.reshape(rows, count, -1))
    else:
        columns = raw["quants"].reshape(-1, tensor.columns // 4, 4, 4).transpose(0, 2, 1, 3)
        blocks[..., head:] = columns.reshape(-1, count, 32)[:rows]
    return blocks.reshape(-1)


def unpack_planes(tensor: Tensor, texel_format: TexelFormat, planes: Mapping[str, Texels]) -> NDArray[np.uint8]:
    """All bytes of a tensor from its whole planes: the reverse of `pack_plane`."""
    return unpack_rows(tensor, texel_format, planes, tensor.byte_count)


def _padded(data: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    if len(data) == length:
        return data
    padded = np.zeros((length, *data.shape[1:]), np.uint8)
    padded[: len(data)] = data
    return padded
