"""`pixel-lsp next`: the task that a coach would take now."""

from __future__ import annotations

import sys

from rich.text import Text

from pixel_coach.tasks import State
from pixel_server.coach_queue import find_phase, find_workspace, open_queue, settings_of
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.task_json import json_text
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_tasks import render_counts, render_task


def next_task(*, workspace: str | None, phase: str | None, as_json: bool, color: bool) -> int:
    """Show the task that a coach would take now; it stays where it is.

    Args:
        workspace: Root of the workspace; None is the current folder's project.
        phase: Id of a phase; None for any.
        as_json: JSON on standard output instead of text.
        color: False for none; True leaves it to the terminal.

    Returns:
        The exit code: 1 when there is no task to take.

    Raises:
        PixelError: The queue cannot be read.
    """
    root = find_workspace(workspace)
    phase = find_phase(phase, settings_of(root))
    with open_queue() as store:
        task = store.next(workspace=root, phase=phase)
        counts = store.count_by_state(workspace=root, phase=phase)
    if as_json:
        sys.stdout.write(json_text({"workspace": root, "task": task}))
        return PASSED_CODE if task is not None else FAILED_CODE
    console = open_console(color=color)
    medium = medium_of(console)
    if task is not None:
        console.print(render_task(task, "", medium), soft_wrap=True)
        return PASSED_CODE
    console.print(Text.assemble("nothing to take; the queue of ", medium.path(root), " has ", render_counts(counts)), soft_wrap=True)
    if counts[State.PENDING]:
        console.print(Text("  the pending ones are paused or wait for others: pixel-lsp list-tasks --state pending"), soft_wrap=True)
    return FAILED_CODE
