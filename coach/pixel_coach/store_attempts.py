"""Attempts: kept for ever, written by whoever holds the lease."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from pixel_coach.attempts import Attempt, Evidence, Review, ReviewUnavailable
from pixel_coach.errors import QueueError
from pixel_coach.store_connection import Connection
from pixel_coach.store_leases import Lease, check_lease
from pixel_coach.store_rows import ATTEMPT_COLUMNS, attempt_of_row, columns_of_attempt, to_json

_GREATEST_NUMBER: Final = 2**63 - 1


def get_attempt(connection: Connection, number: int) -> Attempt:
    """One attempt.

    Raises:
        QueueError: There is none of that number.
    """
    row = None
    if 0 < number <= _GREATEST_NUMBER:
        row = connection.read_one(f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE number = ?", (number,))  # noqa: S608
    if row is None:
        raise QueueError(f"there is no attempt {number}", hint="`pixel-lsp show-task N` shows those of a task")
    return attempt_of_row(row)


def list_attempts(connection: Connection, task: int) -> tuple[Attempt, ...]:
    """The attempts at a task, oldest first."""
    return tuple(
        map(attempt_of_row, connection.read(f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE task = ? ORDER BY number", (task,)))  # noqa: S608
    )


def add_attempt(connection: Connection, lease: Lease, attempt: Attempt, now: float) -> Attempt:
    """Store an attempt of the run that a lease stands for. Inside a write transaction.

    Raises:
        LeaseLost: The lease no longer holds.
        QueueError: The attempt is one at another task or of another run.
    """
    check_lease(connection, lease)
    if (attempt.task, attempt.run) != (lease.task.number, lease.run):
        raise QueueError(
            f"an attempt at task {attempt.task} in run {attempt.run} cannot be stored"
            f" under the lease of task {lease.task.number} in run {lease.run}"
        )
    columns = {**columns_of_attempt(attempt), "created_at": now}
    cursor = connection.execute(
        f"INSERT INTO attempts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608
        tuple(columns.values()),
    )
    assert cursor.lastrowid is not None
    return replace(attempt, number=cursor.lastrowid, created_at=now)


def set_evidence(connection: Connection, lease: Lease, number: int, evidence: Evidence) -> None:
    """Keep what was executed for an attempt. Inside a write transaction.

    Raises:
        LeaseLost: The lease no longer holds.
        QueueError: The attempt is not one of this run.
    """
    _check_own(connection, lease, number)
    connection.execute("UPDATE attempts SET evidence = ? WHERE number = ?", (to_json(evidence), number))


def set_review(connection: Connection, lease: Lease, number: int, review: Review | ReviewUnavailable) -> None:
    """Keep an opinion about an attempt, or why there is none. Inside a write transaction.

    A model's opinion takes the place of the reason why there was none, and the other way round; the local rules' stands beside it.

    Raises:
        LeaseLost: The lease no longer holds.
        QueueError: The attempt is not one of this run.
    """
    _check_own(connection, lease, number)
    column, other = ("review", "review_unavailable") if isinstance(review, Review) else ("review_unavailable", "review")
    if isinstance(review, Review) and not review.is_model:
        connection.execute("UPDATE attempts SET review = ? WHERE number = ?", (to_json(review), number))
        return
    connection.execute(f"UPDATE attempts SET {column} = ?, {other} = NULL WHERE number = ?", (to_json(review), number))  # noqa: S608


def mark_best(connection: Connection, lease: Lease, number: int) -> None:
    """Make an attempt the one that is kept of this run. Inside a write transaction.

    Raises:
        LeaseLost: The lease no longer holds.
        QueueError: The attempt is not one of this run.
    """
    _check_own(connection, lease, number)
    connection.execute("UPDATE attempts SET is_best = (number = ?) WHERE task = ? AND run = ?", (number, lease.task.number, lease.run))


def _check_own(connection: Connection, lease: Lease, number: int) -> None:
    check_lease(connection, lease)
    attempt = get_attempt(connection, number)
    if (attempt.task, attempt.run) != (lease.task.number, lease.run):
        raise QueueError(f"attempt {number} is not one of run {lease.run} of task {lease.task.number}")
