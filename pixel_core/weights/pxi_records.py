"""The records of a PXI and how they lie in its bytes; docs/formats/pxi.md is the norm. Little-endian throughout.

page 0      header
sections    metadata, tensors, planes, tiles, gaps: each begins on a page, and follows the one before
data        the planes, in the order of their records, each beginning on a page
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pixel_core.weights.model_file import Tensor
from pixel_core.weights.texel_formats import TEXEL_BYTES, TexelFormat

PXI_MAGIC = b"PXI\x02\r\n\x1a\n"
"""The line ends betray a transfer as text, as in PNG."""
PARTIAL_MAGIC = b"PXIpart\n"
VERSION = 2
FLAG_COMPRESSED = 1
PAGE = 4096
ROW_ALIGNMENT = 256
"""Of rows of texels in bytes: what WebGPU wants of a copy from a buffer to a texture."""
TILE_BYTES = 1 << 18
"""Of a tile at most, unless 16 rows take more."""
TILE_ROW_STEP = 16
"""Rows in a tile are a multiple of it, so that a tile of whole rows fills whole pages."""
HASH_BYTES = 32

SECTIONS = ("metadata", "tensors", "planes", "tiles", "gaps")
PLANE_KINDS = ("bytes", "quants", "scales", "high")

HEADER = struct.Struct("<8sIIQQ32sIIQQ")
SECTION = struct.Struct("<QQ32s")
ROOT_OFFSET = HEADER.size + SECTION.size * len(SECTIONS)
TENSOR = struct.Struct("<IHHII4QQII")
PLANE = struct.Struct("<H2xIIII4xqqQ")
TILE = struct.Struct("<QII32s")
GAP = struct.Struct("<QQ")
MAX_GAP_BYTES = 1 << 24
"""Bytes of a GGUF that belong to no tensor: padding, as a rule a few thousand."""

RAW = 0
ZSTD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the file with a hash of its own.

    Attributes:
        offset: Where it begins.
        length: Its bytes, without the padding behind it.
        sha256: Their hash.
    """

    offset: int
    length: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PxiHeader:
    """Page 0.

    Attributes:
        flags: `FLAG_COMPRESSED` or 0.
        file_bytes: Length of the file.
        gguf_bytes: Length of the GGUF that it came from.
        gguf_sha256: Hash of that GGUF.
        tensor_count: Records of the section `tensors`.
        plane_count: Records of the section `planes`.
        tile_count: Records of the section `tiles`.
        data_offset: Where the first plane begins.
        sections: By name.
    """

    flags: int
    file_bytes: int
    gguf_bytes: int
    gguf_sha256: bytes
    tensor_count: int
    plane_count: int
    tile_count: int
    data_offset: int
    sections: Mapping[str, Section]

    def encode(self) -> bytes:
        """The page, with the root hash in it."""
        fields = HEADER.pack(
            PXI_MAGIC,
            VERSION,
            self.flags,
            self.file_bytes,
            self.gguf_bytes,
            self.gguf_sha256,
            self.tensor_count,
            self.plane_count,
            self.tile_count,
            self.data_offset,
        )
        table = b"".join(SECTION.pack(one.offset, one.length, one.sha256) for one in (self.sections[name] for name in SECTIONS))
        page = (fields + table).ljust(PAGE, b"\0")
        root = root_hash(page)
        return page[:ROOT_OFFSET] + root + page[ROOT_OFFSET + HASH_BYTES :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A plane of a tensor in the file and on the map.

    Attributes:
        number: Which record it is; planes lie in the file in this order.
        name: `bytes`, `quants`, `high` or `scales`.
        width: Texels in a row.
        height: Rows.
        pitch: Bytes from one row to the next.
        tile_rows: Rows in a tile, but for the last one.
        x: Column of its left edge on the map, in texels.
        y: Row of its upper edge on the map.
        first_tile: Number of its first tile; all tiles are numbered in the order of the file.
    """

    number: int
    name: str
    width: int
    height: int
    pitch: int
    tile_rows: int
    x: int
    y: int
    first_tile: int

    @property
    def tile_count(self) -> int:
        """How many tiles it has."""
        return -(-self.height // self.tile_rows)

    @property
    def byte_count(self) -> int:
        """Bytes of all its rows, uncompressed."""
        return self.height * self.pitch

    def rows_of_tile(self, index: int) -> tuple[int, int]:
        """Rows of its tile of that index (from 0): the first, and the one after the last."""
        return index * self.tile_rows, min((index + 1) * self.tile_rows, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlace:
    """A tensor in the file.

    Attributes:
        number: Its id: which record it is, in the order of the GGUF.
        tensor: Its name, shape and type.
        texel_format: How it lies in texels.
        gguf_offset: Where its bytes lie in the GGUF.
        planes: By name.
    """

    number: int
    tensor: Tensor
    texel_format: TexelFormat
    gguf_offset: int
    planes: Mapping[str, Plane]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Some rows of a plane, as they are stored.

    Attributes:
        offset: Where it begins in the file.
        stored_bytes: Its length there.
        codec: `RAW` or `ZSTD`.
        sha256: Hash of the stored bytes.
    """

    offset: int
    stored_bytes: int
    codec: int
    sha256: bytes

    def encode(self) -> bytes:
        """The record."""
        return TILE.pack(self.offset, self.stored_bytes, self.codec, self.sha256)


def root_hash(page: bytes) -> bytes:
    """The hash of page 0 with zeros in place of the root hash; it covers the sections' hashes, and those the tiles' hashes."""
    return hashlib.sha256(page[:ROOT_OFFSET] + bytes(HASH_BYTES) + page[ROOT_OFFSET + HASH_BYTES :]).digest()


def on_page(length: int) -> int:
    """The next multiple of a page."""
    return -(-length // PAGE) * PAGE


def row_pitch(width: int) -> int:
    """Bytes from one row of a plane to the next."""
    return -(-width * TEXEL_BYTES // ROW_ALIGNMENT) * ROW_ALIGNMENT


def rows_in_tile(pitch: int) -> int:
    """Rows of a tile."""
    return max(TILE_BYTES // pitch // TILE_ROW_STEP, 1) * TILE_ROW_STEP


def encode_tensors(places: Sequence[TensorPlace]) -> bytes:
    """The section `tensors`: records, then the names one after the other."""
    names = [place.tensor.name.encode("utf-8", "surrogateescape") for place in places]
    records = bytearray()
    offset = TENSOR.size * len(places)
    for place, name in zip(places, names, strict=True):
        shape = place.tensor.shape
        planes = tuple(place.planes.values())
        records += TENSOR.pack(
            offset,
            len(name),
            place.texel_format,
            place.tensor.type,
            len(shape),
            *shape,
            *(1 for _ in range(4 - len(shape))),
            place.gguf_offset,
            planes[0].number,
            len(planes),
        )
        offset += len(name)
    return bytes(records) + b"".join(names)


def encode_planes(planes: Sequence[Plane]) -> bytes:
    """The section `planes`."""
    return b"".join(
        PLANE.pack(
            PLANE_KINDS.index(plane.name),
            plane.width,
            plane.height,
            plane.pitch,
            plane.tile_rows,
            plane.x,
            plane.y,
            plane.first_tile,
        )
        for plane in planes
    )
