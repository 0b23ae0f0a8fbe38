"""A map's file as it would be with some bytes corrected; the file itself stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import final

from pixel_core.pixels.log_file import LogFile


@final
class PatchedLog(LogFile):
    """An open file over which patches lie.

    Args:
        path: Of the file.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._patches: list[tuple[int, bytes]] = []

    def patch(self, patches: Iterable[tuple[int, bytes]]) -> None:
        """Lay bytes over the file at offsets."""
        self._patches += patches

    def view(self, offset: int, length: int) -> memoryview:
        """As of `LogFile`; a copy where a patch lies."""
        return self._patched(offset, super().view(offset, length))

    def read(self, offset: int, length: int) -> bytes:
        """As of `LogFile`."""
        return bytes(self._patched(offset, memoryview(super().read(offset, length))))

    def _patched(self, offset: int, data: memoryview) -> memoryview:
        end = offset + len(data)
        for start, patch in self._patches:
            low, high = max(offset, start), min(end, start + len(patch))
            if low < high:
                copy = bytearray(data)
                copy[low - offset : high - offset] = patch[low - start : high - start]
                data = memoryview(bytes(copy))
        return data
