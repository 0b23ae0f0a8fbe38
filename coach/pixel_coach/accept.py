"""A person's yes: the attempt's text is written, then the task is completed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pixel_coach.apply import apply_patch
from pixel_coach.attempts import Attempt, CheckStatus, Proof
from pixel_coach.errors import QueueError
from pixel_coach.store import Store
from pixel_coach.tasks import TRANSITIONS, State, Task


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        task: Completed.
        attempt: Whose text was taken; None for a task that a person did.
        path: The file that was written; None when the attempt held no patch.
    """

    task: Task
    attempt: Attempt | None
    path: Path | None


def accept(
    store: Store,
    number: int,
    *,
    protected: Sequence[str],
    attempt_number: int | None = None,
    new_text: str | None = None,
) -> Accepted:
    """Write a task's attempt into its file and complete the task.

    The file comes first: killed in between, the task is still awaiting acceptance, and accepting it again finds the file as it should be.

    Args:
        store: The queue.
        number: Of the task.
        protected: Globs of the settings; see `protect.check_target`.
        attempt_number: Another attempt than the best one of the last run.
        new_text: A text to write instead, made of some of the attempt's hunks.

    Raises:
        QueueError: The task is not one that can be accepted, or there is nothing to accept.
        RefusedPath: The file may not be written.
        StaleBase: It has changed since the attempt was made.
        OSError: It cannot be written.
    """
    task = store.get(number)
    _check_state(task)
    attempt = _attempt(store, task, attempt_number)
    if attempt.evidence is None:
        raise QueueError(
            f"attempt {attempt.number} was never executed: its run ended before",
            hint=f"`pixel-lsp show-task {number} --attempt {attempt.number} --code` prints its text, `pixel-lsp retry {number}` works anew",
        )
    if attempt.evidence.proof is Proof.REFUTED:
        failed = next((check.summary for check in attempt.evidence.checks if check.status is CheckStatus.FAILED), "a check failed")
        raise QueueError(
            f"attempt {attempt.number} is refuted: {failed}",
            hint=f"`pixel-lsp show-task {number} --code` prints its text, if you want to mend it by hand",
        )
    path = None
    if attempt.patch is not None and attempt.patch.path != task.target:
        raise QueueError(
            f"attempt {attempt.number} is for {attempt.patch.path}, and the task for {task.target} by now",
            hint=f"`pixel-lsp retry {number}` works on the new target",
        )
    if attempt.patch is not None:
        patch = attempt.patch if new_text is None else replace(attempt.patch, new_text=new_text)
        path = apply_patch(task.workspace, patch, protected)
    return Accepted(task=store.change_state(number, State.COMPLETED, f"accepted attempt {attempt.number}"), attempt=attempt, path=path)


def best_attempt(attempts: Sequence[Attempt]) -> Attempt | None:
    """The one that is kept: the best of the newest run that has one."""
    return max((attempt for attempt in attempts if attempt.is_best), key=lambda attempt: (attempt.run, attempt.number), default=None)


def _check_state(task: Task) -> None:
    if State.COMPLETED in TRANSITIONS[task.state]:
        return
    said = task.state.value.replace("_", " ")
    hints = {
        State.PENDING: f"`pixel-lsp --coach --task {task.number}` works on it",
        State.COMPLETED: None,
        State.CANCELLED: f"`pixel-lsp retry {task.number}` takes it up again",
    }
    raise QueueError(f"task {task.number} is {said}: there is nothing to accept", hint=hints.get(task.state, "wait for the coach"))


def _attempt(store: Store, task: Task, number: int | None) -> Attempt:
    attempts = store.attempts(task.number)
    if number is None:
        found = best_attempt(attempts)
        if found is None:
            raise QueueError(
                f"task {task.number} has no attempt to accept", hint=f"`pixel-lsp retry {task.number}` has the coach try again"
            )
        return found
    found = next((attempt for attempt in attempts if attempt.number == number), None)
    if found is None:
        there_are = ", ".join(str(attempt.number) for attempt in attempts) or "none"
        raise QueueError(f"task {task.number} has no attempt {number}", hint=f"its attempts are: {there_are}")
    return found
