"""Reading a map's file: tiles by Morton code and attributes by name, as one commit left them.

docs/formats/infinite-map.md is the whole of the format, `tile_writer` what changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Final

from pixel_core.pixels.commits import Place
from pixel_core.pixels.errors import MapDamaged, MapError, TileDamaged
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.map_header import MapHeader, Slot
from pixel_core.pixels.open_log import naming, open_log
from pixel_core.pixels.read_log import State, newest_slot, read_record, read_state
from pixel_core.pixels.records import ALIGNMENT, TILE, Record, unpack_record
from pixel_core.pixels.snapshots import SNAPSHOT_PREFIX, Snapshot, snapshots_of
from pixel_core.pixels.tile_cache import TileCache
from pixel_core.pixels.tile_codec import TEXEL_BYTES, decode_tile

if TYPE_CHECKING:
    from typing_extensions import Self

CACHE_BYTES: Final = 64 << 20


class TileStore:
    """An open map. A context manager, which closes it.

    Threads may share one. It shows the commit that was the newest when it was opened, whatever is written meanwhile, until `refresh`.

    Args:
        path: Of the file.
        snapshot: Show this snapshot instead of the newest commit.
        cache_bytes: Of tiles that are remembered, and not checked again.

    Raises:
        MapError: There is no map, no such snapshot, or it cannot be opened.
        MapDamaged: What is needed to find the tiles is damaged.
    """

    def __init__(self, path: Path, *, snapshot: str | None = None, cache_bytes: int = CACHE_BYTES) -> None:
        self._begin(path, *open_log(path, writable=False), cache_bytes=cache_bytes)
        self._snapshot = snapshot
        if snapshot is not None:
            try:
                self._state = self._state_of(snapshot)
            except BaseException:
                self.close()
                raise

    def _begin(self, path: Path, file: LogFile, header: MapHeader, state: State, *, cache_bytes: int) -> None:
        self.path = path
        self.tile_side = header.tile_side
        self.tile_bytes = header.tile_side**2 * TEXEL_BYTES
        self.cache = TileCache(cache_bytes)
        self._file = file
        self._state = state
        self._snapshot: str | None = None

    @property
    def slot(self) -> Slot:
        """Which commit is shown."""
        return self._state.slot

    @property
    def time(self) -> int:
        """When it was committed, milliseconds since 1970."""
        return self._state.time

    @property
    def tiles(self) -> Mapping[int, Place]:
        """All tiles by Morton code."""
        return MappingProxyType(self._state.tiles)

    @property
    def attributes(self) -> Mapping[str, bytes]:
        """All attributes by name."""
        return MappingProxyType(self._state.attributes)

    def content(self, code: int) -> memoryview | None:
        """A tile's bytes without the zero texels at its end; None where there is no tile, which reads as zeros.

        Read-only, and of an uncompressed tile the mapped file itself: no copy. They are checked when they are read, and not again as long
        as the cache remembers them.

        Args:
            code: Morton code.

        Raises:
            TileDamaged: The tile is not what was written.
            CodecMissing: It is compressed, and zstandard is not installed.
        """
        place = self._state.tiles.get(code)
        if place is None:
            return None
        content = self.cache.get(place.offset)
        if content is None:
            try:
                content = self._read(place)
            except MapDamaged as problem:
                raise TileDamaged(problem.what, code=code, path=self.path) from None
            self.cache.keep(place.offset, content)
        return content

    def stored(self, code: int) -> tuple[Record, memoryview]:
        """A tile's record and its bytes as they are stored, which are not checked.

        Raises:
            KeyError: There is no such tile.
            MapDamaged: There is no record where it should be.
        """
        with naming(self.path):
            return self._record(self._state.tiles[code])

    def will_need(self, code: int) -> bool:
        """Have the system read a tile ahead. Returns whether there is such a tile on the disk."""
        place, end = self._state.tiles.get(code), self._state.slot.end
        if place is None or place.offset + ALIGNMENT > end:
            return False
        self._file.view(place.offset, ALIGNMENT)
        self._file.will_need(place.offset, min(ALIGNMENT + self.tile_bytes, end - place.offset))
        return True

    def refresh(self) -> bool:
        """Show the newest commit; one that shows a snapshot goes on doing so. Returns whether it is another one.

        Raises:
            MapError: As on opening; the old commit is still shown.
        """
        if self._snapshot is not None:
            return False
        before = self._state.slot
        if self._file.is_file_at(self.path):
            with naming(self.path):
                slot = newest_slot(self._file)
                if slot != before:
                    self._state = read_state(self._file, slot)
        else:
            file, _, self._state = open_log(self.path, writable=False)
            self._file.close()
            self._file = file
            self.cache.clear()
        return self._state.slot != before

    def snapshots(self) -> Mapping[str, Snapshot]:
        """The snapshots by name, the oldest first. A snapshot itself knows none.

        Raises:
            MapDamaged: One names a commit that cannot be.
        """
        with naming(self.path):
            return snapshots_of(self._state)

    def close(self) -> None:
        """Close the file. Contents that were handed out stay valid."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _state_of(self, name: str) -> State:
        snapshot = self.snapshots().get(name)
        if snapshot is None:
            raise MapError(f"the map `{self.path}` has no snapshot `{name}`", hint=f"list them: pixel-lsp fs snapshot {self.path}")
        with naming(self.path):
            state = read_state(self._file, snapshot.slot)
        for key in [key for key in state.attributes if key.startswith(SNAPSHOT_PREFIX)]:
            del state.attributes[key]
        return state

    def _read(self, place: Place) -> memoryview:
        record, stored = self._record(place)
        if record.kind != TILE or record.digest != place.digest:
            raise MapDamaged(f"the record at offset {place.offset:,} is another one")
        return decode_tile(record, stored, self.tile_bytes)

    def _record(self, place: Place) -> tuple[Record, memoryview]:
        if place.offset < self._state.slot.end:
            return read_record(self._file, place.offset, self._state.slot.end)
        # Not committed yet: it may be cut off again, so it is copied and not mapped.
        record = unpack_record(self._file.read(place.offset, ALIGNMENT))
        if record is None:
            raise MapDamaged(f"there is no record at offset {place.offset:,}")
        return record, memoryview(self._file.read(place.offset + ALIGNMENT, record.stored_length))
