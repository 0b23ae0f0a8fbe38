from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coach_testing.queue_tasks import WORKSPACE, check_queue, new_attempt, new_task
from pixel_coach.attempts import CheckStatus, Evidence, EvidenceCheck, Proof, Review, ReviewUnavailable
from pixel_coach.errors import LeaseLost, QueueError
from pixel_coach.store import Lease, Store, queue_path
from pixel_coach.store_connection import APPLICATION_ID, explain_failure
from pixel_coach.tasks import TRANSITIONS, WORKING, Action, Limits, State


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(tmp_path / "queue.sqlite3", clock=clock) as store:
        yield store
    check_queue(tmp_path / "queue.sqlite3")


def lease(store: Store, **fields: Any) -> Lease:
    lease = store.lease(workspace=WORKSPACE, owner="a coach", **fields)
    assert lease is not None
    return lease


def check_refused(message: str, hint: str | None, call: Any) -> None:
    with pytest.raises(QueueError) as caught:
        call()
    assert (caught.value.message, caught.value.hint) == (message, hint)


class TestTasks:
    def test_comes_back_as_it_was_added(self, store: Store) -> None:
        given = new_task(
            "Tile the matmul",
            action=Action.OPTIMISE_KERNEL,
            description="größer ✓",
            contract="matmul",
            test_command=("python3", "-m", "pytest"),
            phase="1_gpu_core",
            key="matmul",
            priority=9,
            limits=Limits(rounds=2, seconds=1.5, dollars=0.25, requests=3),
            agent="ollama",
            metadata={"lines": 300, "nested": {"a": [1, None]}},
        )
        task = store.add(given)
        assert task.number == 1
        assert task.state is State.PENDING
        assert (task.created_at, task.updated_at) == (1_000_000.0, 1_000_000.0)
        assert {name: getattr(task, name) for name in given.__struct_fields__} == {
            name: getattr(given, name) for name in given.__struct_fields__
        }
        assert store.get(1) == task

    def test_a_path_that_is_not_utf8_comes_back(self, store: Store) -> None:
        workspace = Path("/home/\udcff")
        store.add(new_task(workspace=workspace))
        assert [task.workspace for task in store.tasks(workspace=workspace)] == [workspace]

    def test_a_key_is_added_once_per_phase_and_workspace(self, store: Store) -> None:
        first = store.add(new_task("first", phase="p", key="k"))
        assert store.add(new_task("second", phase="p", key="k")) == first
        numbers = [
            store.add(new_task(phase=None, key="k")).number,
            store.add(new_task(phase=None, key="k")).number,
            store.add(new_task(phase="q", key="k")).number,
            store.add(new_task(workspace=Path("/other"), phase="p", key="k")).number,
            store.add(new_task()).number,
            store.add(new_task()).number,
        ]
        assert numbers == [2, 2, 3, 4, 5, 6]

    def test_adds_all_or_none(self, store: Store) -> None:
        with pytest.raises(QueueError):
            store.add_all([new_task(), new_task(priority=11)])
        assert store.tasks() == ()

    def test_together_is_one_transaction(self, store: Store) -> None:
        def add_two() -> None:
            with store.together():
                store.add(new_task())
                store.add(new_task(priority=11))

        with pytest.raises(QueueError):
            add_two()
        assert store.tasks() == ()

    def test_a_call_that_fails_leaves_nothing_to_those_around_it(self, store: Store) -> None:
        with store.together():
            store.add(new_task("before"))
            with pytest.raises(QueueError):
                store.add(new_task("refused", depends_on=(9,)))
            store.add(new_task("after"))
        assert [(task.number, task.title) for task in store.tasks()] == [(1, "before"), (2, "after")]

    def test_lists_in_the_order_of_handing_out(self, store: Store) -> None:
        store.add_all(
            [new_task("low", priority=1), new_task("high", priority=9, phase="p"), new_task("high too", priority=9, target="b.py")]
        )
        assert [task.title for task in store.tasks(workspace=WORKSPACE)] == ["high", "high too", "low"]
        assert [task.title for task in store.tasks(limit=1)] == ["high"]
        assert [task.title for task in store.tasks(workspace=WORKSPACE, phase="p")] == ["high"]
        assert [task.title for task in store.tasks(workspace=WORKSPACE, target="b.py")] == ["high too"]
        assert store.tasks(states=(State.FAILED,)) == store.tasks(states=()) == ()

    def test_counts_by_state(self, store: Store) -> None:
        store.add_all([new_task(), new_task(phase="p"), new_task(workspace=Path("/other"), phase="p")])
        lease(store)
        expected = dict.fromkeys(State, 0)
        assert store.count_by_state() == {**expected, State.PENDING: 2, State.IN_PROGRESS: 1}
        assert store.count_by_state(workspace=WORKSPACE) == {**expected, State.PENDING: 1, State.IN_PROGRESS: 1}
        assert store.count_by_state(workspace=WORKSPACE, phase="p") == {**expected, State.PENDING: 1}

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"priority": 0}, "a priority is a number from 1 (last) to 10 (first), not 0"),
            ({"title": " "}, "a title is one line of 1 to 500 characters"),
            ({"title": "a\nb"}, "a title is one line of 1 to 500 characters"),
            ({"target": ""}, "a task needs a target: the file that it is about"),
            ({"workspace": Path("here")}, "the workspace here is not an absolute path"),
            ({"limits": Limits(rounds=0)}, "the limit `rounds` is a number from 1 to 1,000,000,000, not 0"),
            ({"limits": Limits(dollars=float("nan"))}, "the limit `dollars` is a number from 0 to 1,000,000,000, not nan"),
            ({"depends_on": (7,)}, "there is no task 7"),
            ({"depends_on": (2**70,)}, f"there is no task {2**70}"),
        ],
    )
    def test_refuses_what_cannot_be(self, store: Store, fields: dict[str, Any], message: str) -> None:
        with pytest.raises(QueueError) as caught:
            store.add(new_task(**fields))
        assert caught.value.message == message

    def test_an_unknown_task_is_named(self, store: Store) -> None:
        check_refused("there is no task 3", "`pixel-lsp list-tasks` shows those there are", lambda: store.get(3))


