"""Which check runs when: for each document at most one running and one waiting, the newest wins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec

Result = TypeVar("Result")


class _Turn(msgspec.Struct, Generic[Result]):
    work: Callable[[asyncio.Event], Awaitable[Result]]
    cancel: asyncio.Event
    future: asyncio.Future[Result]


class Scheduler(Generic[Result]):
    """Runs work by key. Work for one key never overlaps; newer work makes older work stop.

    Use it from one event loop.
    """

    def __init__(self) -> None:
        self._running: dict[str, _Turn[Result]] = {}
        self._waiting: dict[str, _Turn[Result]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def submit(self, key: str, work: Callable[[asyncio.Event], Awaitable[Result]]) -> asyncio.Future[Result]:
        """Run some work now, or as soon as what runs for the key has stopped.

        Args:
            key: What the work is for.
            work: Called with an event that is set when it should stop.

        Returns:
            Its result; cancelled when newer work took its place before it began, raising what the work raised.
        """
        turn = _Turn(work, asyncio.Event(), asyncio.get_running_loop().create_future())
        if self._is_closed:
            turn.future.cancel()
            return turn.future
        if key in self._running:
            self._running[key].cancel.set()
            overtaken = self._waiting.pop(key, None)
            if overtaken is not None:
                overtaken.future.cancel()
            self._waiting[key] = turn
        else:
            self._start(key, turn)
        return turn.future

    def cancel(self, key: str) -> None:
        """Ask what runs for a key to stop, and forget what waits."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting.future.cancel()
        if key in self._running:
            self._running[key].cancel.set()

    def is_running(self, key: str) -> bool:
        """Whether anything runs for a key."""
        return key in self._running

    def is_overtaken(self, key: str) -> bool:
        """Whether newer work waits for what runs now."""
        return key in self._waiting

    async def close(self) -> None:
        """Stop everything; nothing runs afterwards, and nothing begins any more."""
        self._is_closed = True
        for key in tuple({*self._running, *self._waiting}):
            self.cancel(key)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, key: str, turn: _Turn[Result]) -> None:
        self._running[key] = turn
        task = asyncio.ensure_future(self._run(key, turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, key: str, turn: _Turn[Result]) -> None:
        try:
            result = await turn.work(turn.cancel)
        except asyncio.CancelledError:
            turn.future.cancel()
            raise
        except Exception as problem:  # noqa: BLE001 - it belongs to whoever asked
            if not turn.future.done():
                turn.future.set_exception(problem)
        else:
            if not turn.future.done():
                turn.future.set_result(result)
        finally:
            del self._running[key]
            following = self._waiting.pop(key, None)
            if following is not None:
                if self._is_closed:
                    following.future.cancel()
                else:
                    self._start(key, following)
