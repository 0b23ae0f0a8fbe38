"""Texels of a plane, wherever they are asked for: out of a PXI as they lie there, out of a GGUF packed on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pixel_core.model_map.atlas import PlacedPlane
from pixel_core.weights.model_file import ModelFile
from pixel_core.weights.pxi import Pxi
from pixel_core.weights.texel_formats import TEXEL_BYTES, TexelFormat, Texels, pack_rows, plane_sizes

Indices = NDArray[np.int64]


def pick_texels(model: ModelFile, placed: PlacedPlane, rows: Indices, columns: Indices) -> Texels:
    """The texels where some rows and columns of a plane cross, `u32[len(rows), len(columns), 4]`.

    Args:
        model: The model.
        placed: The plane.
        rows: Which, from 0.
        columns: Likewise.

    Raises:
        ModelFileError: A compressed tile of a PXI is damaged.
    """
    tensor, plane = placed.place.tensor, placed.plane
    if isinstance(model, Pxi):
        return model.texels(tensor.name, plane.name)[rows[:, None], columns]
    data = np.frombuffer(model.blocks(tensor.name), np.uint8)
    if placed.place.texel_format is TexelFormat.LINEAR:
        return _cut(data, rows[:, None] * plane.width + columns)
    return _pack(data, placed, rows, columns)


def _cut(data: NDArray[np.uint8], places: Indices) -> Texels:
    """Texels of bytes in their order; behind the last byte are zeros."""
    whole, rest = divmod(len(data), TEXEL_BYTES)
    texels = data[: whole * TEXEL_BYTES].view("<u4").reshape(whole, 4)
    found = texels[np.minimum(places, whole - 1)] if whole else np.zeros((*places.shape, 4), np.uint32)
    found[places >= whole] = 0
    if rest:
        last = np.zeros(TEXEL_BYTES, np.uint8)
        last[:rest] = data[-rest:]
        found[places == whole] = last.view("<u4")
    return found


def _pack(data: NDArray[np.uint8], placed: PlacedPlane, rows: Indices, columns: Indices) -> Texels:
    """Texels of quants or scales: no blocks are packed but those that they are made of."""
    tensor, texel_format, name = placed.place.tensor, placed.place.texel_format, placed.plane.name
    size = plane_sizes(tensor, texel_format)[name]
    length = tensor.type.block_length
    texels_of_block = size.width * length // tensor.columns
    blocks, which = np.unique(columns // texels_of_block, return_inverse=True)
    wanted = (rows[:, None] * size.group + np.arange(size.group)).reshape(-1)
    table = data.reshape(tensor.rows, -1, tensor.type.block_bytes)
    chosen = table[np.minimum(wanted, tensor.rows - 1)[:, None], blocks]
    chosen[wanted >= tensor.rows] = 0
    part = replace(tensor, shape=(len(blocks) * length, len(wanted)))
    packed = pack_rows(part, texel_format, name, len(rows), chosen.reshape(-1))
    return packed[:, which.reshape(-1) * texels_of_block + columns % texels_of_block]