class TestEditing:
    def test_changes_what_is_named(self, store: Store, clock: Clock) -> None:
        before = store.add(new_task())
        clock.now += 5
        after = store.edit(1, title="other", priority=9, limits=Limits(rounds=1), test_command=["make"], action="write_tests")
        assert (after.title, after.priority, after.limits, after.test_command, after.action) == (
            "other",
            9,
            Limits(rounds=1),
            ("make",),
            Action.WRITE_TESTS,
        )
        assert (after.description, after.position, after.updated_at) == (before.description, before.position, clock.now)

    def test_refuses_unknown_fields_and_wrong_kinds(self, store: Store) -> None:
        store.add(new_task())
        with pytest.raises(QueueError, match="a task has no field `state` that can be edited"):
            store.edit(1, state="completed")
        check_refused(
            "task 1 cannot be edited so: Expected `int`, got `str` - at `$.priority`", None, lambda: store.edit(1, priority="high")
        )

    def test_a_completed_task_stays_as_it_is(self, store: Store) -> None:
        complete(store, store.add(new_task()).number)
        check_refused("task 1 is completed and stays as it is", "add a task for what remains", lambda: store.edit(1, title="x"))

    def test_refuses_a_key_that_is_taken_in_the_other_phase(self, store: Store) -> None:
        store.add_all([new_task(phase="p", key="k"), new_task(phase="q", key="k")])
        check_refused("phase `q` already has a task with the key `k`: task 2", None, lambda: store.edit(1, phase="q"))

    def test_reorders_and_takes_the_priority(self, store: Store) -> None:
        store.add_all([new_task(str(number)) for number in range(1, 5)])
        store.add(new_task("5", priority=1))
        store.reorder(4, before=2)
        moved = store.reorder(5, before=1)
        assert moved.priority == 5
        assert [task.title for task in store.tasks()] == ["5", "1", "4", "2", "3"]

    def test_reorders_for_ever(self, store: Store) -> None:
        store.add_all([new_task("last"), new_task("a"), new_task("b")])
        for _ in range(100):
            store.reorder(2, before=1)
            store.reorder(3, before=1)
        assert [task.title for task in store.tasks()] == ["a", "b", "last"]
        store.add(new_task("new"))
        assert [task.title for task in store.tasks()] == ["a", "b", "last", "new"]

    def test_tasks_of_two_workspaces_have_no_order(self, store: Store) -> None:
        store.add_all([new_task(), new_task(workspace=Path("/other"))])
        check_refused("tasks 1 and 2 belong to two workspaces and have no common order", None, lambda: store.reorder(1, before=2))


