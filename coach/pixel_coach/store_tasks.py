"""Adding, reading and editing tasks, and what they wait for."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pixel_coach.errors import QueueError
from pixel_coach.store_connection import Connection
from pixel_coach.store_rows import TASK_COLUMNS, bytes_of_path, columns_of_task, task_of_row
from pixel_coach.tasks import MAX_PRIORITY, MIN_PRIORITY, NewTask, State, Task

FROM_TASKS: Final = "FROM tasks AS t JOIN workspaces AS w ON w.id = t.workspace"
"""What a query for `TASK_COLUMNS` reads from."""


def tasks_by(index: str) -> str:
    """`FROM_TASKS` that must use an index."""
    return f"FROM tasks AS t INDEXED BY {index} JOIN workspaces AS w ON w.id = t.workspace"


IN_ORDER: Final = "ORDER BY t.priority DESC, t.position, t.number"
"""The order in which tasks are handed out."""

EDITABLE: Final = frozenset(NewTask.__struct_fields__) - {"workspace", "key"}
"""The fields that a person may change."""

MAX_LIMIT: Final = 1_000_000_000
LONGEST_TITLE: Final = 500
_GREATEST_NUMBER: Final = 2**63 - 1


def get_task(connection: Connection, number: int) -> Task:
    """One task.

    Raises:
        QueueError: There is none of that number.
    """
    row = None
    if 0 < number <= _GREATEST_NUMBER:
        row = connection.read_one(f"SELECT {TASK_COLUMNS} {FROM_TASKS} WHERE t.number = ?", (number,))
    if row is None:
        raise QueueError(f"there is no task {number}", hint="`pixel-lsp list-tasks` shows those there are")
    return task_of_row(row)


def list_tasks(
    connection: Connection,
    *,
    workspace: Path | None = None,
    phase: str | None = None,
    states: Collection[State] | None = None,
    target: str | None = None,
    limit: int | None = None,
) -> tuple[Task, ...]:
    """Tasks in the order in which they are handed out, the finished ones among them."""
    conditions: list[str] = []
    parameters: list[Any] = []
    if workspace is not None:
        conditions.append("t.workspace = (SELECT id FROM workspaces WHERE path = ?)")
        parameters.append(bytes_of_path(workspace))
    for column, value in (("phase", phase), ("target", target)):
        if value is not None:
            conditions.append(f"t.{column} = ?")
            parameters.append(value)
    if states is not None:
        conditions.append(f"t.state IN ({', '.join('?' * len(states))})")
        parameters.extend(state.value for state in states)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    source = FROM_TASKS
    if workspace is not None and (target is not None or phase is not None):
        # With a limit SQLite would rather walk over the whole queue in its order.
        source = tasks_by("tasks_of_target" if target is not None else "tasks_of_phase")
    parameters.append(-1 if limit is None else limit)
    return tuple(map(task_of_row, connection.read(f"SELECT {TASK_COLUMNS} {source} {where} {IN_ORDER} LIMIT ?", parameters)))


def add_task(connection: Connection, task: NewTask, now: float) -> Task:
    """Store a task, or find the one of its workspace, phase and key. Inside a write transaction.

    Raises:
        QueueError: Something about it cannot be, such as a dependency that does not exist.
    """
    check_task(task)
    workspace = workspace_id(connection, task.workspace)
    if task.key is not None:
        known = connection.read_one(
            "SELECT number FROM tasks WHERE workspace = ? AND ifnull(phase, '') = ? AND key = ?", (workspace, task.phase or "", task.key)
        )
        if known:
            return get_task(connection, known[0])
    sequence = connection.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'")
    number = sequence[0] + 1 if sequence else 1
    # A new task goes behind all those there are, and numbers grow.
    position = float(number)
    columns = {
        "number": number,
        "workspace": workspace,
        **columns_of_task(task),
        "position": position,
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(f"INSERT INTO tasks ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", tuple(columns.values()))  # noqa: S608
    if task.depends_on:
        _set_dependencies(connection, number, task.depends_on)
    connection.count_change()
    return get_task(connection, number)


def edit_task(connection: Connection, number: int, changes: Mapping[str, object], now: float) -> Task:
    """Change fields of a task. A coach that works on it goes on with what it was given. Inside a write transaction.

    Raises:
        QueueError: No such task or field, a value that cannot be, a completed task, or a cycle of dependencies.
    """
    task = get_task(connection, number)
    unknown = sorted(set(changes) - EDITABLE)
    if unknown:
        raise QueueError(f"a task has no field `{unknown[0]}` that can be edited", hint=f"those that can: {', '.join(sorted(EDITABLE))}")
    if task.state is State.COMPLETED:
        raise QueueError(f"task {number} is completed and stays as it is", hint="add a task for what remains")
    edited = _changed(task, changes)
    check_task(edited)
    clash = (
        edited.phase != task.phase
        and edited.key is not None
        and connection.read_one(
            "SELECT number FROM tasks WHERE workspace = (SELECT workspace FROM tasks WHERE number = ?)"
            " AND ifnull(phase, '') = ? AND key = ?",
            (number, edited.phase or "", edited.key),
        )
    )
    if clash:
        raise QueueError(f"phase `{edited.phase}` already has a task with the key `{edited.key}`: task {clash[0]}")
    columns = {**columns_of_task(edited), "updated_at": now}
    assignments = ", ".join(f"{column} = ?" for column in columns)
    connection.execute(f"UPDATE tasks SET {assignments} WHERE number = ?", (*columns.values(), number))  # noqa: S608
    if set(edited.depends_on) != set(task.depends_on):
        _set_dependencies(connection, number, edited.depends_on)
    return get_task(connection, number)


def unmet_dependencies(connection: Connection, number: int) -> tuple[Task, ...]:
    """The tasks that a task waits for."""
    rows = connection.read(
        f"SELECT {TASK_COLUMNS} {FROM_TASKS} WHERE t.state <> 'completed'"  # noqa: S608
        " AND t.number IN (SELECT needs FROM dependencies WHERE task = ?) ORDER BY t.number",
        (number,),
    )
    return tuple(map(task_of_row, rows))


def check_task(task: NewTask) -> None:
    """Refuse what cannot be.

    Raises:
        QueueError: An empty title or target, a priority or limit out of range, a workspace that is not absolute.
    """
    if not MIN_PRIORITY <= task.priority <= MAX_PRIORITY:
        raise QueueError(f"a priority is a number from {MIN_PRIORITY} (last) to {MAX_PRIORITY} (first), not {task.priority}")
    if not task.title.strip() or "\n" in task.title or len(task.title) > LONGEST_TITLE:
        raise QueueError(f"a title is one line of 1 to {LONGEST_TITLE} characters", hint="put the rest into the description")
    if not task.target.strip():
        raise QueueError("a task needs a target: the file that it is about", hint="give its path relative to the workspace")
    if not task.workspace.is_absolute():
        raise QueueError(f"the workspace {task.workspace} is not an absolute path")
    limits = task.limits
    for name, value, lowest in (
        ("rounds", limits.rounds, 1),
        ("seconds", limits.seconds, 0),
        ("dollars", limits.dollars, 0),
        ("requests", limits.requests, 0),
    ):
        if not (math.isfinite(value) and lowest <= value <= MAX_LIMIT):
            raise QueueError(f"the limit `{name}` is a number from {lowest} to {MAX_LIMIT:,}, not {value}")


def workspace_id(connection: Connection, workspace: Path) -> int:
    """The row of a workspace, made where it is missing. Inside a write transaction."""
    path = bytes_of_path(workspace)
    row = connection.read_one("SELECT id FROM workspaces WHERE path = ?", (path,))
    if row is None:
        connection.execute("INSERT INTO workspaces (path) VALUES (?)", (path,))
        row = connection.read_one("SELECT id FROM workspaces WHERE path = ?", (path,))
    assert row is not None
    return int(row[0])


def _changed(task: Task, changes: Mapping[str, object]) -> Task:
    """The task with values of the right kinds: they come from command lines and editors."""
    plain = {**msgspec.to_builtins(task, enc_hook=str), **msgspec.to_builtins(dict(changes), enc_hook=str)}
    try:
        edited = msgspec.convert(plain, Task, dec_hook=_kind_of_path)
    except msgspec.ValidationError as error:
        raise QueueError(f"task {task.number} cannot be edited so: {error}") from error
    return replace(edited, workspace=task.workspace)


def _kind_of_path(kind: type[Any], value: object) -> object:
    return kind(value)


def _set_dependencies(connection: Connection, number: int, needs: Sequence[int]) -> None:
    """Let a task wait for exactly these."""
    wanted = set(needs)
    for needed in sorted(wanted):
        other = get_task(connection, needed)
        if connection.read_one(
            "SELECT 1 FROM tasks WHERE number = ? AND workspace <> (SELECT workspace FROM tasks WHERE number = ?)", (needed, number)
        ):
            raise QueueError(f"task {number} cannot wait for task {needed}, which belongs to the workspace {other.workspace}")
    known = {row[0] for row in connection.read("SELECT needs FROM dependencies WHERE task = ?", (number,))}
    for needed in known - wanted:
        connection.execute("DELETE FROM dependencies WHERE task = ? AND needs = ?", (number, needed))
    for needed in sorted(wanted - known):
        path = _path_between(connection, needed, number)
        if path:
            chain = " → ".join(str(step) for step in (number, *path))
            raise QueueError(f"task {number} would wait for itself: {chain}")
        connection.execute("INSERT INTO dependencies (task, needs) VALUES (?, ?)", (number, needed))


def _path_between(connection: Connection, start: int, goal: int) -> tuple[int, ...]:
    """The shortest way from a task to another along what they wait for; empty where there is none."""
    if start == goal:
        return (start,)
    # Nothing waits for a new task, so that most calls end here.
    if not connection.read_one("SELECT 1 FROM dependencies WHERE needs = ? LIMIT 1", (goal,)):
        return ()
    came_from = {start: start}
    queue = deque([start])
    while queue:
        task = queue.popleft()
        for (needed,) in connection.read("SELECT needs FROM dependencies WHERE task = ?", (task,)):
            if needed in came_from:
                continue
            came_from[needed] = task
            if needed == goal:
                return _walk_back(came_from, goal)
            queue.append(needed)
    return ()


def _walk_back(came_from: Mapping[int, int], goal: int) -> tuple[int, ...]:
    path = [goal]
    while came_from[path[-1]] != path[-1]:
        path.append(came_from[path[-1]])
    return tuple(reversed(path))


def reorder_task(connection: Connection, number: int, before: int, now: float) -> Task:
    """Put a task directly before another one, whose priority it takes. Inside a write transaction.

    Raises:
        QueueError: No such task, or they are of two workspaces.
    """
    task, other = get_task(connection, number), get_task(connection, before)
    if task.workspace != other.workspace:
        raise QueueError(f"tasks {number} and {before} belong to two workspaces and have no common order")
    if number == before:
        return task
    low = _position_before(connection, number, other)
    position = (low + other.position) / 2
    if not low < position < other.position:
        # Fifty moves into one gap use up its floats.
        _spread_positions(connection, other)
        other = get_task(connection, before)
        position = (_position_before(connection, number, other) + other.position) / 2
    connection.execute(
        "UPDATE tasks SET priority = ?, position = ?, updated_at = ? WHERE number = ?", (other.priority, position, now, number)
    )
    return get_task(connection, number)


def _position_before(connection: Connection, number: int, other: Task) -> float:
    """Where the last task before another one stands, this one left out."""
    row = connection.read_one(
        "SELECT position FROM tasks WHERE workspace = (SELECT workspace FROM tasks WHERE number = ?) AND priority = ? AND number <> ?"
        " AND (position, number) < (?, ?) ORDER BY position DESC, number DESC LIMIT 1",
        (other.number, other.priority, number, other.position, other.number),
    )
    return row[0] if row else other.position - 1


def _spread_positions(connection: Connection, other: Task) -> None:
    """Number the tasks of a workspace and priority 1, 2, 3, … in their order; new tasks still come behind."""
    rows = connection.read(
        "SELECT number FROM tasks WHERE workspace = (SELECT workspace FROM tasks WHERE number = ?) AND priority = ?"
        " ORDER BY position, number",
        (other.number, other.priority),
    )
    for position, (number,) in enumerate(rows, start=1):
        connection.execute("UPDATE tasks SET position = ? WHERE number = ?", (float(position), number))
