"""A person's no: the file stays as it is, and the reason is kept for whoever works on the task next."""

from __future__ import annotations

from typing import Any, Final

from pixel_coach.accept import best_attempt
from pixel_coach.errors import QueueError
from pixel_coach.store import Store
from pixel_coach.store_leases import spoken
from pixel_coach.tasks import WORKING, State, Task

REJECTIONS: Final = "rejections"
"""Under this key of a task's metadata: `[{"attempt": 7, "reason": "…"}]`, oldest first. The next prompt has them as feedback."""


def reject(store: Store, number: int, reason: str, *, retry: bool) -> Task:
    """Refuse what a task came to.

    Args:
        store: The queue.
        number: Of the task.
        reason: What is wrong with it.
        retry: Put it back to work at once; else it waits for a person.

    Raises:
        QueueError: There is no such task, or nothing to refuse.
    """
    with store.together():
        task = store.get(number)
        if task.state not in (State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN):
            hint = f"`pixel-lsp cancel {number}` takes it away from its coach" if task.state in WORKING else None
            raise QueueError(f"task {number} is {spoken(task.state)}: there is nothing to reject", hint=hint)
        best = best_attempt(store.attempts(number))
        before: Any = task.metadata.get(REJECTIONS)
        rejections = [*(before if isinstance(before, list) else ()), {"attempt": None if best is None else best.number, "reason": reason}]
        store.edit(number, metadata={**task.metadata, REJECTIONS: rejections})
        state = State.PENDING if retry else State.NEEDS_HUMAN
        # One that waits for a person already goes on waiting.
        return store.get(number) if task.state is state else store.change_state(number, state, f"rejected: {reason}")