class TestDependencies:
    def test_waits_until_all_are_completed(self, store: Store) -> None:
        store.add_all([new_task("a", priority=1), new_task("b", priority=1)])
        store.add(new_task("c", priority=9, depends_on=(1, 2)))
        complete(store, 1)
        assert store.explain_waiting(3) == "task 3 waits for task 2 (pending)"
        complete(store, 2)
        assert store.waits_for(3) == ()
        assert lease(store).task.number == 3

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            (State.FAILED, "task 2 waits for task 1 (failed: because)"),
            (State.NEEDS_HUMAN, "task 2 waits for task 1 (waiting for a person: because)"),
            (State.CANCELLED, "task 2 waits for task 1 (cancelled: because)"),
            (State.BLOCKED, "task 2 waits for task 1 (blocked: because)"),
        ],
    )
    def test_is_not_handed_out_when_one_ended_otherwise(self, store: Store, state: State, said: str) -> None:
        store.add_all([new_task(), new_task()])
        store.edit(2, depends_on=[1])
        store.move(lease(store), state, "because")
        assert store.lease(workspace=WORKSPACE, owner="x") is None
        check_refused(said, "finish those first, or edit `depends_on`", lambda: lease(store, number=2))

    def test_a_dependency_taken_away_no_longer_counts(self, store: Store) -> None:
        store.add(new_task(priority=1))
        store.add(new_task(depends_on=(1,)))
        assert lease_and_back(store) == 1
        store.edit(2, depends_on=[])
        assert lease_and_back(store) == 2

    def test_names_the_cycle(self, store: Store) -> None:
        store.add(new_task())
        store.add(new_task(depends_on=(1,)))
        store.add(new_task(depends_on=(2,)))
        check_refused("task 1 would wait for itself: 1 → 3 → 2 → 1", None, lambda: store.edit(1, depends_on=[3]))
        check_refused("task 1 would wait for itself: 1 → 1", None, lambda: store.edit(1, depends_on=[1]))
        assert store.get(1).depends_on == ()

    def test_a_long_chain_is_no_recursion(self, store: Store) -> None:
        with store.together():
            for number in range(3000):
                store.add(new_task(depends_on=(number,) if number else ()))
        with pytest.raises(QueueError, match=r"task 1 would wait for itself: 1 → 3000 → 2999"):
            store.edit(1, depends_on=[3000])

    def test_stays_within_a_workspace(self, store: Store) -> None:
        store.add(new_task(workspace=Path("/other")))
        check_refused(
            "task 2 cannot wait for task 1, which belongs to the workspace /other", None, lambda: store.add(new_task(depends_on=(1,)))
        )


