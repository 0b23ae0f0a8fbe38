"""Counting the ledger up: per task, per phase, and what was saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from pixel_coach.prices import NANODOLLARS, PriceTable
from pixel_coach.spending import LedgerSummary, Savings, Spending
from pixel_coach.store_connection import Connection, Row
from pixel_coach.tasks import State

_SUMS_OF_TASK: Final = """
    SELECT c.task, t.phase, count(*), sum(c.purpose = 'review'), sum(c.state = 'reserved'), sum(c.prompt_tokens),
           sum(c.reply_tokens + c.thinking_tokens), sum(c.nanodollars), sum(c.seconds)
    FROM calls AS c LEFT JOIN tasks AS t ON t.number = c.task
"""


def summarise_ledger(
    connection: Connection, prices: PriceTable, workspace: bytes | None, phase: str | None, reviewer_model: str | None
) -> LedgerSummary:
    """What the tasks of a workspace (None: of all) and phase (None: of any) have taken.

    Args:
        connection: To the queue's database.
        prices: For what the reviewer would have cost.
        workspace: Its path as stored.
        phase: Its id.
        reviewer_model: Whose price is taken; None is the one that reviewed last.
    """
    where, parameters = _selection(workspace, phase)
    rows = connection.read(
        f"{_SUMS_OF_TASK} {where} GROUP BY c.task ORDER BY c.task",
        parameters,
    )
    by_task: dict[int, Spending] = {}
    by_phase: dict[str | None, Spending] = defaultdict(Spending)
    total = Spending()
    for row in rows:
        spending = _spending(row)
        total += spending
        by_phase[row[1]] += spending
        if row[0] is not None:
            by_task[row[0]] = spending
    counts = _count_tasks(connection, workspace, phase)
    ended = (State.COMPLETED, State.FAILED, State.NEEDS_HUMAN)
    return LedgerSummary(
        total=total,
        by_task=by_task,
        by_phase=dict(by_phase),
        completed=counts.get(State.COMPLETED.value, 0),
        ended=sum(counts.get(state.value, 0) for state in ended),
        savings=_savings(connection, prices, where, parameters, reviewer_model, by_task),
    )


def _savings(
    connection: Connection,
    prices: PriceTable,
    where: str,
    parameters: Sequence[Any],
    reviewer_model: str | None,
    by_task: dict[int, Spending],
) -> Savings | None:
    if reviewer_model is None:
        last = connection.read_one(
            f"SELECT c.price FROM calls AS c LEFT JOIN tasks AS t ON t.number = c.task {where}"  # noqa: S608
            " AND c.purpose = 'review' AND c.price <> '' ORDER BY c.id DESC LIMIT 1",
            parameters,
        )
        if last is None:
            return None
        reviewer_model = str(last[0])
    found = prices.find(reviewer_model)
    cost_of_task: dict[int, int] = defaultdict(int)
    calls_of_task: dict[int, int] = defaultdict(int)
    for task, prompt_tokens, reply_tokens in connection.read(
        "SELECT c.task, c.prompt_tokens, c.reply_tokens + c.thinking_tokens FROM calls AS c LEFT JOIN tasks AS t ON t.number = c.task"  # noqa: S608
        f" {where} AND c.purpose = 'generate' AND c.state = 'settled' AND c.task IS NOT NULL",
        parameters,
    ):
        cost_of_task[task] += found.price.nanodollars(prompt_tokens, reply_tokens)
        calls_of_task[task] += 1
    if not cost_of_task:
        return None
    return Savings(
        reviewer_model=found.model,
        tasks=len(cost_of_task),
        if_written_dollars=sum(cost_of_task.values()) / NANODOLLARS,
        if_written_once_dollars=sum(cost / calls_of_task[task] for task, cost in cost_of_task.items()) / NANODOLLARS,
        spent_dollars=sum(by_task[task].dollars for task in cost_of_task),
    )


def _selection(workspace: bytes | None, phase: str | None) -> tuple[str, tuple[Any, ...]]:
    conditions, parameters = ["c.state <> 'released'"], list[Any]()
    if workspace is not None:
        conditions.append("c.workspace = (SELECT id FROM workspaces WHERE path = ?)")
        parameters.append(workspace)
    if phase is not None:
        conditions.append("t.phase = ?")
        parameters.append(phase)
    return f"WHERE {' AND '.join(conditions)}", tuple(parameters)


def _spending(row: Row) -> Spending:
    return Spending(
        calls=row[2],
        reviews=row[3],
        unsettled=row[4],
        prompt_tokens=row[5],
        reply_tokens=row[6],
        dollars=row[7] / NANODOLLARS,
        seconds=row[8],
    )


def _count_tasks(connection: Connection, workspace: bytes | None, phase: str | None) -> dict[str, int]:
    return dict(
        connection.read(
            "SELECT state, sum(tasks) FROM state_counts WHERE (?1 IS NULL OR workspace = (SELECT id FROM workspaces WHERE path = ?1))"
            " AND (?2 IS NULL OR phase = ?2) GROUP BY state",
            (workspace, phase),
        )
    )
