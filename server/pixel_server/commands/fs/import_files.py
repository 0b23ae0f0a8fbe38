"""`pixel-lsp fs import`: take files of the old PXIF format over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_core.pixels.errors import MapError
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.read_pxif import read_pxif
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.verdict_words import count


def import_files(path: Path, files: Sequence[Path], *, name: str | None) -> int:
    """Put what old files hold into a map: all of them, or none where one is damaged. Returns the exit code.

    Args:
        path: Of the map.
        files: Of the old format.
        name: In the map, where there is one file; its own without `.pxi` unless given.

    Raises:
        MapError: A file is none of these, or is damaged; or the map cannot be written.
    """
    if name is not None and len(files) != 1:
        raise MapError("--as names one file, and several were given")
    size = 0
    with PixelFS.open(path, writable=True) as target, target.batch():
        for file in files:
            content = read_pxif(file)
            target.put(name or file.name.removesuffix(".pxi"), content)
            size += len(content)
    write_lines([f"imported {count(len(files), 'file')}, {count(size, 'byte')}, into {path}"])
    return PASSED_CODE
