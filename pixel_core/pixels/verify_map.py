"""Verifying a map: what of it is damaged, and which files and tiles that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pixel_core.pixels.damage import Damage
from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.file_table import FileOwners, FileTable
from pixel_core.pixels.find_states import FoundStates, find_states
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.open_log import naming
from pixel_core.pixels.patched_log import PatchedLog
from pixel_core.pixels.tile_codec import TEXEL_BYTES
from pixel_core.pixels.verify_log import Uses, verify_front, verify_log

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

            damages = [*verify_front(file), *verify_log(file, found.slot, Uses.of(found), found.tile_side**2 * TEXEL_BYTES, tell)]
        finally:
            patched.close()
            file.close()
    problems = dict(found.problems)
    tables = _tables(found, problems)
    newest = found.states.get(None)
    return MapReport(
        damages=tuple(damages),
        tiles=(*_damaged_tiles(damages, tables, found), *_missing_tiles(tables, found)),
        problems=problems,
        tile_count=len(newest.tiles) if newest else 0,
        file_count=len(tables[None]) if None in tables else 0,
        bytes=found.slot.end,
    )


def _tables(found: FoundStates, problems: dict[str | None, str]) -> dict[str | None, FileTable]:
    tables: dict[str | None, FileTable] = {}
    for name, state in found.states.items():
        try:
            tables[name] = FileTable.read(state.attributes, found.tile_side**2 * TEXEL_BYTES)
        except MapDamaged as problem:  # noqa: PERF203 -- a handful of snapshots
            problems[name] = problem.what
    return tables


def _damaged_tiles(damages: list[Damage], tables: Mapping[str | None, FileTable], found: FoundStates) -> list[DamagedTile]:
    owners: dict[str | None, FileOwners] = {name: table.owners() for name, table in tables.items()}
    tiles: list[DamagedTile] = []
    for one in damages:
        for use in one.uses:
            entry = owners[use.snapshot].find(use.code) if use.snapshot in owners else None
            if entry is not None:
                tile = use.code - entry.first
                tiles.append(_tile(entry.path, use.snapshot, tile, entry.size, found, is_correctable=bool(one.correction)))
    return tiles


def _missing_tiles(tables: Mapping[str | None, FileTable], found: FoundStates) -> list[DamagedTile]:
    return [
        _tile(entry.path, name, code - entry.first, entry.size, found, is_correctable=False)
        for name, table in tables.items()
        for entry in table
        for code in _missing(entry.codes, found.states[name].tiles)
    ]


def _missing(codes: range, tiles: Mapping[int, object]) -> list[int]:
    # A hostile entry may claim more tiles than there are numbers to count with; one missing tile is proof enough then.
    if len(codes) > len(tiles):
        return [next(code for code in codes if code not in tiles)]
    return [code for code in codes if code not in tiles]


def _tile(path: str, snapshot: str | None, tile: int, size: int, found: FoundStates, *, is_correctable: bool) -> DamagedTile:
    tile_bytes = found.tile_side**2 * TEXEL_BYTES
    start = tile * tile_bytes
    return DamagedTile(
        path=path, snapshot=snapshot, tile=tile, start=start, stop=min(start + tile_bytes, size), is_correctable=is_correctable
    )
