"""Writing states of a map into a new file, which then holds nothing else: for compacting, and for saving what can be saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pixel_core.pixels.check_record import check_record
from pixel_core.pixels.commits import Place
from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.log_file import LogFile, sync_folder
from pixel_core.pixels.map_header import Slot
from pixel_core.pixels.read_log import State
from pixel_core.pixels.records import ALIGNMENT
from pixel_core.pixels.snapshots import SNAPSHOT_PREFIX, Snapshot
from pixel_core.pixels.tile_writer import TileWriter

Told = Callable[[int], None]


def copy_states(
    file: LogFile,
    states: Iterable[tuple[str | None, State]],
    target: Path,
    *,
    tile_side: int,
    contents: Mapping[bytes, memoryview] | None = None,
    told: Told | None = None,
) -> None:
    """Write states into a new map: tiles in Morton order, each content once.

    Args:
        file: Holds the tiles.
        states: With the names of their snapshots, the oldest first; None, the last one, is the newest state.
        target: Where there is no file yet.
        tile_side: Texels along a side of a tile.
        contents: By digest, what to take instead of the tiles of the file.
        told: Is called with the bytes of each tile that was copied.

    Raises:
        MapDamaged: A tile is not what was written. Nothing is left of the target then.
        MapError: The target cannot be written; likewise.
    """
    snapshots: list[Snapshot] = []
    writer = TileWriter.create(target, tile_side=tile_side)
    try:
        for name, state in states:
            _become(writer, file, state, contents or {}, told)
            if name is None:
                for snapshot in snapshots:
                    writer.set_attribute(SNAPSHOT_PREFIX + snapshot.name, snapshot.pack())
            # One more for the newest state, so that readers notice that the file is another one.
            writer.commit(sequence=state.slot.sequence + (name is None), time=state.time, whole=True)
            if name is not None:
                snapshots.append(Snapshot(name=name, slot=writer.slot, time=state.time))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        writer.close()


def replace_map(path: Path, made: Path) -> None:
    """Put a new file into the place of a map that nobody else writes; readers keep the old one open."""
    shutil.copymode(path, made)
    made.replace(path)
    sync_folder(path.parent)


def _become(writer: TileWriter, file: LogFile, state: State, contents: Mapping[bytes, memoryview], told: Told | None) -> None:
    for code in writer.tiles.keys() - state.tiles.keys():
        writer.drop(code)
    copied: dict[int, Place] = {code: place for code, place in writer.tiles.items() if state.tiles[code].digest == place.digest}
    for code in sorted(state.tiles.keys() - copied.keys()):
        place = state.tiles[code]
        replacement = contents.get(place.digest)
        if replacement is not None:
            writer.put(code, replacement)
        else:
            _copy(writer, file, state.slot, code, place)
        if told:
            told(writer.tile_bytes)
    for name in writer.attributes.keys() - state.attributes.keys():
        writer.set_attribute(name, None)
    for name, value in state.attributes.items():
        if not name.startswith(SNAPSHOT_PREFIX) and writer.attributes.get(name) != value:
            writer.set_attribute(name, value)


def _copy(writer: TileWriter, file: LogFile, slot: Slot, code: int, place: Place) -> None:
    checked = check_record(file, place.offset, slot.end, writer.tile_bytes, correct=False)
    record = checked.record
    if record is None or checked.problems or record.digest != place.digest:
        raise MapDamaged(f"the tile at offset {place.offset:,} is not what was written", path=file.path)
    writer.put_record(code, record, file.view(place.offset + ALIGNMENT, record.stored_length))
