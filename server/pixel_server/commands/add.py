"""`pixel-lsp add`: a task goes into the queue, or one for each `TODO(coach): …` comment of some files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from pixel_coach.apply import read_base
from pixel_coach.protect import check_target
from pixel_coach.tasks import Action, Limits, NewTask
from pixel_coach.todo_comments import find_todo_comments
from pixel_core.errors import PixelError
from pixel_server.coach_queue import find_phase, find_workspace, open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_fields import TaskFields, target_of
from pixel_server.task_json import json_text


def add(fields: TaskFields, *, workspace: str | None, phase: str | None, todo: Sequence[str], as_json: bool) -> int:
    """Put tasks into the queue and say their numbers. Returns the exit code.

    Args:
        fields: What is said of the task.
        workspace: Root of the workspace; None is the current folder's project.
        phase: That it belongs to; None for a task of its own.
        todo: Files to look through for comments, instead of one task.
        as_json: JSON on standard output instead of a line a task.

    Raises:
        PixelError: Something is missing or cannot be, a path is protected, or the queue refuses.
    """
    root = find_workspace(workspace)
    settings = settings_of(root)
    phase = find_phase(phase, settings)
    new = _of_comments(root, todo, fields, phase) if todo else (_one(root, fields, phase),)
    for task in new:
        if task.action is not Action.REVIEW:
            check_target(root, task.target, settings.protected, action=task.action)
    with open_queue() as store:
        begun = store.clock()
        tasks = store.add_all(new)
    if as_json:
        sys.stdout.write(json_text({"workspace": root, "tasks": tasks}))
        return PASSED_CODE
    for task in tasks:
        sys.stdout.write(f"task {task.number}{' is there already' if task.created_at < begun else ''}: {task.title}\n")
    if not tasks:
        sys.stdout.write("no `TODO(coach): …` comment found\n")
    return PASSED_CODE


def _one(root: Path, fields: TaskFields, phase: str | None) -> NewTask:
    given = fields.changes(root, Limits())
    for name, example in (("title", "pixel-lsp add 'Tile the matmul' --target matmul.wgsl"), ("target", "--target matmul.wgsl")):
        if name not in given:
            raise PixelError(f"a task needs a {name}", hint=f"for example: {example}")
    if "action" not in given:
        exists = read_base(root, given["target"])[0] is not None
        given["action"] = Action.EDIT_FILE if exists else Action.WRITE_FILE
    return NewTask(workspace=root, phase=phase, **given)


def _of_comments(root: Path, files: Sequence[str], fields: TaskFields, phase: str | None) -> tuple[NewTask, ...]:
    """A task a comment; options hold for all of them."""
    given = fields.changes(root, Limits())
    for name in ("title", "target"):
        if name in given:
            raise PixelError(f"with --todo the {name} comes from the comment")
    found: list[NewTask] = []
    for file in files:
        path = target_of(file, root)
        text, _ = read_base(root, path)
        if text is None:
            raise PixelError(f"{file} does not exist")
        found += [replace(task, workspace=root, phase=phase, **given) for task in find_todo_comments(text, path)]
    return tuple(found)
