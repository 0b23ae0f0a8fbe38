"""`pixel-lsp retry`, `pause`, `resume` and `cancel`: a person moves tasks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pixel_coach.errors import QueueError
from pixel_coach.store import Store
from pixel_coach.tasks import State, Task
from pixel_server.coach_queue import open_queue
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.task_json import json_text

Move = Callable[[Store, int, str], Task]

_MOVES: Final[Mapping[str, tuple[Move, str]]] = {
    "retry": (lambda store, number, reason: store.change_state(number, State.PENDING, reason), "is pending again"),
    "cancel": (lambda store, number, reason: store.change_state(number, State.CANCELLED, reason), "is cancelled"),
    "pause": (lambda store, number, _: store.pause(number), "is paused"),
    "resume": (lambda store, number, _: store.resume(number), "can be taken again"),
}


def move_tasks(verb: str, numbers: Sequence[int], *, reason: str = "", as_json: bool = False) -> int:
    """Move each task, and go on after one that cannot be moved.

    Args:
        verb: `retry`, `pause`, `resume` or `cancel`.
        numbers: Of the tasks.
        reason: Why; kept with a cancelled task.
        as_json: JSON on standard output instead of sentences.

    Returns:
        The exit code: 1 when one could not be moved.

    Raises:
        QueueError: The queue cannot be opened.
    """
    move, said = _MOVES[verb]
    moved: list[Task] = []
    problems: list[tuple[int, QueueError]] = []
    with open_queue() as store:
        for number in numbers:
            outcome = _try(move, store, number, reason)
            if isinstance(outcome, QueueError):
                problems.append((number, outcome))
            else:
                moved.append(outcome)
    if as_json:
        errors = [{"task": number, "message": problem.message, "hint": problem.hint} for number, problem in problems]
        sys.stdout.write(json_text({"tasks": moved, "errors": errors}))
    else:
        for task in moved:
            sys.stdout.write(f"task {task.number} {said}\n")
        for _, problem in problems:
            sys.stderr.write(f"pixel-lsp: {problem.message}" + (f"\n  hint: {problem.hint}\n" if problem.hint else "\n"))
    return FAILED_CODE if problems else PASSED_CODE


def _try(move: Move, store: Store, number: int, reason: str) -> Task | QueueError:
    try:
        return move(store, number, reason)
    except QueueError as problem:
        return problem
