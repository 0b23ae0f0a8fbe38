"""Commits that are kept under a name: attributes of a map, each of which holds a slot and a time."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.map_header import LOG_OFFSET, Slot
from pixel_core.pixels.read_log import State
from pixel_core.pixels.records import ALIGNMENT

SNAPSHOT_PREFIX: Final = "snapshot:"
MAX_SNAPSHOTS: Final = 1000

_SNAPSHOT: Final = struct.Struct("<QQQ32sq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A commit that is kept.

    Attributes:
        name: Of the snapshot.
        slot: Which commit.
        time: When it was committed, milliseconds since 1970.
    """

    name: str
    slot: Slot
    time: int

    def pack(self) -> bytes:
        """The attribute's value."""
        slot = self.slot
        return _SNAPSHOT.pack(slot.sequence, slot.offset, slot.end, slot.digest, self.time)


def snapshots_of(state: State) -> Mapping[str, Snapshot]:
    """The snapshots of a state by name, the oldest first.

    Raises:
        MapDamaged: One names a commit that cannot be.
    """
    found: list[Snapshot] = []
    names = [key.removeprefix(SNAPSHOT_PREFIX) for key in state.attributes if key.startswith(SNAPSHOT_PREFIX)]
    if len(names) > MAX_SNAPSHOTS:
        raise MapDamaged(f"it has {len(names):,} snapshots, and at most {MAX_SNAPSHOTS:,} were ever made")
    for name in names:
        value = state.attributes[SNAPSHOT_PREFIX + name]
        if len(value) != _SNAPSHOT.size:
            raise MapDamaged(f"the snapshot `{name}` has the wrong length")
        sequence, offset, end, digest, time = _SNAPSHOT.unpack(value)
        if not LOG_OFFSET <= offset < end <= state.slot.end or offset % ALIGNMENT or sequence > state.slot.sequence:
            raise MapDamaged(f"the snapshot `{name}` names a commit that cannot be")
        found.append(Snapshot(name=name, slot=Slot(sequence=sequence, offset=offset, end=end, digest=digest), time=time))
    return {one.name: one for one in sorted(found, key=lambda one: (one.slot.sequence, one.name))}
