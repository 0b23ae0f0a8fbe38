"""`pixel-lsp fs png`: draw a file."""

from __future__ import annotations

from pathlib import Path

from pixel_core.pixels.draw_png import draw_png, require_drawable
from pixel_core.pixels.errors import MapError
from pixel_core.pixels.infinite_map import InfiniteMap
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import PASSED_CODE


def png(path: Path, name: str, output: Path, *, snapshot: str | None) -> int:
    """Draw the region that a file lies in. Returns the exit code.

    Args:
        path: Of the map.
        name: Of the file.
        output: The PNG to write.
        snapshot: Take the file as it was in this snapshot.

    Raises:
        NoSuchPath: There is no such file.
        PixelError: The file is empty or too large to draw, or pillow is not installed.
    """
    with PixelFS.open(path, snapshot=snapshot) as files:
        region = files.stat(name).region(files.store.tile_side)
        if region is None:
            raise MapError(f"`{name}` is empty: there is nothing to draw")
        require_drawable(region.width, region.height)
        draw_png(InfiniteMap(files.store).read(region), output)
    write_lines([f"drew {4 * region.width:,} × {4 * region.height:,} pixels into {output}"])
    return PASSED_CODE
