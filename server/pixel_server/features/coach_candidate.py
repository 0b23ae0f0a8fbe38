"""What the coach made for a task, as data: for editors that show it beside the file, and as a diff for those that open files."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixel_coach.accept import best_attempt
from pixel_coach.apply import read_base
from pixel_coach.attempts import Attempt, Patch
from pixel_coach.errors import QueueError
from pixel_coach.store import Store
from pixel_coach.tasks import Task
from pixel_core.state_folder import state_folder
from pixel_server.features.coach_progress import said_evidence


def read_candidate(store: Store, number: int, attempt_number: int | None) -> tuple[Task, Attempt, Patch]:
    """A task's attempt that holds a text: the one that is asked for, else the one that is kept.

    Raises:
        QueueError: There is no such task or attempt, or it holds no text.
    """
    task = store.get(number)
    attempts = store.attempts(number)
    asked_for = next((one for one in attempts if one.number == attempt_number), None)
    attempt = best_attempt(attempts) if attempt_number is None else asked_for
    if attempt is None or attempt.patch is None:
        raise QueueError(f"task {number} has no candidate to show", hint=f"`pixel-lsp show-task {number}` says what was tried")
    return task, attempt, attempt.patch


def candidate_value(task: Task, attempt: Attempt, patch: Patch) -> dict[str, Any]:
    """The answer to `pixelLsp/candidate`."""
    return {
        "task": task.number,
        "attempt": attempt.number,
        "title": task.title,
        "state": task.state.value,
        "path": patch.path,
        "uri": (task.workspace / patch.path).as_uri(),
        "isNew": patch.base_sha256 is None,
        "baseSha256": patch.base_sha256,
        "text": patch.new_text,
        "evidence": None if attempt.evidence is None else said_evidence(attempt.evidence),
        "score": None if attempt.review is None or not attempt.review.is_model else attempt.review.score,
        "reason": task.reason,
    }


def candidate_diff(task: Task, patch: Patch) -> str:
    """The candidate as a unified diff against the file as it is.

    Raises:
        RefusedPath: The file cannot be read.
    """
    old, _ = read_base(task.workspace, patch.path)
    before, after = (text.splitlines(keepends=True) for text in (old or "", patch.new_text))
    label = "/dev/null" if old is None else f"a/{patch.path}"
    lines = difflib.unified_diff(before, after, label, f"b/{patch.path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write_diff(task: Task, attempt: Attempt, patch: Patch, environment: Mapping[str, str] = os.environ) -> Path:
    """Write the diff where an editor can open it, in the user's state folder: nothing is written into a workspace.

    Raises:
        RefusedPath: The file cannot be read.
        OSError: The diff cannot be written.
    """
    folder = state_folder(environment) / "coach" / "shown"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"task-{task.number}-attempt-{attempt.number}.diff"
    path.write_text(candidate_diff(task, patch), encoding="utf-8", newline="")
    return path
