"""Hashes of files that inputs come from, remembered while size and time of change say that a file is the same."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final

_KEPT: Final = 256
_SETTLED_NS: Final = 2_000_000_000
"""A file that changed so lately may change again within one tick of the file system's clock."""


class FileHashes:
    """SHA-256 of files. May be asked from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, int, int], str] = OrderedDict()

    def sha256(self, path: Path) -> str:
        """The hash of a file's content; empty where it cannot be read."""
        try:
            status = path.stat()
            key = (str(path), status.st_ino, status.st_size, status.st_mtime_ns)
            if key in self._known:
                return self._known[key]
            with path.open("rb") as file:
                digest = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except (OSError, ValueError):
            return ""
        found = digest.hexdigest()
        if time.time_ns() - status.st_mtime_ns > _SETTLED_NS:
            self._known[key] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found
