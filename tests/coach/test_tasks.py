from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pixel_coach.store import Store
from pixel_coach.tasks import TRANSITIONS, WORKING, State


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(follower in State for followers in TRANSITIONS.values() for follower in followers)
    assert not any(state in followers for state, followers in TRANSITIONS.items())


def reachable(start: State, without: State | None = None) -> set[State]:
    seen = {start}
    stack = [start]
    while stack:
        for follower in TRANSITIONS[stack.pop()] - {without}:
            if follower not in seen:
                seen.add(follower)
                stack.append(follower)
    return seen


def test_a_task_is_completed_only_by_a_person() -> None:
    assert {state for state, followers in TRANSITIONS.items() if State.COMPLETED in followers} == {
        State.AWAITING_ACCEPTANCE,
        State.NEEDS_HUMAN,
    }
    assert not any(State.COMPLETED in TRANSITIONS[state] for state in WORKING)


@pytest.mark.parametrize("state", sorted(set(State) - {State.COMPLETED}))
def test_every_unfinished_task_can_be_put_back_and_cancelled(state: State) -> None:
    assert State.PENDING in reachable(state)
    assert State.CANCELLED in reachable(state)


def test_every_state_can_be_reached() -> None:
    assert reachable(State.PENDING) == set(State)


def test_the_database_knows_the_same_states(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    Store(path).close()
    connection = sqlite3.connect(path)
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'tasks'").fetchone()
    connection.close()
    named = sql.split("CHECK (state IN (")[1].split("))")[0]
    assert {name.strip().strip("'") for name in named.split(",")} == {state.value for state in State}