class TestLeases:
    def test_hands_out_by_priority_then_age(self, store: Store) -> None:
        store.add_all([new_task("a", priority=3), new_task("b", priority=8), new_task("c", priority=8)])
        assert [lease(store).task.title for _ in range(3)] == ["b", "c", "a"]
        assert store.lease(workspace=WORKSPACE, owner="x") is None

    def test_keeps_to_phase_and_workspace(self, store: Store) -> None:
        store.add_all([new_task(phase="p"), new_task(workspace=Path("/other"), phase="q")])
        assert store.next(workspace=WORKSPACE, phase="q") is None
        assert store.lease(workspace=WORKSPACE, owner="x", phase="q") is None
        assert lease(store, phase="p").task.number == 1

    def test_an_expired_lease_goes_back_and_the_old_coach_is_told(self, store: Store, clock: Clock) -> None:
        store.add(new_task())
        old = lease(store, seconds=10)
        clock.now += 11
        assert store.next(workspace=WORKSPACE) is not None
        new = store.lease(workspace=WORKSPACE, owner="another coach")
        assert new is not None
        assert (new.run, new.owner) == (2, "another coach")
        for call in (lambda: store.renew(old), lambda: store.move(old, State.FAILED), lambda: store.add_attempt(old, new_attempt(old))):
            with pytest.raises(LeaseLost) as caught:
                call()
            assert caught.value.message == "task 1 is now being worked on by another coach"

    def test_a_task_whose_coach_vanished_says_so(self, store: Store, clock: Clock) -> None:
        number = store.add(new_task()).number
        held = lease(store, seconds=100)
        assert (store.get(number).reason, store.tasks()[0].reason) == ("", "")
        clock.now += 101
        said = "its coach stopped without a word; the next one takes the task up"
        assert (store.get(number).reason, store.tasks(states=WORKING)[0].reason) == (said, said)
        assert store.get(number).state is State.IN_PROGRESS
        store.renew(held, 100)
        assert store.get(number).reason == ""

    def test_an_expired_lease_is_good_while_nobody_took_the_task(self, store: Store, clock: Clock) -> None:
        store.add(new_task())
        old = lease(store, seconds=10)
        clock.now += 11
        assert store.renew(old, 10).expires_at == clock.now + 10
        assert store.lease(workspace=WORKSPACE, owner="x") is None

    def test_a_person_takes_the_lease_away(self, store: Store) -> None:
        store.add(new_task())
        kept = lease(store)
        store.change_state(1, State.CANCELLED, "not wanted")
        with pytest.raises(LeaseLost, match="task 1 is cancelled by now and no longer this coach's"):
            store.renew(kept)

    def test_a_task_that_ends_every_coach_needs_a_person(self, store: Store, clock: Clock) -> None:
        store.add(new_task())
        for _ in range(5):
            lease(store, seconds=1)
            clock.now += 2
        assert store.next(workspace=WORKSPACE) is None
        assert store.lease(workspace=WORKSPACE, owner="x") is None
        task = store.get(1)
        assert (task.state, task.reason) == (State.NEEDS_HUMAN, "5 coaches in a row stopped while they worked on it")
        store.change_state(1, State.PENDING)
        assert lease(store).run == 6

    def test_says_who_works_on_a_task(self, store: Store) -> None:
        store.add(new_task())
        assert store.lease_of(1) is None
        kept = lease(store)
        assert store.lease_of(1) == kept

    @pytest.mark.parametrize(
        ("state", "message", "hint"),
        [
            (State.FAILED, "task 1 is failed: why", "`pixel-lsp retry 1` puts it back"),
            (State.CANCELLED, "task 1 is cancelled: why", "`pixel-lsp retry 1` puts it back"),
            (State.IN_REVIEW, "task 1 is being worked on by a coach", None),
        ],
    )
    def test_says_why_one_cannot_be_had(self, store: Store, state: State, message: str, hint: str | None) -> None:
        store.add(new_task())
        store.move(lease(store), state, "why")
        check_refused(message, hint, lambda: lease(store, number=1))

    def test_a_paused_task_keeps_its_state_and_stays(self, store: Store) -> None:
        store.add(new_task())
        assert store.pause(1).is_paused
        assert store.next(workspace=WORKSPACE) is None
        check_refused("task 1 is paused", "`pixel-lsp resume 1` lets it go on", lambda: lease(store, number=1))
        assert store.resume(1).state is State.PENDING
        assert lease(store, number=1).task.number == 1

    def test_a_task_of_another_workspace_is_not_handed_out(self, store: Store) -> None:
        store.add(new_task(workspace=Path("/other")))
        check_refused("task 1 belongs to the workspace /other", "start the coach there", lambda: lease(store, number=1))


class TestStates:
    @pytest.mark.parametrize("old", sorted(WORKING))
    @pytest.mark.parametrize("new", list(State))
    def test_a_coach_keeps_to_the_table(self, store: Store, old: State, new: State) -> None:
        store.add(new_task())
        kept = lease(store)
        if old is State.IN_REVIEW:
            store.move(kept, old)
        if new in TRANSITIONS[old]:
            assert store.move(kept, new, "why").state is new
            assert (store.lease_of(1) is None) == (new not in WORKING)
        else:
            with pytest.raises(QueueError):
                store.move(kept, new)
            assert store.get(1).state is old

    @pytest.mark.parametrize("new", [State.IN_PROGRESS, State.IN_REVIEW, State.AWAITING_ACCEPTANCE, State.FAILED])
    def test_a_person_makes_no_work(self, store: Store, new: State) -> None:
        store.add(new_task())
        check_refused(
            f"only a coach makes a task {new.value.replace('_', ' ')}",
            "start one with `pixel-lsp --coach`",
            lambda: store.change_state(1, new),
        )

    def test_says_what_a_task_can_become(self, store: Store) -> None:
        store.add(new_task())
        check_refused(
            "task 1 is pending and cannot become completed",
            "it can become blocked, cancelled, waiting for a person",
            lambda: store.change_state(1, State.COMPLETED),
        )
        check_refused("task 1 is pending already", None, lambda: store.change_state(1, State.PENDING))
        complete(store, 1)
        check_refused("task 1 is completed and cannot become pending", "it stays so", lambda: store.change_state(1, State.PENDING))


