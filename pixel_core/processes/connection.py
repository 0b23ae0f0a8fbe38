"""The parent's end of one child: its pipes, its end, and what it wrote to standard error."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

from pixel_core.processes.exits import ChildExit, ExitReason, reason_of_exit
from pixel_core.processes.frames import Envelope, FrameDecoder, FrameError
from pixel_core.processes.launcher import Launch

_STDERR = 2
_STDERR_KEPT_BYTES = 16_384
_PIPES_LINGER_S = 0.2


class Connection(asyncio.SubprocessProtocol):
    """One running child.

    Attributes:
        messages: What it sent, in order; None once it has ended.
        protocol_problem: What was wrong with its frames, or None.
        is_fresh: Whether it was started for the request at hand, and has not been idle yet.
    """

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Envelope | None] = asyncio.Queue()
        self.protocol_problem: str | None = None
        self.is_fresh = True
        self._decoder = FrameDecoder()
        self._stderr = bytearray()
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended = asyncio.Event()
        self._wish: ExitReason | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The child has started."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Standard output holds frames, standard error whatever it likes."""
        if fd == _STDERR:
            self._stderr += data
            del self._stderr[:-_STDERR_KEPT_BYTES]
            return
        if self.protocol_problem is not None:
            return
        try:
            for envelope in self._decoder.feed(data):
                self.messages.put_nowait(envelope)
        except FrameError as problem:
            self.refuse(str(problem))

    def process_exited(self) -> None:
        """The child has ended; what it sent before may still be in the pipes, and a grandchild may hold them open."""
        asyncio.get_running_loop().call_later(_PIPES_LINGER_S, self._close_pipes)

    def connection_lost(self, exc: Exception | None) -> None:
        """The child has ended and its pipes are drained."""
        del exc
        self._close_pipes()
        self.messages.put_nowait(None)
        self._ended.set()

    @property
    def is_alive(self) -> bool:
        """Whether it can be sent something."""
        return self._transport is not None and self._transport.get_returncode() is None and self.protocol_problem is None

    @property
    def process_id(self) -> int | None:
        """Its process id."""
        return None if self._transport is None else self._transport.get_pid()

    def send(self, frame: bytes) -> None:
        """Write a frame; a child that is gone is noticed by `messages`."""
        pipe = None if self._transport is None else self._transport.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(frame)

    def refuse(self, problem: str) -> None:
        """Take nothing more from a child that does not speak the protocol, and end it."""
        self.protocol_problem = problem
        self.messages.put_nowait(None)
        self.kill()

    def kill(self) -> None:
        """End the child and everything it started, at once."""
        if self._transport is None or self._transport.get_returncode() is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._transport.kill()
            else:
                # The child leads a process group of its own, so that what it started goes with it.
                os.killpg(self._transport.get_pid(), signal.SIGKILL)

    async def close(self, grace_s: float) -> None:
        """Ask the child to end by closing its standard input, and kill it when it has not ended after the grace."""
        pipe = None if self._transport is None else self._transport.get_pipe_transport(0)
        if pipe is not None:
            pipe.close()
        if grace_s > 0:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended.wait(), grace_s)
        self.kill()
        await self._ended.wait()

    def exit(self, reason: ExitReason | None = None) -> ChildExit:
        """How it ended, or that it was told to stop for a reason."""
        tail = self._stderr.decode("utf-8", "replace")
        code = None if self._transport is None else self._transport.get_returncode()
        if self.protocol_problem is not None:
            return ChildExit(reason="protocol", exit_code=code, stderr_tail=f"{tail}{self.protocol_problem}\n")
        return ChildExit(reason=reason or reason_of_exit(code, tail), exit_code=code, stderr_tail=tail)

    def _close_pipes(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(launch: Launch) -> Connection:
    """Start a child.

    Raises:
        OSError: The program is not there or cannot be started.
    """
    command = [part.replace("{parent}", str(os.getpid())) for part in launch.command]
    _, connection = await asyncio.get_running_loop().subprocess_exec(
        Connection,
        *command,
        env=dict(launch.environment),
        cwd=launch.folder,
        start_new_session=True,
    )
    return connection
