"""What differs between two states of the files of a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pixel_core.pixels.commits import Place
from pixel_core.pixels.file_table import FileEntry
from pixel_core.pixels.pixelfs import PixelFS


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that is not the same in both states.

    Attributes:
        before: The file in the older state; None where it was added.
        after: The file in the newer state; None where it was removed.
        tiles: Which of its tiles hold something else, counted from 0; of a file that was added or removed none are listed.
    """

    before: FileEntry | None
    after: FileEntry | None
    tiles: tuple[int, ...] = ()

    @property
    def path(self) -> str:
        """Its name, the newer one where there are two."""
        return self.after.path if self.after else self.before.path if self.before else ""

    @property
    def kind(self) -> str:
        """`added`, `removed`, `moved` or `changed`."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.before.path == self.after.path else "moved"


def diff_files(before: PixelFS, after: PixelFS) -> list[FileChange]:
    """The files that differ, sorted by name. Digests are compared, no tile is read.

    A file that has gone and one of the same content that has come are one that was moved.
    """
    changes: list[FileChange] = []
    gone = {entry.path: entry for entry in before.files if after.files.get(entry.path) is None}
    by_content = {(entry.sha256, entry.size): path for path, entry in gone.items()}
    for entry in after.files:
        old = before.files.get(entry.path)
        if old is None:
            source = by_content.pop((entry.sha256, entry.size), None)
            changes.append(FileChange(before=gone.pop(source) if source else None, after=entry))
        elif (old.sha256, old.size) != (entry.sha256, entry.size):
            tiles = _changed_tiles(old, entry, before.store.tiles, after.store.tiles)
            changes.append(FileChange(before=old, after=entry, tiles=tiles))
    changes += [FileChange(before=entry, after=None) for entry in gone.values()]
    return sorted(changes, key=lambda change: change.path)


def _changed_tiles(old: FileEntry, new: FileEntry, before: Mapping[int, Place], after: Mapping[int, Place]) -> tuple[int, ...]:
    def digest(entry: FileEntry, index: int, tiles: Mapping[int, Place]) -> bytes | None:
        place = tiles.get(entry.first + index) if index < entry.tile_count else None
        return place.digest if place else None

    count = max(old.tile_count, new.tile_count)
    return tuple(index for index in range(count) if digest(old, index, before) != digest(new, index, after))
