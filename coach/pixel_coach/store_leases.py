"""Who works on a task, and the moves of a task from state to state. Every function runs inside a write transaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pixel_coach.errors import LeaseLost, QueueError
from pixel_coach.store_connection import Connection
from pixel_coach.store_rows import TASK_COLUMNS, bytes_of_path, storable, task_of_row
from pixel_coach.store_tasks import IN_ORDER, get_task, tasks_by, unmet_dependencies
from pixel_coach.tasks import TRANSITIONS, WORKING, State, Task

ABANDONED_AT_MOST: Final = 5
"""After so many coaches in a row that never gave a task back, it needs a person: it may be what ends them."""

LEFT_BEHIND: Final = "its coach stopped without a word; the next one takes the task up"
"""What people are told of a task whose lease has expired."""

HAND_MADE: Final = frozenset({State.PENDING, State.COMPLETED, State.NEEDS_HUMAN, State.BLOCKED, State.CANCELLED})
"""The states that a person can put a task into; the others are for a coach that holds a lease."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to work on a task.

    Attributes:
        task: As it was when it was handed out.
        owner: Who works on it.
        run: How often the task was handed out, this time included; with the task's number it is this lease's id.
        expires_at: When the right ends unless it is renewed, seconds since the epoch.
    """

    task: Task
    owner: str
    run: int
    expires_at: float


def find_next(connection: Connection, workspace: Path, phase: str | None, now: float) -> Task | None:
    """The task that would be handed out now."""
    of_phase = "" if phase is None else "AND t.phase = ?"
    parameters: tuple[Any, ...] = (bytes_of_path(workspace),) if phase is None else (bytes_of_path(workspace), phase)
    where = f"WHERE t.workspace = (SELECT id FROM workspaces WHERE path = ?) {of_phase} AND t.is_paused = 0 AND t.unmet = 0"  # noqa: S608
    # Left to itself, SQLite takes an index that begins alike and walks over everything that waits.
    index = "tasks_ready" if phase is None else "tasks_ready_of_phase"
    ready = connection.read_one(
        f"SELECT {TASK_COLUMNS} {tasks_by(index)} {where} AND t.state = 'pending' {IN_ORDER} LIMIT 1",
        parameters,
    )
    abandoned = connection.read_one(
        f"SELECT {TASK_COLUMNS} {tasks_by('tasks_leased')} {where} AND t.lease_expires_at <= ? AND t.abandoned < ? {IN_ORDER} LIMIT 1",
        (*parameters, now, ABANDONED_AT_MOST - 1),
    )
    found = [task_of_row(row) for row in (ready, abandoned) if row is not None]
    return min(found, key=lambda task: (-task.priority, task.position, task.number), default=None)


def left_behind(connection: Connection, now: float) -> frozenset[int]:
    """The tasks whose lease has expired, and that no coach has put back yet."""
    return frozenset(row[0] for row in connection.read("SELECT number FROM tasks WHERE lease_expires_at <= ?", (now,)))


def return_abandoned(connection: Connection, now: float) -> int:
    """Put the tasks whose lease has expired back; says how many."""
    expired = connection.read("SELECT number, abandoned + 1 FROM tasks WHERE lease_expires_at <= ?", (now,))
    for number, abandoned in expired:
        state = State.NEEDS_HUMAN if abandoned >= ABANDONED_AT_MOST else State.PENDING
        reason = f"{abandoned} coaches in a row stopped while they worked on it" if state is State.NEEDS_HUMAN else ""
        _set_state(connection, number, state, reason, now)
        connection.execute("UPDATE tasks SET abandoned = ? WHERE number = ?", (abandoned, number))
    return len(expired)


def lease_task(connection: Connection, task: Task, owner: str, seconds: float, now: float) -> Lease:
    """Hand a task out that is ready."""
    connection.execute(
        "UPDATE tasks SET state = 'in_progress', reason = '', run = run + 1, lease_owner = ?, lease_expires_at = ?, updated_at = ?"
        " WHERE number = ?",
        (owner, now + seconds, now, task.number),
    )
    row = connection.read_one("SELECT run FROM tasks WHERE number = ?", (task.number,))
    assert row is not None
    task = replace(task, state=State.IN_PROGRESS, reason="", updated_at=now)
    return Lease(task=task, owner=owner, run=row[0], expires_at=now + seconds)


def check_ready(connection: Connection, number: int, workspace: Path) -> Task:
    """The task of a number, if it can be handed out.

    Raises:
        QueueError: It cannot; the message says why.
    """
    task = get_task(connection, number)
    if task.workspace != workspace:
        raise QueueError(f"task {number} belongs to the workspace {task.workspace}", hint="start the coach there")
    if task.state in WORKING:
        row = connection.read_one("SELECT lease_owner FROM tasks WHERE number = ?", (number,))
        raise QueueError(f"task {number} is being worked on by {row[0] if row else 'another coach'}")
    if task.state is not State.PENDING:
        why = f": {task.reason}" if task.reason else ""
        mend = f"`pixel-lsp retry {number}` puts it back" if State.PENDING in TRANSITIONS[task.state] else None
        raise QueueError(f"task {number} is {spoken(task.state)}{why}", hint=mend)
    if task.is_paused:
        raise QueueError(f"task {number} is paused", hint=f"`pixel-lsp resume {number}` lets it go on")
    waiting = explain_waiting(number, unmet_dependencies(connection, number))
    if waiting:
        raise QueueError(waiting, hint="finish those first, or edit `depends_on`")
    return task


def explain_waiting(number: int, unmet: tuple[Task, ...]) -> str:
    """One sentence that names what a task waits for; empty when it waits for nothing."""
    if not unmet:
        return ""
    named = [f"task {task.number} ({spoken(task.state)}{f': {task.reason}' if task.reason else ''})" for task in unmet[:3]]
    rest = f" and {len(unmet) - 3:,} more" if len(unmet) > 3 else ""
    return f"task {number} waits for {', '.join(named)}{rest}"


def check_lease(connection: Connection, lease: Lease) -> State:
    """The state of a task whose lease still holds.

    Raises:
        LeaseLost: It does not.
    """
    row = connection.read_one("SELECT state, run, lease_owner FROM tasks WHERE number = ?", (lease.task.number,))
    if row is None or row[1] != lease.run or row[2] != lease.owner:
        raise LeaseLost(_explain_loss(lease, row))
    return State(row[0])


def renew_lease(connection: Connection, lease: Lease, seconds: float, now: float) -> Lease:
    """Prolong a lease. One that has expired is still good while nobody has taken the task.

    Raises:
        LeaseLost: Somebody has.
    """
    check_lease(connection, lease)
    connection.execute("UPDATE tasks SET lease_expires_at = ? WHERE number = ?", (now + seconds, lease.task.number))
    return replace(lease, expires_at=now + seconds)


def move_task(connection: Connection, lease: Lease, state: State, reason: str, now: float) -> Task:
    """Move a task on; its lease ends where the new state is not one of work.

    Raises:
        LeaseLost: The lease no longer holds.
        QueueError: The move is not in the table.
    """
    _check_transition(lease.task.number, check_lease(connection, lease), state)
    _set_state(connection, lease.task.number, state, reason, now)
    if state not in WORKING:
        connection.execute("UPDATE tasks SET abandoned = 0 WHERE number = ?", (lease.task.number,))
    return get_task(connection, lease.task.number)


def change_state(connection: Connection, number: int, state: State, reason: str, now: float) -> Task:
    """A person's hand. The lease of a coach that works on the task is taken away.

    Raises:
        QueueError: No such task, or the move is not in the table or not a person's.
    """
    task = get_task(connection, number)
    if state not in HAND_MADE:
        raise QueueError(f"only a coach makes a task {spoken(state)}", hint="start one with `pixel-lsp --coach`")
    _check_transition(number, task.state, state, among=HAND_MADE)
    _set_state(connection, number, state, reason, now)
    connection.execute("UPDATE tasks SET abandoned = 0 WHERE number = ?", (number,))
    if state is State.PENDING:
        # Who puts a task back grants it its limits anew.
        connection.execute("UPDATE tasks SET charged_after = (SELECT ifnull(max(id), 0) FROM calls) WHERE number = ?", (number,))
    return get_task(connection, number)


def spoken(state: State) -> str:
    """A state as people say it."""
    return "waiting for a person" if state is State.NEEDS_HUMAN else state.value.replace("_", " ")


def _check_transition(number: int, old: State, new: State, *, among: frozenset[State] = frozenset(State)) -> None:
    if new is old and new not in TRANSITIONS[old]:
        raise QueueError(f"task {number} is {spoken(old)} already")
    if new not in TRANSITIONS[old]:
        possible = ", ".join(sorted(spoken(state) for state in TRANSITIONS[old] & among))
        raise QueueError(
            f"task {number} is {spoken(old)} and cannot become {spoken(new)}",
            hint=f"it can become {possible}" if possible else "it stays so",
        )


def _set_state(connection: Connection, number: int, state: State, reason: str, now: float) -> None:
    without_lease = "" if state in WORKING else ", lease_owner = NULL, lease_expires_at = NULL"
    connection.execute(
        f"UPDATE tasks SET state = ?, reason = ?, updated_at = ?{without_lease} WHERE number = ?",  # noqa: S608
        (state.value, storable(reason), now, number),
    )


def _explain_loss(lease: Lease, row: tuple[Any, ...] | None) -> str:
    number = lease.task.number
    if row is None:
        return f"task {number} is gone from the queue"
    state, run, owner = row
    if owner is not None and (run != lease.run or owner != lease.owner):
        return f"task {number} is now being worked on by {owner}"
    return f"task {number} is {spoken(State(state))} by now and no longer this coach's"
