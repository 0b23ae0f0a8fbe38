"""`pixel-lsp init`: the tasks of a phase go into the queue of a workspace, once."""

from __future__ import annotations

import sys

from pixel_coach.phases import load_phase, load_playbook
from pixel_server.coach_queue import find_workspace, open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import json_text
from pixel_server.verdict_words import count


def init(phase_id: str, *, workspace: str | None, as_json: bool) -> int:
    """Put the tasks of a phase into the queue and say how many were new. Returns the exit code.

    Args:
        phase_id: Id or alias of a phase.
        workspace: Root of the workspace; None is the current folder's project.
        as_json: JSON on standard output instead of a sentence.

    Raises:
        PixelError: There is no such phase, or the queue refuses.
    """
    root = find_workspace(workspace)
    playbooks = settings_of(root).playbooks
    phase = load_playbook(phase_id, playbooks)
    with open_queue() as store:
        added, there = load_phase(store, root, phase.id, playbooks)
    if as_json:
        sys.stdout.write(json_text({"workspace": root, "phase": phase.id, "added": added, "already_there": there}))
    else:
        sys.stdout.write(f"{phase.id}: added {count(added, 'task')}, {there:,} already there\n")
    return PASSED_CODE
