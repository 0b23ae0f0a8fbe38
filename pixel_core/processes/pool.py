"""Several children of the same kind (`-j N`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from pixel_core.processes.exits import ChildExit
from pixel_core.processes.launcher import Launch
from pixel_core.processes.supervisor import Supervisor

Reply = TypeVar("Reply")


class WorkerPool:
    """Up to `size` supervisors; a request goes to the one that was idle for the shortest time, whose caches are warm.

    Args:
        launch: How each child is started.
        size: At most so many children answer at the same time.
        keep_spare: As in `Supervisor`.
    """

    def __init__(self, launch: Launch, size: int, *, keep_spare: bool = True) -> None:
        self._supervisors = [Supervisor(launch, keep_spare=keep_spare) for _ in range(max(size, 1))]
        self._idle = list(reversed(self._supervisors))
        self._free = asyncio.Semaphore(len(self._supervisors))

    async def request(
        self,
        message: object,
        reply_type: type[Reply],
        *,
        timeout_s: float,
        on_event: Callable[[bytes], None] | None = None,
        cancel: asyncio.Event | None = None,
    ) -> Reply | ChildExit:
        """As `Supervisor.request`, by whichever child is free."""
        async with self._free:
            supervisor = self._idle.pop()
            try:
                return await supervisor.request(message, reply_type, timeout_s=timeout_s, on_event=on_event, cancel=cancel)
            finally:
                self._idle.append(supervisor)

    async def close(self) -> None:
        """End every child."""
        await asyncio.gather(*(supervisor.close() for supervisor in self._supervisors))
