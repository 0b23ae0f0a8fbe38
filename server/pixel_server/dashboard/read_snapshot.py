"""What the queue says at one moment, as far as the dashboard shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.attempts import Attempt
from pixel_coach.errors import QueueError
from pixel_coach.ledger import Ledger
from pixel_coach.spending import DaySpending
from pixel_coach.store import Store
from pixel_coach.tasks import WORKING, State, Task

MAX_TASKS: Final = 500
NEEDS_A_PERSON: Final = (State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN, State.FAILED, State.BLOCKED)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The queue at one moment.

    Attributes:
        version: Of the queue; another one means that something changed.
        tasks: At most `MAX_TASKS`, those that are worked on first, then in the order in which they are handed out.
        counts: Of all tasks of the workspace.
        runs: Which run works on which task now, by the task's number.
        today: Spent on this day, in all workspaces.
    """

    version: int
    tasks: tuple[Task, ...]
    counts: Mapping[State, int]
    runs: Mapping[int, str]
    today: DaySpending


def read_snapshot(store: Store, workspace: Path, *, only_mine: bool) -> Snapshot:
    """Look at the queue.

    Args:
        store: The queue.
        workspace: Root of the workspace.
        only_mine: Only tasks that need a person, and those that are worked on.

    Raises:
        QueueError: It cannot be read.
    """
    # First the version: what changes in between is then seen at the next look.
    version = store.version()
    working = _tasks(store, workspace, WORKING)
    rest = _tasks(store, workspace, NEEDS_A_PERSON) if only_mine else store.tasks(workspace=workspace, limit=MAX_TASKS + len(working))
    leases = {task.number: store.lease_of(task.number) for task in working}
    return Snapshot(
        version=version,
        tasks=(*working, *(task for task in rest if task.state not in WORKING))[:MAX_TASKS],
        counts=store.count_by_state(workspace=workspace),
        # The owner of a lease begins with the id of its run.
        runs={number: lease.owner.partition(" ")[0] for number, lease in leases.items() if lease is not None},
        today=Ledger(store).today(),
    )


def _tasks(store: Store, workspace: Path, states: Collection[State]) -> list[Task]:
    """Tasks of some states in the order in which they are handed out. One look a state: the database has an index for that."""
    found = (task for state in states for task in store.tasks(workspace=workspace, states=(state,), limit=MAX_TASKS))
    return sorted(found, key=lambda task: (-task.priority, task.position, task.number))[:MAX_TASKS]


def read_attempts(store: Store, number: int) -> tuple[Attempt, ...]:
    """The attempts at a task; none for one that is gone."""
    try:
        return store.attempts(number)
    except QueueError:
        return ()
