"""Sets an end to the wait for a whole reply."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from pixel_coach.errors import ReplyCut

T = TypeVar("T")


async def finish_within(seconds: float, work: Coroutine[Any, Any, T], service: str) -> T:
    """Await some work, and cancel it when it takes too long.

    Raises:
        ReplyCut: It took longer. The connection is closed by then.
    """
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:  # a class of its own before Python 3.11
        pass
    raise ReplyCut(
        f"{service} gave no whole reply within {seconds:g} s, and the request was ended",
        hint="raise `timeout_s` of the agent in coach.toml, or choose a smaller model",
    )
