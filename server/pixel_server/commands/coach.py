"""`pixel-lsp --coach`: work on queued tasks, and tell what happens as text, as JSON lines or as one JSON object."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import msgspec

from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import Event, Notice, RunEnded, RunStarted, TaskEnded, encode
from pixel_coach.read_settings import Overrides
from pixel_coach.settings import CoachSettings
from pixel_server.coach_queue import find_phase, find_workspace, settings_of
from pixel_server.exit_codes import FAILED_CODE, INTERRUPTED_CODE, NOTHING_CODE, PASSED_CODE, TERMINATED_CODE
from pixel_server.task_json import json_text
from pixel_server.terminal.live_coach import REACHED, LiveCoach
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console

Tell = Callable[[Event], None]

_CODES: Final = {signal.SIGINT: INTERRUPTED_CODE, signal.SIGTERM: TERMINATED_CODE}


class CoachCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        workspace: Root of the workspace; None is the current folder's project.
        phase: Only tasks of this phase.
        task: Only this task.
        max_tasks: Stop after so many; None for no limit.
        apply: Write what is proved and reviewed at 8 or more.
        form: `text`, `json` or `jsonl`.
        overrides: What flags say of the settings.
        color: False for none; True leaves it to the terminal.
    """

    workspace: str | None = None
    phase: str | None = None
    task: int | None = None
    max_tasks: int | None = None
    apply: bool = False
    form: str = "text"
    overrides: Overrides = msgspec.field(default_factory=Overrides)
    color: bool = True


def coach(command: CoachCommand) -> int:
    """Work on tasks until none is left, a limit is reached or a signal comes.

    Returns:
        The exit code: 0 when every task worked on is completed or awaits acceptance, 1 when some need a human or failed, 2 when nothing
        could be done, 130 and 143 after Ctrl-C and SIGTERM.

    Raises:
        PixelError: The settings are mistaken, the queue cannot be opened, or no model can be asked.
    """
    root = find_workspace(command.workspace)
    settings = settings_of(root, command.overrides)
    phase = find_phase(command.phase, settings)
    options = BatchOptions(workspace=root, phase=phase, task=command.task, max_tasks=command.max_tasks, apply=command.apply)
    account = _Account()
    with ExitStack() as stack:
        draw = stack.enter_context(_form(command, f"phase {phase} of {root}" if phase else str(root)))
        ended, received = asyncio.run(_until_stopped(options, settings, account, draw))
    if command.form == "json":
        sys.stdout.write(account.as_json())
    if account.has_lost_reader:
        raise BrokenPipeError
    if received is not None:
        return _CODES[received]
    return exit_code_of(ended)


def exit_code_of(ended: RunEnded) -> int:
    """What a run's end says to the shell."""
    if not ended.processed:
        return NOTHING_CODE
    return PASSED_CODE if all(state in REACHED for state, number in ended.by_state.items() if number) else FAILED_CODE


class _Account(msgspec.Struct):
    """What has been told, for the one JSON object at the end and for the exit code."""

    started: RunStarted | None = None
    tasks: list[TaskEnded] = msgspec.field(default_factory=list)
    notices: list[Notice] = msgspec.field(default_factory=list)
    ended: RunEnded | None = None
    has_lost_reader: bool = False

    def note(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.started = event
            case TaskEnded():
                self.tasks.append(event)
            case Notice():
                self.notices.append(event)
            case RunEnded():
                self.ended = event
            case _:
                pass

    def as_json(self) -> str:
        value: dict[str, Any] = {
            "started": self.started,
            "tasks": self.tasks,
            "notices": self.notices,
            "ended": self.ended,
        }
        return json_text(msgspec.to_builtins(value))


@contextmanager
def _form(command: CoachCommand, scope: str) -> Generator[Tell]:
    """How events are told while the block runs."""
    if command.form == "jsonl":
        yield _write_line
    elif command.form == "json":
        yield lambda _: None
    else:
        console = open_console(color=command.color)
        with LiveCoach(console, medium_of(console), scope) as live:
            yield live.tell


def _write_line(event: Event) -> None:
    sys.stdout.buffer.write(encode(event))
    sys.stdout.buffer.flush()


async def _until_stopped(
    options: BatchOptions, settings: CoachSettings, account: _Account, draw: Tell
) -> tuple[RunEnded, signal.Signals | None]:
    """Run the batch. The first signal lets it give its task back in peace, a second one cancels it."""
    stop = asyncio.Event()
    received: list[signal.Signals] = []

    def tell(event: Event) -> None:
        account.note(event)
        if account.has_lost_reader:
            return
        try:
            draw(event)
        except BrokenPipeError:
            # Nobody reads any more: end as after a signal, and say so when everything is given back.
            account.has_lost_reader = True
            stop.set()

    batch = asyncio.ensure_future(run_batch(options, settings, os.environ, tell, stop))

    def on_signal(which: signal.Signals) -> None:
        if received:
            batch.cancel()
        received.append(which)
        stop.set()

    with _signals(on_signal):
        try:
            ended = await batch
        except asyncio.CancelledError:
            if not received:
                raise
            ended = account.ended or RunEnded(reason="cancelled", processed=0, by_state={}, dollars=0.0, log="")
    return ended, received[0] if received else None


@contextmanager
def _signals(on_signal: Callable[[signal.Signals], None]) -> Generator[None]:
    """Call back in the event loop on Ctrl-C and SIGTERM while the block runs."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":

        def on_interrupt(_number: int, _frame: object) -> None:
            loop.call_soon_threadsafe(on_signal, signal.SIGINT)

        before = signal.signal(signal.SIGINT, on_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
        return
    for which in _CODES:
        loop.add_signal_handler(which, on_signal, which)
    try:
        yield
    finally:
        for which in _CODES:
            loop.remove_signal_handler(which)
