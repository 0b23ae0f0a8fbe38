"""Tasks for tests of the queue, and what must hold of a queue whatever happened to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from pixel_coach.attempts import Attempt, Patch
from pixel_coach.store import Lease
from pixel_coach.tasks import Action, NewTask

WORKSPACE = Path("/workspace")


def new_task(title: str = "a task", **fields: Any) -> NewTask:
    """A task with nothing special about it."""
    return NewTask(**{"workspace": WORKSPACE, "title": title, "action": Action.EDIT_FILE, "target": "kernel.wgsl", **fields})


def new_attempt(lease: Lease, **fields: Any) -> Attempt:
    """An attempt of a lease's run."""
    given = {
        "task": lease.task.number,
        "run": lease.run,
        "round": 1,
        "candidate": 0,
        "agent": "scripted",
        "model": "",
        "patch": Patch(path="kernel.wgsl", base_sha256=None, new_text="fn f() {}\n"),
        "reply": "fn f() {}",
    }
    return Attempt(**{**given, **fields})


def check_queue(path: Path) -> None:
    """Read the tables as they lie on the disk: nothing is damaged, and what triggers keep agrees with what it is kept of."""
    connection = sqlite3.connect(path, timeout=30)
    try:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        assert rows("PRAGMA integrity_check") == [("ok",)]
        assert rows("PRAGMA foreign_key_check") == []
        counted = rows("SELECT workspace, phase, state, tasks FROM state_counts WHERE tasks <> 0 ORDER BY 1, 2, 3")
        assert counted == rows("SELECT workspace, ifnull(phase, ''), state, count(*) FROM tasks GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
        unmet = rows("SELECT number, unmet FROM tasks ORDER BY number")
        assert unmet == rows(
            "SELECT t.number, count(n.number) FROM tasks AS t LEFT JOIN dependencies AS d ON d.task = t.number"
            " LEFT JOIN tasks AS n ON n.number = d.needs AND n.state <> 'completed' GROUP BY t.number ORDER BY t.number"
        )
    finally:
        connection.close()
