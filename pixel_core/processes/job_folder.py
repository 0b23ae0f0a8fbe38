"""A private folder for the arrays that parent and child hand each other: in memory where the system has such a place, else on disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- mkdtemp makes a folder there that only this user can enter
_PREFIX = "pixel-lsp-"


class JobFolder:
    """A folder that only this user can enter (0700), removed with everything in it by `remove` or at the end of `with`.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        parent = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        _remove_left_over(parent)
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))

    def subfolder(self) -> Path:
        """A new empty folder inside it."""
        return Path(tempfile.mkdtemp(dir=self.path))

    def remove(self) -> None:
        """Remove it. A file that cannot be removed stays: nothing depends on it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> JobFolder:  # noqa: PYI034 -- typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()


def _remove_left_over(parent: Path) -> None:
    """Remove folders of processes that were killed: memory is what they would keep."""
    for folder in parent.glob(f"{_PREFIX}*"):
        number = folder.name[len(_PREFIX) :].split("-")[0]
        if number.isdigit() and not _is_alive(int(number)):
            with contextlib.suppress(OSError):
                if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                    shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    # Windows has no harmless signal; its temporary folder is cleaned by the system.
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
