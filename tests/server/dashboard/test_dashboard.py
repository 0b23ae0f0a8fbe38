"""The dashboard, driven by keys over a real queue, without a terminal: what it shows, what it changes, and what it asks before."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from pixel_coach.attempts import Attempt, CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.events import RoundStarted, TaskStarted, TextArrived
from pixel_coach.run_log import RunLog
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store
from pixel_coach.tasks import Action, NewTask, State
from pixel_server.dashboard.app import Dashboard

OLD, NEW = "old\n", "new\n"


class Desk:
    """A queue, a workspace and the logs' folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "project"
        self.workspace.mkdir()
        (self.workspace / "k.wgsl").write_text(OLD, encoding="utf-8")
        self.store = Store(folder / "queue.sqlite3")

    def add(self, title: str, state: State = State.PENDING, *, proof: Proof = Proof.PROVED) -> int:
        """A task; with another state than pending, one that a coach has made an attempt at."""
        task = self.store.add(NewTask(workspace=self.workspace, title=title, action=Action.EDIT_FILE, target="k.wgsl"))
        if state is State.PENDING:
            return task.number
        lease = self.store.lease(workspace=self.workspace, owner="run-1 (process 1)", number=task.number, seconds=1e6)
        assert lease is not None
        patch = Patch(path="k.wgsl", base_sha256=hashlib.sha256(OLD.encode()).hexdigest(), new_text=NEW)
        attempt = Attempt(task=task.number, run=1, round=1, candidate=0, agent="scripted", model="", patch=patch, reply="")
        number = self.store.add_attempt(lease, attempt).number
        check = EvidenceCheck(name="contract", status=CheckStatus.PASSED, summary="14 cases")
        self.store.set_evidence(lease, number, Evidence(proof=proof, checks=(check,), text_sha256=""))
        self.store.mark_best(lease, number)
        if state is not State.IN_PROGRESS:
            self.store.move(lease, state, "because")
        return task.number

    def state(self, number: int) -> State:
        return self.store.get(number).state


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


@asynccontextmanager
async def opened(desk: Desk) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    app = Dashboard(
        queue=desk.folder / "queue.sqlite3", runs=desk.folder / "runs", workspace=desk.workspace, settings=CoachSettings(protected=())
    )
    async with app.run_test(size=(132, 42)) as pilot:
        await pilot.pause()
        yield app, pilot


