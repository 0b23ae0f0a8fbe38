"""The weights that texels hold, and how large they are together."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pixel_core.model_map.atlas import PlacedPlane
from pixel_core.model_map.k_values import q4_k_values, q6_k_values
from pixel_core.model_map.pick_texels import Indices, pick_texels
from pixel_core.weights.dequantize import DEQUANTIZERS, dequantize
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.model_file import ModelFile
from pixel_core.weights.texel_formats import ROW_GROUP, TEXEL_BYTES, TexelFormat, Texels

Floats = NDArray[np.float32]

_BLOCK_COLUMNS = 32
"""Of the types whose planes are quants and scales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TexelValues:
    """What some rows and columns of a plane hold.

    Attributes:
        cells: `f32[rows, columns, down, across]`: the weights of each texel as they lie in the tensor. Of `linear` blocks
            that are larger than a texel, one value a texel: the root mean square of its block.
        peak: `f32[rows, columns]`, the greatest magnitude.
    """

    cells: Floats
    peak: Floats

    @property
    def rms(self) -> Floats:
        """`f32[rows, columns]`, root mean square."""
        with np.errstate(all="ignore"):  # what is not finite stays so
            return np.sqrt(np.mean(np.square(self.cells), axis=(2, 3)))


def texel_values(model: ModelFile, placed: PlacedPlane, rows: Indices, columns: Indices) -> TexelValues | None:
    """The weights of texels; None for types whose values cannot be computed.

    Args:
        model: The model.
        placed: The plane.
        rows: Which rows of texels.
        columns: Which columns of texels.

    Raises:
        ModelFileError: A compressed tile of a PXI is damaged.
    """
    kind, texel_format = placed.place.tensor.type, placed.place.texel_format
    if kind not in DEQUANTIZERS:
        return None
    with np.errstate(all="ignore"):  # scales may be infinite
        if texel_format is TexelFormat.LINEAR and kind not in _PLAIN:
            return _of_blocks(model, placed, rows, columns)
        if kind in _K_VALUES and texel_format is not TexelFormat.LINEAR:

            def pick(plane: str, which: Indices) -> Texels:
                return pick_texels(model, PlacedPlane(place=placed.place, plane=placed.place.planes[plane]), rows, which)

            cells = _K_VALUES[kind](placed.plane.name, columns, pick)
            return TexelValues(cells=cells, peak=np.max(np.abs(cells), axis=(2, 3)))
        texels = pick_texels(model, placed, rows, columns)
        if texel_format is TexelFormat.LINEAR:
            cells = _plain(texels, kind)
        elif placed.plane.name == "scales":
            cells = _plain(texels, GgmlType.F16)
        elif texel_format is TexelFormat.NIBBLES:
            cells = _nibbles(model, placed, texels, rows, columns)
        else:
            cells = _bytes(model, placed, texels, rows, columns)
    return TexelValues(cells=cells, peak=np.max(np.abs(cells), axis=(2, 3)))


_K_VALUES = MappingProxyType({GgmlType.Q4_K: q4_k_values, GgmlType.Q6_K: q6_k_values})
_PLAIN = frozenset({GgmlType.F32, GgmlType.F16, GgmlType.BF16})


def _plain(texels: Texels, kind: GgmlType) -> Floats:
    """Numbers side by side."""
    values = dequantize(kind, np.ascontiguousarray(texels).view(np.uint8).reshape(-1), (texels.size * 4 // kind.block_bytes,))
    return values.reshape(*texels.shape[:2], 1, TEXEL_BYTES // kind.block_bytes)


def _nibbles(model: ModelFile, placed: PlacedPlane, texels: Texels, rows: Indices, columns: Indices) -> Floats:
    """Four columns of eight rows: `[…, 8, 4]`."""
    shifts = (np.arange(8, dtype=np.uint32) * 4)[:, None]
    quants = (texels[:, :, None, :] >> shifts & 15).astype(np.float32)
    heads = _scales(model, placed, rows, columns)
    if placed.place.tensor.type is GgmlType.Q4_0:
        return heads[..., None] * (quants - 8)
    pairs = heads.reshape(*heads.shape[:2], ROW_GROUP, 2)
    return pairs[..., 0, None] * quants + pairs[..., 1, None]


def _bytes(model: ModelFile, placed: PlacedPlane, texels: Texels, rows: Indices, columns: Indices) -> Floats:
    """Four columns of four rows: `[…, 4, 4]`."""
    quants = np.ascontiguousarray(texels).view(np.int8).reshape(*texels.shape[:2], 4, 4).astype(np.float32)
    heads = _scales(model, placed, rows // 2, columns).reshape(len(rows), len(columns), 2, 4)
    own = heads[np.arange(len(rows)), :, rows % 2]  # of eight rows the upper or the lower four
    return own[..., None] * quants


def _scales(model: ModelFile, placed: PlacedPlane, rows: Indices, columns: Indices) -> Floats:
    """The f16 numbers that stand in front of the blocks of some texels of quants, `f32[rows, columns, 8 or 16]`."""
    place = placed.place
    width = 2 if place.tensor.type is GgmlType.Q4_1 else 1
    blocks, which = np.unique(columns * 4 // _BLOCK_COLUMNS, return_inverse=True)
    wanted = (blocks[:, None] * width + np.arange(width)).reshape(-1)
    texels = pick_texels(model, PlacedPlane(place=place, plane=place.planes["scales"]), rows, wanted)
    halves = np.ascontiguousarray(texels).view(np.float16).reshape(len(rows), len(blocks), 8 * width)
    return halves.astype(np.float32)[:, which.reshape(-1)]


def _of_blocks(model: ModelFile, placed: PlacedPlane, rows: Indices, columns: Indices) -> TexelValues:
    """Of blocks larger than a texel: the texel's first byte says which block it shows."""
    tensor, plane = placed.place.tensor, placed.plane
    size = tensor.type.block_bytes
    data = np.frombuffer(model.blocks(tensor.name), np.uint8).reshape(-1, size)
    first = (rows[:, None] * plane.width + columns) * TEXEL_BYTES // size
    blocks, which = np.unique(np.minimum(first, len(data) - 1), return_inverse=True)
    values = dequantize(tensor.type, data[blocks].reshape(-1), (tensor.type.block_length, len(blocks)))
    rms, peak = np.sqrt(np.mean(np.square(values), axis=1)), np.max(np.abs(values), axis=1)
    shape = (len(rows), len(columns))
    chosen = which.reshape(-1)
    return TexelValues(cells=rms[chosen].reshape(*shape, 1, 1), peak=peak[chosen].reshape(shape))
