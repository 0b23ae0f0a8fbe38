"""A coach without models, as a process: takes tasks from a queue until none is left, and says on standard output what it has committed.

    python tests/support/coach_testing/work_queue.py QUEUE WORKSPACE OWNER [--lease-s 2] [--die-at N]

`--die-at N` ends the process with SIGKILL right before its N-th SQL statement, wherever in a transaction that is. Without, the last line
says how many statements there were.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from pixel_coach.attempts import Evidence, Proof
from pixel_coach.errors import QueueError
from pixel_coach.store import Lease, Store
from pixel_coach.tasks import State

sys.path.insert(0, str(Path(__file__).parents[1]))

from coach_testing.queue_tasks import new_attempt

UNFINISHED = (State.PENDING, State.IN_PROGRESS, State.IN_REVIEW, State.AWAITING_ACCEPTANCE)


def main() -> None:
    """Work until nothing is left to do."""
    parser = argparse.ArgumentParser()
    parser.add_argument("queue", type=Path)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("owner")
    parser.add_argument("--lease-s", type=float, default=2.0)
    parser.add_argument("--die-at", type=int, default=0)
    options = parser.parse_args()
    with Store(options.queue, timeout_s=60) as store:
        statements = _count_statements(store, options.die_at)
        while True:
            lease = store.lease(workspace=options.workspace, owner=options.owner, seconds=options.lease_s)
            if lease is not None:
                _work(store, lease)
            elif _accept_leftovers(store, options.workspace):
                continue
            elif any(count for state, count in store.count_by_state(workspace=options.workspace).items() if state in UNFINISHED):
                time.sleep(0.05)
            else:
                break
    _say("statements", len(statements), 0)


def _work(store: Store, lease: Lease) -> None:
    number = lease.task.number
    _say("leased", number, lease.run)
    try:
        attempt = store.add_attempt(lease, new_attempt(lease))
        _say("attempt", number, attempt.number)
        store.set_evidence(lease, attempt.number, Evidence(proof=Proof.PROVED, checks=(), text_sha256="0" * 64))
        lease = store.renew(lease, 2.0)
        store.move(lease, State.IN_REVIEW)
        with store.together():
            store.mark_best(lease, attempt.number)
            store.move(lease, State.AWAITING_ACCEPTANCE)
        _say("offered", number, lease.run)
        store.change_state(number, State.COMPLETED)
        _say("completed", number, lease.run)
    except QueueError:
        # Another coach took the task over, or accepted what this one offered.
        _say("lost", number, lease.run)


def _accept_leftovers(store: Store, workspace: Path) -> bool:
    """What a coach offered and did not live to accept."""
    waiting = store.tasks(workspace=workspace, states=(State.AWAITING_ACCEPTANCE,))
    for task in waiting:
        if task.updated_at < time.time() - 0.3:
            with contextlib.suppress(QueueError):  # another coach was quicker: the table of states allows it once
                store.change_state(task.number, State.COMPLETED)
                _say("completed", task.number, 0)
            return True
    return False


def _count_statements(store: Store, die_at: int) -> list[str]:
    """The statements that were run, a list that grows; the process ends before one of them."""
    statements: list[str] = []

    def note(statement: str) -> None:
        statements.append(statement)
        if len(statements) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    store.connection._connection.set_trace_callback(note)  # pyright: ignore[reportPrivateUsage] - the place to die at
    return statements


def _say(what: str, number: int, detail: int) -> None:
    sys.stdout.write(f"{what} {number} {detail}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
