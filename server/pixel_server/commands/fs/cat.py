"""`pixel-lsp fs cat`: bytes of a file on standard output."""

from __future__ import annotations

import sys
from pathlib import Path

from pixel_core.pixels.errors import MapError
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.exit_codes import PASSED_CODE


def cat(path: Path, name: str, *, offset: int, length: int | None, snapshot: str | None) -> int:
    """Write bytes of a file to standard output, tile by tile. Returns the exit code.

    Args:
        path: Of the map.
        name: Of the file.
        offset: First byte.
        length: How many; up to the end when None. A range that ends behind the file ends with it.
        snapshot: Take the file as it was in this snapshot.

    Raises:
        NoSuchPath: There is no such file.
        MapError: The range begins behind the file's end.
        TileDamaged: A tile is not what was written; what comes before it was written.
    """
    with PixelFS.open(path, snapshot=snapshot) as files:
        size = files.stat(name).size
        if offset > size:
            raise MapError(f"`{name}` has {size:,} bytes, and none at {offset:,}")
        wanted = size - offset if length is None else min(length, size - offset)
        for block in files.blocks(name, offset, wanted):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    return PASSED_CODE
