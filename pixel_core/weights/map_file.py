"""Mapping a file into memory, read-only."""

from __future__ import annotations

import mmap
from pathlib import Path

from pixel_core.errors import ModelFileError


def map_file(path: Path) -> mmap.mmap:
    """Map a whole file.

    Raises:
        ModelFileError: It is no ordinary file, or empty.
        OSError: It cannot be opened.
    """
    if not path.is_file():  # opening a pipe would wait for ever
        raise ModelFileError(f"{path} is not a file")
    with path.open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ModelFileError(f"{path} is empty") from None


def unmap(mapping: mmap.mmap) -> None:
    """Let go of a mapping; while views of it are about, it stays until the last of them goes."""
    try:
        mapping.close()
    except BufferError:
        return
