"""How tasks and attempts lie in the tables. JSON holds what is not searched for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from pixel_coach.attempts import Attempt, Evidence, Patch, Review, ReviewUnavailable
from pixel_coach.errors import QueueError
from pixel_coach.store_connection import Row
from pixel_coach.tasks import Action, Limits, NewTask, State, Task

T = TypeVar("T")

TASK_COLUMNS: Final = """
    t.number, w.path, t.phase, t.key, t.title, t.action, t.target, t.description, t.contract, t.test_command, t.priority, t.limits,
    t.agent, t.metadata, t.state, t.is_paused, t.position, t.reason, t.created_at, t.updated_at,
    (SELECT group_concat(needs) FROM dependencies WHERE task = t.number)
"""
"""What `task_of_row` reads, for a query over `tasks AS t JOIN workspaces AS w ON w.id = t.workspace`."""

ATTEMPT_COLUMNS: Final = """
    number, task, run, round, candidate, agent, model, patch, reply, evidence, review, review_unavailable, is_best, created_at
"""


def task_of_row(row: Row) -> Task:
    """The task of one row of `TASK_COLUMNS`."""
    return Task(
        number=row[0],
        workspace=path_of_bytes(row[1]),
        phase=row[2],
        key=row[3],
        title=row[4],
        action=Action(row[5]),
        target=row[6],
        description=row[7],
        contract=row[8],
        test_command=from_json(row[9], tuple[str, ...]),
        priority=row[10],
        limits=from_json(row[11], Limits),
        agent=row[12],
        metadata=from_json(row[13], dict[str, Any]),
        state=State(row[14]),
        is_paused=bool(row[15]),
        position=row[16],
        reason=row[17],
        created_at=row[18],
        updated_at=row[19],
        depends_on=tuple(sorted(int(number) for number in row[20].split(","))) if row[20] else (),
    )


def attempt_of_row(row: Row) -> Attempt:
    """The attempt of one row of `ATTEMPT_COLUMNS`."""
    return Attempt(
        number=row[0],
        task=row[1],
        run=row[2],
        round=row[3],
        candidate=row[4],
        agent=row[5],
        model=row[6],
        patch=from_json(row[7], Patch) if row[7] is not None else None,
        reply=row[8],
        evidence=from_json(row[9], Evidence) if row[9] is not None else None,
        review=from_json(row[10], Review) if row[10] is not None else None,
        review_unavailable=from_json(row[11], ReviewUnavailable) if row[11] is not None else None,
        is_best=bool(row[12]),
        created_at=row[13],
    )


def columns_of_task(task: NewTask) -> dict[str, Any]:
    """Column → value for everything that a person can set, dependencies and the workspace left out."""
    return {
        "phase": task.phase,
        "key": task.key,
        "title": storable(task.title),
        "action": task.action.value,
        "target": storable(task.target),
        "description": storable(task.description),
        "contract": task.contract,
        "test_command": to_json(task.test_command),
        "priority": task.priority,
        "limits": to_json(task.limits),
        "agent": task.agent,
        "metadata": to_json(task.metadata),
    }


def columns_of_attempt(attempt: Attempt) -> dict[str, Any]:
    """Column → value for everything but the number."""
    patch = replace(attempt.patch, new_text=storable(attempt.patch.new_text)) if attempt.patch else None
    return {
        "task": attempt.task,
        "run": attempt.run,
        "round": attempt.round,
        "candidate": attempt.candidate,
        "agent": attempt.agent,
        "model": attempt.model,
        "patch": to_json(patch) if patch else None,
        "reply": storable(attempt.reply),
        "evidence": to_json(attempt.evidence) if attempt.evidence else None,
        "review": to_json(attempt.review) if attempt.review else None,
        "review_unavailable": to_json(attempt.review_unavailable) if attempt.review_unavailable else None,
        "is_best": int(attempt.is_best),
    }


def storable(text: str) -> str:
    """A text without halves of surrogate pairs, which models do write and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def bytes_of_path(path: Path) -> bytes:
    """A path as the file system spells it."""
    return os.fsencode(path)


def path_of_bytes(data: bytes) -> Path:
    """The inverse of `bytes_of_path`."""
    return Path(os.fsdecode(data))


def to_json(value: object) -> str:
    """JSON of anything that msgspec knows."""
    return msgspec.json.encode(value).decode()


def from_json(text: str, kind: type[T]) -> T:
    """The value of a stored text.

    Raises:
        QueueError: It is not one, so the database was edited by something else.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise QueueError(f"the queue holds a record that cannot be read: {error}", hint="it was changed by another program") from error
