"""Finding the newest state and the snapshots of a map that may be damaged, with single flipped bits corrected in memory."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pixel_core.pixels.check_record import Patch, check_record, flip_back
from pixel_core.pixels.commit_copy import find_commit_copy
from pixel_core.pixels.commits import Commit
from pixel_core.pixels.errors import MapDamaged, MapError
from pixel_core.pixels.map_header import HEADER_BYTES, LOG_OFFSET, SLOT_BYTES, SLOT_OFFSETS, TILE_SIDES, Slot, unpack_header, unpack_slot
from pixel_core.pixels.patched_log import PatchedLog
from pixel_core.pixels.read_log import State, apply_commit, newest_slot, read_commit, read_header, read_slots, read_state
from pixel_core.pixels.records import ALIGNMENT, COMMIT, COPY, unpack_record
from pixel_core.pixels.snapshots import SNAPSHOT_PREFIX, snapshots_of
from pixel_core.pixels.tile_codec import TEXEL_BYTES

Value = TypeVar("Value")


@dataclass(slots=True, kw_only=True)
class FoundStates:
    """What could be found. States are read when they are asked for: a map may have many snapshots, and each is as large as the map's index.

    Attributes:
        file: With patches where a flipped bit stood in the way.
        slot: Of the newest commit.
        tile_side: Texels along a side of a tile.
        slots: Of the states by the names of their snapshots, the oldest first; None, the last one, is the newest state.
        commits: Offsets of the commits that each state needs, up to one that cannot be read.
        problems: What of a state cannot be read.
    """

    file: PatchedLog
    slot: Slot
    tile_side: int
    slots: dict[str | None, Slot] = field(default_factory=dict)
    commits: dict[str | None, list[int]] = field(default_factory=dict)
    problems: dict[str | None, str] = field(default_factory=dict)

    @property
    def tile_bytes(self) -> int:
        """Bytes in a tile."""
        return self.tile_side**2 * TEXEL_BYTES

    def state(self, name: str | None) -> State:
        """A state, or what the readable commits say of it. A snapshot knows no snapshots."""
        slot = self.slots[name]
        try:
            state = read_state(self.file, slot)
        except MapDamaged:
            state, _ = partial_state(self.file, slot)
        if name is not None:
            state.attributes = {key: value for key, value in state.attributes.items() if not key.startswith(SNAPSHOT_PREFIX)}
        return state


def find_states(file: PatchedLog) -> FoundStates:
    """Find the states of a map.

    Args:
        file: Gets patches where a flipped bit stands in the way.

    Raises:
        MapError: It is no map, of another version, or no commit can be read.
        MapDamaged: Its tiles would have an impossible size.
    """
    patch_front(file)
    slot = find_slot(file)
    found = FoundStates(file=file, slot=slot, tile_side=_tile_side(file, slot), slots={None: slot})
    _mend(found, None)
    try:
        snapshots = snapshots_of(found.state(None))
    except MapDamaged as problem:
        found.problems[None] = problem.what
        snapshots = {}
    found.slots = {**{name: snapshot.slot for name, snapshot in snapshots.items()}, None: slot}
    for name in snapshots:
        _mend(found, name)
    return found


def patch_front(file: PatchedLog) -> None:
    """Correct a flipped bit in the header and in each slot."""
    pieces: tuple[tuple[int, int, Callable[[bytes], object]], ...] = (
        (0, HEADER_BYTES, unpack_header),
        *((offset, SLOT_BYTES, unpack_slot) for offset in SLOT_OFFSETS),
    )
    for offset, length, unpack in pieces:
        data = file.read(offset, length)
        if unpack(data) is None:
            flipped = flip_back(data, unpack)
            file.patch([(offset, flipped)] if flipped else [])


def find_slot(file: PatchedLog) -> Slot:
    """The newest commit. Where a slot cannot be read, the whole log behind what the other one names is searched, also behind damage.

    Raises:
        MapError: There is none.
    """
    newest: Slot | None = None
    with suppress(MapDamaged):
        newest = newest_slot(file)
    if newest is None or not all(read_slots(file)):
        start, sequence = (newest.end, newest.sequence) if newest else (LOG_OFFSET, -1)
        for slot in _commits_between(file, start, file.size() - ALIGNMENT, sequence):
            with suppress(MapDamaged):
                read_commit(file, slot.offset, slot.end)
                copy = unpack_record(file.read(slot.end, ALIGNMENT))
                newest = slot
                if copy and copy.kind == COPY and copy.sequence == slot.sequence and slot.end + copy.size <= file.size():
                    newest = replace(slot, end=slot.end + copy.size)
    if newest is None:
        raise MapError(f"`{file.path}` is no map, or nothing of it can be read", hint="restore it from a backup")
    return newest


def partial_state(file: PatchedLog, slot: Slot) -> tuple[State, list[int]]:
    """What the readable commits say of a state, and the numbers of those that cannot be read.

    What such a commit changed is as it was before it.
    """
    slots = [one for one in _commits_between(file, LOG_OFFSET, slot.offset, -1) if one.sequence <= slot.sequence]
    offsets = [one.offset for one in slots]
    commits: list[Commit] = []
    lost: list[int] = []
    index = len(slots) - 1
    while index >= 0:
        try:
            _, commit = read_commit(file, slots[index].offset, slot.end)
        except MapDamaged:
            lost.append(slots[index].sequence)
            index -= 1
            continue
        commits.append(commit)
        if commit.base == 0:
            break
        below = bisect.bisect_left(offsets, commit.base, 0, index)
        if below == index or offsets[below] != commit.base:
            # Not even the header of the commit below can be read, or it would be this one itself.
            lost.append(slots[index].sequence - 1)
            below = index - 1
        index = below
    state = State(slot=slot, time=commits[0].time if commits else 0)
    for commit in reversed(commits):
        apply_commit(commit, state)
    return state, lost


def _commits_between(file: PatchedLog, start: int, stop: int, sequence: int) -> Iterator[Slot]:
    """The commits that begin from one offset to another, by their headers alone and also behind damage, with growing numbers."""
    offset = start
    while offset <= stop:
        record = unpack_record(file.read(offset, ALIGNMENT))
        if record is None:
            offset += ALIGNMENT
            continue
        if record.kind == COMMIT and record.sequence > sequence:
            sequence = record.sequence
            yield Slot(sequence=sequence, offset=offset, end=offset + record.size, digest=record.digest)
        offset += record.size


def _mend(found: FoundStates, name: str | None) -> None:
    """Read the commits of a state, with patches for those that are damaged and can be corrected."""
    mended: set[int] = set()
    slot = found.slots[name]
    while True:
        found.commits[name] = _commit_offsets(found.file, slot)
        try:
            read_state(found.file, slot)
        except MapDamaged as problem:
            broken = found.commits[name][-1]
            correction = () if broken in mended else _correction(found.file, broken, slot.end, found.tile_bytes)
            mended.add(broken)
            if correction:
                found.file.patch(correction)
                continue
            lost = ", ".join(f"{number:,}" for number in sorted(partial_state(found.file, slot)[1]))
            found.problems[name] = f"{problem.what}; what commit {lost} changed is as it was before" if lost else problem.what
        return


def _correction(file: PatchedLog, offset: int, end: int, tile_bytes: int) -> tuple[Patch, ...]:
    copy = find_commit_copy(file, offset, end)
    return (copy,) if copy else check_record(file, offset, end, tile_bytes).correction


def _commit_offsets(file: PatchedLog, slot: Slot) -> list[int]:
    """The offsets of the commits that a state is made of, the newest first, up to one that cannot be read."""
    found: list[int] = []
    offset, end = slot.offset, slot.end
    while offset and (not found or offset < found[-1]):
        found.append(offset)
        try:
            _, commit = read_commit(file, offset, end)
        except MapDamaged:
            break
        offset, end = commit.base, offset
    return found


def _tile_side(file: PatchedLog, slot: Slot) -> int:
    if unpack_header(file.read(0, HEADER_BYTES)) is not None:
        return read_header(file).tile_side
    _, commit = read_commit(file, slot.offset, slot.end)
    if commit.tile_side not in TILE_SIDES:
        raise MapDamaged(f"its tiles would be {commit.tile_side:,} texels wide")
    return commit.tile_side
