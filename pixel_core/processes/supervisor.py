"""One child that answers requests, and a prewarmed spare that takes over when the child has to be killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from pixel_core.processes.connection import Connection, connect
from pixel_core.processes.exits import ChildExit, ExitReason
from pixel_core.processes.frames import Envelope, FrameError, encode_frame
from pixel_core.processes.launcher import Launch

Reply = TypeVar("Reply")

_CANCEL_GRACE_S = 0.3
_CLOSE_GRACE_S = 1.0
_SPARE_DELAY_S = 1.5


class Supervisor:
    """Starts a child when it is first needed, sends it one request at a time, and replaces it when it fails.

    Use it from one event loop. Whatever the child does, a request ends in its reply or in a `ChildExit`.

    Args:
        launch: How the child is started.
        keep_spare: Start a second child, so that a kill costs no cold start: once nothing was asked for `spare_delay_s`, or a request has
            taken so long that it may have to be killed. What is over sooner needs no spare, and it would take the processor from it.
        spare_delay_s: See above.
        cancel_grace_s: Seconds that a child has to answer after it was told to stop, before it is killed.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        keep_spare: bool = True,
        spare_delay_s: float = _SPARE_DELAY_S,
        cancel_grace_s: float = _CANCEL_GRACE_S,
    ) -> None:
        self._launch = launch
        self._keep_spare = keep_spare
        self._spare_delay_s = spare_delay_s
        self._spare_timer: asyncio.TimerHandle | None = None
        self._has_answered = False
        self._cancel_grace_s = cancel_grace_s
        self._current: Connection | None = None
        self._spare: asyncio.Task[Connection] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._last_id = 0
        self._is_closed = False

    @property
    def process_id(self) -> int | None:
        """Process id of the child that would answer the next request, if it runs."""
        return self._current.process_id if self._current is not None and self._current.is_alive else None

    async def request(
        self,
        message: object,
        reply_type: type[Reply],
        *,
        timeout_s: float,
        on_event: Callable[[bytes], None] | None = None,
        cancel: asyncio.Event | None = None,
    ) -> Reply | ChildExit:
        """Send a request and wait for its reply.

        Args:
            message: Anything msgspec writes as JSON.
            reply_type: What the reply is decoded to.
            timeout_s: Wall seconds for the child; waiting for an earlier request does not count, its start does.
            on_event: Called with the JSON of each event before the reply.
            cancel: Set by the caller to withdraw the request.

        Returns:
            The reply, or how the child ended. A request that was told to stop gives a `ChildExit`, even when the child lives on because it
            answered within the grace.
        """
        async with self._one_at_a_time:
            if cancel is not None and cancel.is_set():
                return ChildExit(reason="cancelled", exit_code=None, stderr_tail="")
            try:
                exchange = await self._exchange(message, timeout_s, on_event, cancel)
                while exchange.was_never_read and not exchange.connection.is_fresh:
                    # It had ended while it was idle, and nobody had noticed yet; so may have the spare.
                    exchange = await self._exchange(message, timeout_s, on_event, cancel)
            except OSError as problem:
                return ChildExit(reason="crashed", exit_code=None, stderr_tail=f"{self._launch.command[0]}: {problem}\n")
            outcome, connection = exchange.outcome, exchange.connection
            if isinstance(outcome, ChildExit):
                return outcome
            try:
                reply = msgspec.json.decode(outcome.body, type=reply_type)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
                connection.refuse(f"the reply is not what was asked for: {problem}")
                await self._retire(connection)
                return connection.exit()
            self._has_answered = True
            self._want_spare()
            return reply

    async def _exchange(
        self, message: object, timeout_s: float, on_event: Callable[[bytes], None] | None, cancel: asyncio.Event | None
    ) -> _Exchange:
        connection = await self._running_child()
        self._last_id += 1
        self._want_spare()
        exchange = _Exchange(connection, self._last_id, on_event, self._cancel_grace_s)
        try:
            await exchange.run(message, timeout_s, cancel)
        finally:
            # Also where the caller was cancelled meanwhile: a child that did not answer must not go on computing for nobody.
            if not (exchange.was_answered and connection.is_alive):
                await self._retire(connection)
        return exchange

    async def close(self) -> None:
        """End the child and the spare; both are gone afterwards. A request that is under way ends in a `ChildExit`."""
        self._is_closed = True
        if self._spare_timer is not None:
            self._spare_timer.cancel()
        connections = [] if self._current is None else [self._current]
        if self._spare is not None:
            spare, self._spare = self._spare, None
            connections += [outcome for outcome in await asyncio.gather(spare, return_exceptions=True) if isinstance(outcome, Connection)]
        await asyncio.gather(*(connection.close(_CLOSE_GRACE_S) for connection in connections))

    def _want_spare(self) -> None:
        """Start the clock anew."""
        if self._spare_timer is not None:
            self._spare_timer.cancel()
        # Before its first reply it is not known whether a child is of any use.
        if self._keep_spare and self._has_answered and self._spare is None:
            self._spare_timer = asyncio.get_running_loop().call_later(self._spare_delay_s, self._start_spare)

    def _start_spare(self) -> None:
        if self._spare is None and not self._is_closed:
            self._spare = asyncio.ensure_future(connect(self._launch))

    async def _running_child(self) -> Connection:
        if self._is_closed:
            raise OSError("this supervisor is closed")
        if self._current is not None:
            self._current.is_fresh = False
            if not self._current.is_alive:
                await self._retire(self._current)
        if self._current is None and self._spare is not None:
            spare, self._spare = self._spare, None
            connection = await spare
            if connection.is_alive:
                connection.is_fresh = False
                self._current = connection
            else:
                await connection.close(0)
        if self._current is None:
            self._current = await connect(self._launch)
        if self._is_closed:
            await self._retire(self._current)
            raise OSError("this supervisor was closed")
        return self._current

    async def _retire(self, connection: Connection) -> None:
        if self._current is connection:
            self._current = None
        await connection.close(0)


