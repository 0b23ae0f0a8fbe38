"""When Python looks for reference cycles: while the editor is quiet, and not in the middle of an answer."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Final

_LOOK_S: Final = 2.0

_QUIET_SHARE: Final = 0.05
"""Share of the processor below which nobody waits for anything."""

_MIN_WORK_S: Final = 0.5
_MAX_WORK_S: Final = 5.0
"""CPU seconds after which a collection is worth its time, and after which it must not wait any longer."""


async def collect_when_idle() -> None:
    """Take the collection of cycles over from Python until this task is cancelled.

    A syntax tree has no cycles and goes with its last reference, yet every tree of a long file makes Python look through all others,
    which stops every thread for a tenth of a second. What does have cycles is small: encoders of JSON, tracebacks, failed tasks.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        seen = collected = time.process_time()
        while True:
            await asyncio.sleep(_LOOK_S)
            now = time.process_time()
            if is_due(now - seen, now - collected):
                gc.collect()
                now = collected = time.process_time()
            seen = now
    finally:
        gc.enable()
        gc.unfreeze()


def is_due(lately_s: float, since_collection_s: float) -> bool:
    """Whether to collect now.

    Args:
        lately_s: CPU seconds that this process spent since the last look.
        since_collection_s: CPU seconds since the last collection.
    """
    is_quiet = lately_s < _LOOK_S * _QUIET_SHARE
    return since_collection_s > (_MIN_WORK_S if is_quiet else _MAX_WORK_S)
