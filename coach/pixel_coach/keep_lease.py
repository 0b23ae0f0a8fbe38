"""Working while a lease lasts: it is renewed in the background, and work ends when it is lost, when time is up, or on a signal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from pixel_coach.errors import LeaseLost, QueueError
from pixel_coach.store import Lease, Store

LEASE_S: Final = 120.0
"""How long a coach that vanishes keeps its task from others."""

Result = TypeVar("Result")


class Stopped(Exception):  # noqa: N818 - what happened, not an error
    """The work was withdrawn: somebody asked to stop."""


class OutOfTime(Exception):  # noqa: N818
    """The work was withdrawn: its wall time is over."""


async def work_under_lease(
    work: Coroutine[Any, Any, Result], store: Store, lease: Lease, stop: asyncio.Event, *, seconds: float, lease_s: float = LEASE_S
) -> Result:
    """Await some work while the lease is kept.

    Whatever ends it, the work has ended (cancelled, its sockets and children closed) when this returns.

    Raises:
        LeaseLost: The task is another's by now.
        QueueError: The lease could not be prolonged for as long as it lasts.
        Stopped: `stop` was set.
        OutOfTime: `seconds` of wall time are over.
    """
    working = asyncio.ensure_future(work)
    keeping = asyncio.ensure_future(_keep(store, lease, lease_s))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, keeping, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if keeping.done():
            await keeping  # raises what ended it
        raise Stopped if stopping.done() else OutOfTime
    finally:
        for future in (working, keeping, stopping):
            future.cancel()
        await asyncio.gather(working, keeping, stopping, return_exceptions=True)


async def _keep(store: Store, lease: Lease, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    renewed = loop.time()
    while True:
        await asyncio.sleep(seconds / 3)
        while not _is_renewed(store, lease, seconds, is_last_try=loop.time() - renewed > seconds):
            await asyncio.sleep(seconds / 12)
        renewed = loop.time()


def _is_renewed(store: Store, lease: Lease, seconds: float, *, is_last_try: bool) -> bool:
    """Whether the lease was prolonged. Until it ends, a queue that is busy or whose disk is full for a moment costs no work."""
    try:
        store.renew(lease, seconds)
    except LeaseLost:
        raise
    except QueueError:
        if is_last_try:
            raise
        return False
    return True
