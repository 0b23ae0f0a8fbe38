"""`pixel-lsp fs get`: write files of a map to the disk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pixel_core.pixels.copy_out import copy_out, target_in
from pixel_core.pixels.errors import MapDamaged, MapError
from pixel_core.pixels.file_table import FileEntry
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.terminal.map_progress import map_progress
from pixel_server.terminal.medium import Medium
from pixel_server.verdict_words import count


def get(path: Path, names: Sequence[str], *, folder: Path, output: Path | None, snapshot: str | None, force: bool) -> int:
    """Write files to the disk, and go on after one that is damaged. Returns the exit code: 1 when one is.

    Args:
        path: Of the map.
        names: Files and folders in the map; all when there is none.
        folder: To write into, each file below its own name.
        output: To write one file to instead.
        snapshot: Take the files as they were in this snapshot.
        force: Replace what is there.

    Raises:
        NoSuchPath: There is no such file or folder.
        MapError: A file is there already, or cannot be written.
    """
    damaged: list[MapDamaged] = []
    with PixelFS.open(path, snapshot=snapshot) as files, map_progress("get") as show:
        entries = {entry.path: entry for name in names or [""] for entry in files.list(name)}
        if output is not None and [*entries] != list(names):
            raise MapError("--output writes one file, and the names are not those of one file")
        if output is None and not folder.is_dir():
            raise MapError(f"there is no folder `{folder}`")
        total, done = sum(entry.size for entry in entries.values()), 0

        def told(size: int) -> None:
            nonlocal done
            done += size
            show(done, total)

        def write(entry: FileEntry) -> MapDamaged | None:
            try:
                copy_out(files, entry, output or target_in(folder, entry), force=force, told=told)
            except MapDamaged as problem:
                return problem
            return None

        damaged = [problem for entry in entries.values() if (problem := write(entry))]
    for problem in damaged:
        sys.stderr.write(Medium().printable(f"pixel-lsp: {problem.message}\n  hint: {problem.hint}") + "\n")
    write_lines(
        [f"wrote {count(len(entries) - len(damaged), 'file')}" + (f", and not {count(len(damaged), 'damaged file')}" if damaged else "")]
    )
    return FAILED_CODE if damaged else PASSED_CODE
