"""A file in the making: beside its place under another name, kept when we are killed, put in its place when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from pixel_core.errors import ModelFileError

SUFFIX = ".partial"


def partial_path(target: Path) -> Path:
    """Where the file lies until it is whole."""
    return target.with_name(target.name + SUFFIX)


@contextlib.contextmanager
def open_partial(target: Path) -> Generator[BinaryIO]:
    """Open the file in the making, with what an earlier run left in it, for ourselves alone.

    Raises:
        ModelFileError: Another process is making it, its name is taken by a link, or there is no room left.
        OSError: The folder cannot be written to.
    """
    path = partial_path(target)
    # A link there could make us write into any file of the user.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            raise ModelFileError(f"{path} is a link; remove it first") from None
        raise
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        _lock(descriptor, path)
        try:
            yield file
        except OSError as problem:
            if problem.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ModelFileError(
                    f"there is no room left for {target}", hint=f"make some and run it again; {path} is kept and goes on"
                ) from None
            raise


def publish(target: Path, *, replace: bool) -> None:
    """Put a whole file in its place.

    Args:
        target: Its place.
        replace: Whether a file that is there already may go.

    Raises:
        ModelFileError: There is a file, and it may not go.
        OSError: The folder cannot be written to.
    """
    path = partial_path(target)
    if replace:
        path.replace(target)
    else:
        try:
            # Unlike a look beforehand, a link cannot overwrite what somebody puts there in this moment.
            os.link(path, target)
            path.unlink()
        except FileExistsError:
            raise exists_already(target) from None
        except OSError:  # a file system without links
            if target.exists():
                raise exists_already(target) from None
            path.replace(target)
    _sync_folder(target.parent)


def exists_already(target: Path) -> ModelFileError:
    """What is said of a target that is there and is something else."""
    return ModelFileError(f"{target} exists and is something else", hint="`--force` overwrites it")


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once find each other's bytes wrong at the end
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        if problem.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise ModelFileError(f"another process is writing {path}") from None


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
