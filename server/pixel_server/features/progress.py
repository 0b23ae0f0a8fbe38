"""Progress of a check: the editor's own where it has that, with a button that cancels; else a line in its log."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from pixel_core.kernels.validate import Progress as Step
from pixel_server.session import Session

DELAY_S: Final = 0.3
"""A check that is over sooner shows no progress: a bar that flashes tells nobody anything."""


class Progress:
    """Shows how far checks are.

    Args:
        server: Speaks LSP.
        session: Knows what the client can do.
    """

    def __init__(self, server: LanguageServer, session: Session) -> None:
        self._server = server
        self._session = session
        self._numbers = itertools.count(1)
        self._pending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def of_check(self, name: str, cancel: asyncio.Event) -> AsyncGenerator[Callable[[Step], None]]:
        """Show the progress of a check while the block runs.

        Args:
            name: What is checked.
            cancel: Set when the user cancels.

        Yields:
            What to call with every step.
        """
        shown = _Shown(self._server, self._session, f"pixel-lsp: {name}", f"pixel-lsp/check/{next(self._numbers)}", cancel)
        task = asyncio.ensure_future(shown.begin())
        try:
            yield shown.step
        finally:
            if not shown.is_asked_for:
                task.cancel()
            if task.done():
                shown.end(task)
            else:
                # An editor that is slow to agree to a progress bar does not hold up the verdict.
                self._pending.add(task)
                task.add_done_callback(self._pending.discard)
                task.add_done_callback(shown.end)


class _Shown:
    """The progress of one check."""

    def __init__(self, server: LanguageServer, session: Session, title: str, token: str, cancel: asyncio.Event) -> None:
        self._server = server
        self._session = session
        self._title = title
        self._token = token
        self._cancel = cancel
        self._last: Step | None = None
        self._is_shown = False
        self.is_asked_for = False

    async def begin(self) -> None:
        await asyncio.sleep(DELAY_S)
        if not self._session.client.progress:
            self._server.window_log_message(types.LogMessageParams(type=types.MessageType.Info, message=f"{self._title}: checking"))
            return
        self.is_asked_for = True
        progress = self._server.work_done_progress
        try:
            await progress.create_async(self._token)
        except JsonRpcException:
            return
        progress.begin(self._token, types.WorkDoneProgressBegin(title=self._title, cancellable=True, percentage=0))
        progress.tokens[self._token].add_done_callback(self._token_done)
        self._is_shown = True
        if self._last is not None:
            self.step(self._last)

    def _token_done(self, future: Future[Any]) -> None:
        if future.cancelled():
            self._cancel.set()

    def step(self, step: Step) -> None:
        self._last = step
        if self._is_shown:
            percentage = 100 * step.done // max(step.total, 1)
            message = f"{step.contract}, {step.case} ({step.done + 1} of {step.total})"
            self._server.work_done_progress.report(self._token, types.WorkDoneProgressReport(message=message, percentage=percentage))

    def end(self, _: object) -> None:
        if self._is_shown:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd())
        # pygls keeps the token of every progress otherwise.
        self._server.work_done_progress.tokens.pop(self._token, None)
