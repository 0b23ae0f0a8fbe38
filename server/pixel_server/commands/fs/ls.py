"""`pixel-lsp fs ls`: list the files of a map."""

from __future__ import annotations

from pathlib import Path

from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import entry_value, time_text, write_json, write_lines
from pixel_server.exit_codes import PASSED_CODE


def ls(path: Path, name: str, *, snapshot: str | None, as_json: bool) -> int:
    """List files on standard output. Returns the exit code.

    Args:
        path: Of the map.
        name: Of a file or folder; empty for all files.
        snapshot: List them as they were in this snapshot.
        as_json: JSON instead of lines.

    Raises:
        NoSuchPath: There is no such file or folder.
    """
    with PixelFS.open(path, snapshot=snapshot) as files:
        entries = files.list(name)
    if as_json:
        write_json({"files": [entry_value(entry) for entry in entries]})
        return PASSED_CODE
    width = max((len(f"{entry.size:,}") for entry in entries), default=0)
    write_lines(f"{entry.size:>{width},}  {time_text(entry.modified)}  {entry.path}" for entry in entries)
    return PASSED_CODE
