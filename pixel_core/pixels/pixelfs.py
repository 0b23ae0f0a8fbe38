"""Files in a map: each fills a stretch of the Morton curve, one tile after the other.

Every change is a commit of its own, unless it stands in a `batch`. What is not there yet when a program is killed never was; what was
there before still is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, final

from pixel_core.pixels.errors import MapError, NoSuchPath, PathRefused, TileDamaged
from pixel_core.pixels.file_path import check_path
from pixel_core.pixels.file_table import FILE_PREFIX, MARK, VERSION, FileEntry, FileTable
from pixel_core.pixels.open_log import naming, now
from pixel_core.pixels.tile_store import TileStore
from pixel_core.pixels.tile_writer import DEFAULT_TILE_SIDE, TileWriter

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

Told = Callable[[int], None]
"""Is called with a number of bytes whenever so many were done."""


@final
class PixelFS:
    """Files by path. A context manager, which closes the map.

    Args:
        store: An open map; a `TileWriter` where files are to be changed.

    Raises:
        MapError: The map holds no files.
        MapDamaged: Its files cannot be.
    """

    def __init__(self, store: TileStore) -> None:
        self.store = store
        self._is_batch = False
        self._table = self._read_table()

    @classmethod
    def create(cls, path: Path, *, tile_side: int = DEFAULT_TILE_SIDE) -> Self:
        """Make a map without files; errors as of `TileWriter.create`."""
        writer = TileWriter.create(path, tile_side=tile_side)
        writer.set_attribute(MARK, VERSION)
        writer.commit()
        return cls(writer)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False, snapshot: str | None = None) -> Self:
        """Open a map; errors as of `TileStore`, `TileWriter` and this class."""
        if writable and snapshot is not None:
            raise MapError("a snapshot cannot be written to")
        store = TileWriter(path) if writable else TileStore(path, snapshot=snapshot)
        try:
            return cls(store)
        except BaseException:
            store.close()
            raise

    @property
    def files(self) -> FileTable:
        """All files; not to be changed."""
        return self._table

    def put(self, path: str, data: Buffer, *, modified: int | None = None, compress: bool = False, told: Told | None = None) -> FileEntry:
        """Write a file, which takes the place of one of the same name.

        Args:
            path: Its name.
            data: Its bytes; they are not copied.
            modified: Milliseconds since 1970; now unless given.
            compress: Use zstd for tiles where it wins.
            told: Is called with the bytes of each tile that was written.

        Raises:
            PathRefused: The name is none, or a folder has it.
            MapError: It cannot be written. Nothing has changed then.
        """
        view = memoryview(data).cast("B")
        tile_bytes = self.store.tile_bytes
        tiles = (view[start : start + tile_bytes] for start in range(0, len(view), tile_bytes))
        return self._put(path, len(view), tiles, modified=modified, compress=compress, told=told)

    def put_stream(
        self, path: str, stream: BinaryIO, size: int, *, modified: int | None = None, compress: bool = False, told: Told | None = None
    ) -> FileEntry:
        """Write a file from a stream, tile by tile; otherwise as `put`.

        Args:
            path: Its name.
            stream: Holds the bytes.
            size: How many there are.
            modified: As for `put`.
            compress: As for `put`.
            told: As for `put`.

        Raises:
            MapError: The stream ends before; or as `put`.
        """
        return self._put(path, size, self._pieces(path, stream, size), modified=modified, compress=compress, told=told)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> memoryview:
        """Bytes of a file, read-only. Inside of one tile they are a view of the mapped file, else they are copied once.

        Args:
            path: Its name.
            offset: Of the first byte.
            length: How many; up to the end unless given.

        Raises:
            NoSuchPath: There is no such file.
            ValueError: The range leaves the file.
            TileDamaged: A tile is not what was written.
        """
        entry = self.stat(path)
        first, last = _range(entry, offset, length)
        if first // self.store.tile_bytes == (max(last, first + 1) - 1) // self.store.tile_bytes:
            return next(self.blocks(path, offset, length), memoryview(b""))
        return memoryview(b"".join(self.blocks(path, offset, length)))

    def read_into(self, path: str, buffer: Buffer, offset: int = 0) -> int:
        """Copy bytes of a file into a buffer, such as a numpy array. Returns how many: fewer than fit only at the end of the file.

        Raises:
            NoSuchPath: There is no such file.
            ValueError: The offset lies behind the file's end.
            TileDamaged: A tile is not what was written.
        """
        view = memoryview(buffer).cast("B")
        length = min(len(view), max(self.stat(path).size - offset, 0))
        done = 0
        for block in self.blocks(path, offset, length):
            view[done : done + len(block)] = block
            done += len(block)
        return done

    def blocks(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """Bytes of a file as views of the mapped map, one for each tile; without a copy where a tile is stored whole and uncompressed.

        Raises:
            NoSuchPath: There is no such file.
            ValueError: The range leaves the file.
            TileDamaged: A tile is not what was written.
        """
        entry = self.stat(path)
        position, end = _range(entry, offset, length)
        tile_bytes = self.store.tile_bytes
        while position < end:
            index = position // tile_bytes
            start = index * tile_bytes
            stop = min(end, start + tile_bytes)
            content = self._content(entry, index)
            if len(content) < stop - start:
                content = memoryview(bytes(content).ljust(stop - start, b"\0"))
            yield content[position - start : stop - start]
            position = stop

    def list(self, path: str = "") -> list[FileEntry]:
        """The files in a folder and below it, sorted by path; all files unless a folder is named.

        Raises:
            NoSuchPath: There is neither a file nor a folder of this name.
        """
        return self._table.below(path)

    def stat(self, path: str) -> FileEntry:
        """What is known of a file.

        Raises:
            NoSuchPath: There is no such file.
        """
        return self._table.find(path)

    def move(self, source: str, target: str) -> None:
        """Give a file another name, or all files of a folder. Nothing is copied, and nothing is replaced.

        Raises:
            NoSuchPath: There is no such file or folder.
            PathRefused: The new name is none, or is taken.
        """
        entries = self._table.below(source)
        target = check_path(target)
        if target == source or (target + "/").startswith(source + "/"):
            raise PathRefused(f"`{source}` cannot be moved to `{target}`, which is itself or below it")
        if self._table.get(target) or self._table.is_folder(target):
            raise PathRefused(f"there is already `{target}`")
        with self._change() as writer:
            for entry in entries:
                self._forget(writer, entry.path)
                moved = check_path(target + entry.path.removeprefix(source))
                self._remember(writer, replace(entry, path=moved))

    def remove(self, path: str, *, recursive: bool = False) -> int:
        """Remove a file, or with `recursive` all files of a folder. Returns how many.

        Raises:
            NoSuchPath: There is no such file, or it is a folder and `recursive` was not said.
        """
        entries = self._table.below(path)
        if not recursive and self._table.get(path) is None:
            raise NoSuchPath(f"`{path}` is a folder", hint="remove it with all that it holds: pixel-lsp fs rm --recursive")
        with self._change() as writer:
            for entry in entries:
                self._forget(writer, entry.path)
                for code in entry.codes:
                    writer.drop(code)
        return len(entries)

    @contextmanager
    def batch(self) -> Generator[None]:
        """Make all changes of a block one commit. Where the block raises, none of them happens."""
        if self._is_batch:
            yield
            return
        self._is_batch = True
        try:
            yield
            self.writer.commit()
        except BaseException:
            self._undo()
            raise
        finally:
            self._is_batch = False

    def refresh(self) -> bool:
        """Show the newest commit. Returns whether it is another one."""
        is_other = self.store.refresh()
        if is_other:
            self._table = self._read_table()
        return is_other

    @property
    def writer(self) -> TileWriter:
        """The store, if it can be written to.

        Raises:
            MapError: It is open for reading.
        """
        if not isinstance(self.store, TileWriter):
            raise MapError(f"the map `{self.store.path}` is open for reading")
        return self.store

    def close(self) -> None:
        """Close the map; views that were handed out stay valid."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, path: str, size: int, tiles: Iterator[Buffer], *, modified: int | None, compress: bool, told: Told | None) -> FileEntry:
        path = check_path(path)
        table = self._table
        table.refuse_clash(path)
        with self._change() as writer:
            first, count = table.find_room(size), table.tiles_of(size)
            digest = hashlib.sha256()
            try:
                for code, tile in zip(range(first, first + count), tiles, strict=True):
                    writer.put(code, tile, compress=compress)
                    digest.update(tile)
                    if told:
                        told(len(memoryview(tile)))
                entry = FileEntry(
                    path=path,
                    size=size,
                    modified=now() if modified is None else modified,
                    sha256=digest.digest(),
                    first=first,
                    tile_count=count,
                )
                before = table.get(path)
                self._remember(writer, entry)
            except BaseException:
                for code in range(first, first + count):
                    writer.drop(code)
                raise
            for code in before.codes if before else ():
                writer.drop(code)
        return entry

    def _pieces(self, path: str, stream: BinaryIO, size: int) -> Iterator[Buffer]:
        for start in range(0, size, self.store.tile_bytes):
            wanted = min(size - start, self.store.tile_bytes)
            piece = stream.read(wanted)
            while 0 < len(piece) < wanted and (more := stream.read(wanted - len(piece))):
                piece += more
            if len(piece) < wanted:
                raise MapError(f"what was to become `{path}` ends after {start + len(piece):,} of {size:,} bytes")
            yield piece

    def _content(self, entry: FileEntry, index: int) -> memoryview:
        content = self.store.content(entry.first + index)
        if content is None:
            raise TileDamaged(f"tile {index:,} of `{entry.path}` is not there", code=entry.first + index, path=self.store.path)
        return content

    def _remember(self, writer: TileWriter, entry: FileEntry) -> None:
        self._table.add(entry)
        writer.set_attribute(FILE_PREFIX + entry.path, entry.pack())

    def _forget(self, writer: TileWriter, path: str) -> None:
        self._table.remove(path)
        writer.set_attribute(FILE_PREFIX + path, None)

    @contextmanager
    def _change(self) -> Generator[TileWriter]:
        writer = self.writer
        if self._is_batch:
            yield writer
            return
        try:
            yield writer
            writer.commit()
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        self.writer.rollback()
        self._table = self._read_table()

    def _read_table(self) -> FileTable:
        mark = self.store.attributes.get(MARK)
        if mark is None:
            raise MapError(f"the map `{self.store.path}` holds no files", hint="a map for files is made by pixel-lsp fs init")
        if mark != VERSION:
            raise MapError(f"the files in the map `{self.store.path}` are of a version that this pixel-lsp does not know", hint="update it")
        with naming(self.store.path):
            return FileTable.read(self.store.attributes, self.store.tile_bytes)


def _range(entry: FileEntry, offset: int, length: int | None) -> tuple[int, int]:
    end = entry.size if length is None else offset + length
    if not 0 <= offset <= end <= entry.size:
        raise ValueError(f"`{entry.path}` has {entry.size:,} bytes, and no bytes {offset:,} to {end:,}")
    return offset, end
