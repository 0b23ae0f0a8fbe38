"""A map's file: what is committed is mapped, what is not yet is read and written through the descriptor."""

from __future__ import annotations

import mmap
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class LogFile:
    """An open file.

    Args:
        path: Of the file, which exists.
        writable: Open it for writing too.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._file = path.open("r+b" if writable else "rb", buffering=0)
        self._lock = threading.Lock()
        self._is_locked = False
        self._map: mmap.mmap | None = None
        self._view = memoryview(b"")

    def view(self, offset: int, length: int) -> memoryview:
        """Bytes of the file, mapped: read-only and without a copy. They have to be there, and nobody may cut them off.

        Raises:
            EOFError: The file ends before.
        """
        end = offset + length
        if end > len(self._view):
            with self._lock:
                size = self.size()
                if end > size:
                    raise EOFError
                # Views of the old mapping keep it alive.
                self._map = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ)
                self._view = memoryview(self._map)
        return self._view[offset:end]

    def read(self, offset: int, length: int) -> bytes:
        """A copy of bytes of the file; fewer where it ends before."""
        with self._lock:
            self._file.seek(offset)
            parts: list[bytes] = []
            while length > 0 and (part := self._file.read(length)):
                parts.append(part)
                length -= len(part)
        return b"".join(parts)

    def write(self, offset: int, data: Buffer) -> None:
        """Write bytes at an offset.

        Raises:
            OSError: The disk is full, or the file is not writable.
        """
        view = memoryview(data).cast("B")
        with self._lock:
            self._file.seek(offset)
            while len(view):
                view = view[self._file.write(view) :]

    def sync(self) -> None:
        """Return when the disk has everything that was written."""
        os.fsync(self._file.fileno())

    def truncate(self, length: int) -> None:
        """Cut the file off; only behind what is committed, or a mapping of it would end the process that reads there."""
        self._file.truncate(length)

    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._file.fileno()).st_size

    def will_need(self, offset: int, length: int) -> None:
        """Have the system read a mapped range ahead, where it can."""
        if self._map is not None and sys.platform != "win32" and offset + length <= len(self._view):
            start = offset - offset % mmap.PAGESIZE
            self._map.madvise(mmap.MADV_WILLNEED, start, offset + length - start)

    def lock(self) -> bool:
        """Become the only writer, until the file is closed or the process ends. Returns whether nobody else is."""
        try:
            self._set_lock(is_locked=True)
        except OSError:
            return False
        self._is_locked = True
        return True

    def is_file_at(self, path: Path) -> bool:
        """Whether the path still names this file, and not one that took its place."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), path.stat())
        except OSError:
            return False

    def close(self) -> None:
        """Give back the lock and close the descriptor. Views stay valid as long as somebody holds them."""
        if self._is_locked:
            # A mapping has a descriptor of its own, which would keep the lock as long as somebody holds a view.
            self._set_lock(is_locked=False)
            self._is_locked = False
        self._file.close()
        self._view = memoryview(b"")
        self._map = None

    def _set_lock(self, *, is_locked: bool) -> None:
        if sys.platform == "win32":
            import msvcrt

            self._file.seek(0x7FFFFFFF)
            msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK if is_locked else msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB if is_locked else fcntl.LOCK_UN)


def sync_folder(folder: Path) -> None:
    """Return when the disk has the folder's entries, where a system keeps them apart from the files."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
