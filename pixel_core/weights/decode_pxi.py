"""The records of a PXI out of its bytes. A PXI has no freedom in where things lie, so whatever lies elsewhere is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from pixel_core.errors import ModelFileError
from pixel_core.weights.find_overlap import Rectangle, find_overlap
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import MAX_AXES, MAX_NAME_BYTES, MAX_TENSORS
from pixel_core.weights.metadata import decode_text
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.pxi_records import (
    FLAG_COMPRESSED,
    HASH_BYTES,
    HEADER,
    MAX_GAP_BYTES,
    PAGE,
    PARTIAL_MAGIC,
    PLANE,
    PLANE_KINDS,
    PXI_MAGIC,
    RAW,
    ROOT_OFFSET,
    SECTION,
    SECTIONS,
    TENSOR,
    TILE,
    VERSION,
    ZSTD,
    Plane,
    PxiHeader,
    Section,
    TensorPlace,
    Tile,
    on_page,
    root_hash,
    row_pitch,
    rows_in_tile,
)
from pixel_core.weights.texel_formats import TexelFormat, plane_sizes, texel_format_of

_MAX_COORDINATE = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PxiTables:
    """All records of a PXI.

    Attributes:
        header: Page 0.
        places: The tensors, in the order of the GGUF.
        planes: In the order of the file.
        tiles: In the order of the file.
    """

    header: PxiHeader
    places: Mapping[str, TensorPlace]
    planes: Sequence[Plane]
    tiles: Sequence[Tile]


def decode_header(page: bytes, file_bytes: int) -> PxiHeader:
    """Page 0.

    Args:
        page: The first 4,096 bytes.
        file_bytes: Length of the file.

    Raises:
        ModelFileError: It is no PXI that can be used.
    """
    magic = page[: len(PXI_MAGIC)]
    if magic == PARTIAL_MAGIC:
        raise ModelFileError("the conversion that made this file has not ended", hint="run the same `pixel-lsp convert` again; it goes on")
    if magic != PXI_MAGIC:
        kind = "; it is the PixelFS of another program" if magic.startswith(b"PXIF") else ""
        raise ModelFileError(f"this is no PXI of a model: it begins with {magic!r}{kind}")
    if len(page) < PAGE:
        raise ModelFileError("the file ends in the middle of its first page")
    _, version, flags, length, gguf_bytes, gguf_sha256, tensors, planes, tiles, data_offset = HEADER.unpack_from(page)
    if version != VERSION:
        raise ModelFileError(f"this is PXI version {version}; version {VERSION} is known", hint="a newer pixel-lsp may know it")
    if root_hash(page) != page[ROOT_OFFSET : ROOT_OFFSET + HASH_BYTES]:
        raise ModelFileError("page 0 is damaged: its hash differs")
    if flags & ~FLAG_COMPRESSED or any(page[ROOT_OFFSET + HASH_BYTES :]):
        raise ModelFileError("the file uses what this version of PXI does not have", hint="a newer pixel-lsp may know it")
    if length != file_bytes:
        raise ModelFileError(
            f"the file has {file_bytes:,} bytes and says that it has {length:,}", hint="it was probably not copied to its end"
        )
    sections: dict[str, Section] = {}
    position = PAGE
    for index, name in enumerate(SECTIONS):
        offset, size, sha256 = SECTION.unpack_from(page, HEADER.size + index * SECTION.size)
        if offset != position or offset + size > file_bytes:
            raise ModelFileError(f"the section `{name}` lies at offset {offset:,}, where it cannot be")
        sections[name] = Section(offset=offset, length=size, sha256=sha256)
        position = on_page(offset + size)
    counts = (("tiles", tiles, TILE.size), ("planes", planes, PLANE.size))
    for name, count, size in counts:
        if sections[name].length != count * size:
            raise ModelFileError(f"the section `{name}` has {sections[name].length:,} bytes, which are not {count:,} records")
    if tensors > MAX_TENSORS or sections["tensors"].length < tensors * TENSOR.size:
        raise ModelFileError(f"the file claims {tensors:,} tensors, which is more than it can hold")
    if data_offset != position or sections["gaps"].length > 2 * MAX_GAP_BYTES:
        raise ModelFileError(f"the data lies at offset {data_offset:,}, where it cannot be")
    return PxiHeader(
        flags=flags,
        file_bytes=length,
        gguf_bytes=gguf_bytes,
        gguf_sha256=gguf_sha256,
        tensor_count=tensors,
        plane_count=planes,
        tile_count=tiles,
        data_offset=data_offset,
        sections=sections,
    )


def decode_pxi(data: memoryview) -> PxiTables:
    """All records of a PXI, checked against each other.

    Args:
        data: The whole file.

    Raises:
        ModelFileError: It is damaged, or something in it cannot be.
    """
    header = decode_header(bytes(data[:PAGE]), len(data))
    for name, section in header.sections.items():
        if hashlib.sha256(section_bytes(data, section)).digest() != section.sha256:
            raise ModelFileError(f"the section `{name}` is damaged: its hash differs")
    planes = _decode_planes(section_bytes(data, header.sections["planes"]))
    tiles = _decode_tiles(section_bytes(data, header.sections["tiles"]))
    places = _decode_tensors(section_bytes(data, header.sections["tensors"]), header.tensor_count, planes)
    _check_gguf(places.values(), header)
    _check_tiles(planes, tiles, header)
    overlap = find_overlap([Rectangle(x=one.x, y=one.y, width=one.width, height=one.height) for one in planes])
    if overlap is not None:
        raise ModelFileError(f"the planes {overlap[0]:,} and {overlap[1]:,} overlap on the map")
    return PxiTables(header=header, places=places, planes=planes, tiles=tiles)


def section_bytes(data: memoryview, section: Section) -> memoryview:
    """The bytes of a section."""
    return data[section.offset : section.offset + section.length]


def _decode_planes(data: memoryview) -> Sequence[Plane]:
    planes: list[Plane] = []
    tiles = 0
    for number, (kind, width, height, pitch, tile_rows, x, y, first_tile) in enumerate(PLANE.iter_unpack(data)):
        if kind >= len(PLANE_KINDS) or not width or not height or pitch != row_pitch(width) or tile_rows != rows_in_tile(pitch):
            raise ModelFileError(f"the record of plane {number:,} cannot be")
        if max(abs(x), abs(y)) > _MAX_COORDINATE or first_tile != tiles:
            raise ModelFileError(f"plane {number:,} lies where it cannot be")
        plane = Plane(
            number=number,
            name=PLANE_KINDS[kind],
            width=width,
            height=height,
            pitch=pitch,
            tile_rows=tile_rows,
            x=x,
            y=y,
            first_tile=first_tile,
        )
        tiles += plane.tile_count
        planes.append(plane)
    return planes


def _decode_tiles(data: memoryview) -> Sequence[Tile]:
    return [
        Tile(offset=offset, stored_bytes=stored, codec=codec, sha256=sha256) for offset, stored, codec, sha256 in TILE.iter_unpack(data)
    ]


def _decode_tensors(data: memoryview, count: int, planes: Sequence[Plane]) -> Mapping[str, TensorPlace]:
    places: dict[str, TensorPlace] = {}
    position, planes_seen = count * TENSOR.size, set[int]()
    for number, record in enumerate(TENSOR.iter_unpack(data[: count * TENSOR.size])):
        name_at, name_length, format_number, type_number, axes, *shape, gguf_offset, first_plane, plane_count = record
        if name_at != position or not 1 <= name_length <= MAX_NAME_BYTES or name_at + name_length > len(data):
            raise ModelFileError(f"the name of tensor {number:,} lies where it cannot be")
        name = decode_text(bytes(data[name_at : name_at + name_length]))
        position = name_at + name_length
        if name in places:
            raise ModelFileError(f"the tensor `{name}` stands in the file twice")
        tensor = _tensor(name, type_number, axes, shape)
        texel_format = _texel_format(tensor, format_number)
        own = planes[first_plane : first_plane + plane_count]
        sizes = plane_sizes(tensor, texel_format)
        found = [(plane.name, plane.width, plane.height) for plane in own]
        if found != [(kind, size.width, size.height) for kind, size in sizes.items()]:
            raise ModelFileError(f"the planes of tensor `{name}` are not those of its shape and type")
        numbers = {plane.number for plane in own}
        if planes_seen & numbers:
            raise ModelFileError(f"tensor `{name}` claims planes of another one")
        planes_seen |= numbers
        places[name] = TensorPlace(
            number=number,
            tensor=tensor,
            texel_format=texel_format,
            gguf_offset=gguf_offset,
            planes={plane.name: plane for plane in own},
        )
    if position != len(data) or len(planes_seen) != len(planes):
        raise ModelFileError("the tables hold names or planes that belong to no tensor")
    return places


def _tensor(name: str, type_number: int, axes: int, shape: Sequence[int]) -> Tensor:
    kind = GgmlType.from_number(type_number, name)
    if not 1 <= axes <= MAX_AXES or any(length != 1 for length in shape[axes:]):
        raise ModelFileError(f"tensor `{name}` has {axes:,} axes; 1 to {MAX_AXES} are possible")
    if prod(shape) == 0 or shape[0] % kind.block_length:
        raise ModelFileError(f"tensor `{name}` cannot have the shape {list(shape[:axes])} with the type {kind.name}")
    return Tensor(name=name, shape=tuple(shape[:axes]), type=kind)


def _texel_format(tensor: Tensor, number: int) -> TexelFormat:
    if number == TexelFormat.LINEAR or number == texel_format_of(tensor):
        return TexelFormat(number)
    raise ModelFileError(f"tensor `{tensor.name}` of the type {tensor.type.name} has the unknown texel format {number}")


def _check_gguf(places: Iterable[TensorPlace], header: PxiHeader) -> None:
    end = tensor_bytes = 0
    for place in sorted(places, key=lambda one: one.gguf_offset):
        if place.gguf_offset < end:
            raise ModelFileError(f"tensor `{place.tensor.name}` overlaps another one in the GGUF")
        tensor_bytes += place.tensor.byte_count
        end = place.gguf_offset + place.tensor.byte_count
    if end > header.gguf_bytes:
        raise ModelFileError(f"the tensors reach to byte {end:,} of a GGUF of {header.gguf_bytes:,} bytes")
    # A small file must not become an endless one. What is neither a tensor nor a table is padding; our records are longer than a GGUF's.
    tables = header.sections["metadata"].length + header.sections["tensors"].length
    if header.gguf_bytes - tensor_bytes - tables > MAX_GAP_BYTES:
        raise ModelFileError(f"the file claims a GGUF of {header.gguf_bytes:,} bytes, which is more than it can hold")


def _check_tiles(planes: Sequence[Plane], tiles: Sequence[Tile], header: PxiHeader) -> None:
    if len(tiles) != sum(plane.tile_count for plane in planes):
        raise ModelFileError(f"the file has {len(tiles):,} tiles, which are not those of its planes")
    position = header.data_offset
    for plane in planes:
        for index in range(plane.tile_count):
            tile = tiles[plane.first_tile + index]
            first, last = plane.rows_of_tile(index)
            length = (last - first) * plane.pitch
            is_possible = tile.stored_bytes == length if tile.codec == RAW else 0 < tile.stored_bytes < length
            if tile.codec not in (RAW, ZSTD) or not is_possible or (tile.codec == ZSTD and not header.flags & FLAG_COMPRESSED):
                raise ModelFileError(f"the record of tile {plane.first_tile + index:,} cannot be")
            if tile.offset != position:
                raise ModelFileError(f"tile {plane.first_tile + index:,} lies at offset {tile.offset:,}, where it cannot be")
            position = on_page(position + tile.stored_bytes)
    if position != header.file_bytes:
        raise ModelFileError(f"the tiles end at byte {position:,} of a file of {header.file_bytes:,} bytes")
