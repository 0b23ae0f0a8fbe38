"""`pixel-lsp fs mv`: give a file or folder another name."""

from __future__ import annotations

from pathlib import Path

from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.exit_codes import PASSED_CODE


def mv(path: Path, name: str, new_name: str) -> int:
    """Rename, without copying anything. Returns the exit code.

    Args:
        path: Of the map.
        name: Of a file or folder.
        new_name: Its new name, which nothing may have.

    Raises:
        NoSuchPath: There is no such file or folder.
        PathRefused: The new name is none, or is taken.
    """
    with PixelFS.open(path, writable=True) as files:
        files.move(name, new_name)
    return PASSED_CODE
