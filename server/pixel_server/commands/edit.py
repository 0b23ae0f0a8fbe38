"""`pixel-lsp edit`: change a task, also while a coach runs."""

from __future__ import annotations

import sys

from pixel_coach.protect import check_target
from pixel_coach.tasks import Action
from pixel_core.errors import PixelError
from pixel_server.coach_queue import open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_fields import TaskFields
from pixel_server.task_json import json_text


def edit(number: int, fields: TaskFields, *, before: int | None, as_json: bool) -> int:
    """Change a task, all at once or not at all. Returns the exit code.

    Args:
        number: Of the task.
        fields: What is to be changed.
        before: Number of the task that it is to come right before; None leaves its place.
        as_json: JSON on standard output instead of a sentence.

    Raises:
        PixelError: Nothing was given, something cannot be, a path is protected, or the queue refuses.
    """
    with open_queue() as store, store.together():
        task = store.get(number)
        changes = fields.changes(task.workspace, task.limits)
        if not changes and before is None:
            raise PixelError("there is nothing to change", hint="pixel-lsp edit --help lists what can be")
        action = changes.get("action", task.action)
        if "target" in changes and action is not Action.REVIEW:
            check_target(task.workspace, changes["target"], settings_of(task.workspace).protected, action=action)
        if changes:
            task = store.edit(number, **changes)
        if before is not None:
            task = store.reorder(number, before=before)
    if as_json:
        sys.stdout.write(json_text({"task": task}))
    else:
        changed = [*changes, *(("place",) if before is not None else ())]
        sys.stdout.write(f"task {number}: changed {', '.join(changed)}\n")
    return PASSED_CODE