class _Exchange:
    """One request and its reply.

    Attributes:
        connection: The child that was asked.
        outcome: Its reply, or how it ended; set by `run`.
        was_answered: Whether it replied, be it in vain; then it can be asked again.
    """

    def __init__(self, connection: Connection, number: int, on_event: Callable[[bytes], None] | None, grace_s: float) -> None:
        self.connection = connection
        self.outcome: Envelope | ChildExit = ChildExit(reason="cancelled", exit_code=None, stderr_tail="")
        self.was_answered = False
        self._was_received = False
        self._number = number
        self._on_event = on_event
        self._grace_s = grace_s

    @property
    def was_never_read(self) -> bool:
        """Whether the child ended of itself, before it saw the request."""
        return not self._was_received and isinstance(self.outcome, ChildExit) and self.outcome.reason in ("killed", "crashed", "memory")

    async def run(self, message: object, timeout_s: float, cancel: asyncio.Event | None) -> None:
        """Send the request; wait for the reply, the deadline, the withdrawal or the end of the child."""
        try:
            frame = encode_frame(self._number, "request", message)
        except FrameError as problem:
            self.was_answered = True
            self.outcome = ChildExit(reason="protocol", exit_code=None, stderr_tail=f"the request was not sent: {problem}\n")
            return
        self.connection.send(frame)
        reply = asyncio.ensure_future(self._reply())
        withdrawal = None if cancel is None else asyncio.ensure_future(cancel.wait())
        try:
            await asyncio.wait(
                {reply} if withdrawal is None else {reply, withdrawal}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if reply.done():
                self.outcome = reply.result() or self.connection.exit()
            else:
                self.outcome = await self._stop(reply, "cancelled" if withdrawal is not None and withdrawal.done() else "timeout")
        except asyncio.CancelledError:
            await self._stop(reply, "cancelled")
            raise
        finally:
            for task in (reply, withdrawal):
                if task is not None:
                    task.cancel()

    async def _stop(self, reply: asyncio.Task[Envelope | None], reason: ExitReason) -> ChildExit:
        self.connection.send(encode_frame(self._number, "cancel"))
        await asyncio.wait({reply}, timeout=self._grace_s)
        if not reply.done() or reply.result() is None:
            await self.connection.close(0)
        return self.connection.exit(reason)

    async def _reply(self) -> Envelope | None:
        while (envelope := await self.connection.messages.get()) is not None:
            # An event of a withdrawn request may still be in the pipe.
            if envelope.id != self._number:
                continue
            if envelope.kind == "received":
                self._was_received = True
            elif envelope.kind == "reply":
                self.was_answered = True
                return envelope
            elif envelope.kind == "event" and self._on_event is not None:
                self._on_event(bytes(envelope.body))
        return None
