"""One run of the coach in a process of its own: started, listened to, stopped, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from pixel_coach.events import Event, decode
from pixel_core.processes.launcher import module_command

GRACE_S: Final = 8.0
"""After SIGTERM the coach ends its model's reply and its workers and gives the task back; then its whole group is killed."""

_MAX_LINE_BYTES: Final = 64 << 20
_TAIL_BYTES: Final = 4_000


class ProcessEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended.

    Attributes:
        process: Its number while it ran; the owner of its lease names it.
        code: Exit code; negative for a signal.
        complaint: The last lines of its standard error.
    """

    process: int
    code: int
    complaint: str


async def run_coach(arguments: Sequence[str], tell: Callable[[Event], None], stop: asyncio.Event) -> ProcessEnd:
    """Run `pixel-lsp coach … --format jsonl` to its end.

    Args:
        arguments: After `coach`.
        tell: Called with every event.
        stop: Set to end the run in peace.

    Raises:
        OSError: It cannot be started.
    """
    child = await asyncio.create_subprocess_exec(
        *module_command("pixel_server.coach_child"),
        *arguments,
        "--format",
        "jsonl",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Whatever lies in the workspace must not be imported instead of a library.
        cwd=tempfile.gettempdir(),
        limit=_MAX_LINE_BYTES,
        # A session on POSIX, a group on Windows: what a terminal's Ctrl-C reaches is the editor, and the whole family can be killed.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    assert child.stdout is not None
    assert child.stderr is not None
    listening = asyncio.ensure_future(_listen(child.stdout, tell))
    complaining = asyncio.ensure_future(_tail(child.stderr))
    ending = asyncio.ensure_future(child.wait())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await _end_in_peace(child, ending)
        # Grandchildren may hold the pipes of a child that was killed.
        await asyncio.wait({listening, complaining}, timeout=1.0)
        complaint = complaining.result() if complaining.done() else ""
        return ProcessEnd(process=child.pid, code=child.returncode or 0, complaint=complaint)
    finally:
        _kill_group(child)
        for task in (listening, complaining, stopping):
            task.cancel()
        await asyncio.gather(listening, complaining, stopping, ending, return_exceptions=True)


async def _end_in_peace(child: asyncio.subprocess.Process, ending: asyncio.Future[int]) -> None:
    """Ask a run to end, and kill it when it does not."""
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            assert child.stdin is not None
            child.stdin.close()
        else:
            child.send_signal(signal.SIGTERM)
    done, _ = await asyncio.wait({ending}, timeout=GRACE_S)
    if not done:
        _kill_group(child)
        await asyncio.wait({ending})


def _kill_group(child: asyncio.subprocess.Process) -> None:
    """Kill whatever is left of a run."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)


async def _listen(stream: asyncio.StreamReader, tell: Callable[[Event], None]) -> None:
    while line := await stream.readline():
        with suppress(msgspec.DecodeError):  # a library that prints is no event
            tell(decode(line))


async def _tail(stream: asyncio.StreamReader) -> str:
    tail = b""
    while piece := await stream.read(_TAIL_BYTES):
        tail = (tail + piece)[-_TAIL_BYTES:]
    return tail.decode("utf-8", "replace").strip()
