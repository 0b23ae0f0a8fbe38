"""Changing a map's file.

The log only grows. A commit appends new tiles and then one record that says what changed, waits for the disk, and only then points one of
two slots at that record. Whoever is killed in between leaves bytes behind the end of the log that nobody looks at.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar, final

from pixel_core.pixels.commits import MAX_COMMIT_BYTES, MAX_NAME_BYTES, MAX_VALUE_BYTES, Changes, Commit, Place, encode_commit, encoded_size
from pixel_core.pixels.errors import MapDamaged, MapError
from pixel_core.pixels.map_header import SLOT_OFFSETS, Slot
from pixel_core.pixels.morton import CODES
from pixel_core.pixels.open_log import create_log, naming, now, open_log
from pixel_core.pixels.read_log import MAX_CHAIN
from pixel_core.pixels.records import COPY, TILE, Record, commit_record
from pixel_core.pixels.snapshots import MAX_SNAPSHOTS, SNAPSHOT_PREFIX, Snapshot
from pixel_core.pixels.tile_codec import encode_tile, trim
from pixel_core.pixels.tile_store import CACHE_BYTES, TileStore

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

Key = TypeVar("Key")
Value = TypeVar("Value")

DEFAULT_TILE_SIDE: Final = 64
"""Texels, so 64 KiB; bench/README.md says what larger tiles cost and gain."""

_MIN_FULL_BYTES: Final = 1 << 16
"""A state that is smaller is not written whole before its changes reach this."""


@final
class TileWriter(TileStore):
    """A map opened for writing; what it reads includes what it has not committed.

    There is one writer at a time, between threads and between processes. Leaving the context forgets what was not committed.

    Args:
        path: Of the file.
        cache_bytes: Of tiles that are remembered, and not checked again.

    Raises:
        MapBusy: Somebody else writes it.
        MapError: There is no map, or it cannot be opened.
        MapDamaged: What is needed to find the tiles is damaged.
    """

    def __init__(self, path: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._begin(path, *open_log(path, writable=True), cache_bytes=cache_bytes)
        self._changes = Changes()
        self._undo = Changes()
        self._end = self._state.slot.end
        self._known: dict[bytes, Place] | None = None
        self._lock = threading.RLock()
        self._is_closed = False

    @classmethod
    def create(cls, path: Path, *, tile_side: int = DEFAULT_TILE_SIDE, cache_bytes: int = CACHE_BYTES) -> Self:
        """Make an empty map and open it.

        Args:
            path: Where there is no file yet.
            tile_side: Texels along a side of a tile: 16, 32, 64, 128 or 256.
            cache_bytes: As for opening.

        Raises:
            MapError: There is a file already, it cannot be made, or tiles cannot be of this size.
        """
        create_log(path, tile_side)
        return cls(path, cache_bytes=cache_bytes)

    @property
    def uncommitted_bytes(self) -> int:
        """How far the log has grown since the last commit."""
        return self._end - self._state.slot.end

    def put(self, code: int, data: Buffer, *, compress: bool = False) -> None:
        """Write a tile. A content that the map holds already is not stored again.

        Args:
            code: Morton code.
            data: At most `tile_bytes` bytes; those that are missing are zero. A tile of zeros is kept; `drop` saves it.
            compress: Store it with zstd where that wins.

        Raises:
            MapError: It cannot be written.
            CodecMissing: `compress`, and zstandard is not installed.
        """
        content = trim(data)
        if len(content) > self.tile_bytes:
            raise ValueError(f"a tile holds {self.tile_bytes:,} bytes, not {len(content):,}")
        with self._writing():
            digest = hashlib.sha256(content).digest()
            place = self._known_place(digest)
            if place is None:
                record, stored = encode_tile(content, self._state.slot.sequence + 1, digest=digest, compress=compress)
                place = self._append(record, stored)
            self._set_tile(code, place)

    def put_record(self, code: int, record: Record, stored: Buffer) -> None:
        """Write a tile as another map has stored it.

        Args:
            code: Morton code.
            record: Its header.
            stored: Its stored bytes, which the caller has checked.

        Raises:
            MapError: It cannot be written.
        """
        with self._writing():
            place = self._known_places().get(record.digest)
            if place is None:
                place = self._append(replace(record, sequence=self._state.slot.sequence + 1), stored)
            self._set_tile(code, place)

    def drop(self, code: int) -> None:
        """Make a tile zero."""
        with self._writing():
            self._set_tile(code, None)

    def set_attribute(self, name: str, value: bytes | None) -> None:
        """Set an attribute, or remove it with None.

        Raises:
            MapError: Name or value are too long.
        """
        if len(name.encode()) > MAX_NAME_BYTES or len(value or b"") > MAX_VALUE_BYTES:
            raise MapError(f"a name has at most {MAX_NAME_BYTES:,} bytes, and a value {MAX_VALUE_BYTES:,}")
        with self._writing():
            attributes = self._state.attributes
            self._undo.attributes.setdefault(name, attributes.get(name))
            self._changes.attributes[name] = value
            if value is None:
                attributes.pop(name, None)
            else:
                attributes[name] = value

    def commit(self, *, sequence: int = 0, time: int | None = None, whole: bool = False) -> None:
        """Make what was changed durable and visible, all of it or nothing. Returns after the disk has it.

        Args:
            sequence: Least number of the commit; the next one is taken if that is greater.
            time: Of the commit, milliseconds since 1970; now unless given.
            whole: Write the whole state and a copy of it, not only what changed.

        Raises:
            MapError: It cannot be written. The map is closed then; opening it finds what was committed.
        """
        with self._writing():
            if not self._changes:
                return
            state = self._state
            sequence = max(state.slot.sequence + 1, sequence)
            when = now() if time is None else time
            content, is_full = self._encode(when, whole=whole)
            record = commit_record(content, sequence)
            try:
                place = self._append(record, content)
                if is_full:
                    self._append(replace(record, kind=COPY), content)
                slot = Slot(sequence=sequence, offset=place.offset, end=self._end, digest=record.digest)
                self._file.sync()
                self._file.write(SLOT_OFFSETS[sequence % 2], slot.pack())
                self._file.sync()
                if whole:
                    # Where commits were left out in between, the other slot would be of no use.
                    self._file.write(SLOT_OFFSETS[1 - sequence % 2], slot.pack())
                    self._file.sync()
            except BaseException:
                # Nobody knows what the disk has now.
                self.close()
                raise
            state.slot, state.time = slot, when
            state.chain = 1 if is_full else state.chain + 1
            state.full_bytes = len(content) if is_full else state.full_bytes
            state.later_bytes = 0 if is_full else state.later_bytes + len(content)
            self._changes, self._undo = Changes(), Changes()

    def rollback(self) -> None:
        """Forget what was changed since the last commit."""
        with self._lock:
            state = self._state
            for code, place in self._undo.tiles.items():
                _set_or_pop(state.tiles, code, place)
            for name, value in self._undo.attributes.items():
                _set_or_pop(state.attributes, name, value)
            self._changes, self._undo = Changes(), Changes()
            self._end = state.slot.end
            self._known = None
            self.cache.clear()

    def refresh(self) -> bool:
        """A writer shows what it wrote: nobody else writes."""
        return False

    def add_snapshot(self, name: str) -> Snapshot:
        """Keep what is there now under a name, also when the map is compacted. Commits.

        Raises:
            MapError: There is a snapshot of this name, or it cannot be written.
        """
        with self._writing():
            if name in self.snapshots():
                raise MapError(
                    f"there is already a snapshot `{name}`", hint=f"remove it: pixel-lsp fs snapshot {self.path} {name} --remove"
                )
            if len(self.snapshots()) >= MAX_SNAPSHOTS:
                raise MapError(f"a map has at most {MAX_SNAPSHOTS:,} snapshots", hint="remove one that is not needed any more")
            self.commit()
            made = Snapshot(name=name, slot=self.slot, time=self.time)
            self.set_attribute(SNAPSHOT_PREFIX + name, made.pack())
            self.commit()
            return made

    def remove_snapshot(self, name: str) -> None:
        """Keep a snapshot no longer. Commits.

        Raises:
            MapError: There is none of this name, or it cannot be written.
        """
        with self._writing():
            if name not in self.snapshots():
                raise MapError(f"there is no snapshot `{name}`", hint=f"list them: pixel-lsp fs snapshot {self.path}")
            self.set_attribute(SNAPSHOT_PREFIX + name, None)
            self.commit()

    def close(self) -> None:
        """Close the file and let somebody else write; what was not committed is forgotten."""
        with self._lock:
            self._is_closed = True
            super().close()

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Generator[None]:
        with self._lock, naming(self.path):
            if self._is_closed:
                raise MapError(f"the map `{self.path}` is closed")
            yield

    def _append(self, record: Record, stored: Buffer) -> Place:
        place = Place(self._end, record.digest)
        padding = bytes(record.size - len(record.pack()) - record.stored_length)
        self._file.write(place.offset, b"".join((record.pack(), stored, padding)))
        self._end += record.size
        if self._known is not None and record.kind == TILE:
            self._known[record.digest] = place
        return place

    def _set_tile(self, code: int, place: Place | None) -> None:
        if not 0 <= code < CODES:
            raise ValueError(f"{code} is no Morton code")
        tiles = self._state.tiles
        before = tiles.get(code)
        if before == place:
            return
        self._undo.tiles.setdefault(code, before)
        self._changes.tiles[code] = place
        _set_or_pop(tiles, code, place)

    def _known_places(self) -> dict[bytes, Place]:
        if self._known is None:
            self._known = {place.digest: place for place in self._state.tiles.values()}
        return self._known

    def _known_place(self, digest: bytes) -> Place | None:
        """Where this content is stored already, if it can still be read: nobody wants to share a damaged copy."""
        place = self._known_places().get(digest)
        if place is not None:
            try:
                self._read(place)
            except MapDamaged:
                return None
        return place

    def _encode(self, when: int, *, whole: bool) -> tuple[bytes, bool]:
        """The content of the next commit, and whether that is the whole state."""
        state, changes = self._state, self._changes
        grown = state.later_bytes + encoded_size(len(changes.tiles), changes.attributes)
        is_full = whole or state.chain >= MAX_CHAIN or grown > max(state.full_bytes, _MIN_FULL_BYTES)
        if is_full:
            changes = Changes(tiles=dict(state.tiles), attributes=dict(state.attributes))
        base = 0 if is_full else state.slot.offset
        content = encode_commit(Commit(base=base, time=when, tile_side=self.tile_side, changes=changes))
        if len(content) > MAX_COMMIT_BYTES:
            raise MapError(f"the index of the map `{self.path}` would be larger than {MAX_COMMIT_BYTES >> 30} GiB")
        return content, is_full


def _set_or_pop(values: dict[Key, Value], key: Key, value: Value | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