class TestAttempts:
    def test_keeps_everything(self, store: Store, clock: Clock) -> None:
        store.add(new_task())
        kept = lease(store)
        first = store.add_attempt(kept, new_attempt(kept, reply="half a pair: \ud800"))
        second = store.add_attempt(kept, new_attempt(kept, candidate=1, patch=None))
        check = EvidenceCheck(name="contract", status=CheckStatus.FAILED, summary="c is wrong", detail={"worst": 3.2, "cases": [1, 2]})
        evidence = Evidence(proof=Proof.REFUTED, checks=(check,), text_sha256="0", seeds=(1, 2), measured_speedup=1.5)
        review = Review(reviewer="gemini", is_model=True, score=8, criteria=(), findings=(), feedback="good", text_sha256="0")
        store.set_evidence(kept, first.number, evidence)
        store.set_review(kept, first.number, ReviewUnavailable(reason="quota", retry_after_s=46.0))
        store.set_review(kept, first.number, review)
        store.mark_best(kept, second.number)
        store.mark_best(kept, first.number)
        got, other = store.attempts(1)
        assert (got.evidence, got.review, got.review_unavailable, got.is_best) == (evidence, review, None, True)
        assert (got.reply, got.patch, got.created_at) == ("half a pair: ?", first.patch, clock.now)
        assert (other.patch, other.is_best) == (None, False)
        assert store.attempt(first.number) == got

    def test_belongs_to_its_run(self, store: Store) -> None:
        store.add(new_task())
        old = lease(store)
        attempt = store.add_attempt(old, new_attempt(old))
        store.move(old, State.PENDING)
        new = lease(store)
        check_refused("attempt 1 is not one of run 2 of task 1", None, lambda: store.mark_best(new, attempt.number))
        check_refused(
            "an attempt at task 1 in run 1 cannot be stored under the lease of task 1 in run 2",
            None,
            lambda: store.add_attempt(new, new_attempt(old)),
        )
        check_refused("there is no attempt 9", "`pixel-lsp show-task N` shows those of a task", lambda: store.attempt(9))


class TestWorkspaces:
    def test_nothing_leaves_before_somebody_says_so(self, store: Store) -> None:
        assert not store.allows_review(WORKSPACE)
        store.allow_review(WORKSPACE, True)
        assert store.allows_review(WORKSPACE)
        assert not store.allows_review(Path("/other"))
        store.allow_review(WORKSPACE, False)
        assert not store.allows_review(WORKSPACE)

    def test_remembers_what_was_dismissed(self, store: Store) -> None:
        store.dismiss(WORKSPACE, "a")
        store.dismiss(WORKSPACE, "a")
        assert store.dismissed(WORKSPACE) == {"a"}
        assert store.dismissed(Path("/other")) == frozenset()


def test_the_version_grows_with_what_can_be_seen(store: Store, tmp_path: Path) -> None:
    versions = [store.version()]

    def seen(call: Any) -> bool:
        call()
        with Store(tmp_path / "queue.sqlite3") as other:
            versions.append(other.version())
        return versions[-1] > versions[-2]

    assert not seen(lambda: store.lease(workspace=WORKSPACE, owner="x"))
    assert seen(lambda: store.add(new_task(key="k")))
    assert not seen(lambda: store.add(new_task(key="k")))
    kept = lease(store)
    assert seen(lambda: store.move(kept, State.IN_REVIEW))
    assert not seen(lambda: store.renew(kept))
    assert not seen(lambda: store.tasks())
    assert seen(lambda: store.pause(1))


