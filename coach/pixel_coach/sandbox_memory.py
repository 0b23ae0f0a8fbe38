"""Watching what a tree of processes holds in memory: limits of single processes do not add up to one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

_INTERVAL_S: Final = 0.1
_FREE_PROCESSES: Final = 1000


async def watch_memory(root: int, limit: int) -> None:
    """Return when the processes below one hold more than `limit` bytes in memory together; else never.

    Args:
        root: Process at the top; it counts too.
        limit: In bytes. Pages that several processes share count once for each.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        await asyncio.sleep(_INTERVAL_S)
        if sum(_resident_pages(process) for process in process_tree(root)) * page > limit:
            return


def process_tree(root: int) -> list[int]:
    """A process and those below it, itself first. Of more than a thousand some are left out."""
    found = [root]
    for process in found:  # grows while it is read
        if len(found) > _FREE_PROCESSES:
            break
        found += _children(process)
    return found


def _children(process: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            children += [int(child) for child in (thread / "children").read_text().split()]
    except (OSError, ValueError):
        pass  # It has ended.
    return children


def _resident_pages(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
