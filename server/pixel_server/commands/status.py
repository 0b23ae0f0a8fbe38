"""`pixel-lsp status`: how many tasks of a workspace stand where, by phase."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.text import Text

from pixel_coach.phases import list_phases
from pixel_coach.tasks import State
from pixel_server.coach_queue import find_phase, find_workspace, open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import json_text
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_tasks import render_counts


def status(*, workspace: str | None, phase: str | None, as_json: bool, color: bool) -> int:
    """Say how many tasks of a workspace stand where. Returns the exit code.

    Args:
        workspace: Root of the workspace; None is the current folder's project.
        phase: Id of a phase; None for all of them.
        as_json: JSON on standard output instead of text.
        color: False for none; True leaves it to the terminal.

    Raises:
        PixelError: The queue cannot be read.
    """
    root = find_workspace(workspace)
    settings = settings_of(root)
    phase = find_phase(phase, settings)
    known = [phase] if phase is not None else [each.id for each in list_phases(settings.playbooks)]
    with open_queue() as store:
        total = store.count_by_state(workspace=root, phase=phase)
        by_phase = {each: store.count_by_state(workspace=root, phase=each) for each in known}
        working = store.tasks(workspace=root, phase=phase, states=(State.IN_PROGRESS, State.IN_REVIEW), limit=20)
        review_is_allowed = store.allows_review(root)
    by_phase = {each: counts for each, counts in by_phase.items() if any(counts.values())}
    if as_json:
        value = {"workspace": root, "total": total, "phases": by_phase, "working": working, "review_is_allowed": review_is_allowed}
        sys.stdout.write(json_text(value))
        return PASSED_CODE
    console = open_console(color=color)
    medium = medium_of(console)
    rows: list[tuple[str, Mapping[State, int]]] = [*by_phase.items()]
    of_no_phase = {state: number - sum(counts[state] for counts in by_phase.values()) for state, number in total.items()}
    if by_phase and any(of_no_phase.values()):
        rows.append(("others", of_no_phase))
    width = max((len(name) for name, _ in rows), default=0)
    console.print(Text.assemble((medium.path(root), "bold"), ": ", render_counts(total)), soft_wrap=True)
    for name, counts in rows:
        console.print(Text(f"  {medium.printable(name):<{width}}  ").append(render_counts(counts)), soft_wrap=True)
    for task in working:
        why = f": {task.reason}" if task.reason else ""
        console.print(Text(f"  now: task {task.number}, {medium.printable(f'{task.title}{why}')}", "bold cyan"), soft_wrap=True)
    return PASSED_CODE