class TestOpening:
    def test_lies_in_the_state_folder_for_the_user_alone(self, tmp_path: Path) -> None:
        path = queue_path({"XDG_STATE_HOME": str(tmp_path)})
        assert path == tmp_path / "pixel-lsp" / "coach" / "queue.sqlite3"
        with Store(path) as store:
            store.add(new_task())
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"queue.sqlite3": 0o600, "queue.sqlite3-wal": 0o600, "queue.sqlite3-shm": 0o600}

    def test_migrates_in_steps_and_once(self, tmp_path: Path) -> None:
        path = tmp_path / "queue.sqlite3"
        for _ in range(2):
            Store(path).close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()

    def test_says_what_is_wrong_with_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "queue.sqlite3"

        def check(message: str, hint: str) -> None:
            check_refused(f"the queue {path} {message}", hint, lambda: Store(path))
            path.unlink(missing_ok=True)

        path.write_bytes(b"no database, and long enough to be looked at" * 100)
        check("is damaged: it is not a database", "move it away, and the queue is made anew")
        Store(path).close()
        change(path, "PRAGMA user_version = 99")
        check("was written by a newer pixel-lsp (schema 99, this one knows 2)", "upgrade with `pip install --upgrade pixel-lsp`")
        path.mkdir()
        check_refused(
            f"the queue {path} cannot be opened",
            "make it and its folder writable, or point XDG_STATE_HOME at a folder that is",
            lambda: Store(path),
        )

    def test_leaves_another_programs_database_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "queue.sqlite3"
        change(path, "CREATE TABLE songs (title TEXT)")
        before = path.read_bytes()
        check_refused(f"{path} is the database of another program", "move it away; the queue is then made anew", lambda: Store(path))
        assert path.read_bytes() == before

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "coach" / "queue.sqlite3"
        with pytest.raises(QueueError, match=f"the queue {path} cannot be opened: Not a directory"):
            Store(path)


class TestFailures:
    def test_a_damaged_page_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "queue.sqlite3"
        with Store(path) as store:
            store.add_all([new_task(description="x" * 1000) for _ in range(200)])
        data = bytearray(path.read_bytes())
        data[8192 : len(data)] = b"\xff" * (len(data) - 8192)
        path.write_bytes(data)

        def use() -> None:
            with Store(path) as store:
                store.tasks()

        with pytest.raises(QueueError, match="is damaged"):
            use()

    def test_a_full_disk_undoes_the_whole_call(self, tmp_path: Path) -> None:
        path = tmp_path / "queue.sqlite3"
        with Store(path) as store:
            store.add(new_task("kept"))
            pages = store.connection.read("PRAGMA page_count")[0][0]
            store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            check_refused(
                f"the disk that holds the queue {path} is full",
                "free some space and repeat the command; nothing that was stored is lost",
                lambda: store.add_all([new_task(description="x" * 5000) for _ in range(100)]),
            )
            store.connection.execute("PRAGMA max_page_count = 1000000")
            assert [task.title for task in store.tasks()] == ["kept"]
            store.add(new_task())
        check_queue(path)

    def test_another_process_that_keeps_it_locked_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "queue.sqlite3"
        with Store(path) as holder, Store(path, timeout_s=0.05) as store, holder.together():
            check_refused(
                f"another process has kept the queue {path} locked for too long",
                "end that process, or wait, and repeat the command",
                lambda: store.add(new_task()),
            )
            assert store.tasks() == ()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("attempt to write a readonly database", "the queue /q cannot be written"),
            ("disk I/O error", "the disk that holds the queue /q cannot be read or written"),
            ("locking protocol", "the file system of the queue /q does not lock files"),
            ("unable to open database file", "the queue /q cannot be opened"),
            ("something new", "the queue /q failed: something new"),
        ],
    )
    def test_every_failure_is_one_sentence(self, text: str, message: str) -> None:
        error = explain_failure(Path("/q"), sqlite3.OperationalError(text))
        assert error.message == message
        assert error.hint


def complete(store: Store, number: int) -> None:
    kept = lease(store, number=number)
    store.move(kept, State.AWAITING_ACCEPTANCE)
    store.change_state(number, State.COMPLETED)


def lease_and_back(store: Store) -> int:
    kept = lease(store)
    store.move(kept, State.PENDING)
    return kept.task.number


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()
