"""Verifying a map: what of it is damaged, and which files and tiles that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pixel_core.pixels.damage import TILE, Damage, TileUse
from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.file_table import FileEntry, FileTable
from pixel_core.pixels.find_states import FoundStates, find_states
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.open_log import naming
from pixel_core.pixels.patched_log import PatchedLog
from pixel_core.pixels.verify_log import Needs, verify_front, verify_log

Told = Callable[[int, int], None]
"""Is called with the bytes looked at, and with how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedTile:
    """A tile of a file that is not what was written.

    Attributes:
        path: Of the file.
        snapshot: In this snapshot; None for the newest state.
        tile: Which of the file's tiles, counted from 0.
        start: Its first byte in the file.
        stop: The byte behind its last one.
        is_correctable: Whether what was written is known.
    """

    path: str
    snapshot: str | None
    tile: int
    start: int
    stop: int
    is_correctable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MapReport:
    """What a check found.

    Attributes:
        damages: Everything that is not what was written.
        tiles: Tiles of files among it, and tiles that files should have and that are not there.
        problems: Why a state cannot be read, by the name of its snapshot, None for the newest one.
        tile_count: Tiles of the newest state.
        file_count: Files of the newest state.
        bytes: Of the file that were looked at.
    """

    damages: tuple[Damage, ...]
    tiles: tuple[DamagedTile, ...]
    problems: Mapping[str | None, str]
    tile_count: int
    file_count: int
    bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether everything is what was written."""
        return not (self.damages or self.tiles or self.problems)


def verify_map(path: Path, told: Told | None = None) -> MapReport:
    """Look at every byte of a map up to its newest commit. Nothing is changed.

    Args:
        path: Of the map.
        told: Is called with the progress.

    Raises:
        MapError: There is no map, or so little is left of it that nothing can be said.
        CodecMissing: A tile is compressed, and zstandard is not installed.
    """
    with naming(path):
        patched, file = PatchedLog(path), LogFile(path)
        try:
            found = find_states(patched)
            done = 0

            def tell(count: int) -> None:
                nonlocal done
                done += count
                if told:
                    told(done, found.slot.end)

            damages = [*verify_front(file), *verify_log(file, found.slot, Needs.of(found), found.tile_bytes, tell)]
            return _locate(found, damages)
        finally:
            patched.close()
            file.close()


def _locate(found: FoundStates, damages: list[Damage]) -> MapReport:
    """Say which tiles and files the damages are; one state after the other, since all of them may not fit into memory."""
    problems = dict(found.problems)
    correctable = {one.offset: bool(one.correction) for one in damages if one.kind == TILE}
    uses: dict[int, list[TileUse]] = {}
    tiles: list[DamagedTile] = []
    tile_count = file_count = 0
    for name in reversed(found.slots):
        state = found.state(name)
        table = FileTable(found.tile_bytes)
        try:
            table = FileTable.read(state.attributes, found.tile_bytes)
        except MapDamaged as problem:
            problems[name] = problem.what
        if name is None:
            tile_count, file_count = len(state.tiles), len(table)
        owners = table.owners()
        for code, place in state.tiles.items() if correctable else ():
            if place.offset in correctable:
                uses.setdefault(place.offset, []).append(TileUse(code=code, snapshot=name))
                entry = owners.find(code)
                if entry:
                    tiles.append(_tile(entry, code, name, found, is_correctable=correctable[place.offset]))
        for entry in table:
            tiles += (_tile(entry, code, name, found, is_correctable=False) for code in _missing(entry.codes, state.tiles))
    return MapReport(
        damages=tuple(replace(one, uses=tuple(uses.get(one.offset, ()))) if one.kind == TILE else one for one in damages),
        tiles=tuple(tiles),
        problems=problems,
        tile_count=tile_count,
        file_count=file_count,
        bytes=found.slot.end,
    )


def _missing(codes: range, tiles: Mapping[int, object]) -> list[int]:
    # A hostile entry may claim more tiles than there are numbers to count with; one missing tile is proof enough then.
    if len(codes) > len(tiles):
        return [next(code for code in codes if code not in tiles)]
    return [code for code in codes if code not in tiles]


def _tile(entry: FileEntry, code: int, snapshot: str | None, found: FoundStates, *, is_correctable: bool) -> DamagedTile:
    tile = code - entry.first
    start = tile * found.tile_bytes
    return DamagedTile(
        path=entry.path,
        snapshot=snapshot,
        tile=tile,
        start=start,
        stop=min(start + found.tile_bytes, entry.size),
        is_correctable=is_correctable,
    )
