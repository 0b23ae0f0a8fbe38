"""PXI, the container of a model as pixels, mapped into memory or out of a cartridge."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelFileError
from pixel_core.weights.cursor import Cursor
from pixel_core.weights.decode_pxi import PxiTables, decode_pxi, section_bytes
from pixel_core.weights.gguf import GGUF_MAGIC, VERSIONS
from pixel_core.weights.map_file import map_file, unmap
from pixel_core.weights.metadata import Metadata, MetadataValue, scan_metadata
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.pxi_records import RAW, PxiHeader, TensorPlace, Tile
from pixel_core.weights.read_rows import read_rows, tile_bytes
from pixel_core.weights.texel_formats import TexelFormat, unpack_planes


class Pxi:
    """An open PXI; a `ModelFile`.

    Attributes:
        path: Where the file lies.
        header: Page 0.
        places: By name, in the order of the GGUF, where the tensors lie in the file and on the map.
        tiles: In the order of the file.
    """

    def __init__(self, path: Path, data: memoryview, tables: PxiTables, mapping: mmap.mmap | None = None) -> None:
        self.path = path
        self.header: PxiHeader = tables.header
        self.places: Mapping[str, TensorPlace] = MappingProxyType(dict(tables.places))
        self.tiles: Sequence[Tile] = tables.tiles
        self._data = data
        self._mapping = mapping
        self._tensors = MappingProxyType({name: place.tensor for name, place in tables.places.items()})
        self._metadata: Metadata | None = None

    @property
    def metadata(self) -> Mapping[str, MetadataValue]:
        """All key-values, in the order of the GGUF. They are looked through at the first call.

        Raises:
            ModelFileError: Whoever made the file put something else there.
        """
        if self._metadata is None:
            self._metadata = read_pxi_metadata(self.section("metadata"), len(self.places))
        return self._metadata

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """All tensors by name, in the order of the GGUF."""
        return self._tensors

    def place(self, number: int) -> TensorPlace:
        """The tensor of that id.

        Raises:
            KeyError: There is none.
        """
        if not 0 <= number < len(self.places):
            raise KeyError(number)
        return self.places[tuple(self.places)[number]]

    def section(self, name: str) -> memoryview:
        """The bytes of a section, such as `gaps`."""
        return section_bytes(self._data, self.header.sections[name])

    def blocks(self, name: str) -> memoryview:
        """A tensor's bytes as ggml has them: as they lie in the file if it is `linear` and its rows need no padding, else made anew.

        Raises:
            KeyError: There is no such tensor.
            ModelFileError: A compressed tile is damaged.
        """
        place = self.places[name]
        if place.texel_format is TexelFormat.LINEAR:
            plane = place.planes["bytes"]
            own = self.tiles[plane.first_tile : plane.first_tile + plane.tile_count]
            if plane.pitch == plane.width * 16 and all(tile.codec == RAW for tile in own):
                return self.read(own[0].offset, place.tensor.byte_count)
        planes = {plane: self.texels(name, plane) for plane in place.planes}
        return unpack_planes(place.tensor, place.texel_format, planes).data.toreadonly()

    def texels(self, name: str, plane: str) -> NDArray[np.uint32]:
        """A plane of a tensor, `u32[height, width, 4]`, read-only: a view of the file, unless a tile of it is compressed.

        From row to row it is `Plane.pitch` bytes in the file, so `strides[0]` is no less than `16 * width`.

        Raises:
            KeyError: There is no such tensor or plane.
            ModelFileError: A compressed tile is damaged.
        """
        found = self.places[name].planes[plane]
        return read_rows(self.read, found, self.tiles, 0, found.height)

    def strips(self, name: str, plane: str) -> Iterator[tuple[int, memoryview]]:
        """A plane in strips for an upload: the first row of each, and its rows of `Plane.pitch` bytes one after the other.

        Raises:
            KeyError: There is no such tensor or plane.
            ModelFileError: A compressed tile is damaged.
        """
        found = self.places[name].planes[plane]
        for index in range(found.tile_count):
            first, last = found.rows_of_tile(index)
            number = found.first_tile + index
            yield first, memoryview(tile_bytes(self.read, self.tiles[number], (last - first) * found.pitch, number))

    def read(self, offset: int, length: int) -> memoryview:
        """Bytes of the file, without a copy."""
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Let go of the file."""
        self._data.release()
        if self._mapping is not None:
            unmap(self._mapping)

    def __enter__(self) -> Pxi:  # noqa: PYI034 -- typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_pxi(path: Path) -> Pxi:
    """Map a PXI and check its tables; tiles are checked by `verify_pxi`.

    Raises:
        ModelFileError: It is no PXI that can be used; the message says why.
        OSError: It cannot be opened.
    """
    mapping = map_file(path)
    try:
        data = memoryview(mapping)
        return Pxi(path, data, decode_pxi(data), mapping)
    except ModelFileError as problem:
        raise ModelFileError(f"{path}: {problem.message}", hint=problem.hint) from None


def read_pxi_metadata(section: memoryview, tensor_count: int) -> Metadata:
    """The key-values in the section `metadata`: the beginning of a GGUF, up to its last key-value.

    Raises:
        ModelFileError: They are not that.
    """
    cursor = Cursor(section)
    cursor.skip(4, "the magic of the metadata")
    version = cursor.take_u32("the version of the metadata")
    tensors, keys = cursor.take_u64("the number of tensors"), cursor.take_u64("the number of keys")
    if bytes(section[:4]) != GGUF_MAGIC or version not in VERSIONS or tensors != tensor_count:
        raise ModelFileError("the section `metadata` is not the beginning of this model's GGUF")
    metadata = scan_metadata(cursor, keys)
    if cursor.left:
        raise ModelFileError(f"{cursor.left:,} bytes stand behind the last key of the metadata")
    return metadata
