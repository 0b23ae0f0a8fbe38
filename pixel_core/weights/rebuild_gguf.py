"""The bytes of the GGUF that a PXI was made of, from its first to its last, a piece at a time."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pixel_core.errors import ModelFileError
from pixel_core.weights.gguf import alignment_of
from pixel_core.weights.metadata import Metadata
from pixel_core.weights.pxi import read_pxi_metadata
from pixel_core.weights.pxi_records import GAP, MAX_GAP_BYTES, TensorPlace, Tile
from pixel_core.weights.read_rows import ReadBytes, read_rows
from pixel_core.weights.texel_formats import ROW_GROUP, TEXEL_BYTES, TexelFormat, Texels, plane_sizes, source_range, unpack_rows

PIECE_BYTES = 1 << 21
"""Of a tensor at a time, unless eight rows take more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a GGUF.

    Attributes:
        offset: Where it begins in the GGUF.
        length: Its bytes.
        make: Makes them.
    """

    offset: int
    length: int
    make: Callable[[], bytes | memoryview]


def rebuild_gguf(
    read: ReadBytes, places: Mapping[str, TensorPlace], tiles: Sequence[Tile], metadata: memoryview, gaps: memoryview, gguf_bytes: int
) -> Iterator[Piece]:
    """The GGUF in pieces of a few MiB, none of them made yet.

    Args:
        read: Gives bytes of the PXI.
        places: Its tensors, in the order of the GGUF.
        tiles: Its tiles.
        metadata: Its section `metadata`.
        gaps: Its section `gaps`.
        gguf_bytes: Length of the GGUF.

    Raises:
        ModelFileError: The PXI contradicts itself, or a compressed tile is damaged.
    """
    header = gguf_header(metadata, places, read_pxi_metadata(metadata, len(places)))
    filled = decode_gaps(gaps)
    yield Piece(offset=0, length=len(header), make=lambda: header)
    position = len(header)
    for place in sorted(places.values(), key=lambda one: one.gguf_offset):
        yield _gap(filled, position, place.gguf_offset)
        yield from _tensor_pieces(read, place, tiles)
        position = place.gguf_offset + place.tensor.byte_count
    yield _gap(filled, position, gguf_bytes)


def gguf_header(metadata: memoryview, places: Mapping[str, TensorPlace], values: Metadata) -> bytes:
    """What stands in front of the data: the key-values as they were, and the entries of the tensors, which have but one spelling.

    Raises:
        ModelFileError: A tensor lies in front of the data.
    """
    entries = bytearray()
    offsets: list[int] = []
    for place in places.values():
        name, shape = place.tensor.name.encode("utf-8", "surrogateescape"), place.tensor.shape
        entries += struct.pack("<Q", len(name)) + name + struct.pack(f"<I{len(shape)}QI", len(shape), *shape, place.tensor.type)
        offsets.append(len(entries))
        entries += bytes(8)
    alignment = alignment_of(values)
    data_offset = -(-(len(metadata) + len(entries)) // alignment) * alignment
    for place, offset in zip(places.values(), offsets, strict=True):
        if place.gguf_offset < data_offset:
            raise ModelFileError(f"tensor `{place.tensor.name}` lies in the header of the GGUF")
        struct.pack_into("<Q", entries, offset, place.gguf_offset - data_offset)
    return bytes(metadata) + bytes(entries)


def decode_gaps(section: memoryview) -> Mapping[int, bytes]:
    """What stands between the tensors of a GGUF where it is not zeros, by the offset of the gap's beginning.

    Raises:
        ModelFileError: The section ends in the middle of one.
    """
    found: dict[int, bytes] = {}
    position = 0
    while position < len(section):
        if position + GAP.size > len(section):
            raise ModelFileError("the section `gaps` ends in the middle of a gap")
        offset, length = GAP.unpack_from(section, position)
        position += GAP.size
        if length > len(section) - position:
            raise ModelFileError("the section `gaps` ends in the middle of a gap")
        found[offset] = bytes(section[position : position + length])
        position += length
    return found


def _gap(filled: Mapping[int, bytes], begin: int, end: int) -> Piece:
    length = end - begin
    if not 0 <= length <= MAX_GAP_BYTES:
        raise ModelFileError(f"{length:,} bytes of the GGUF at offset {begin:,} belong to no tensor")
    found = filled.get(begin, b"")
    if found and len(found) != length:
        raise ModelFileError(f"the gap of the GGUF at offset {begin:,} has {len(found):,} bytes instead of {length:,}")
    return Piece(offset=begin, length=length, make=lambda: found or bytes(length))


def _tensor_pieces(read: ReadBytes, place: TensorPlace, tiles: Sequence[Tile]) -> Iterator[Piece]:
    tensor, sizes = place.tensor, plane_sizes(place.tensor, place.texel_format)
    if place.texel_format is TexelFormat.LINEAR:
        step = max(PIECE_BYTES // (place.planes["bytes"].width * TEXEL_BYTES), 1)
    else:
        step = max(PIECE_BYTES // (tensor.row_bytes * ROW_GROUP), 1)
    # Counted in rows of the plane with the fewest, so that every piece is made of whole rows of each plane.
    height = min(size.height for size in sizes.values())
    widest = max(size.group for size in sizes.values())

    def make(first: int, last: int, length: int) -> memoryview:
        planes: dict[str, Texels] = {}
        for name, plane in place.planes.items():
            rows = widest // sizes[name].group if sizes[name].group else 1
            planes[name] = read_rows(read, plane, tiles, first * rows, min(last * rows, plane.height))
        return unpack_rows(tensor, place.texel_format, planes, length).data

    smallest = next(size for size in sizes.values() if size.group == widest)
    for first in range(0, height, step):
        last = min(first + step, height)
        begin, end = source_range(tensor, smallest, first, last)
        yield Piece(offset=place.gguf_offset + begin, length=end - begin, make=partial(make, first, last, end - begin))
