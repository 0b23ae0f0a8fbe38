"""Files of a map on their way to the disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from pixel_core.pixels.errors import MapDamaged, MapError
from pixel_core.pixels.file_table import FileEntry
from pixel_core.pixels.pixelfs import PixelFS, Told


def target_in(folder: Path, entry: FileEntry) -> Path:
    """Where a file goes in a folder of the disk, whose folders are made.

    Raises:
        MapError: A link would lead out of the folder, or a folder cannot be made.
    """
    root = folder.resolve()
    target = root.joinpath(*entry.path.split("/"))
    parent = root
    try:
        for part in entry.path.split("/")[:-1]:
            parent = parent / part
            if not parent.resolve().is_relative_to(root):
                raise MapError(f"`{entry.path}` is not written: the link `{parent}` leads out of `{folder}`")
            parent.mkdir(exist_ok=True)
    except OSError as problem:
        raise MapError(f"`{parent}` cannot be made: {problem.strerror or problem}") from None
    return target


def copy_out(files: PixelFS, entry: FileEntry, target: Path, *, force: bool = False, told: Told | None = None) -> None:
    """Write a file of a map to the disk: the whole of it, checked, or nothing.

    Args:
        files: Where it is.
        entry: The file.
        target: Of the disk; a link in this place is replaced, not followed.
        force: Replace what is there.
        told: Is called with the bytes of each tile.

    Raises:
        MapError: There is something already, or it cannot be written.
        MapDamaged: The file is not what was written.
    """
    try:
        if not force and os.path.lexists(target):
            raise MapError(f"there is already `{target}`", hint="replace it: --force")
        descriptor, name = tempfile.mkstemp(prefix=".pixel-lsp.", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                digest = hashlib.sha256()
                for block in files.blocks(entry.path):
                    stream.write(block)
                    digest.update(block)
                    if told:
                        told(len(block))
            if digest.digest() != entry.sha256:
                raise MapDamaged(f"`{entry.path}` does not match its SHA-256", path=files.store.path)
            os.utime(temporary, ns=(entry.modified * 1_000_000, entry.modified * 1_000_000))
            temporary.chmod(0o644)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise MapError(f"`{target}` cannot be written: {problem.strerror or problem}") from None
