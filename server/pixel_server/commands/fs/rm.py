"""`pixel-lsp fs rm`: remove files from a map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.verdict_words import count


def rm(path: Path, names: Sequence[str], *, recursive: bool) -> int:
    """Remove all of them, or none where one is not there. Returns the exit code.

    Args:
        path: Of the map.
        names: Files; with `recursive` folders too.
        recursive: Remove folders with all that they hold.

    Raises:
        NoSuchPath: There is no such file, or it is a folder.
    """
    with PixelFS.open(path, writable=True) as files, files.batch():
        removed = sum(files.remove(name, recursive=recursive) for name in names)
    write_lines([f"removed {count(removed, 'file')}; `pixel-lsp fs compact` gives back the room"])
    return PASSED_CODE
