"""Finding the newest state and the snapshots of a map that may be damaged, with single flipped bits corrected in memory."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pixel_core.pixels.check_record import Patch, check_record, flip_back
from pixel_core.pixels.commit_copy import find_commit_copy
from pixel_core.pixels.commits import Commit
from pixel_core.pixels.errors import MapDamaged, MapError
from pixel_core.pixels.map_header import HEADER_BYTES, LOG_OFFSET, SLOT_BYTES, SLOT_OFFSETS, TILE_SIDES, Slot, unpack_header, unpack_slot
from pixel_core.pixels.patched_log import PatchedLog
from pixel_core.pixels.read_log import State, apply_commit, commits_behind, newest_slot, read_commit, read_header, read_state
from pixel_core.pixels.records import ALIGNMENT, COMMIT, unpack_record
from pixel_core.pixels.snapshots import SNAPSHOT_PREFIX, snapshots_of
from pixel_core.pixels.tile_codec import TEXEL_BYTES

Value = TypeVar("Value")


@dataclass(slots=True, kw_only=True)
class FoundStates:
    """What could be found.

    Attributes:
        slot: Of the newest commit, readable or not.
        tile_side: Texels along a side of a tile.
        states: The states by the names of their snapshots, None for the newest one.
        commits: Offsets of the commits that each state needs, up to one that cannot be read.
    """

    slot: Slot
    tile_side: int
    states: dict[str | None, State] = field(default_factory=dict)
    commits: dict[str | None, list[int]] = field(default_factory=dict)
    problems: dict[str | None, str] = field(default_factory=dict)


def find_states(file: PatchedLog) -> FoundStates:
    """Find the states of a map.

    Args:
        file: Gets patches where a flipped bit stood in the way.

    Raises:
        MapError: It is no map, or of another version.
        MapDamaged: Neither header, slots nor commits can be read.
    """
    patch_front(file)
    slot = find_slot(file)
    found = FoundStates(slot=slot, tile_side=_tile_side(file, slot))
    _find(file, found, None, slot)
    try:
        snapshots = snapshots_of(found.states[None])
    except MapDamaged as problem:
        found.problems[None] = problem.what
        snapshots = {}
    for name, snapshot in snapshots.items():
        _find(file, found, name, snapshot.slot)
        attributes = found.states[name].attributes
        found.states[name].attributes = {key: attributes[key] for key in attributes if not key.startswith(SNAPSHOT_PREFIX)}
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
    """The newest commit, also where neither slot can be read: then the log is read from its beginning.

    Raises:
        MapDamaged: There is none.
    """
    try:
        return newest_slot(file)
    except MapDamaged:
        everything = deque(commits_behind(file, Slot(sequence=-1, offset=0, end=LOG_OFFSET, digest=bytes(32))), maxlen=1)
        if not everything:
            raise
        return everything.pop()


def partial_state(file: PatchedLog, slot: Slot) -> tuple[State, list[int]]:
    """What the readable commits say of a state, and the numbers of those that cannot be read.

    What such a commit changed is as it was before it.
    """
    slots = list(_commits_before(file, slot))
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
        if offsets[below] != commit.base:
            # Not even the header of the commit below can be read.
            lost.append(slots[index].sequence - 1)
            below = index - 1
        index = below
    state = State(slot=slot, time=commits[0].time if commits else 0)
    for commit in reversed(commits):
        apply_commit(commit, state)
    return state, lost


def _commits_before(file: PatchedLog, slot: Slot) -> Iterator[Slot]:
    """The commits in the log up to that of a slot, by their headers alone."""
    offset, sequence = LOG_OFFSET, -1
    while offset <= slot.offset:
        record = unpack_record(file.read(offset, ALIGNMENT))
        if record is None:
            offset += ALIGNMENT
        elif record.kind == COMMIT and sequence < record.sequence <= slot.sequence:
            sequence = record.sequence
            yield Slot(sequence=sequence, offset=offset, end=offset + record.size, digest=record.digest)
            offset += record.size
        else:
            offset += record.size


def _find(file: PatchedLog, found: FoundStates, name: str | None, slot: Slot) -> None:
    mended: set[int] = set()
    while True:
        found.commits[name] = _commit_offsets(file, slot)
        try:
            found.states[name] = read_state(file, slot)
        except MapDamaged as problem:
            broken = found.commits[name][-1]
            correction = () if broken in mended else _correction(file, broken, slot.end, found.tile_side)
            mended.add(broken)
            if not correction:
                found.states[name], lost = partial_state(file, slot)
                commits = ", ".join(f"{number:,}" for number in sorted(lost))
                found.problems[name] = f"{problem.what}; what commit {commits} changed is as it was before" if lost else problem.what
                return
            file.patch(correction)
        else:
            return


def _correction(file: PatchedLog, offset: int, end: int, tile_side: int) -> tuple[Patch, ...]:
    copy = find_commit_copy(file, offset, end)
    return (copy,) if copy else check_record(file, offset, end, tile_side**2 * TEXEL_BYTES).correction


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
    try:
        return read_header(file).tile_side
    except MapDamaged:
        _, commit = read_commit(file, slot.offset, slot.end)
        if commit.tile_side not in TILE_SIDES:
            raise MapError(f"`{file.path}` is no map") from None
        return commit.tile_side
