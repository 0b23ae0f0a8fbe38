"""How the coach's queue grows: times of its calls with 10³, 10⁵ and 10⁶ tasks.

    python bench/coach_queue.py [--sizes 1000 100000 1000000] [--calls 200]

The queue is on the disk that holds temporary files, with the durability that users get: a call that changes something ends with the disk's
word that it is kept, and costs that at least. A third of the tasks wait for one to three others, so that `next` has something to pass over.
Each figure is the median wall time over the calls, with the median CPU time behind it; their difference is the wait for the disk, and
for other programs. The last column divides the CPU time at the greatest size by that at the smallest: 1 is a cost that does not grow.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pixel_coach.store import Store
from pixel_coach.tasks import Action, NewTask, State

WORKSPACE = Path("/workspace")
BATCH = 10_000

Calls = dict[str, list[tuple[float, float]]]
"""Seconds of wall and of CPU time of each call, by what was called."""


def main() -> int:
    """Fill a queue per size, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    columns: list[Calls] = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "queue.sqlite3"
            with Store(path) as store:
                seconds = fill(store, size)
                columns.append(measure(store, size, options.calls))
            bytes_of_task = sum(file.stat().st_size for file in Path(folder).iterdir()) / size
            sys.stderr.write(
                f"{size:>9,} tasks: filled in {seconds:.1f} s ({seconds / size * 1e6:.0f} µs each), {bytes_of_task:.0f} bytes each\n"
            )
    print_table(options.sizes, columns)
    return 0


def fill(store: Store, size: int) -> float:
    """Add that many tasks in batches; says how many seconds it took."""
    start = time.perf_counter()
    for first in range(1, size + 1, BATCH):
        store.add_all([task(number) for number in range(first, min(first + BATCH, size + 1))])
    return time.perf_counter() - start


def task(number: int) -> NewTask:
    """A task; each third one waits for up to three before it."""
    needs = tuple(sorted({max(1, number - step) for step in (1, 7, 20)[: 1 + number % 3]})) if number % 3 == 0 else ()
    return NewTask(
        workspace=WORKSPACE,
        title=f"task {number}",
        action=Action.EDIT_FILE,
        target=f"shaders/kernel_{number % 1000}.wgsl",
        description="What is to be done, in a sentence or two.",
        phase=f"{number % 8}_phase",
        key=f"task-{number}",
        priority=1 + number % 10,
        depends_on=needs,
    )


def measure(store: Store, size: int, calls: int) -> Calls:
    """Make each call so often."""
    taken: Calls = {}

    def timed(name: str, call: Callable[[], object]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        taken.setdefault(name, []).append((time.perf_counter() - wall, time.process_time() - cpu))

    for index in range(calls):
        number = 1 + index * 7919 % size
        timed("next", lambda: store.next(workspace=WORKSPACE))
        timed("next of a phase", lambda: store.next(workspace=WORKSPACE, phase="3_phase"))
        timed("status (counts by state)", lambda: store.count_by_state(workspace=WORKSPACE))
        timed("status of a phase", lambda: store.count_by_state(workspace=WORKSPACE, phase="3_phase"))
        timed("get", lambda number=number: store.get(number))
        timed("tasks of a file, 20", lambda: store.tasks(workspace=WORKSPACE, target="shaders/kernel_7.wgsl", limit=20))
        timed("first 20 of the queue", lambda: store.tasks(workspace=WORKSPACE, states=(State.PENDING,), limit=20))
        timed("version", store.version)
        timed("add", lambda index=index: store.add(task(size + 1 + index)))
        timed("add again (same key)", lambda number=number: store.add(task(number)))
        lease = None

        def take() -> None:
            nonlocal lease
            lease = store.lease(workspace=WORKSPACE, owner="bench")

        timed("lease", take)
        assert lease is not None
        kept = lease
        timed("renew", lambda kept=kept: store.renew(kept))
        timed("move", lambda kept=kept: store.move(kept, State.AWAITING_ACCEPTANCE))
        timed("accept", lambda kept=kept: store.change_state(kept.task.number, State.COMPLETED))
    return taken


def print_table(sizes: list[int], columns: list[Calls]) -> None:
    """One row a call, one column a size."""
    print(f"{'':<26}" + "".join(f"{f'{size:,} tasks':>26}" for size in sizes) + f"{'growth':>9}")
    for name in columns[0]:
        walls = [statistics.median(wall for wall, _ in column[name]) * 1e3 for column in columns]
        cpus = [statistics.median(cpu for _, cpu in column[name]) * 1e3 for column in columns]
        cells = "".join(f"{f'{wall:.3f} ms (CPU {cpu:.3f})':>26}" for wall, cpu in zip(walls, cpus, strict=True))
        print(f"{name:<26}{cells}{f'× {cpus[-1] / cpus[0]:.1f}':>9}")


if __name__ == "__main__":
    sys.exit(main())
