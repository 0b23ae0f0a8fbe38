"""Several processes on one queue, and processes that die. The big counts: tests/support/coach_testing/soak_queue.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import coach_testing.work_queue
from coach_testing.queue_tasks import WORKSPACE, check_queue, new_task
from coach_testing.soak_queue import soak_queue
from pixel_coach.store import Store
from pixel_coach.tasks import State

WORKER = Path(coach_testing.work_queue.__file__)

DEATHS = int(os.environ.get("PIXEL_QUEUE_DEATHS", "8"))
"""At how many of the statements of its life, evenly spread, the worker is killed in turn. About 140 tries them all."""


def work(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(WORKER), str(path), str(WORKSPACE), "a coach", "--lease-s", "0.2", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def two_tasks(folder: Path) -> Path:
    path = folder / "queue.sqlite3"
    with Store(path) as store:
        store.add(new_task())
        store.add(new_task(depends_on=(1,)))
    return path


def test_no_task_is_done_twice_and_none_is_lost(tmp_path: Path) -> None:
    report = soak_queue(tmp_path, tasks=100, coaches=3)
    assert (report.tasks, report.repeated) == (100, 0)


def test_killed_coaches_lose_nothing(tmp_path: Path) -> None:
    report = soak_queue(tmp_path, tasks=60, coaches=2, kills=4, seed=3, die_at_most_after_s=0.5)
    assert report.kills == 4


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many statements take a worker through two tasks to its end."""
    finished = work(two_tasks(tmp_path_factory.mktemp("whole")))
    return int(finished.stdout.splitlines()[-1].split()[1])


@pytest.mark.parametrize("death", range(DEATHS))
def test_a_kill_before_any_statement_loses_nothing_that_was_committed(tmp_path: Path, statements: int, death: int) -> None:
    path = two_tasks(tmp_path)
    statement = 1 + death * statements // DEATHS
    killed = work(path, "--die-at", str(statement))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    check_queue(path)
    said = [line.split() for line in killed.stdout.splitlines()]
    with Store(path) as store:
        for what, number, detail in said:
            if what == "attempt":
                assert store.attempt(int(detail)).task == int(number)
            if what == "completed":
                assert store.get(int(number)).state is State.COMPLETED
    finished = work(path)
    assert (finished.returncode, finished.stderr) == (0, "")
    with Store(path) as store:
        assert store.count_by_state()[State.COMPLETED] == 2
    done = [line for line in (killed.stdout + finished.stdout).splitlines() if line.startswith("completed")]
    assert len(done) == len({line.split()[1] for line in done})
    check_queue(path)


def test_two_processes_make_one_queue(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "queue.sqlite3"
    code = f"from pathlib import Path; from pixel_coach.store import Store; Store(Path({str(path)!r})).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1] for process in processes] == [b""] * 4
    check_queue(path)
