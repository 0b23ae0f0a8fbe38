"""Repairing a map, from what redundancy there is, and saying what is lost.

1. A single flipped bit of a record, a slot or the header is flipped back: CRC-32 says where it is, SHA-256 proves that it was that one.
2. A tile whose content is known from another place (a tile that was written anew, another map) is taken from there.
3. What is left is lost: a file with such a tile moves to `damaged/`, with zeros in the tile's place; what an unreadable commit changed is
   as it was before. Then the old file is kept beside the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixel_core.pixels.check_record import check_record
from pixel_core.pixels.commits import Place
from pixel_core.pixels.copy_states import copy_states, replace_map
from pixel_core.pixels.errors import MapDamaged, TileDamaged
from pixel_core.pixels.find_states import FoundStates, find_states
from pixel_core.pixels.log_file import LogFile, sync_folder
from pixel_core.pixels.open_log import lock_log, naming
from pixel_core.pixels.patched_log import PatchedLog
from pixel_core.pixels.read_log import State
from pixel_core.pixels.records import ALIGNMENT
from pixel_core.pixels.salvage_state import ZERO_CONTENT, ZERO_DIGEST, LostFile, salvage_state
from pixel_core.pixels.tile_codec import decode_tile
from pixel_core.pixels.tile_store import TileStore
from pixel_core.pixels.verify_map import MapReport, verify_map

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What a repair came to.

    Attributes:
        corrected: Damages of which the flipped bit was flipped back.
        restored: Damaged tiles that were taken from another place.
        lost: Files that are not what they were.
        lost_tiles: Damaged tiles that belong to no file, and are zero now.
        lost_changes: What of a state could not be read, by the name of its snapshot, None for the newest one.
        kept: Where the file is kept as it was, if something was lost.
    """

    corrected: int = 0
    restored: int = 0
    lost: tuple[LostFile, ...] = ()
    lost_tiles: int = 0
    lost_changes: Mapping[str | None, str] = field(default_factory=dict)
    kept: Path | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing that a state held is lost."""
        return not (self.lost or self.lost_tiles or self.lost_changes)


def repair_map(path: Path, sources: Sequence[Path] = (), told: Told | None = None) -> RepairReport:
    """Repair a map.

    Args:
        path: Of the map.
        sources: Other maps that may hold the same tiles, such as backups.
        told: Is called with the bytes looked at, and with how many there are.

    Raises:
        MapBusy: Somebody else writes the map.
        MapError: There is no map, nothing of it can be read, or it cannot be written.
        CodecMissing: A tile is compressed, and zstandard is not installed.
    """
    path = path.resolve()
    with naming(path):
        holder = lock_log(path)
        try:
            report = verify_map(path, told)
            corrected = _correct(holder, report)
            if corrected:
                report = verify_map(path, told)
            if report.is_whole:
                return RepairReport(corrected=corrected)
            return _rewrite(path, report, sources, corrected)
        finally:
            holder.close()


def _correct(file: LogFile, report: MapReport) -> int:
    """Write every known correction into the file."""
    count = 0
    for damage in report.damages:
        for offset, data in damage.correction:
            file.write(offset, data)
        count += bool(damage.correction)
    if count:
        file.sync()
    return count


def _rewrite(path: Path, report: MapReport, sources: Sequence[Path], corrected: int) -> RepairReport:
    made = path.with_name(f".{path.name}.repairing")
    made.unlink(missing_ok=True)
    file = PatchedLog(path)
    stores: list[TileStore] = []
    try:
        for source in sources:
            stores.append(TileStore(source))
            stores += [TileStore(source, snapshot=name) for name in stores[-1].snapshots()]
        found = find_states(file)
        bad = {damage.offset for damage in report.damages}
        contents = _contents_elsewhere(found, bad, stores)
        lost: list[LostFile] = []
        lost_tiles, restored = 0, set[int]()

        def salvaged() -> Iterator[tuple[str | None, State]]:
            nonlocal lost_tiles
            for name in found.slots:
                state = found.state(name)
                damaged = {code: place for code, place in state.tiles.items() if place.offset in bad}
                restored.update(place.offset for place in damaged.values() if place.digest in contents)
                gone = {code: place for code, place in damaged.items() if place.digest not in contents}
                state, files, ownerless = salvage_state(
                    name, state, gone, lambda place: contents.get(place.digest) or _content(found, place), found.tile_bytes
                )
                lost.extend(files)
                lost_tiles += ownerless
                yield name, state

        replacements = {**contents, ZERO_DIGEST: memoryview(ZERO_CONTENT)}
        copy_states(file, salvaged(), made, tile_side=found.tile_side, contents=replacements)
    finally:
        file.close()
        for store in stores:
            store.close()
    is_lossy = bool(lost or lost_tiles or found.problems)
    kept = _keep(path) if is_lossy else None
    replace_map(path, made)
    return RepairReport(
        corrected=corrected,
        restored=len(restored),
        lost=tuple(lost),
        lost_tiles=lost_tiles,
        lost_changes=found.problems,
        kept=kept,
    )


def _contents_elsewhere(found: FoundStates, bad: set[int], stores: Sequence[TileStore]) -> dict[bytes, memoryview]:
    """Contents of damaged tiles that can be read in another place, by digest."""
    wanted = {place.digest for name in found.slots for place in found.state(name).tiles.values() if place.offset in bad}
    contents: dict[bytes, memoryview] = {}
    for name in found.slots:
        for place in found.state(name).tiles.values():
            if place.digest in wanted and place.offset not in bad:
                contents.setdefault(place.digest, _content(found, place))
    for store in stores:
        for code, place in store.tiles.items():
            if place.digest in wanted and place.digest not in contents:
                try:
                    content = store.content(code)
                except TileDamaged:
                    continue
                if content is not None:
                    contents[place.digest] = content
    return contents


def _content(found: FoundStates, place: Place) -> memoryview:
    checked = check_record(found.file, place.offset, found.slot.end, found.tile_bytes, correct=False)
    if checked.record is None or checked.problems:
        raise MapDamaged(f"the tile at offset {place.offset:,} is not what was written")
    stored = found.file.view(place.offset + ALIGNMENT, checked.record.stored_length)
    return decode_tile(checked.record, stored, found.tile_bytes)


def _keep(path: Path) -> Path:
    """Give the damaged file a second name, so that nothing is thrown away."""
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    kept.hardlink_to(path)
    sync_folder(path.parent)
    return kept
