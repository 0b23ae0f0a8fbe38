"""Waits for what other processes and threads do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Ask again and again, off the event loop, until something holds."""
    for _ in range(int(seconds / 0.02)):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"did not come about within {seconds} s")
