"""`pixel-lsp fs init`: make an empty map."""

from __future__ import annotations

from pathlib import Path

from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import PASSED_CODE


def init(path: Path, *, tile_side: int) -> int:
    """Make a map. Returns the exit code.

    Args:
        path: Where there is no file yet.
        tile_side: Texels along a side of a tile.

    Raises:
        MapError: There is a file, or it cannot be made.
    """
    with PixelFS.create(path, tile_side=tile_side) as files:
        kibibytes = files.store.tile_bytes >> 10
    write_lines([f"made the map {path}, with tiles of {tile_side} × {tile_side} texels ({kibibytes:,} KiB)"])
    return PASSED_CODE
