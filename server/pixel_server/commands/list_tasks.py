"""`pixel-lsp list-tasks`: tasks in the order in which a coach would take them."""

from __future__ import annotations

import sys
from collections.abc import Collection

import msgspec
from rich.text import Text

from pixel_coach.tasks import State
from pixel_server.coach_queue import find_phase, find_workspace, open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_fields import target_of
from pixel_server.task_json import json_text
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_tasks import render_counts, render_tasks


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks.

    Attributes:
        workspace: Root of the workspace; None is the current folder's project.
        all_workspaces: Tasks of every workspace.
        phase: Id of a phase; None for any.
        states: In one of these states; empty for any.
        target: Of this file, as typed; None for any.
        limit: At most so many.
    """

    workspace: str | None = None
    all_workspaces: bool = False
    phase: str | None = None
    states: Collection[State] = ()
    target: str | None = None
    limit: int = 100


def list_tasks(wanted: TaskFilter, *, as_json: bool, color: bool) -> int:
    """List tasks on standard output. Returns the exit code.

    Raises:
        PixelError: The queue cannot be read.
    """
    root = None if wanted.all_workspaces else find_workspace(wanted.workspace)
    phase = wanted.phase if root is None else find_phase(wanted.phase, settings_of(root))
    target = wanted.target
    if target is not None and root is not None:
        target = target_of(target, root)
    with open_queue() as store:
        # One more says whether there are more.
        found = store.tasks(workspace=root, phase=phase, states=wanted.states or None, target=target, limit=wanted.limit + 1)
        counts = store.count_by_state(workspace=root, phase=phase)
    shown, is_cut = found[: wanted.limit], len(found) > wanted.limit
    if as_json:
        sys.stdout.write(json_text({"workspace": root, "tasks": shown, "is_cut": is_cut}))
        return PASSED_CODE
    console = open_console(color=color)
    medium = medium_of(console)
    if shown:
        console.print(render_tasks(shown, medium), soft_wrap=True)
        console.print()
    if is_cut:
        console.print(Text(f"only the first {wanted.limit:,} are shown; --limit changes that"), soft_wrap=True)
    console.print(render_counts(counts), soft_wrap=True)
    return PASSED_CODE
