"""A lease is kept while work goes on, also when the queue is busy for longer than one renewal waits."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from coach_testing.desk import Desk
from pixel_coach.errors import QueueError
from pixel_coach.keep_lease import work_under_lease
from pixel_coach.store import Lease, Store


@pytest.fixture
def lease(tmp_path: Path) -> Lease:
    desk = Desk(tmp_path)
    task = desk.add()
    found = desk.store.lease(workspace=task.workspace, owner="test", seconds=0.6)
    assert found is not None
    desk.close()
    return found


async def keep_while_busy(path: Path, lease: Lease, busy_s: float, work_s: float) -> str:
    """Work while another process's transaction holds the queue from the first moment on."""

    async def work() -> str:
        await asyncio.sleep(work_s)
        return "done"

    with Store(path, timeout_s=0.01) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(busy_s, other.execute, "ROLLBACK")
        try:
            return await work_under_lease(work(), store, lease, asyncio.Event(), seconds=60, lease_s=0.6)
        finally:
            other.close()


async def test_a_queue_that_is_busy_for_a_while_costs_no_work(tmp_path: Path, lease: Lease) -> None:
    assert await keep_while_busy(tmp_path / "queue.sqlite3", lease, busy_s=0.4, work_s=0.8) == "done"


async def test_work_ends_when_the_lease_could_not_be_renewed_in_time(tmp_path: Path, lease: Lease) -> None:
    with pytest.raises(QueueError, match="another process has kept the queue"):
        await keep_while_busy(tmp_path / "queue.sqlite3", lease, busy_s=60, work_s=60)
