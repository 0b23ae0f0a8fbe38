"""`pixel-lsp fs snapshot`: keep all files as they are now under a name."""

from __future__ import annotations

from pathlib import Path

from pixel_core.pixels.errors import MapError
from pixel_core.pixels.file_path import check_path
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import time_text, write_json, write_lines
from pixel_server.exit_codes import PASSED_CODE


def snapshot(path: Path, name: str | None, *, remove: bool, as_json: bool) -> int:
    """Make a snapshot, remove one, or list them. Returns the exit code.

    Args:
        path: Of the map.
        name: Of the snapshot; None lists.
        remove: Keep it no longer.
        as_json: JSON instead of lines, when listing.

    Raises:
        MapError: There is one of this name already, or none to remove.
    """
    if name is None:
        if remove:
            raise MapError("no snapshot is named", hint="list them: pixel-lsp fs snapshot MAP")
        with PixelFS.open(path) as files:
            snapshots = files.store.snapshots().values()
        if as_json:
            write_json(
                {"snapshots": [{"name": one.name, "committed": time_text(one.time), "commit": one.slot.sequence} for one in snapshots]}
            )
        else:
            write_lines(f"{time_text(one.time)}  {one.name}" for one in snapshots)
        return PASSED_CODE
    with PixelFS.open(path, writable=True) as files:
        if remove:
            files.writer.remove_snapshot(name)
        else:
            files.writer.add_snapshot(check_path(name))
    return PASSED_CODE
