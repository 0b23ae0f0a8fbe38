"""Which files a map holds, and which stretch of the Morton curve each of them fills."""

from __future__ import annotations

import bisect
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, final

from pixel_core.pixels.errors import MapDamaged, MapError, NoSuchPath, PathRefused
from pixel_core.pixels.file_path import check_path
from pixel_core.pixels.morton import CODES, block_codes, block_size, morton_of, tile_of
from pixel_core.pixels.region import Region

MARK: Final = "pixelfs"
VERSION: Final = b"\x01"
"""Value of the attribute `MARK` of a map that holds files."""
FILE_PREFIX: Final = "file:"
ORIGIN: Final = morton_of(0, 0)
"""Where the first file begins; the others follow on the curve, so that all have positive coordinates."""

_ENTRY: Final = struct.Struct("<QQq32s")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file in a map.

    Attributes:
        path: Its name.
        size: Bytes.
        modified: Milliseconds since 1970.
        sha256: Of its bytes.
        first: Morton code of its first tile; 0 for an empty file.
        tile_count: How many tiles it fills, one code after the other.
    """

    path: str
    size: int
    modified: int
    sha256: bytes
    first: int
    tile_count: int

    @property
    def codes(self) -> range:
        """The Morton codes of its tiles."""
        return range(self.first, self.first + self.tile_count)

    def region(self, tile_side: int) -> Region | None:
        """The rectangle of texels that it lies in; None for an empty file."""
        if not self.tile_count:
            return None
        column, row = tile_of(self.first)
        width, height = block_size(self.tile_count)
        return Region(x=column * tile_side, y=row * tile_side, width=width * tile_side, height=height * tile_side)

    def pack(self) -> bytes:
        """The value of its attribute."""
        return _ENTRY.pack(self.first, self.size, self.modified, self.sha256)


@final
class FileTable:
    """The files of a map by path.

    Args:
        tile_bytes: Bytes in a tile.
    """

    def __init__(self, tile_bytes: int) -> None:
        self._tile_bytes = tile_bytes
        self._entries: dict[str, FileEntry] = {}
        self._folders: Counter[str] = Counter()
        self._end = ORIGIN

    @classmethod
    def read(cls, attributes: Mapping[str, bytes], tile_bytes: int) -> FileTable:
        """The table that the attributes of a map hold.

        Raises:
            MapDamaged: A name, a size or a place cannot be.
        """
        table = cls(tile_bytes)
        for key, value in attributes.items():
            if key.startswith(FILE_PREFIX):
                table.add(table.entry(key.removeprefix(FILE_PREFIX), value))
        before: FileEntry | None = None
        for entry in sorted(table, key=lambda entry: entry.first):
            if entry.tile_count and before is not None and entry.first < before.codes.stop:
                raise MapDamaged(f"the files `{before.path}` and `{entry.path}` lie over one another")
            before = entry if entry.tile_count else before
        return table

    def entry(self, path: str, value: bytes) -> FileEntry:
        """One file, from the value of its attribute.

        Raises:
            MapDamaged: The name, the size or the place cannot be.
        """
        try:
            is_canonical = check_path(path) == path
        except PathRefused as problem:
            raise MapDamaged(problem.message) from None
        if not is_canonical or len(value) != _ENTRY.size:
            raise MapDamaged(f"the entry of `{path}` cannot be")
        first, size, modified, sha256 = _ENTRY.unpack(value)
        count = self.tiles_of(size)
        if (count and (first < ORIGIN or first + count > CODES)) or abs(modified) > 1 << 53:
            raise MapDamaged(f"the entry of `{path}` cannot be")
        return FileEntry(path=path, size=size, modified=modified, sha256=sha256, first=first, tile_count=count)

    def tiles_of(self, size: int) -> int:
        """How many tiles so many bytes fill."""
        return -(-size // self._tile_bytes)

    def find_room(self, size: int) -> int:
        """The Morton code of the first tile of a new file. Room on the plane costs nothing, so what was left is not filled again.

        Raises:
            MapError: The plane ends there.
        """
        count = self.tiles_of(size)
        if not count:
            return 0
        block = block_codes(count)
        first = -(-self._end // block) * block
        if first + block > CODES:
            raise MapError("the plane has no room left for this file", hint="copy the files into a new map")
        return first

    def add(self, entry: FileEntry) -> None:
        """Put a file in, which may take the place of one of the same name.

        Raises:
            PathRefused: A folder has this name, or a file has that of one of its folders.
        """
        self.refuse_clash(entry.path)
        if entry.path not in self._entries:
            self._folders.update(_folders_of(entry.path))
        self._entries[entry.path] = entry
        self._end = max(self._end, entry.codes.stop)

    def refuse_clash(self, path: str) -> None:
        """Refuse a name that a folder has, or one below a file.

        Raises:
            PathRefused: It is such a name.
        """
        if path in self._folders:
            raise PathRefused(f"`{path}` is a folder")
        for folder in _folders_of(path):
            if folder in self._entries:
                raise PathRefused(f"`{folder}` is a file, so that nothing can lie below it")

    def remove(self, path: str) -> None:
        """Take a file out."""
        del self._entries[path]
        for folder in _folders_of(path):
            self._folders[folder] -= 1
            if not self._folders[folder]:
                del self._folders[folder]

    def get(self, path: str) -> FileEntry | None:
        """The file of this name, or None."""
        return self._entries.get(path)

    def find(self, path: str) -> FileEntry:
        """The file of this name.

        Raises:
            NoSuchPath: There is none.
        """
        entry = self._entries.get(path)
        if entry is None:
            said = "is a folder" if path in self._folders else "is not there"
            raise NoSuchPath(f"`{path}` {said}", hint="list the files: pixel-lsp fs ls MAP")
        return entry

    def below(self, path: str = "") -> list[FileEntry]:
        """The file of this name, or all files in the folder of this name, sorted by path; all files for an empty name.

        Raises:
            NoSuchPath: There is neither.
        """
        if path in self._entries:
            return [self._entries[path]]
        if path and path not in self._folders:
            return [self.find(path)]
        start = path + "/" if path else ""
        return sorted((entry for name, entry in self._entries.items() if name.startswith(start)), key=lambda entry: entry.path)

    def is_folder(self, path: str) -> bool:
        """Whether files lie below this name."""
        return path in self._folders

    def owners(self) -> FileOwners:
        """Which file a tile belongs to."""
        return FileOwners(self)

    def __iter__(self) -> Iterator[FileEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)


@final
class FileOwners:
    """Finds the file that a tile belongs to.

    Args:
        table: Of all files, as it is now.
    """

    def __init__(self, table: FileTable) -> None:
        self._entries = sorted((entry for entry in table if entry.tile_count), key=lambda entry: entry.first)
        self._firsts = [entry.first for entry in self._entries]

    def find(self, code: int) -> FileEntry | None:
        """The file that the tile of a Morton code belongs to, or None."""
        index = bisect.bisect_right(self._firsts, code) - 1
        return self._entries[index] if index >= 0 and code in self._entries[index].codes else None


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
