"""Several coaches on one queue, killed at random: no task is lost, none is done twice.

    python tests/support/coach_testing/soak_queue.py [--tasks 10000] [--coaches 2] [--kills 200] [--seed 1]

Tasks wait for one another here and there. A coach that was killed is replaced by another. Exits 1 when the queue is not as it should be.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pixel_coach.store import Store
from pixel_coach.tasks import State

sys.path.insert(0, str(Path(__file__).parents[1]))

from coach_testing.queue_tasks import WORKSPACE, check_queue, new_task

WORKER = Path(__file__).with_name("work_queue.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakReport:
    """What a soak saw.

    Attributes:
        tasks: In the queue.
        kills: Coaches that were killed.
        repeated: Leases beyond the first of a task, which killed coaches left behind.
        seconds: Wall time.
    """

    tasks: int
    kills: int
    repeated: int
    seconds: float


def soak_queue(
    folder: Path, *, tasks: int, coaches: int = 2, kills: int = 0, seed: int = 1, die_at_most_after_s: float = 1.0
) -> SoakReport:
    """Let coaches work a queue off while some are killed, and check what is left.

    Args:
        folder: For the queue and what the coaches say.
        tasks: How many.
        coaches: Processes at a time.
        kills: Coaches that are killed with SIGKILL and replaced.
        seed: Of the draws.
        die_at_most_after_s: A coach is killed after a time between 0 and this.

    Raises:
        AssertionError: A task was lost or done twice, or something that was committed is not there.
    """
    draw = random.Random(seed)
    # Where nobody dies no lease may run out, however busy the machine is.
    lease_s = 2.0 if kills else 600.0
    path = folder / "queue.sqlite3"
    fill(path, tasks, draw)
    start = time.monotonic()
    said = [folder / f"said-{index}" for index in range(coaches + kills)]
    running: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
    try:
        running = [_start(path, said[index], index, lease_s) for index in range(coaches)]
        for index in range(kills):
            time.sleep(draw.random() * die_at_most_after_s)
            process, out = running.pop(0)
            process.kill()
            process.wait()
            out.close()
            running.append(_start(path, said[coaches + index], coaches + index, lease_s))
        for process, _ in running:
            assert process.wait() == 0
    finally:
        for process, out in running:
            process.kill()
            process.wait()
            out.close()
    seconds = time.monotonic() - start
    check_queue(path)
    lines = [line.split() for one in said for line in whole_lines(one)]
    with Store(path) as store:
        counts = store.count_by_state()
        assert counts[State.COMPLETED] == tasks, {state.value: count for state, count in counts.items() if count}
        completed = Counter(number for what, number, _ in lines if what == "completed")
        assert max(completed.values(), default=0) <= 1, f"done twice: {completed.most_common(3)}"
        for what, number, detail in lines:
            if what == "attempt":
                assert store.attempt(int(detail)).task == int(number)
        best = store.connection.read_one("SELECT count(DISTINCT task), count(*) FROM attempts WHERE is_best")
        assert best == (tasks, tasks), f"tasks with a kept attempt, kept attempts: {best}"
    leased = Counter(number for what, number, _ in lines if what == "leased")
    return SoakReport(tasks=tasks, kills=kills, repeated=sum(leased.values()) - len(leased), seconds=seconds)


def fill(path: Path, tasks: int, draw: random.Random) -> None:
    """A new queue whose tasks have phases and priorities, a third of them waiting for others."""
    with Store(path) as store, store.together():
        for index in range(tasks):
            number = index + 1
            needs = (
                tuple({draw.randint(max(1, number - 20), number - 1) for _ in range(draw.randint(1, 3))})
                if index and index % 3 == 0
                else ()
            )
            store.add(
                new_task(f"task {number}", phase=f"phase {index % 3}", key=str(number), priority=draw.randint(1, 10), depends_on=needs)
            )


def whole_lines(path: Path) -> list[str]:
    """What a process said, without a line that it did not finish."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _start(path: Path, said: Path, index: int, lease_s: float) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    out = said.open("wb")
    command = [sys.executable, str(WORKER), str(path), str(WORKSPACE), f"coach {index}", "--lease-s", str(lease_s)]
    return subprocess.Popen(command, stdout=out), out


def main() -> int:
    """Soak, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--coaches", type=int, default=2)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            report = soak_queue(Path(folder), tasks=options.tasks, coaches=options.coaches, kills=options.kills, seed=options.seed)
        except AssertionError as error:
            sys.stdout.write(f"the queue is wrong: {error}\n")
            return 1
    sys.stdout.write(
        f"{report.tasks:,} tasks, {options.coaches} coaches, {report.kills} of them killed on the way: none lost, none done twice;"
        f" {report.repeated} handed out again; {report.seconds:.1f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
