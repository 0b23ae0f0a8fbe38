"""The task queue: an SQLite database in the user's state folder, safe under several processes and under `kill -9`.

Every public method is one transaction; `together` makes one of several. Times are those of the wall clock, since leases outlive processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import final

from msgspec.structs import replace

from pixel_coach import store_attempts, store_leases, store_tasks
from pixel_coach.attempts import Attempt, Evidence, Review, ReviewUnavailable
from pixel_coach.errors import QueueError
from pixel_coach.store_connection import Connection
from pixel_coach.store_leases import LEFT_BEHIND, Lease
from pixel_coach.store_rows import bytes_of_path
from pixel_coach.tasks import WORKING, NewTask, State, Task
from pixel_core.state_folder import state_folder

__all__ = ["Lease", "Store", "queue_path"]


def queue_path(environment: Mapping[str, str]) -> Path:
    """Where the user's queue is: `coach/queue.sqlite3` of the state folder."""
    return state_folder(environment) / "coach" / "queue.sqlite3"


@final
class Store:
    """The queue of one user, over all workspaces. One instance a thread, any number of processes.

    Args:
        path: The database, made where it is missing.
        clock: Seconds since the epoch.
        timeout_s: How long to wait for another process's transaction.

    Raises:
        QueueError: The database cannot be opened, is damaged, is not ours or of a newer version. Every method raises it when the
            database fails; then nothing of the method happened.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time, timeout_s: float = 15.0) -> None:
        self.path = path
        self.clock = clock
        self.connection = Connection(path, timeout_s=timeout_s)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()

    @contextmanager
    def together(self) -> Generator[None]:
        """Make one transaction of the calls inside: all of them happen, or none."""
        with self.connection.write(is_visible=False):
            yield

    def add(self, task: NewTask) -> Task:
        """Store a task, or find the one of its workspace, phase and key, which stays as it is.

        Raises:
            QueueError: Something about it cannot be, such as a dependency that does not exist.
        """
        return self.add_all((task,))[0]

    def add_all(self, tasks: Sequence[NewTask]) -> tuple[Task, ...]:
        """As `add`, in one transaction.

        Raises:
            QueueError: One of them cannot be; then none was added.
        """
        # A task that is there already is no change, so that the queue's version stays.
        with self.connection.write(is_visible=False):
            now = self.clock()
            return tuple(store_tasks.add_task(self.connection, task, now) for task in tasks)

    def get(self, number: int) -> Task:
        """One task.

        Raises:
            QueueError: There is none of that number.
        """
        return self._as_told((store_tasks.get_task(self.connection, number),))[0]

    def tasks(
        self,
        *,
        workspace: Path | None = None,
        phase: str | None = None,
        states: Collection[State] | None = None,
        target: str | None = None,
        limit: int | None = None,
    ) -> tuple[Task, ...]:
        """Tasks in the order in which they are handed out, those of any state unless `states` says which."""
        return self._as_told(
            store_tasks.list_tasks(self.connection, workspace=workspace, phase=phase, states=states, target=target, limit=limit)
        )

    def count_by_state(self, *, workspace: Path | None = None, phase: str | None = None) -> Mapping[State, int]:
        """How many tasks are in each state; states without any are there, too. Its cost does not grow with the queue."""
        rows = self.connection.read(
            "SELECT state, sum(tasks) FROM state_counts WHERE (?1 IS NULL OR workspace = (SELECT id FROM workspaces WHERE path = ?1))"
            " AND (?2 IS NULL OR phase = ?2) GROUP BY state",
            (None if workspace is None else bytes_of_path(workspace), phase),
        )
        counts = dict(rows)
        return {state: int(counts.get(state.value, 0)) for state in State}

    def edit(self, number: int, **fields: object) -> Task:
        """Change fields of a task (`store_tasks.EDITABLE`). A coach that works on it goes on with what it was given.

        Raises:
            QueueError: No such task or field, a value that cannot be, a completed task, or a cycle of dependencies.
        """
        with self.connection.write():
            return store_tasks.edit_task(self.connection, number, fields, self.clock())

    def waits_for(self, number: int) -> tuple[Task, ...]:
        """The tasks that must be completed before this one is handed out. Those that ended otherwise need a person first."""
        return store_tasks.unmet_dependencies(self.connection, number)

    def explain_waiting(self, number: int) -> str:
        """`task 7 waits for task 3 (failed: …)`; empty when it waits for nothing."""
        return store_leases.explain_waiting(number, self.waits_for(number))

    def pause(self, number: int) -> Task:
        """Keep a task from being handed out. One that is being worked on goes on to the end of this run."""
        return self._set_paused(number, is_paused=True)

    def resume(self, number: int) -> Task:
        """Let a paused task be handed out again."""
        return self._set_paused(number, is_paused=False)

    def reorder(self, number: int, *, before: int) -> Task:
        """Put a task directly before another one, whose priority it takes.

        Raises:
            QueueError: No such task, or they are of two workspaces.
        """
        with self.connection.write():
            return store_tasks.reorder_task(self.connection, number, before, self.clock())

    def next(self, *, workspace: Path, phase: str | None = None) -> Task | None:
        """The task that `lease` would hand out now. Nothing changes."""
        return store_leases.find_next(self.connection, workspace, phase, self.clock())

    def lease(
        self, *, workspace: Path, owner: str, phase: str | None = None, number: int | None = None, seconds: float = 120.0
    ) -> Lease | None:
        """Hand out the next task, or the one asked for. Tasks whose lease has expired are put back first.

        Returns:
            None when there is no task to hand out; never when a number is given.

        Raises:
            QueueError: The task asked for cannot be handed out; the message says why.
        """
        with self.connection.write(is_visible=False):
            now = self.clock()
            returned = store_leases.return_abandoned(self.connection, now)
            if number is None:
                task = store_leases.find_next(self.connection, workspace, phase, now)
            else:
                task = store_leases.check_ready(self.connection, number, workspace)
            if returned or task is not None:
                self.connection.count_change()
            return None if task is None else store_leases.lease_task(self.connection, task, owner, seconds, now)

    def renew(self, lease: Lease, seconds: float = 120.0) -> Lease:
        """Prolong a lease; one that has expired is good while nobody else has the task.

        Raises:
            LeaseLost: Another coach has the task, or a person has moved it.
        """
        with self.connection.write(is_visible=False):
            return store_leases.renew_lease(self.connection, lease, seconds, self.clock())

    def move(self, lease: Lease, state: State, reason: str = "") -> Task:
        """Move a task on. The lease ends unless the new state is one of work.

        Raises:
            LeaseLost: The lease no longer holds.
            QueueError: The move is not in the table.
        """
        with self.connection.write():
            return store_leases.move_task(self.connection, lease, state, reason, self.clock())

    def change_state(self, number: int, state: State, reason: str = "") -> Task:
        """A person's hand: accept (`COMPLETED`), retry (`PENDING`), cancel, block. Takes the lease away from a coach.

        Raises:
            QueueError: No such task, or the move is not in the table or not a person's.
        """
        with self.connection.write():
            return store_leases.change_state(self.connection, number, state, reason, self.clock())

    def lease_of(self, number: int) -> Lease | None:
        """Who works on a task now; None when nobody does."""
        row = self.connection.read_one("SELECT lease_owner, run, lease_expires_at FROM tasks WHERE number = ?", (number,))
        if row is None or row[0] is None:
            return None
        return Lease(task=self.get(number), owner=row[0], run=row[1], expires_at=row[2])

    def add_attempt(self, lease: Lease, attempt: Attempt) -> Attempt:
        """Store an attempt of the lease's run; the answer has its number.

        Raises:
            LeaseLost: The lease no longer holds.
            QueueError: The attempt is one at another task or of another run.
        """
        with self.connection.write():
            return store_attempts.add_attempt(self.connection, lease, attempt, self.clock())

    def set_evidence(self, lease: Lease, attempt_number: int, evidence: Evidence) -> None:
        """Keep what was executed for an attempt.

        Raises:
            LeaseLost: The lease no longer holds.
            QueueError: The attempt is not one of the lease's run.
        """
        with self.connection.write():
            store_attempts.set_evidence(self.connection, lease, attempt_number, evidence)

    def set_review(self, lease: Lease, attempt_number: int, review: Review | ReviewUnavailable) -> None:
        """Keep an opinion about an attempt, or why there is none.

        Raises:
            LeaseLost: The lease no longer holds.
            QueueError: The attempt is not one of the lease's run.
        """
        with self.connection.write():
            store_attempts.set_review(self.connection, lease, attempt_number, review)

    def mark_best(self, lease: Lease, attempt_number: int) -> None:
        """Make an attempt the one that is kept of the lease's run.

        Raises:
            LeaseLost: The lease no longer holds.
            QueueError: The attempt is not one of the lease's run.
        """
        with self.connection.write():
            store_attempts.mark_best(self.connection, lease, attempt_number)

    def attempts(self, task_number: int) -> tuple[Attempt, ...]:
        """The attempts at a task, oldest first."""
        return store_attempts.list_attempts(self.connection, task_number)

    def attempt(self, number: int) -> Attempt:
        """One attempt.

        Raises:
            QueueError: There is none of that number.
        """
        return store_attempts.get_attempt(self.connection, number)

    def allows_review(self, workspace: Path) -> bool:
        """Whether texts of a workspace may go to a remote reviewer. Not before a person has said so."""
        row = self.connection.read_one("SELECT allows_review FROM workspaces WHERE path = ?", (bytes_of_path(workspace),))
        return bool(row and row[0])

    def allow_review(self, workspace: Path, allowed: bool) -> None:
        """Keep a person's answer."""
        with self.connection.write():
            number = store_tasks.workspace_id(self.connection, workspace)
            self.connection.execute("UPDATE workspaces SET allows_review = ? WHERE id = ?", (int(allowed), number))

    def dismiss(self, workspace: Path, fingerprint: str) -> None:
        """Never show a review's finding again."""
        with self.connection.write():
            number = store_tasks.workspace_id(self.connection, workspace)
            self.connection.execute("INSERT OR IGNORE INTO dismissals (workspace, fingerprint) VALUES (?, ?)", (number, fingerprint))

    def dismissed(self, workspace: Path) -> frozenset[str]:
        """The fingerprints of the findings that were dismissed."""
        return frozenset(
            row[0]
            for row in self.connection.read(
                "SELECT fingerprint FROM dismissals WHERE workspace = (SELECT id FROM workspaces WHERE path = ?)",
                (bytes_of_path(workspace),),
            )
        )

    def version(self) -> int:
        """A number that grows with every change that somebody could see; renewed leases are none. Cheap enough to poll."""
        row = self.connection.read_one("SELECT version FROM queue_version")
        if row is None:
            raise QueueError(f"the queue {self.path} is damaged: it has no version")
        return int(row[0])

    def _as_told(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """A task whose coach vanished keeps its state until the next coach comes, and says so."""
        if not any(task.state in WORKING for task in tasks):
            return tasks
        left = store_leases.left_behind(self.connection, self.clock())
        return tuple(replace(task, reason=LEFT_BEHIND) if task.number in left else task for task in tasks)

    def _set_paused(self, number: int, *, is_paused: bool) -> Task:
        with self.connection.write():
            self.get(number)
            self.connection.execute(
                "UPDATE tasks SET is_paused = ?, updated_at = ? WHERE number = ?", (int(is_paused), self.clock(), number)
            )
            return self.get(number)
