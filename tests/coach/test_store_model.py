"""The store beside a model of plain dicts: any sequence of calls gives the same answers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coach_testing.queue_tasks import WORKSPACE, check_queue, new_task
from pixel_coach.errors import LeaseLost, QueueError
from pixel_coach.store import Lease, Store
from pixel_coach.store_leases import ABANDONED_AT_MOST, HAND_MADE
from pixel_coach.tasks import TRANSITIONS, WORKING, State

LEASE_S = 10.0


@dataclass
class ModelTask:
    priority: int
    phase: str | None
    needs: set[int]
    state: State = State.PENDING
    is_paused: bool = False
    run: int = 0
    expires_at: float | None = None
    abandoned: int = 0


@dataclass
class Model:
    """What the queue should hold. `order` is the order of the tasks of each priority."""

    now: float = 1000.0
    tasks: dict[int, ModelTask] = field(default_factory=dict)
    order: dict[int, list[int]] = field(default_factory=lambda: {priority: [] for priority in range(1, 11)})

    def is_ready(self, number: int, *, abandoned_counts: bool) -> bool:
        task = self.tasks[number]
        waits = any(self.tasks[need].state is not State.COMPLETED for need in task.needs)
        expired = task.expires_at is not None and task.expires_at <= self.now and task.abandoned < ABANDONED_AT_MOST - 1
        return not waits and not task.is_paused and (task.state is State.PENDING or (abandoned_counts and expired))

    def next(self, phase: str | None) -> int | None:
        numbers = (number for priority in range(10, 0, -1) for number in self.order[priority])
        fits = (number for number in numbers if phase is None or self.tasks[number].phase == phase)
        return next((number for number in fits if self.is_ready(number, abandoned_counts=True)), None)

    def return_abandoned(self) -> None:
        for task in self.tasks.values():
            if task.expires_at is not None and task.expires_at <= self.now:
                task.abandoned += 1
                task.state = State.NEEDS_HUMAN if task.abandoned >= ABANDONED_AT_MOST else State.PENDING
                task.expires_at = None

    def reaches(self, start: int, goal: int) -> bool:
        return start == goal or any(self.reaches(need, goal) for need in self.tasks[start].needs)


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "queue.sqlite3"
        self.model = Model()
        self.leases: list[Lease] = []
        self.open()

    def open(self) -> None:
        self.store = Store(self.path, clock=lambda: self.model.now)
        # Nothing here ends the machine, and the disk's word costs most of the time.
        self.store.connection.execute("PRAGMA synchronous = OFF")

    def teardown(self) -> None:
        self.store.close()
        check_queue(self.path)
        self.folder.cleanup()

    def pick(self, index: int) -> int:
        return 1 + index % len(self.model.tasks)

    has_tasks = precondition(lambda self: bool(self.model.tasks))
    has_leases = precondition(lambda self: bool(self.leases))

    @initialize(tasks=st.lists(st.tuples(st.integers(4, 6), st.sets(st.integers(0, 50), max_size=2)), min_size=4, max_size=8))
    def begin(self, tasks: list[tuple[int, set[int]]]) -> None:
        for priority, needs in tasks:
            self.add(priority, "p", needs)

    @rule(priority=st.integers(1, 10), phase=st.sampled_from([None, "p", "q"]), needs=st.sets(st.integers(0, 50), max_size=3))
    def add(self, priority: int, phase: str | None, needs: set[int]) -> None:
        depends_on = {self.pick(index) for index in needs} if self.model.tasks else set[int]()
        task = self.store.add(new_task(priority=priority, phase=phase, depends_on=tuple(depends_on)))
        assert task.number == len(self.model.tasks) + 1
        self.model.tasks[task.number] = ModelTask(priority=priority, phase=phase, needs=depends_on)
        self.model.order[priority].append(task.number)

    @rule(phase=st.sampled_from([None, None, "p", "q"]))
    def lease(self, phase: str | None) -> None:
        expected = self.model.next(phase)
        looked_at = self.store.next(workspace=WORKSPACE, phase=phase)
        assert (None if looked_at is None else looked_at.number) == expected
        lease = self.store.lease(workspace=WORKSPACE, owner="a coach", phase=phase, seconds=LEASE_S)
        self.model.return_abandoned()
        assert (None if lease is None else lease.task.number) == expected
        if lease is not None:
            self.hand_out(lease)

    @has_tasks
    @rule(index=st.integers(0, 50))
    def lease_one(self, index: int) -> None:
        number = self.pick(index)
        try:
            lease = self.store.lease(workspace=WORKSPACE, owner="a coach", number=number, seconds=LEASE_S)
        except QueueError:
            lease = None
        else:
            self.model.return_abandoned()
        assert (lease is not None) == self.model.is_ready(number, abandoned_counts=lease is None)
        if lease is not None:
            self.hand_out(lease)

    @rule()
    def complete_the_next(self) -> None:
        self.lease(None)
        if self.leases and self.model.tasks[self.leases[-1].task.number].state is State.IN_PROGRESS:
            self.move(len(self.leases) - 1, State.AWAITING_ACCEPTANCE)
            self.change_state(self.leases[-1].task.number - 1, State.COMPLETED)

    def hand_out(self, lease: Lease) -> None:
        task = self.model.tasks[lease.task.number]
        task.state, task.run, task.expires_at = State.IN_PROGRESS, task.run + 1, self.model.now + LEASE_S
        assert lease.run == task.run
        self.leases.append(lease)

    @has_leases
    @rule(index=st.integers(0, 50), state=st.sampled_from(State))
    def move(self, index: int, state: State) -> None:
        lease = self.leases[index % len(self.leases)]
        task = self.model.tasks[lease.task.number]
        holds = task.expires_at is not None and task.run == lease.run
        try:
            self.store.move(lease, state)
        except LeaseLost:
            assert not holds
        except QueueError:
            assert holds
            assert state not in TRANSITIONS[task.state]
        else:
            assert holds
            assert state in TRANSITIONS[task.state]
            task.state = state
            if state not in WORKING:
                task.expires_at, task.abandoned = None, 0

    @has_leases
    @rule(index=st.integers(0, 50))
    def renew(self, index: int) -> None:
        lease = self.leases[index % len(self.leases)]
        task = self.model.tasks[lease.task.number]
        holds = task.expires_at is not None and task.run == lease.run
        try:
            self.store.renew(lease, LEASE_S)
        except LeaseLost:
            assert not holds
        else:
            assert holds
            task.expires_at = self.model.now + LEASE_S

    @has_tasks
    @rule(index=st.integers(0, 50), state=st.sampled_from(State))
    def change_state(self, index: int, state: State) -> None:
        number = self.pick(index)
        task = self.model.tasks[number]
        try:
            self.store.change_state(number, state)
        except QueueError:
            assert state not in HAND_MADE or state not in TRANSITIONS[task.state]
        else:
            assert state in HAND_MADE
            assert state in TRANSITIONS[task.state]
            task.state, task.expires_at, task.abandoned = state, None, 0

    @has_tasks
    @rule(index=st.integers(0, 50), is_paused=st.booleans())
    def pause(self, index: int, is_paused: bool) -> None:
        number = self.pick(index)
        (self.store.pause if is_paused else self.store.resume)(number)
        self.model.tasks[number].is_paused = is_paused

    @has_tasks
    @rule(index=st.integers(0, 50), needs=st.sets(st.integers(0, 50), max_size=3))
    def edit_dependencies(self, index: int, needs: set[int]) -> None:
        number = self.pick(index)
        task = self.model.tasks[number]
        wanted = {self.pick(need) for need in needs}
        has_cycle = any(self.model.reaches(need, number) for need in wanted)
        try:
            self.store.edit(number, depends_on=sorted(wanted))
        except QueueError:
            assert has_cycle or task.state is State.COMPLETED
        else:
            assert not has_cycle
            task.needs = wanted

    @has_tasks
    @rule(index=st.integers(0, 50), before=st.integers(0, 50))
    def reorder(self, index: int, before: int) -> None:
        number, other = self.pick(index), self.pick(before)
        self.store.reorder(number, before=other)
        if number != other:
            task = self.model.tasks[number]
            self.model.order[task.priority].remove(number)
            task.priority = self.model.tasks[other].priority
            order = self.model.order[task.priority]
            order.insert(order.index(other), number)

    @rule(seconds=st.sampled_from([1.0, 6.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.model.now += seconds

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.open()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        held = {
            task.number: (task.priority, task.state, task.is_paused, set(task.depends_on)) for task in self.store.tasks(workspace=WORKSPACE)
        }
        assert held == {number: (task.priority, task.state, task.is_paused, task.needs) for number, task in self.model.tasks.items()}
        order = [number for priority in range(10, 0, -1) for number in self.model.order[priority]]
        assert list(held) == order
        unmet = dict(self.store.connection.read("SELECT number, unmet FROM tasks"))
        assert unmet == {
            number: sum(self.model.tasks[need].state is not State.COMPLETED for need in task.needs)
            for number, task in self.model.tasks.items()
        }


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=50)
