"""Progress of a run of the coach: what it does now, in the editor's own progress where there is one, else as lines in its log."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from pixel_coach.attempts import CheckStatus, Evidence, Proof
from pixel_coach.events import (
    CandidateWritten,
    Event,
    EvidenceGathered,
    ReviewArrived,
    ReviewStarted,
    RoundStarted,
    RunStarted,
    TaskEnded,
    TextArrived,
)
from pixel_coach.store_leases import spoken
from pixel_coach.tasks import Task
from pixel_server.session import Session
from pixel_server.verdict_words import count

BYTES_PER_TOKEN: Final = 3.7
"""Of code, for a speed to look at; 3.3 to 4.1 were measured, and the estimate that budgets rest on is higher on purpose."""

REPORT_EVERY_S: Final = 0.25
"""Text arrives in many small pieces; nobody can read more reports than this."""


@final
class CoachWords:
    """Says, event by event, what a run is doing.

    Args:
        clock: Seconds, for the speed of arriving text.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._generator = "the generator"
        self._round = ""
        self._bytes = 0
        self._since = 0.0

    def after(self, event: Event) -> str | None:
        """What to show after an event; None when nothing else is to be shown than before."""
        match event:
            case RunStarted():
                if event.generator is not None:
                    self._generator = f"{event.generator.agent} {event.generator.model}".strip()
                return f"mode: {event.mode}"
            case RoundStarted():
                each = f", {count(event.candidates, 'candidate')}" if event.candidates > 1 else ""
                self._round = f"round {event.round} of {event.rounds}{each}"
                self._restart()
                return f"{self._round}: {self._generator} writes"
            case TextArrived():
                return self._arrived(event)
            case CandidateWritten():
                self._restart()
                if event.problem:
                    return f"{self._round}: no usable text: {event.problem}"
                return f"{self._round}: {count(event.characters, 'character')} written, running it"
            case EvidenceGathered():
                return f"{self._round}: {said_evidence(event.evidence)}"
            case ReviewStarted():
                self._restart()
                return f"{self._round}: {event.reviewer} reviews"
            case ReviewArrived():
                if event.review is not None and event.review.is_model:
                    return f"{self._round}: scored {event.review.score}/10"
                return f"{self._round}: unreviewed: {event.unavailable.reason}" if event.unavailable is not None else None
            case TaskEnded():
                return f"{spoken(event.state)}: {event.reason}" if event.reason else spoken(event.state)
            case _:
                return None

    def _arrived(self, event: TextArrived) -> str:
        self._bytes += len(event.text.encode("utf-8", "surrogatepass"))
        tokens = round(self._bytes / BYTES_PER_TOKEN)
        seconds = self._clock() - self._since
        speed = f"{tokens / seconds:.0f} tokens/s, " if seconds > 0.5 else ""
        who = "" if event.source == "generator" else "the reviewer writes, "
        # Status lines are short: what changes comes first.
        return f"{self._round}: {who}{speed}about {count(tokens, 'token')}"

    def _restart(self) -> None:
        self._bytes, self._since = 0, self._clock()


def said_evidence(evidence: Evidence) -> str:
    """What was executed came to, in a few words."""
    wanted = {
        Proof.REFUTED: CheckStatus.FAILED,
        Proof.UNPROVED: CheckStatus.ABSENT,
        Proof.NOT_VALIDATED: CheckStatus.UNAVAILABLE,
    }.get(evidence.proof)
    why = next((check.summary for check in evidence.checks if check.status is wanted), "")
    said = evidence.proof.value.replace("_", " ")
    return f"{said}: {why}" if why else said


@final
class CoachProgress:
    """Shows runs of the coach.

    Args:
        server: Speaks LSP.
        session: Knows what the client can do.
    """

    def __init__(self, server: LanguageServer, session: Session) -> None:
        self._server = server
        self._session = session
        self._numbers = itertools.count(1)

    def begin(self, task: Task, cancel: Callable[[], None]) -> ShownRun:
        """Show a run. An editor that is slow to agree to a progress bar does not hold it up.

        Args:
            task: What is worked on.
            cancel: Called when the user cancels.
        """
        shown = ShownRun(self._server, f"Coach: task {task.number}", f"pixel-lsp/coach/{next(self._numbers)}")
        if self._session.client.progress:
            shown.begin(cancel)
        return shown


@final
class ShownRun:
    """One run as the editor shows it."""

    def __init__(self, server: LanguageServer, title: str, token: str) -> None:
        self._server = server
        self._title = title
        self._token = token
        self._words = CoachWords()
        self._asking: asyncio.Task[None] | None = None
        self._is_shown = False
        self._said = ""
        self._reported_at = 0.0

    def begin(self, cancel: Callable[[], None]) -> None:
        """Ask the editor for a progress bar; without one, what happens is logged."""
        self._asking = asyncio.ensure_future(self._ask(cancel))

    def tell(self, event: Event) -> None:
        """Show what happened."""
        said = self._words.after(event)
        if said is None:
            return
        is_text = isinstance(event, TextArrived)
        now = asyncio.get_running_loop().time()
        if self._asking is None and not is_text:
            self._server.window_log_message(types.LogMessageParams(type=types.MessageType.Info, message=f"{self._title}: {said}"))
        elif self._is_shown and not (is_text and now - self._reported_at < REPORT_EVERY_S):
            self._reported_at = now
            self._server.work_done_progress.report(self._token, types.WorkDoneProgressReport(message=said))
        if not is_text:
            self._said = said

    def end(self) -> None:
        """Take the progress away; its last words are what the run came to."""
        if self._asking is not None:
            self._asking.cancel()
        if self._is_shown:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=self._said or None))
        self._server.work_done_progress.tokens.pop(self._token, None)

    async def _ask(self, cancel: Callable[[], None]) -> None:
        progress = self._server.work_done_progress
        try:
            await progress.create_async(self._token)
        except JsonRpcException:
            self._asking = None
            return
        message = self._said or "starting"
        progress.begin(self._token, types.WorkDoneProgressBegin(title=self._title, cancellable=True, message=message))

        def cancelled(future: Future[Any]) -> None:
            if future.cancelled():
                cancel()

        progress.tokens[self._token].add_done_callback(cancelled)
        self._is_shown = True