async def look(app: Dashboard, pilot: Pilot[None]) -> None:
    app.look()
    await pilot.pause()


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait for what a closed question sets off."""
    for _ in range(200):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come about")


def shown(app: Dashboard, name: str) -> str:
    """The text of a part of the screen."""
    widget = app.screen_stack[0].query_one(f"#{name}-text" if name not in {"where", "cost"} else f"#{name}", Static)
    return "\n".join(strip.text.rstrip() for strip in widget.render_lines(widget.region.reset_offset)).rstrip()


def rows(app: Dashboard) -> list[list[str]]:
    table = app.screen_stack[0].query_one("#queue", DataTable)
    return [[str(cell) for cell in table.get_row_at(index)] for index in range(table.row_count)]


async def test_an_empty_queue_says_how_to_fill_it(desk: Desk) -> None:
    async with opened(desk) as (app, _):
        assert shown(app, "task") == "the queue is empty: pixel-lsp init --phase 1_gpu_core"
        assert shown(app, "where").endswith("no coach has run here yet: pixel-lsp --coach")
        assert shown(app, "cost").strip() == "no task   today $0.0000 of $1.00, 0 reviews of 200"


async def test_a_deep_workspace_leaves_room_for_what_is_said(desk: Desk) -> None:
    desk.workspace = desk.workspace / "of" / "a" / "folder" / ("deep" * 8) / "project"
    desk.workspace.mkdir(parents=True)
    async with opened(desk) as (app, _):
        assert shown(app, "where").strip() == "pixel-lsp  …/project  no coach has run here yet: pixel-lsp --coach"


async def test_the_queue_is_shown_and_followed(desk: Desk) -> None:
    first = desk.add("First")
    async with opened(desk) as (app, pilot):
        assert rows(app) == [["1", "pending", "5", "First"]]
        desk.store.pause(first)
        desk.add("Second", State.AWAITING_ACCEPTANCE)
        await look(app, pilot)
        assert rows(app) == [["1", "pending (paused)", "5", "First"], ["2", "awaiting_acceptance", "5", "Second"]]


async def test_keys_that_need_no_question(desk: Desk) -> None:
    number = desk.add("First", State.NEEDS_HUMAN)
    async with opened(desk) as (_, pilot):
        await pilot.press("t")
        assert desk.state(number) is State.PENDING
        await pilot.press("p")
        assert desk.store.get(number).is_paused
        await pilot.press("p")
        assert not desk.store.get(number).is_paused


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_nothing_is_written_without_a_yes(key: str, desk: Desk) -> None:
    number = desk.add("First", State.AWAITING_ACCEPTANCE)
    async with opened(desk) as (_, pilot):
        await pilot.press("a")
        await pilot.press(key)
        assert desk.state(number) is State.AWAITING_ACCEPTANCE
    assert (desk.workspace / "k.wgsl").read_text(encoding="utf-8") == OLD


async def test_accepting_shows_the_difference_and_writes_it(desk: Desk) -> None:
    number = desk.add("First", State.AWAITING_ACCEPTANCE)
    async with opened(desk) as (app, pilot):
        assert "evidence: proved" in shown(app, "proof")
        await pilot.press("d")
        await pilot.pause()
        assert shown(app, "proof").splitlines() == ["edits k.wgsl", "@@ -1 +1 @@", "-old", "+new"]
        await pilot.press("a")
        await pilot.press("y")
        await until(pilot, lambda: desk.state(number) is State.COMPLETED)
    assert (desk.workspace / "k.wgsl").read_text(encoding="utf-8") == NEW


async def test_what_cannot_be_done_is_told(desk: Desk) -> None:
    number = desk.add("First", State.AWAITING_ACCEPTANCE)
    (desk.workspace / "k.wgsl").write_text("mine\n", encoding="utf-8")
    async with opened(desk) as (app, pilot):
        await pilot.press("a")
        await pilot.press("y")
        await until(pilot, lambda: len(app._notifications) > 0)
        (told,) = app._notifications
        assert told.message == ("k.wgsl changed since the patch was made from it (run the task again, or apply the text by hand)")
        assert desk.state(number) is State.AWAITING_ACCEPTANCE


async def test_a_rejection_wants_a_reason(desk: Desk) -> None:
    number = desk.add("First", State.AWAITING_ACCEPTANCE)
    async with opened(desk) as (_, pilot):
        await pilot.press("x", "enter")
        assert desk.state(number) is State.AWAITING_ACCEPTANCE
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: desk.state(number) is State.NEEDS_HUMAN)
        assert desk.store.get(number).reason == "rejected: slow"


async def test_cancelling_asks_and_says_whom_it_concerns(desk: Desk) -> None:
    number = desk.add("First", State.IN_PROGRESS)
    async with opened(desk) as (app, pilot):
        await pilot.press("c")
        await pilot.pause()
        question = app.screen.query_one(Static)
        assert str(question.content) == "Cancel task 1, and take it away from the coach that works on it?"
        await pilot.press("y")
        await until(pilot, lambda: desk.state(number) is State.CANCELLED)


async def test_a_running_coach_is_followed(desk: Desk) -> None:
    number = desk.add("First", State.IN_PROGRESS)
    with RunLog(desk.folder / "runs" / "run-1.jsonl") as log:
        log.event(TaskStarted(task=number, title="First", phase=None, target="k.wgsl", action="edit_file", priority=5))
        log.event(RoundStarted(task=number, round=2, rounds=3, candidates=1))
        log.event(TextArrived(task=number, source="generator", text="fn k() {\n"))
        async with opened(desk) as (app, pilot):
            pane = app.query_one("#now")
            assert (pane.display, str(pane.border_title)) == (True, "round 2/3: the generator writes")
            assert shown(app, "now") == "fn k() {"
            log.event(TextArrived(task=number, source="generator", text="}\n"))
            await look(app, pilot)
            assert shown(app, "now") == "fn k() {\n}"
            lease = desk.store.lease_of(number)
            assert lease is not None
            desk.store.move(lease, State.NEEDS_HUMAN, "enough")
            await look(app, pilot)
            assert pane.display is False
            assert "no coach runs; the last one ended: it was" in shown(app, "where")


async def test_only_what_needs_a_person(desk: Desk) -> None:
    desk.add("First")
    desk.add("Second", State.NEEDS_HUMAN)
    async with opened(desk) as (app, pilot):
        await pilot.press("f")
        assert [row[3] for row in rows(app)] == ["Second"]
        await pilot.press("f")
        assert [row[3] for row in rows(app)] == ["First", "Second"]


async def test_texts_of_a_task_drive_no_terminal(desk: Desk) -> None:
    desk.add("a\x1b]0;owned\x07[red]b[/red]")
    async with opened(desk) as (app, pilot):
        assert "[red]b[/red]" in rows(app)[0][3]
        await pilot.press("c")
        await pilot.pause()
        picture = app.export_screenshot()
    assert "\x1b" not in picture


async def test_a_picture_can_be_taken(desk: Desk, tmp_path: Path) -> None:
    desk.add("First", State.AWAITING_ACCEPTANCE)
    async with opened(desk) as (app, _):
        path = Path(app.save_screenshot(path=str(tmp_path)))
    picture = path.read_text(encoding="utf-8").replace("&#160;", " ")
    assert picture.startswith("<svg")
    for word in ("awaiting_acceptance", "evidence and review", "k.wgsl (edit_file)"):
        assert word in picture
