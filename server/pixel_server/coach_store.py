"""The coach's queue, read and written in one thread of its own: no lock of another process holds up the editor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar, final

from pixel_coach.store import Store

Result = TypeVar("Result")

_TIMEOUT_S: Final = 5.0
"""How long another process's transaction is waited for."""

_CLOSE_S: Final = 1.0


@final
class CoachStore:
    """The user's queue for an editor. Opened at the first need.

    Args:
        path: From `queue_path`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="queue")
        self._store: Store | None = None
        self._is_closed = False

    async def look(self, work: Callable[[Store], Result]) -> Result | None:
        """The result of some reading; None where there is no queue yet, which looking does not make.

        Raises:
            QueueError: The queue cannot be read.
        """
        return await self._in_thread(lambda: self._call(work) if self.path.is_file() else None)

    async def change(self, work: Callable[[Store], Result]) -> Result:
        """The result of some work on the queue, which is made where it is missing.

        Raises:
            QueueError: The queue refuses.
        """
        return await self._in_thread(lambda: self._call(work))

    async def close(self) -> None:
        """Give the connection back, after what is under way."""
        if self._is_closed:
            return
        self._is_closed = True
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
        await asyncio.wait({closing}, timeout=_CLOSE_S)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _call(self, work: Callable[[Store], Result]) -> Result:
        if self._store is None:
            self._store = Store(self.path, timeout_s=_TIMEOUT_S)
        return work(self._store)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
