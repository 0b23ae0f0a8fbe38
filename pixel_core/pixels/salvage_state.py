"""Making a state whole again of which some tiles are lost: files that had them move aside, with zeros in their place."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pixel_core.pixels.commits import Place
from pixel_core.pixels.errors import MapDamaged, PathRefused
from pixel_core.pixels.file_path import MAX_BYTES
from pixel_core.pixels.file_table import FILE_PREFIX, MARK, VERSION, FileEntry, FileTable
from pixel_core.pixels.read_log import State
from pixel_core.pixels.tile_codec import TEXEL_BYTES

DAMAGED_FOLDER: Final = "damaged"
ZERO_CONTENT: Final = bytes(TEXEL_BYTES)
ZERO_DIGEST: Final = hashlib.sha256(ZERO_CONTENT).digest()

ContentOf = Callable[[Place], bytes | memoryview]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostFile:
    """A file that is not what it was.

    Attributes:
        path: Its name before.
        moved_to: Its name now.
        snapshot: In this snapshot; None for the newest state.
        tiles: Which of its tiles are zero now.
        size: Its size now, which is smaller where it claimed more tiles than the map has.
    """

    path: str
    moved_to: str
    snapshot: str | None
    tiles: tuple[int, ...]
    size: int


def salvage_state(
    name: str | None, state: State, lost: Mapping[int, Place], content_of: ContentOf, tile_bytes: int
) -> tuple[State, list[LostFile], int]:
    """The state without its lost tiles.

    Args:
        name: Of the snapshot; None for the newest state.
        state: As it was read.
        lost: The tiles that cannot be read, by Morton code.
        content_of: Reads another tile.
        tile_bytes: Bytes in a tile.

    Returns:
        The state, the files that changed, and how many lost tiles belong to no file.
    """
    table = FileTable(tile_bytes)
    with suppress(MapDamaged):
        table = FileTable.read(state.attributes, tile_bytes)
    tiles = {code: place for code, place in state.tiles.items() if code not in lost}
    attributes = dict(state.attributes)
    present: Counter[str] = Counter()
    owners = table.owners()
    for code in tiles:
        entry = owners.find(code)
        if entry is not None:
            present[entry.path] += 1
    files: list[LostFile] = []
    for entry in [entry for entry in table if present[entry.path] < entry.tile_count]:
        # No file has more tiles than the map: what says so is cut, or it could be made as long as the plane.
        cut = replace(entry, size=min(entry.size, len(state.tiles) * tile_bytes), tile_count=min(entry.tile_count, len(state.tiles)))
        holes = [code for code in cut.codes if code not in tiles]
        tiles.update((code, Place(0, ZERO_DIGEST)) for code in holes)
        table.remove(entry.path)
        moved = _moved(cut, table, tiles, content_of, tile_bytes)
        table.add(moved)
        del attributes[FILE_PREFIX + entry.path]
        attributes[FILE_PREFIX + moved.path] = moved.pack()
        numbers = tuple(code - entry.first for code in holes)
        files.append(LostFile(path=entry.path, moved_to=moved.path, snapshot=name, tiles=numbers, size=moved.size))
    if len(table):
        attributes[MARK] = VERSION
    ownerless = sum(owners.find(code) is None for code in lost)
    return replace(state, tiles=tiles, attributes=attributes), files, ownerless


def _moved(entry: FileEntry, table: FileTable, tiles: Mapping[int, Place], content_of: ContentOf, tile_bytes: int) -> FileEntry:
    digest = hashlib.sha256()
    left = entry.size
    for code in entry.codes:
        place = tiles[code]
        content = ZERO_CONTENT if place.digest == ZERO_DIGEST else content_of(place)
        length = min(left, tile_bytes)
        digest.update(bytes(content[:length]).ljust(length, b"\0"))
        left -= length
    return replace(entry, path=_new_path(entry.path, table), sha256=digest.digest())


def _new_path(path: str, table: FileTable) -> str:
    for number in itertools.count(1):
        folder = DAMAGED_FOLDER if number == 1 else f"{DAMAGED_FOLDER}-{number}"
        moved = f"{folder}/{path}"
        if len(moved.encode()) > MAX_BYTES:
            moved = f"{folder}/{hashlib.sha256(path.encode()).hexdigest()}"
        with suppress(PathRefused):
            table.refuse_clash(moved)
            if table.get(moved) is None:
                return moved
    raise AssertionError
