from __future__ import annotations

import asyncio

import pytest

from pixel_server.scheduler import Scheduler


class Work:
    """Work that goes on until it is let go, and remembers what became of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.go_on = asyncio.Event()
        self.cancel: asyncio.Event | None = None

    async def __call__(self, cancel: asyncio.Event) -> str:
        self.cancel = cancel
        await self.go_on.wait()
        return self.name

    @property
    def was_told_to_stop(self) -> bool:
        return self.cancel is not None and self.cancel.is_set()


async def test_the_newest_wins() -> None:
    scheduler: Scheduler[str] = Scheduler()
    first, second, third = Work("first"), Work("second"), Work("third")
    one = scheduler.submit("k", first)
    await asyncio.sleep(0)
    two = scheduler.submit("k", second)
    three = scheduler.submit("k", third)
    assert first.was_told_to_stop
    assert two.cancelled()
    assert scheduler.is_overtaken("k")
    await asyncio.sleep(0)
    assert third.cancel is None
    first.go_on.set()
    assert await one == "first"
    third.go_on.set()
    assert await three == "third"
    assert second.cancel is None
    await asyncio.sleep(0)
    assert not scheduler.is_running("k")


async def test_keys_do_not_wait_for_each_other() -> None:
    scheduler: Scheduler[str] = Scheduler()
    slow, quick = Work("slow"), Work("quick")
    waiting = scheduler.submit("a", slow)
    quick.go_on.set()
    assert await scheduler.submit("b", quick) == "quick"
    assert not waiting.done()
    await scheduler.close()


async def test_what_fails_is_told_and_the_next_begins() -> None:
    scheduler: Scheduler[str] = Scheduler()

    async def fail(_: asyncio.Event) -> str:
        raise ValueError("no")

    failing = scheduler.submit("k", fail)
    following = Work("following")
    following.go_on.set()
    after = scheduler.submit("k", following)
    with pytest.raises(ValueError, match="no"):
        await failing
    assert await after == "following"


async def test_cancelling_stops_what_runs_and_forgets_what_waits() -> None:
    scheduler: Scheduler[str] = Scheduler()
    running, waiting = Work("running"), Work("waiting")
    one = scheduler.submit("k", running)
    await asyncio.sleep(0)
    two = scheduler.submit("k", waiting)
    scheduler.cancel("k")
    assert running.was_told_to_stop
    assert two.cancelled()
    running.go_on.set()
    assert await one == "running"


async def test_after_the_end_nothing_begins() -> None:
    scheduler: Scheduler[str] = Scheduler()
    running = Work("running")
    one = scheduler.submit("k", running)
    await asyncio.sleep(0)
    await scheduler.close()
    assert one.cancelled()
    assert scheduler.submit("k", Work("late")).cancelled()
