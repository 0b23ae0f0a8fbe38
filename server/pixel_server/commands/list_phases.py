"""`pixel-lsp list-phases`: the phases of the playbooks, and what the queue holds of them."""

from __future__ import annotations

import sys

from rich.text import Text

from pixel_coach.phases import list_phases as phases_of
from pixel_server.coach_queue import find_workspace, open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import json_text
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_tasks import render_counts
from pixel_server.verdict_words import count


def list_phases(*, workspace: str | None, as_json: bool, color: bool) -> int:
    """List the phases on standard output. Returns the exit code.

    Args:
        workspace: Root of the workspace; None is the current folder's project.
        as_json: JSON on standard output instead of text.
        color: False for none; True leaves it to the terminal.

    Raises:
        PixelError: A playbook or the queue cannot be read.
    """
    root = find_workspace(workspace)
    phases = phases_of(settings_of(root).playbooks)
    with open_queue() as store:
        queued = {phase.id: store.count_by_state(workspace=root, phase=phase.id) for phase in phases}
    if as_json:
        listed = [
            {
                "id": phase.id,
                "aliases": phase.aliases,
                "title": phase.title,
                "goal": phase.goal,
                "tasks": len(phase.tasks),
                "queued": queued[phase.id],
            }
            for phase in phases
        ]
        sys.stdout.write(json_text({"workspace": root, "phases": listed}))
        return PASSED_CODE
    console = open_console(color=color)
    medium = medium_of(console)
    width = max((len(phase.id) for phase in phases), default=0)
    for phase in phases:
        line = Text.assemble((f"{phase.id:<{width}}", "bold"), f"  {medium.printable(phase.title)}: {count(len(phase.tasks), 'task')}")
        if any(queued[phase.id].values()):
            line.append(" (queued: ").append(render_counts(queued[phase.id])).append(")")
        console.print(line, soft_wrap=True)
    return PASSED_CODE
