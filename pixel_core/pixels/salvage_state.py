"""Making a state whole again of which some tiles are lost: files that had them move aside, with zeros in their place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pixel_core.pixels.commits import Place
from pixel_core.pixels.errors import MapDamaged
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
    """

    path: str
    moved_to: str
    snapshot: str | None
    tiles: tuple[int, ...]


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
    owners = table.owners()
    owned = 0
    files: list[LostFile] = []
    holes: dict[str, list[int]] = {}
    for code in lost:
        entry = owners.find(code)
        if entry is not None:
            owned += 1
            holes.setdefault(entry.path, []).append(code)
    for entry in table:
        if len(entry.codes) <= len(state.tiles):
            missing = [code for code in entry.codes if code not in state.tiles]
            if missing:
                holes.setdefault(entry.path, []).extend(missing)
    for path in sorted(holes):
        entry = table.find(path)
        for code in holes[path]:
            tiles[code] = Place(0, ZERO_DIGEST)
        moved = _moved(entry, table, tiles, content_of, tile_bytes)
        table.remove(path)
        table.add(moved)
        del attributes[FILE_PREFIX + path]
        attributes[FILE_PREFIX + moved.path] = moved.pack()
        numbers = tuple(sorted(code - entry.first for code in holes[path]))
        files.append(LostFile(path=path, moved_to=moved.path, snapshot=name, tiles=numbers))
    if len(table):
        attributes[MARK] = VERSION
    return replace(state, tiles=tiles, attributes=attributes), files, len(lost) - owned


def _moved(entry: FileEntry, table: FileTable, tiles: Mapping[int, Place], content_of: ContentOf, tile_bytes: int) -> FileEntry:
    path = entry.path if entry.path.startswith(DAMAGED_FOLDER + "/") else f"{DAMAGED_FOLDER}/{entry.path}"
    number = 2
    while path != entry.path and (table.get(path) or table.is_folder(path)):
        path = f"{DAMAGED_FOLDER}/{number}/{entry.path}"
        number += 1
    digest = hashlib.sha256()
    left = entry.size
    for code in entry.codes:
        place = tiles[code]
        content = ZERO_CONTENT if place.digest == ZERO_DIGEST else content_of(place)
        length = min(left, tile_bytes)
        digest.update(bytes(content[:length]).ljust(length, b"\0"))
        left -= length
    return replace(entry, path=path, sha256=digest.digest())
