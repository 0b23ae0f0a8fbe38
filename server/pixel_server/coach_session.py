"""What an editor's session knows of the coach: for each open document the tasks about it, as the queue had them at the last look.

Features get a `CoachView`, which is frozen. The queue may change under it at any time; whatever is done is checked by the queue again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

import msgspec

from pixel_coach.accept import best_attempt
from pixel_coach.apply import read_base
from pixel_coach.attempts import Attempt, CheckStatus, Proof
from pixel_coach.errors import CoachError
from pixel_coach.hunks import Hunk, hunks
from pixel_coach.store import Store
from pixel_coach.tasks import State, Task
from pixel_core.kernels.workspace_files import project_root
from pixel_server.coach_store import CoachStore
from pixel_server.features.coach_hunks import MARK, PlacedHunk, place_hunks
from pixel_server.session import Document, Session

POLL_S: Final = 1.0
"""How often the queue is asked whether anything changed, which costs a read of one row; only while a document is open."""

PATIENCE_S: Final = 0.2
"""How long an answer waits for the queue; after that it is given from the last look."""

OPEN: Final = (State.PENDING, State.IN_PROGRESS, State.IN_REVIEW, State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN, State.FAILED, State.BLOCKED)
"""The states of tasks that still ask for something."""

ACCEPTABLE: Final = frozenset({State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN})

_MOST_OPEN: Final = 50
_MOST_DONE: Final = 10
_LOG: Final = logging.getLogger(__name__)


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """A task about a document.

    Attributes:
        task: As it was.
        attempt: The one that is kept; None without one.
        base: What the attempt was made from; None while that is not known, since the file has become another.
        changes: The hunks of the attempt; empty without a base.
        rejected: Numbers of the hunks that the user left out.
        refusal: Why the attempt cannot be accepted; empty when it can.
    """

    task: Task
    attempt: Attempt | None
    base: str | None = None
    changes: tuple[Hunk, ...] = ()
    rejected: frozenset[int] = frozenset()
    refusal: str = ""

    def placed(self, text: str) -> tuple[PlacedHunk, ...] | None:
        """The hunks in a text; None where they do not belong to it."""
        if self.base is None or self.attempt is None or self.attempt.patch is None:
            return None
        return place_hunks(self.base, self.changes, text)

    def undecided(self, placed: Sequence[PlacedHunk]) -> tuple[PlacedHunk, ...]:
        """The hunks that are neither taken nor left out."""
        return tuple(one for one in placed if not one.is_taken and one.hunk.number not in self.rejected)


class CoachView(msgspec.Struct, frozen=True, kw_only=True):
    """What the queue says of one document.

    Attributes:
        version: Of the queue.
        open: Tasks that still ask for something, in the order in which they are handed out.
        done: The latest ones that are completed, newest first.
        dismissed: Fingerprints of the review findings that are not to be shown.
    """

    version: int = -1
    open: tuple[TaskView, ...] = ()
    done: tuple[TaskView, ...] = ()
    dismissed: frozenset[str] = frozenset()

    def task(self, number: int) -> TaskView | None:
        """One of the tasks."""
        return next((view for view in (*self.open, *self.done) if view.task.number == number), None)


class _Memory(msgspec.Struct):
    """What of a session the queue does not keep."""

    bases: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    rejected: dict[int, frozenset[int]] = msgspec.field(default_factory=dict[int, frozenset[int]])


@final
class CoachSession:
    """The tasks about what is open.

    Args:
        session: The documents.
        store: The queue.
        on_change: Called with the URIs of documents about which the queue says something new.
    """

    def __init__(self, session: Session, store: CoachStore, on_change: Callable[[Sequence[str]], None]) -> None:
        self.store = store
        self._session = session
        self._on_change = on_change
        self._views: dict[str, CoachView] = {}
        self._memory = _Memory()
        self._looking: asyncio.Task[None] | None = None
        self._is_stale = False
        self._polling: asyncio.Task[None] | None = None
        self._last_problem = ""

    def view(self, uri: str) -> CoachView:
        """What is known of a document, at once."""
        return self._views.get(uri, _NOTHING)

    async def patient_view(self, uri: str) -> CoachView:
        """What is known of a document, after waiting a moment for the first look at it."""
        if uri not in self._views:
            looking = self.look()
            await asyncio.wait({looking}, timeout=PATIENCE_S)
        return self.view(uri)

    def look(self) -> asyncio.Task[None]:
        """Look at the queue now; when a look is under way, once more after it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_until_settled())
        else:
            self._is_stale = True
        if self._polling is None and self._session.documents:
            self._polling = asyncio.ensure_future(self._poll())
        return self._looking

    def task(self, number: int) -> tuple[Document, TaskView] | None:
        """A task about an open document, and that document."""
        for uri, view in self._views.items():
            found, document = view.task(number), self._session.documents.get(uri)
            if found is not None and document is not None:
                return document, found
        return None

    async def change(self, work: Callable[[Store], Task]) -> dict[str, Any]:
        """Change a task, look again, and answer which it is and where it stands.

        Raises:
            CoachError: The queue refuses, or a file may not be written.
            OSError: A file cannot be written.
        """
        task = await self.store.change(work)
        await self.look()
        return {"task": task.number, "state": task.state.value}

    def leave_out(self, attempt: int, numbers: frozenset[int]) -> None:
        """Remember that the user does not want some hunks of an attempt."""
        self._memory.rejected[attempt] = self._memory.rejected.get(attempt, frozenset()) | numbers

    def workspaces_of(self, path: Path) -> tuple[Path, ...]:
        """The folders whose queue may hold tasks about a file: the one that new tasks are added to comes first."""
        folders = [folder for folder in self._session.folders if path.is_relative_to(folder)]
        return tuple(dict.fromkeys((self._session.workspace_of(path), project_root(path.parent), *folders)))

    async def close(self) -> None:
        """Look no more."""
        tasks = [task for task in (self._polling, self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.store.close()

    async def _poll(self) -> None:
        """Look whenever the queue has changed, as long as anything is open."""
        while self._session.documents:
            await asyncio.sleep(POLL_S)
            try:
                version = await self.store.look(lambda store: store.version())
            except CoachError:
                continue
            if version is not None and any(view.version != version for view in self._views.values()):
                await self.look()
        self._polling = None

    async def _look_until_settled(self) -> None:
        while True:
            self._is_stale = False
            await self._look_once()
            if not self._is_stale:
                return

    async def _look_once(self) -> None:
        documents = [document for document in self._session.documents.values() if document.is_file]
        places = {document.uri: self._places(document.path) for document in documents}
        memory = self._memory
        for document in documents:
            text = document.content.text
            # A text that a candidate may have been made from; that it was, its hash says.
            memory.bases.update({_sha256(text): text, _sha256(MARK + text): MARK + text})

        def read(store: Store) -> Mapping[str, CoachView]:
            version = store.version()
            return {uri: _read_view(store, version, where, memory) for uri, where in places.items()}

        try:
            views = await self.store.look(read)
        except CoachError as problem:
            if problem.message != self._last_problem:
                _LOG.warning("the coach's queue cannot be read: %s", problem.message)
                self._last_problem = problem.message
            return
        before, self._views = self._views, dict(views or dict.fromkeys(places, _NOTHING))
        needed = {one.attempt.patch.base_sha256 for view in self._views.values() for one in view.open if one.attempt and one.attempt.patch}
        memory.bases = {sha256: text for sha256, text in memory.bases.items() if sha256 in needed}
        changed = [uri for uri, view in self._views.items() if _content(view) != _content(before.get(uri, _NOTHING))]
        if changed:
            self._on_change(changed)

    def _places(self, path: Path) -> tuple[tuple[Path, str], ...]:
        found = path.resolve()
        return tuple((root, found.relative_to(root).as_posix()) for root in self.workspaces_of(path) if found.is_relative_to(root))


_NOTHING: Final = CoachView()


def _content(view: CoachView) -> tuple[object, ...]:
    return (view.open, view.done, view.dismissed)


def _read_view(store: Store, version: int, places: Sequence[tuple[Path, str]], memory: _Memory) -> CoachView:
    """In the queue's thread."""
    opened: list[TaskView] = []
    done: list[TaskView] = []
    dismissed: frozenset[str] = frozenset()
    for workspace, target in places:
        tasks = store.tasks(workspace=workspace, target=target, states=OPEN, limit=_MOST_OPEN)
        opened += [_view_of(store, task, memory) for task in tasks]
        completed = store.tasks(workspace=workspace, target=target, states=(State.COMPLETED,))
        done += [_view_of(store, task, memory) for task in sorted(completed, key=lambda task: -task.updated_at)[:_MOST_DONE]]
        dismissed |= store.dismissed(workspace)
    return CoachView(version=version, open=tuple(opened), done=tuple(done), dismissed=dismissed)


def _view_of(store: Store, task: Task, memory: _Memory) -> TaskView:
    attempt = best_attempt(store.attempts(task.number))
    if attempt is None or attempt.patch is None or task.state not in ACCEPTABLE:
        return TaskView(task=task, attempt=attempt)
    patch = attempt.patch
    base = _base_of(task, patch.base_sha256, memory) if patch.path == task.target else None
    return TaskView(
        task=task,
        attempt=attempt,
        base=base,
        changes=hunks(base, patch.new_text) if base is not None else (),
        rejected=memory.rejected.get(attempt.number, frozenset()),
        refusal=_refusal(attempt),
    )


def _base_of(task: Task, sha256: str | None, memory: _Memory) -> str | None:
    if sha256 is None:
        return ""
    known = memory.bases.get(sha256)
    if known is not None:
        return known
    try:
        text, on_disk = read_base(task.workspace, task.target)
    except (CoachError, OSError):
        return None
    if text is None or on_disk != sha256:
        return None
    memory.bases[sha256] = text
    return text


def _refusal(attempt: Attempt) -> str:
    if attempt.evidence is None or attempt.evidence.proof is not Proof.REFUTED:
        return ""
    failed = next((check.summary for check in attempt.evidence.checks if check.status is CheckStatus.FAILED), "a check failed")
    return f"refuted: {failed}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def queue_of(environment: Mapping[str, str] = os.environ) -> CoachStore:
    """The user's queue."""
    from pixel_coach.store import queue_path

    return CoachStore(queue_path(environment))
