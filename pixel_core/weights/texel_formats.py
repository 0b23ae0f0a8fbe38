"""How a tensor's blocks lie in texels of 16 bytes (`rgba32uint`); packing loses nothing and can be undone.

A tensor has one or more *planes*, images `u32[height, width, 4]`, little-endian. docs/formats/pxi.md is the norm.

`linear`   `bytes`: the tensor's bytes in their order, zeros behind them. Where a row of the tensor fills whole texels and no more than
           8,192 of them, it is a row of the image.
`nibbles`  Q4_0 and Q4_1. `quants`: component i of texel (r, c) is column 4c + i, rows 8r to 8r + 7, the row 8r + j in the bits from 4j.
           (So rows j and j + 4 stand 16 bits apart, and one multiplication takes both.)
           `scales`: for each 8 rows and 32 columns the eight f16 scales in the rows' order, one texel; of Q4_1 scale and minimum
           alternate, two texels.
`bytes4`   Q8_0. `quants`: component j of texel (r, c) is row 4r + j, columns 4c to 4c + 3. `scales`: as of Q4_0.
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

    @property
    def planes(self) -> tuple[str, ...]:
        """Names of the planes, in the order in which a PXI holds them."""
        return ("bytes",) if self is TexelFormat.LINEAR else ("quants", "scales")


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
    if tensor.type in (GgmlType.Q4_0, GgmlType.Q4_1) and tensor.columns // 4 <= MAX_WIDTH:
        return TexelFormat.NIBBLES
    if tensor.type is GgmlType.Q8_0 and tensor.columns // 4 <= MAX_WIDTH:
        return TexelFormat.BYTES4
    return TexelFormat.LINEAR


def plane_sizes(tensor: Tensor, texel_format: TexelFormat) -> Mapping[str, PlaneSize]:
    """The planes of a tensor, in the order in which a PXI holds them."""
    if texel_format is TexelFormat.LINEAR:
        width = tensor.row_bytes // TEXEL_BYTES
        if tensor.row_bytes % TEXEL_BYTES or width > MAX_WIDTH:
            width = min(LINEAR_WIDTH, -(-tensor.byte_count // TEXEL_BYTES))
        return {"bytes": PlaneSize(height=-(-tensor.byte_count // (width * TEXEL_BYTES)), width=width, group=0)}
    group = 8 if texel_format is TexelFormat.NIBBLES else 4
    scale_texels = 2 if tensor.type is GgmlType.Q4_1 else 1
    return {
        "quants": PlaneSize(height=-(-tensor.rows // group), width=tensor.columns // 4, group=group),
        "scales": PlaneSize(height=-(-tensor.rows // ROW_GROUP), width=tensor.columns // 32 * scale_texels, group=ROW_GROUP),
    }


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
    if plane == "scales":
        head = _head_bytes(tensor.type)
        words = np.ascontiguousarray(fields[..., :head].transpose(0, 2, 1, 3))
    elif texel_format is TexelFormat.NIBBLES:
        packed = fields[..., _head_bytes(tensor.type) :]
        # ggml keeps columns 0 to 15 of a block in the low halves of its bytes and 16 to 31 in the high ones.
        columns = np.concatenate((packed & 15, packed >> 4), axis=3).reshape(height, 8, tensor.columns)
        words = np.ascontiguousarray((columns[:, 0::2] | columns[:, 1::2] << 4).transpose(0, 2, 1))
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
    kind, count = tensor.type, tensor.columns // 32
    head = _head_bytes(kind)
    blocks = np.empty((rows, count, kind.block_bytes), np.uint8)
    scales = np.ascontiguousarray(planes["scales"]).reshape(-1).view(np.uint8).reshape(-1, count, ROW_GROUP, head)
    blocks[..., :head] = scales.transpose(0, 2, 1, 3).reshape(-1, count, head)[:rows]
    quants = np.ascontiguousarray(planes["quants"]).reshape(-1).view(np.uint8)
    if texel_format is TexelFormat.NIBBLES:
        pairs = quants.reshape(-1, tensor.columns, 4).transpose(0, 2, 1)  # [height, pair of rows, column]
        columns = np.stack((pairs & 15, pairs >> 4), axis=2).reshape(-1, count, 2, 16)[:rows]
        blocks[..., head:] = columns[:, :, 0] | columns[:, :, 1] << 4
    else:
        columns = quants.reshape(-1, tensor.columns // 4, 4, 4).transpose(0, 2, 1, 3)
        blocks[..., head:] = columns.reshape(-1, count, 32)[:rows]
    return blocks.reshape(-1)


def unpack_planes(tensor: Tensor, texel_format: TexelFormat, planes: Mapping[str, Texels]) -> NDArray[np.uint8]:
    """All bytes of a tensor from its whole planes: the reverse of `pack_plane`."""
    return unpack_rows(tensor, texel_format, planes, tensor.byte_count)


def _head_bytes(kind: GgmlType) -> int:
    """Bytes of a block in front of its quants: the scale, and of Q4_1 the minimum."""
    return 4 if kind is GgmlType.Q4_1 else 2


def _padded(data: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    if len(data) == length:
        return data
    padded = np.zeros((length, *data.shape[1:]), np.uint8)
    padded[: len(data)] = data
    return padded
