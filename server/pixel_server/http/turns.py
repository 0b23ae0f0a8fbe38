"""Who is answered next: one at a time, client after client, so that many requests of one do not keep the others waiting."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class QueueFull(Exception):  # noqa: N818 -- a state of the queue
    """As many requests wait as may."""


class Turns:
    """Hands out turns. Among the clients that wait, each gets one in its turn; the requests of one keep their order.

    Args:
        longest: Requests that may wait.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._is_taken = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncGenerator[None, None]:
        """Wait for a turn, and hold it.

        Args:
            client: Whose request it is.

        Raises:
            QueueFull: At once, where too many wait.
        """
        if self._is_taken:
            await self._wait(client)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, client: str) -> None:
        if self.waiting >= self._longest:
            raise QueueFull
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                # It was called just when it gave up.
                self._pass_on()
            else:
                self._forget(client, called)
            raise

    def _forget(self, client: str, called: asyncio.Future[None]) -> None:
        queue = self._waiting[client]
        queue.remove(called)
        if not queue:
            del self._waiting[client]

    def _pass_on(self) -> None:
        if not self._waiting:
            self._is_taken = False
            return
        # The turn stays taken, so that nobody who comes now gets in between.
        client, queue = self._waiting.popitem(last=False)
        called = queue.popleft()
        if queue:
            self._waiting[client] = queue
        called.set_result(None)
