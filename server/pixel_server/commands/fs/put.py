"""`pixel-lsp fs put`: put files of the disk into a map."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pixel_core.pixels.copy_in import SourceFile, copy_in, find_sources
from pixel_core.pixels.errors import MapError
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.terminal.map_progress import map_progress
from pixel_server.verdict_words import count

BATCH_BYTES: Final = 256 << 20
BATCH_FILES: Final = 1000
"""A commit waits for the disk; one for every small file would take most of the time."""


def put(path: Path, sources: Sequence[Path], *, name: str | None, compress: bool) -> int:
    """Put files and folders into a map. Returns the exit code.

    Args:
        path: Of the map.
        sources: Files and folders of the disk.
        name: In the map, where there is one source; its own unless given.
        compress: Use zstd for tiles where it wins.

    Raises:
        MapError: A source cannot be read, or the map not written. What was put before stays.
        PathRefused: A file has a name that none in a map may have.
    """
    if name is not None and len(sources) != 1:
        raise MapError("--as names one file or folder, and several were given")
    found: list[SourceFile] = []
    for source in sources:
        files, left_out = find_sources(source, name)
        found += files
        for sentence in left_out:
            sys.stderr.write(f"pixel-lsp: {sentence}\n")
    total, done = sum(source.size for source in found), 0
    with PixelFS.open(path, writable=True) as files, map_progress("put") as show:

        def told(size: int) -> None:
            nonlocal done
            done += size
            show(done, total)

        for batch in _batches(found):
            with files.batch():
                for source in batch:
                    copy_in(files, source, compress=compress, told=told)
    write_lines([f"put {count(len(found), 'file')}, {count(total, 'byte')}, into {path}"])
    return PASSED_CODE


def _batches(sources: Sequence[SourceFile]) -> list[list[SourceFile]]:
    batches: list[list[SourceFile]] = []
    size = BATCH_BYTES
    for source in sources:
        if size >= BATCH_BYTES or len(batches[-1]) >= BATCH_FILES:
            batches.append([])
            size = 0
        batches[-1].append(source)
        size += source.size
    return batches
