"""Compacting a map: what neither the newest state nor a snapshot needs goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pixel_core.pixels.copy_states import copy_states, replace_map
from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.find_states import find_states
from pixel_core.pixels.open_log import naming
from pixel_core.pixels.patched_log import PatchedLog
from pixel_core.pixels.tile_writer import TileWriter

Told = Callable[[int, int], None]
"""Is called with the bytes of tiles that were copied, and with about how many there are."""


def compact_map(path: Path, told: Told | None = None) -> tuple[int, int]:
    """Write the newest state and the snapshots into a new file, in Morton order, and put it into the place of the old one.

    Whoever reads the map goes on reading the old file until `refresh`. Killed in between, the old file stays.

    Args:
        path: Of the map.
        told: Is called with the progress.

    Returns:
        The bytes of the file before and after.

    Raises:
        MapBusy: Somebody else writes the map.
        MapDamaged: A tile is not what was written; the map stays as it is.
        MapError: The map cannot be read, or the new file not written.
    """
    path = path.resolve()
    made = path.with_name(f".{path.name}.compacting")
    with naming(path), TileWriter(path) as holder:
        # Nobody else compacts as long as we may write, so what has this name was left by somebody who was killed.
        made.unlink(missing_ok=True)
        file = PatchedLog(path)
        try:
            found = find_states(file)
            for problem in found.problems.values():
                raise MapDamaged(problem)
            total = len(holder.tiles) * len(found.slots) * holder.tile_bytes
            done = 0

            def tell(size: int) -> None:
                nonlocal done
                done += size
                if told:
                    told(done, total)

            states = ((name, found.state(name)) for name in found.slots)
            copy_states(file, states, made, tile_side=found.tile_side, told=tell)
            before = file.size()
        finally:
            file.close()
        replace_map(path, made)
        return min(before, holder.slot.end), path.stat().st_size
