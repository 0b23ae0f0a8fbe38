from __future__ import annotations

import asyncio

import pytest

from pixel_server.http.turns import QueueFull, Turns


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Visits:
    """Requests that note when they had their turn, and end it when told."""

    def __init__(self, longest: int = 100) -> None:
        self.turns = Turns(longest)
        self.served: list[str] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def come(self, *names: str) -> None:
        """`a1` is the first request of the client `a`."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._visit(name))
            await settle()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settle()

    async def leave(self, name: str) -> None:
        self._tasks[name].cancel()
        await settle()

    async def serve_all(self) -> list[str]:
        while any(not task.done() for task in self._tasks.values()):
            await self.end(self.served[-1])
        return self.served

    async def _visit(self, name: str) -> None:
        async with self.turns.turn(name[0]):
            self.served.append(name)
            await self._ends[name].wait()


async def test_one_has_a_turn_at_a_time() -> None:
    visits = Visits()
    await visits.come("a1", "b1")
    assert (visits.served, visits.turns.waiting) == (["a1"], 1)
    await visits.end("a1")
    assert (visits.served, visits.turns.waiting) == (["a1", "b1"], 0)


async def test_clients_take_turns_and_each_keeps_its_order() -> None:
    visits = Visits()
    await visits.come("a1", "a2", "a3", "a4", "b1", "c1", "b2")
    assert await visits.serve_all() == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_who_comes_when_a_turn_is_passed_on_waits() -> None:
    visits = Visits()
    await visits.come("a1", "b1")
    await visits.end("a1")
    await visits.come("c1")
    assert visits.served == ["a1", "b1"]


async def test_who_leaves_the_queue_is_forgotten() -> None:
    visits = Visits()
    await visits.come("a1", "b1", "b2", "c1")
    await visits.leave("b1")
    assert visits.turns.waiting == 2
    assert await visits.serve_all() == ["a1", "b2", "c1"]
    assert visits.turns.waiting == 0


async def test_who_leaves_when_it_is_called_passes_its_turn_on() -> None:
    """The call and the cancellation fall into one step of the loop; the turn must not be lost between them."""
    turns = Turns(10)
    served: list[str] = []

    async def visit(name: str) -> None:
        async with turns.turn(name):
            served.append(name)
            await asyncio.sleep(0)

    async with turns.turn("a"):
        waiting = [asyncio.create_task(visit(name)) for name in ("b", "c")]
        await settle()
        leaving = waiting[0]
    leaving.cancel()
    await settle()
    assert served == ["c"]
    await visit("d")
    assert served == ["c", "d"]


async def test_a_full_queue_refuses() -> None:
    visits = Visits(longest=2)
    await visits.come("a1", "b1", "c1")
    with pytest.raises(QueueFull):
        async with visits.turns.turn("d"):
            raise AssertionError
    await visits.end("a1")
    await visits.come("e1")
    assert await visits.serve_all() == ["a1", "b1", "c1", "e1"]


async def test_a_turn_that_fails_is_over() -> None:
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError):
        async with turns.turn("a"):
            raise ZeroDivisionError
    async with turns.turn("b"):
        pass
