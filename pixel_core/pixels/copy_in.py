"""Files of the disk on their way into a map."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pixel_core.pixels.errors import MapError
from pixel_core.pixels.file_path import check_path
from pixel_core.pixels.file_table import FileEntry
from pixel_core.pixels.pixelfs import PixelFS, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file of the disk.

    Attributes:
        source: Where it is.
        path: Its name in the map.
        size: Bytes.
        modified: Milliseconds since 1970.
    """

    source: Path
    path: str
    size: int
    modified: int


def find_sources(source: Path, path: str | None = None) -> tuple[list[SourceFile], list[str]]:
    """A file, or all files of a folder, sorted by name.

    Links inside a folder are followed to files inside of it and to nothing else; devices and the like are left out.

    Args:
        source: The file or folder.
        path: Its name in the map; its own name unless given. Empty for the files of a folder without a folder around them.

    Returns:
        The files, and sentences about what was left out.

    Raises:
        MapError: There is no such file or folder, or it cannot be read.
        PathRefused: A file has a name that none in a map may have.
    """
    path = source.resolve().name if path is None else path
    try:
        if source.is_dir():
            return _find_in_folder(source, path)
        status = source.stat()
    except OSError as problem:
        raise MapError(f"`{source}` cannot be read: {problem.strerror or problem}") from None
    if not stat.S_ISREG(status.st_mode):
        raise MapError(f"`{source}` is no regular file")
    return [_source_file(source, check_path(path), status)], []


def copy_in(files: PixelFS, source: SourceFile, *, compress: bool = False, told: Told | None = None) -> FileEntry:
    """Put a file of the disk into a map.

    Args:
        files: Open for writing.
        source: The file, as `find_sources` found it.
        compress: Use zstd for tiles where it wins.
        told: Is called with the bytes of each tile.

    Raises:
        MapError: It cannot be read, became shorter, or the map cannot be written.
    """
    try:
        with source.source.open("rb") as stream:
            return files.put_stream(source.path, stream, source.size, modified=source.modified, compress=compress, told=told)
    except OSError as problem:
        raise MapError(f"`{source.source}` cannot be read: {problem.strerror or problem}") from None


def _find_in_folder(folder: Path, path: str) -> tuple[list[SourceFile], list[str]]:
    root = folder.resolve()
    found: list[SourceFile] = []
    left_out: list[str] = []
    for file in _walk(folder):
        try:
            status = file.stat()
        except OSError as problem:
            left_out.append(f"`{file}` was left out: {problem.strerror or problem}")
            continue
        if not file.resolve().is_relative_to(root):
            left_out.append(f"`{file}` was left out: it is a link that leads out of `{folder}`")
        elif stat.S_ISREG(status.st_mode):
            name = PurePosixPath(path, *file.relative_to(folder).parts)
            found.append(_source_file(file, check_path(str(name)), status))
        else:
            left_out.append(f"`{file}` was left out: it is no regular file")
    return sorted(found, key=lambda one: one.path), left_out


def _walk(folder: Path) -> Iterator[Path]:
    # Links to folders are not followed, so that there is an end.
    for parent, folders, names in os.walk(folder):
        for name in (*names, *(one for one in folders if Path(parent, one).is_symlink())):
            yield Path(parent, name)


def _source_file(source: Path, path: str, status: os.stat_result) -> SourceFile:
    return SourceFile(source=source, path=path, size=status.st_size, modified=status.st_mtime_ns // 1_000_000)
