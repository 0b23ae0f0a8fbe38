"""Lenses of the coach: over each task about the document what it came to and what can be done, over each hunk of a candidate yes and no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lsprotocol.types import CodeLens, Command, Range

from pixel_coach.hunks import Hunk
from pixel_coach.tasks import WORKING, Action, State
from pixel_core.findings import Span
from pixel_server.coach_session import ACCEPTABLE, CoachView, TaskView
from pixel_server.features.coach_hunks import PlacedHunk, untaken
from pixel_server.features.coach_places import place_of, task_words
from pixel_server.features.command_names import (
    COACH_ACCEPT,
    COACH_APPLY_HUNK,
    COACH_CANCEL,
    COACH_REJECT,
    COACH_REJECT_HUNK,
    COACH_RUN,
    COACH_SHOW_CANDIDATE,
)
from pixel_server.session import Document, ShaderView

MOST_TASKS: Final = 8
"""Over one document; `pixel-lsp list-tasks` has all."""

AGAIN: Final = frozenset({State.NEEDS_HUMAN, State.FAILED, State.BLOCKED})


def coach_lenses(view: CoachView, document: Document, shader: ShaderView | None) -> list[CodeLens]:
    """The lenses of a document.

    Args:
        view: Its tasks.
        document: Its text as it is now.
        shader: What is known of it as a shader; None for another document.
    """
    lenses: list[CodeLens] = []
    for task in view.open[:MOST_TASKS]:
        place = place_of(task.task, document, shader)
        lenses += [CodeLens(range=place, command=command) for command in _of_task(task, document)]
        lenses += [CodeLens(range=where, command=command) for where, command in _of_hunks(task, document)]
    return lenses


def _of_task(view: TaskView, document: Document) -> Iterator[Command]:
    task = view.task
    words = task_words(view)
    if task.state is State.PENDING:
        yield Command(title=f"▶ Coach: {words}", command=COACH_RUN, arguments=[task.number])
    elif task.state in WORKING:
        yield Command(title=f"■ Coach: {words}", command=COACH_CANCEL, arguments=[task.number])
    elif task.action is Action.REVIEW and task.state in ACCEPTABLE:
        yield Command(title=f"✓ Coach: {words}; close it", command=COACH_ACCEPT, arguments=[task.number])
    elif view.attempt is None or view.attempt.patch is None:
        yield Command(title=f"↻ Coach: {words}", command=COACH_RUN, arguments=[task.number])
    else:
        yield Command(title=f"Coach: {words}", command=COACH_SHOW_CANDIDATE, arguments=[task.number])
        placed = view.placed(document.content.text)
        if placed is None:
            yield Command(title="the file changed since", command=COACH_SHOW_CANDIDATE, arguments=[task.number])
        elif not view.refusal and task.state in ACCEPTABLE:
            if not view.undecided(placed) and not untaken(placed):
                yield Command(title="taken: save to complete it", command=COACH_ACCEPT, arguments=[task.number])
            else:
                yield Command(title="✓ Accept all", command=COACH_ACCEPT, arguments=[task.number])
            yield Command(title="✗ Reject", command=COACH_REJECT, arguments=[task.number])
        if task.state in AGAIN:
            yield Command(title="↻ Again", command=COACH_RUN, arguments=[task.number])


def _of_hunks(view: TaskView, document: Document) -> Iterator[tuple[Range, Command]]:
    placed = view.placed(document.content.text) if view.task.state in ACCEPTABLE and not view.refusal else None
    if placed is None or view.attempt is None or len(placed) < 2:
        return
    for one in view.undecided(placed):
        where = document.content.range(Span(one.span.start, one.span.start))
        arguments = [view.task.number, view.attempt.number, one.hunk.number]
        words = hunk_words(one, len(placed))
        yield where, Command(title=f"✓ Accept {words}", command=COACH_APPLY_HUNK, arguments=arguments)
        yield where, Command(title=f"✗ Leave {words} out", command=COACH_REJECT_HUNK, arguments=arguments)


def hunk_words(one: PlacedHunk, total: int) -> str:
    """`hunk 2 of 3 (+4 −1)`."""
    return f"hunk {one.hunk.number + 1} of {total} ({_size(one.hunk)})"


def _size(hunk: Hunk) -> str:
    return f"+{len(hunk.new_text.splitlines())} −{len(hunk.old_text.splitlines())}"
