"""A plane of texels without edges, of which only the tiles are stored that somebody wrote."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, final

import numpy as np

from pixel_core.pixels.errors import MapError
from pixel_core.pixels.image import Texels, require_little_endian
from pixel_core.pixels.morton import is_on_plane, morton_of, tile_of
from pixel_core.pixels.region import Region
from pixel_core.pixels.tile_store import CACHE_BYTES, TileStore
from pixel_core.pixels.tile_writer import DEFAULT_TILE_SIDE, TileWriter

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_DIRTY_BYTES: Final = 64 << 20
"""Of tiles that were changed and not yet appended to the file."""


@final
class InfiniteMap:
    """Rectangles of a map's tiles as arrays. Texels that nobody wrote are zero.

    A context manager, which closes the map; what was not committed is forgotten. Threads may read together.

    Args:
        store: An open map; a `TileWriter` where it is to be changed.
    """

    def __init__(self, store: TileStore) -> None:
        require_little_endian()
        self.store = store
        self.tile_side = store.tile_side
        self._dirty: dict[int, Texels] = {}
        self._shape = (store.tile_side, store.tile_side, 4)
        self._empty: Texels = np.zeros(self._shape, np.uint32)
        self._empty.flags.writeable = False

    @classmethod
    def create(cls, path: Path, *, tile_side: int = DEFAULT_TILE_SIDE) -> Self:
        """Make an empty map; errors as of `TileWriter.create`."""
        return cls(TileWriter.create(path, tile_side=tile_side))

    @classmethod
    def open(cls, path: Path, *, writable: bool = False, snapshot: str | None = None, cache_bytes: int = CACHE_BYTES) -> Self:
        """Open a map; errors as of `TileStore` and `TileWriter`."""
        if writable and snapshot is not None:
            raise MapError("a snapshot cannot be written to")
        if writable:
            return cls(TileWriter(path, cache_bytes=cache_bytes))
        return cls(TileStore(path, snapshot=snapshot, cache_bytes=cache_bytes))

    def tile(self, column: int, row: int) -> Texels:
        """A tile, read-only; a view of the mapped file where it is stored whole and uncompressed.

        Args:
            column: Of the tile: the texel's x divided by `tile_side`, rounded down.
            row: Likewise.

        Returns:
            u32[tile_side, tile_side, 4]

        Raises:
            TileDamaged: It is not what was written.
        """
        code = morton_of(column, row)
        dirty = self._dirty.get(code)
        if dirty is not None:
            copy = dirty.copy()
            copy.flags.writeable = False
            return copy
        content = self.store.content(code)
        if content is None:
            return self._empty
        if len(content) == self.store.tile_bytes:
            return np.frombuffer(content, np.uint32).reshape(self._shape)
        texels = self._copied(content)
        texels.flags.writeable = False
        return texels

    def read(self, region: Region, out: Texels | None = None) -> Texels:
        """The texels of a rectangle.

        Args:
            region: Which.
            out: u32[height, width, 4] to read into, such as a part of a larger array.

        Returns:
            u32[height, width, 4]: `out`, or a new array.

        Raises:
            TileDamaged: A tile is not what was written.
            ValueError: `out` has another shape, or the region leaves the plane.
        """
        shape = (region.height, region.width, 4)
        if out is None:
            out = np.zeros(shape, np.uint32)
        elif out.shape != shape or out.dtype != np.uint32:
            raise ValueError(f"`out` is {out.dtype}{list(out.shape)}, not uint32{list(shape)}")
        for column, row, part in region.tiles(self.tile_side):
            tile = self.tile(column, row)
            out[part.slices(region.x, region.y)] = tile[part.slices(column * self.tile_side, row * self.tile_side)]
        return out

    def write(self, x: int, y: int, texels: Texels) -> None:
        """Write a rectangle; others see it after `commit`.

        Args:
            x: Of its left column.
            y: Of its upper row.
            texels: u32[height, width, 4]

        Raises:
            MapError: The map is not open for writing.
            TileDamaged: A tile that is changed in part cannot be read.
            ValueError: The array has another shape, or the region leaves the plane.
        """
        if texels.ndim != 3 or texels.shape[2] != 4 or texels.dtype != np.uint32:
            raise ValueError(f"texels are u32[height, width, 4], not {texels.dtype}{list(texels.shape)}")
        region = Region(x=x, y=y, width=texels.shape[1], height=texels.shape[0])
        morton_of((x + region.width - 1) // self.tile_side, (y + region.height - 1) // self.tile_side)
        writer = self._writer()
        for column, row, part in region.tiles(self.tile_side):
            source = texels[part.slices(x, y)]
            code = morton_of(column, row)
            if source.shape == self._shape:
                self._dirty.pop(code, None)
                self._put(writer, code, source)
            else:
                self._changeable(code)[part.slices(column * self.tile_side, row * self.tile_side)] = source
                if len(self._dirty) * self.store.tile_bytes > MAX_DIRTY_BYTES:
                    self._flush(writer)

    def erase(self, region: Region) -> None:
        """Make a rectangle zero; tiles that are zero then take no room. Errors as of `write`."""
        writer = self._writer()
        for column, row, part in region.tiles(self.tile_side):
            code = morton_of(column, row)
            if (part.height, part.width, 4) == self._shape:
                self._dirty.pop(code, None)
                writer.drop(code)
            elif code in self._dirty or code in writer.tiles:
                self._changeable(code)[part.slices(column * self.tile_side, row * self.tile_side)] = 0

    def tiles(self) -> list[tuple[int, int]]:
        """Column and row of every stored tile, in Morton order."""
        if self._dirty:
            self._flush(self._writer())
        return [tile_of(code) for code in sorted(self.store.tiles)]

    def neighbours(self, column: int, row: int) -> list[tuple[int, int]]:
        """Those of the eight tiles around a tile that are stored, row by row."""
        around = [(column + dx, row + dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
        if self._dirty:
            self._flush(self._writer())
        return [place for place in around if is_on_plane(*place) and morton_of(*place) in self.store.tiles]

    def bounds(self) -> Region | None:
        """The least rectangle of whole tiles around everything that is stored; None for an empty map."""
        places = self.tiles()
        if not places:
            return None
        columns, rows = zip(*places, strict=True)
        side = self.tile_side
        width, height = max(columns) - min(columns) + 1, max(rows) - min(rows) + 1
        return Region(x=min(columns) * side, y=min(rows) * side, width=width * side, height=height * side)

    def prefetch(self, region: Region) -> int:
        """Have the system read the tiles of a region ahead, and return at once. Returns how many are stored."""
        return sum(self.store.will_need(morton_of(column, row)) for column, row, _ in region.tiles(self.tile_side))

    def commit(self) -> None:
        """Make what was written durable and visible, all of it or nothing; errors as of `TileWriter.commit`."""
        writer = self._writer()
        self._flush(writer)
        writer.commit()

    def rollback(self) -> None:
        """Forget what was written since the last commit."""
        self._dirty.clear()
        self._writer().rollback()

    def refresh(self) -> bool:
        """Show the newest commit. Returns whether it is another one."""
        return self.store.refresh()

    def close(self) -> None:
        """Close the map; arrays that were handed out stay valid."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _writer(self) -> TileWriter:
        if not isinstance(self.store, TileWriter):
            raise MapError(f"the map `{self.store.path}` is open for reading")
        return self.store

    def _changeable(self, code: int) -> Texels:
        if code not in self._dirty:
            content = self.store.content(code)
            self._dirty[code] = np.zeros(self._shape, np.uint32) if content is None else self._copied(content)
        return self._dirty[code]

    def _copied(self, content: memoryview) -> Texels:
        texels = np.zeros(self._shape, np.uint32)
        texels.reshape(-1).view(np.uint8)[: len(content)] = content
        return texels

    def _flush(self, writer: TileWriter) -> None:
        while self._dirty:
            self._put(writer, *self._dirty.popitem())

    def _put(self, writer: TileWriter, code: int, texels: Texels) -> None:
        if texels.any():
            writer.put(code, np.ascontiguousarray(texels).data)
        else:
            writer.drop(code)
