"""The coach's runs that this editor asked for: one at a time, each in a process of its own, shown and cancelled from here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol, final

import msgspec
from lsprotocol import types

from pixel_coach.decide import NOT_REVIEWED
from pixel_coach.errors import CoachError
from pixel_coach.events import Event, Notice, RunEnded, TaskEnded
from pixel_coach.store import Store
from pixel_coach.tasks import WORKING, Action, State, Task
from pixel_server.coach_process import GRACE_S, ProcessEnd, run_coach
from pixel_server.coach_store import CoachStore
from pixel_server.editor import Editor
from pixel_server.features.coach_progress import CoachProgress
from pixel_server.settings import Settings

END_S: Final = GRACE_S + 2.0
"""How long the end of the server waits for a run. Some editors kill a server that takes long; the run then ends by itself."""

STOPPED: Final = "stopped"
"""The reason of a run that was cancelled, as `loop.coach_task` gives it."""

_LOG: Final = logging.getLogger(__name__)


class OnEnded(Protocol):
    """What is called when a run has ended."""

    async def __call__(self, task: Task, ended: TaskEnded) -> None:
        """A task was worked on."""
        ...


class _Run(msgspec.Struct):
    task: Task
    stop: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    ended: TaskEnded | None = None
    complaints: list[str] = msgspec.field(default_factory=list[str])


@final
class CoachRuns:
    """Runs what is asked for, in order.

    Args:
        store: The queue, which is all that is shared with the coach.
        editor: Who is told.
        progress: How a run is shown.
        settings: Gives the editor's settings in force.
        on_ended: Told what a run came to.
    """

    def __init__(
        self, store: CoachStore, editor: Editor, progress: CoachProgress, settings: Callable[[], Settings], on_ended: OnEnded
    ) -> None:
        self._store = store
        self._editor = editor
        self._progress = progress
        self._settings = settings
        self._on_ended = on_ended
        self._waiting: list[_Run] = []
        self._running: _Run | None = None
        self._worker: asyncio.Task[None] | None = None
        self._is_closed = False

    def begin(self, task: Task) -> str:
        """Run a task now, or when those that were asked for before have ended. Answers `running`, or `waiting`."""
        if self._running is not None and self._running.task.number == task.number and not self._running.stop.is_set():
            return "running"
        is_busy = self._running is not None or bool(self._waiting)
        if not self._is_closed and all(run.task.number != task.number for run in self._waiting):
            self._waiting.append(_Run(task))
            if self._worker is None or self._worker.done():
                self._worker = asyncio.ensure_future(self._work())
        return "waiting" if is_busy else "running"

    @property
    def running(self) -> int | None:
        """Number of the task that runs; None when none does."""
        return None if self._running is None else self._running.task.number

    def cancel(self, number: int) -> bool:
        """Stop a task's run, or never begin it. Returns whether there was one."""
        waiting = [run for run in self._waiting if run.task.number == number]
        self._waiting = [run for run in self._waiting if run.task.number != number]
        if self._running is not None and self._running.task.number == number:
            self._running.stop.set()
            return True
        return bool(waiting)

    def has(self, number: int) -> bool:
        """Whether a task runs or waits here."""
        return any(run.task.number == number for run in (*self._waiting, self._running) if run is not None)

    async def close(self) -> None:
        """Stop what runs and begin nothing any more."""
        self._is_closed = True
        self._waiting.clear()
        if self._running is not None:
            self._running.stop.set()
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=END_S)
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            self._running = self._waiting.pop(0)
            try:
                await self._run(self._running)
            except Exception:  # noqa: BLE001 - a bug of ours costs one run, not those that wait
                _LOG.exception("the run of task %d failed", self._running.task.number)
                self._editor.show_message(types.MessageType.Error, f"the coach failed at task {self._running.task.number}; see the log")
            finally:
                self._running = None

    async def _run(self, run: _Run) -> None:
        shown = self._progress.begin(run.task, run.stop.set)

        def tell(event: Event) -> None:
            shown.tell(event)
            self._note(run, event)

        try:
            end = await run_coach(self._arguments(run.task), tell, run.stop)
        except OSError as problem:
            self._editor.show_message(types.MessageType.Error, f"the coach cannot be started: {problem.strerror or problem}")
            return
        finally:
            shown.end()
        if run.ended is not None:
            await self._on_ended(run.task, run.ended)
            return
        await self._give_back(run.task.number, end)
        if not run.stop.is_set():
            self._say_why_not(run, end)

    def _note(self, run: _Run, event: Event) -> None:
        match event:
            case TaskEnded():
                run.ended = event
            case Notice(level="warning"):
                run.complaints.append(f"{event.message} ({event.hint})" if event.hint else event.message)
            case RunEnded(processed=0):
                run.complaints.insert(0, event.reason)
            case _:
                pass

    def _say_why_not(self, run: _Run, end: ProcessEnd) -> None:
        """A run that worked on nothing: there is no model, the settings are mistaken, another coach has the task."""
        if end.complaint:
            self._editor.log(f"the coach ended with code {end.code}:\n{end.complaint}", types.MessageType.Warning)
        complaint = " ".join(end.complaint.removeprefix("pixel-lsp: ").split())
        said = "; ".join(dict.fromkeys(run.complaints)) or complaint or f"it ended with code {end.code}"
        self._editor.show_message(types.MessageType.Warning, f"the coach did not work on task {run.task.number}: {said}")

    async def _give_back(self, number: int, end: ProcessEnd) -> None:
        """Return the task of a run that crashed or had to be killed, unless somebody else has it by now."""

        def give_back(store: Store) -> None:
            lease = store.lease_of(number)
            if lease is not None and lease.owner.endswith(f"(process {end.process})") and lease.task.state in WORKING:
                store.change_state(number, State.PENDING, STOPPED)

        try:
            await self._store.change(give_back)
        except CoachError as problem:
            _LOG.warning("task %d was not given back: %s", number, problem.message)

    def _arguments(self, task: Task) -> list[str]:
        settings, defaults = self._settings(), Settings()
        arguments = ["--workspace", str(task.workspace), "--task", str(task.number)]
        if settings.engine != defaults.engine:
            arguments += ["--engine", settings.engine]
        if settings.python is not None:
            arguments += ["--python", str(settings.python)]
        return arguments


def said_ending(task: Task, ended: TaskEnded) -> str | None:
    """What the user is told of a run that ended; None for what is no matter for a person."""
    name = f"task {task.number} '{task.title}'"
    if task.action is Action.REVIEW and ended.state in {State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN}:
        return f"{task.target} is {ended.reason}" if ended.reason.startswith(NOT_REVIEWED) else f"{task.target} is reviewed: {ended.reason}"
    match ended.state:
        case State.AWAITING_ACCEPTANCE:
            return f"{name} awaits your acceptance: {ended.reason}"
        case State.NEEDS_HUMAN:
            return f"{name} needs you: {ended.reason}"
        case State.FAILED | State.BLOCKED:
            return f"{name} is {ended.state.value}: {ended.reason}"
        case State.PENDING if ended.reason != STOPPED:
            return f"{name} went back to the queue: {ended.reason}"
        case _:
            return None
