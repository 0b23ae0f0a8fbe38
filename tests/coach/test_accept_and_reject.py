"""A person's yes and no: what is written, what is refused, and what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixel_coach.accept import accept
from pixel_coach.attempts import Attempt, CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.errors import QueueError, RefusedPath, StaleBase
from pixel_coach.reject import reject
from pixel_coach.store import Store
from pixel_coach.tasks import Action, NewTask, State, Task


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "queue.sqlite3") as opened:
        yield opened


def coached(
    store: Store,
    workspace: Path,
    *texts: str | None,
    proof: Proof = Proof.PROVED,
    state: State = State.AWAITING_ACCEPTANCE,
    base: str | None = None,
    target: str = "out/k.wgsl",
) -> Task:
    """A task that a coach has worked on: one attempt a text, the last one the best."""
    task = store.add(NewTask(workspace=workspace, title="Write k", action=Action.WRITE_FILE, target=target))
    lease = store.lease(workspace=workspace, owner="test", number=task.number)
    assert lease is not None
    number = None
    for round_, text in enumerate(texts, start=1):
        base_sha256 = None if base is None else hashlib.sha256(base.encode()).hexdigest()
        patch = None if text is None else Patch(path=target, base_sha256=base_sha256, new_text=text)
        attempt = Attempt(
            task=task.number, run=lease.run, round=round_, candidate=0, agent="scripted", model="", patch=patch, reply=text or ""
        )
        number = store.add_attempt(lease, attempt).number
        status = CheckStatus.FAILED if proof is Proof.REFUTED else CheckStatus.PASSED
        check = EvidenceCheck(name="contract", status=status, summary="3 of 12 cases failed")
        store.set_evidence(lease, number, Evidence(proof=proof, checks=(check,), text_sha256=""))
    if number is not None:
        store.mark_best(lease, number)
    return store.move(lease, state, "because")


def check_refused(expected: str, call: object, *arguments: object, error: type[Exception] = QueueError, **more: object) -> None:
    assert callable(call)
    with pytest.raises(error) as refused:
        call(*arguments, **more)
    assert str(refused.value) == expected


def test_the_best_attempt_is_written_and_the_task_completed(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "first\n", "second\n")
    accepted = accept(store, task.number, protected=())
    assert (accepted.task.state, accepted.task.reason) == (State.COMPLETED, "accepted attempt 2")
    assert accepted.path == workspace / "out" / "k.wgsl"
    assert accepted.path.read_text(encoding="utf-8") == "second\n"


def test_another_attempt_and_a_text_of_some_hunks(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "first\n", "second\n")
    accepted = accept(store, task.number, protected=(), attempt_number=1, new_text="half\n")
    assert accepted.attempt is not None
    assert (accepted.attempt.number, (workspace / "out" / "k.wgsl").read_text(encoding="utf-8")) == (1, "half\n")


def test_what_was_written_before_a_crash_is_accepted_again(store: Store, workspace: Path) -> None:
    """Killed between file and queue: the file holds the new text, the task still awaits acceptance."""
    task = coached(store, workspace, "new\n", base="old\n", target="k.wgsl")
    (workspace / "k.wgsl").write_text("new\n", encoding="utf-8")
    assert accept(store, task.number, protected=()).task.state is State.COMPLETED


def test_a_file_that_changed_is_not_overwritten(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "new\n", base="old\n", target="k.wgsl")
    (workspace / "k.wgsl").write_text("mine\n", encoding="utf-8")
    check_refused("k.wgsl changed since the patch was made from it", accept, store, task.number, protected=(), error=StaleBase)
    assert (workspace / "k.wgsl").read_text(encoding="utf-8") == "mine\n"
    assert store.get(task.number).state is State.AWAITING_ACCEPTANCE


def test_a_protected_file_is_not_written(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "new\n")
    with pytest.raises(RefusedPath):
        accept(store, task.number, protected=("out/**",))
    assert not (workspace / "out").exists()
    assert store.get(task.number).state is State.AWAITING_ACCEPTANCE


def test_refuted_text_is_never_written(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "bad\n", proof=Proof.REFUTED, state=State.NEEDS_HUMAN)
    check_refused("attempt 1 is refuted: 3 of 12 cases failed", accept, store, task.number, protected=())
    assert not (workspace / "out").exists()


def test_a_task_without_an_attempt_has_nothing_to_accept(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, state=State.NEEDS_HUMAN)
    check_refused("task 1 has no attempt to accept", accept, store, task.number, protected=())
    check_refused("task 1 has no attempt 9", accept, store, task.number, protected=(), attempt_number=9)
    new = store.add(NewTask(workspace=workspace, title="Other", action=Action.WRITE_FILE, target="b"))
    check_refused("task 2 is pending: there is nothing to accept", accept, store, new.number, protected=())


def test_an_attempt_of_another_task_is_not_accepted(store: Store, workspace: Path) -> None:
    coached(store, workspace, "a\n")
    other = coached(store, workspace, "b\n")
    check_refused("task 2 has no attempt 1", accept, store, other.number, protected=(), attempt_number=1)


def test_a_review_has_no_file(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, None)
    accepted = accept(store, task.number, protected=())
    assert (accepted.task.state, accepted.path) == (State.COMPLETED, None)


def test_a_rejection_keeps_its_reason_and_the_file(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "new\n")
    rejected = reject(store, task.number, "too slow", retry=False)
    assert (rejected.state, rejected.reason) == (State.NEEDS_HUMAN, "rejected: too slow")
    again = reject(store, task.number, "and ugly", retry=True)
    assert (again.state, again.reason) == (State.PENDING, "rejected: and ugly")
    assert again.metadata["rejections"] == [{"attempt": 1, "reason": "too slow"}, {"attempt": 1, "reason": "and ugly"}]
    assert list(workspace.iterdir()) == []


def test_a_second_rejection_of_a_task_that_waits_is_kept_too(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "new\n", state=State.NEEDS_HUMAN)
    assert reject(store, task.number, "no", retry=False).state is State.NEEDS_HUMAN
    assert [one["reason"] for one in store.get(task.number).metadata["rejections"]] == ["no"]


def test_a_completed_task_cannot_be_rejected(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "new\n")
    accept(store, task.number, protected=())
    with pytest.raises(QueueError):
        reject(store, task.number, "late", retry=True)
    assert "rejections" not in store.get(task.number).metadata


def test_an_attempt_at_another_file_is_not_written(store: Store, workspace: Path) -> None:
    task = coached(store, workspace, "new")
    store.edit(task.number, target="out/other.wgsl")
    with pytest.raises(QueueError, match=r"attempt 1 is for out/k\.wgsl, and the task for out/other\.wgsl by now") as refused:
        accept(store, task.number, protected=())
    assert refused.value.hint == "`pixel-lsp retry 1` works on the new target"
    assert not (workspace / "out").exists()
    assert store.get(task.number).state is State.AWAITING_ACCEPTANCE


def test_an_attempt_that_was_never_judged_is_not_written(store: Store, workspace: Path) -> None:
    task = store.add(NewTask(workspace=workspace, title="Write k", action=Action.WRITE_FILE, target="k.wgsl"))
    lease = store.lease(workspace=workspace, owner="test")
    assert lease is not None
    patch = Patch(path="k.wgsl", base_sha256=None, new_text="new")
    store.add_attempt(lease, Attempt(task=task.number, run=1, round=1, candidate=0, agent="a", model="", patch=patch, reply=""))
    store.move(lease, State.NEEDS_HUMAN, "not done within 1 s")
    with pytest.raises(QueueError, match=r"attempt 1 was never executed: its run ended before") as refused:
        accept(store, task.number, protected=(), attempt_number=1)
    assert refused.value.hint is not None
    assert not (workspace / "k.wgsl").exists()


@pytest.mark.parametrize("retry", [True, False])
def test_what_nobody_has_worked_on_cannot_be_rejected(store: Store, workspace: Path, retry: bool) -> None:
    task = store.add(NewTask(workspace=workspace, title="Write k", action=Action.WRITE_FILE, target="k.wgsl"))
    with pytest.raises(QueueError, match="task 1 is pending: there is nothing to reject"):
        reject(store, task.number, "no", retry=retry)
    lease = store.lease(workspace=workspace, owner="test")
    assert lease is not None
    with pytest.raises(QueueError, match="task 1 is in progress: there is nothing to reject") as refused:
        reject(store, task.number, "no", retry=retry)
    assert refused.value.hint == "`pixel-lsp cancel 1` takes it away from its coach"
    assert store.move(lease, State.NEEDS_HUMAN).metadata == {}
