"""Tiles that were read and checked lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import final


@final
class TileCache:
    """Keeps contents up to a number of bytes, and forgets first what was not used for the longest time. Threads may share one.

    Args:
        capacity: Greatest number of bytes; contents that are mapped count as if they were copied.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._contents: OrderedDict[int, memoryview] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0
        self.hits = 0
        self.misses = 0

    def get(self, offset: int) -> memoryview | None:
        """The content of the record at an offset, or None."""
        with self._lock:
            content = self._contents.get(offset)
            if content is None:
                self.misses += 1
            else:
                self.hits += 1
                self._contents.move_to_end(offset)
            return content

    def keep(self, offset: int, content: memoryview) -> None:
        """Remember a content, if it is no larger than everything that may be remembered."""
        with self._lock:
            if offset in self._contents or len(content) > self._capacity:
                return
            self._contents[offset] = content
            self.bytes += len(content)
            while self.bytes > self._capacity:
                self.bytes -= len(self._contents.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._contents.clear()
            self.bytes = 0
