"""A run over the queue: which tasks it takes, when it ends, what it writes, and its log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coach_testing.agents import ListedAgent, team
from coach_testing.desk import KnowingProver, fenced
from coach_testing.reviews import review_reply
from pixel_coach import batch
from pixel_coach.attempts import Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import Event, Notice, RunEnded, RunStarted, TaskEnded
from pixel_coach.run_log import RunLog
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, NewTask, State


class Room:
    """A queue with tasks, and runs over it with agents that reply from lists."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.environment = {"XDG_STATE_HOME": str(folder / "state"), "GEMINI_API_KEY": "key-0123456789-of-the-test"}
        self.events: list[Event] = []
        self.stop = asyncio.Event()
        self.others: dict[str, ListedAgent] = {}
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(batch, "Prover", lambda *_: KnowingProver({"bad": Proof.REFUTED, "plain": Proof.UNPROVED}))

    def store(self) -> Store:
        return Store(queue_path(self.environment))

    def add(self, count: int = 1, **fields: Any) -> None:
        with self.store() as store:
            for number in range(count):
                given = {"title": f"Task {number}", "action": Action.WRITE_FILE, "target": f"notes{number}.txt", **fields}
                store.add(NewTask(workspace=self.workspace, **given))

    async def run(self, generator: ListedAgent | None, reviewer: ListedAgent | None = None, **options: Any) -> RunEnded:
        async def choose(settings: CoachSettings, *_: object, log: Any = None) -> object:
            asked = settings.generator.service if settings.generator else None
            return team(generator if asked is None else self.others.get(asked), reviewer)

        self._monkeypatch.setattr(batch, "choose", choose)
        given = BatchOptions(workspace=self.workspace, **options)
        return await run_batch(given, CoachSettings(), self.environment, self.events.append, self.stop)

    def counts(self) -> dict[str, int]:
        with self.store() as store:
            return {state.value: count for state, count in store.count_by_state().items() if count}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    return Room(tmp_path, monkeypatch)


def good(count: int) -> ListedAgent:
    return ListedAgent("llama", [fenced(f"good {number}\n") for number in range(count)])


def eight(count: int) -> ListedAgent:
    return ListedAgent("judge", [review_reply(8)] * count)


async def test_tasks_are_worked_on_until_none_is_left(room: Room) -> None:
    room.add(3)
    ended = await room.run(good(3), eight(3))
    assert (ended.reason, ended.processed, ended.by_state) == ("no task is ready", 3, {"awaiting_acceptance": 3})
    assert room.counts() == {"awaiting_acceptance": 3}
    assert isinstance(room.events[0], RunStarted)
    assert room.events[-1] == ended


async def test_the_limit_of_tasks_holds(room: Room) -> None:
    room.add(3)
    ended = await room.run(good(2), eight(2), max_tasks=2)
    assert (ended.reason, ended.processed) == ("2 tasks done, as many as were asked for", 2)
    assert room.counts() == {"awaiting_acceptance": 2, "pending": 1}


async def test_only_the_phase_is_worked_on(room: Room) -> None:
    room.add(2, phase="1_gpu_core")
    room.add(1, phase="0_stabilization", priority=10)
    ended = await room.run(good(2), eight(2), phase="1_gpu_core")
    assert (ended.reason, ended.processed) == ("no task of phase 1_gpu_core is ready", 2)
    assert room.counts() == {"awaiting_acceptance": 2, "pending": 1}


async def test_a_phase_without_tasks_ends_at_once(room: Room) -> None:
    room.add(1, phase="0_stabilization")
    ended = await room.run(good(0), phase="1_gpu_core")
    assert (ended.reason, ended.processed) == ("no task of phase 1_gpu_core is ready", 0)


async def test_one_task_by_its_number(room: Room) -> None:
    room.add(2)
    ended = await room.run(good(1), eight(1), task=2)
    assert (ended.reason, ended.by_state) == ("1 task done", {"awaiting_acceptance": 1})
    with room.store() as store:
        assert store.get(1).state is State.PENDING


async def test_a_task_that_cannot_be_worked_on_is_said(room: Room) -> None:
    room.add(1)
    with room.store() as store:
        store.pause(1)
    ended = await room.run(good(0), task=1)
    assert (ended.reason, ended.processed) == ("task 1 is paused", 0)
    assert [(event.message, event.hint) for event in room.events if isinstance(event, Notice)] == [
        ("task 1 is paused", "`pixel-lsp resume 1` lets it go on")
    ]


async def test_apply_writes_what_is_proved_and_scored_8(room: Room) -> None:
    room.add(1)
    ended = await room.run(good(1), eight(1), apply=True)
    assert ended.by_state == {"completed": 1}
    assert (room.workspace / "notes0.txt").read_text() == "good 0\n"
    (task,) = (event for event in room.events if isinstance(event, TaskEnded))
    assert (task.applied, task.state) == (True, State.COMPLETED)


@pytest.mark.parametrize(
    ("text", "reviewer"),
    [
        pytest.param("plain\n", eight(1), id="unproved"),
        pytest.param("good\n", None, id="unreviewed"),
        pytest.param("good\n", ListedAgent("judge", [review_reply(7)] * 3), id="scored-7"),
    ],
)
async def test_apply_writes_nothing_else(room: Room, text: str, reviewer: ListedAgent | None) -> None:
    room.add(1)
    ended = await room.run(ListedAgent("llama", [fenced(text)] * 3), reviewer, apply=True)
    assert "completed" not in ended.by_state
    assert not list(room.workspace.iterdir())


async def test_a_file_that_changed_meanwhile_is_not_overwritten(room: Room) -> None:
    room.add(1)

    def write_and_review(_: object) -> str:
        (room.workspace / "notes0.txt").write_text("a person was faster\n")
        return review_reply(8)

    ended = await room.run(good(1), ListedAgent("judge", [write_and_review]), apply=True)
    assert ended.by_state == {"awaiting_acceptance": 1}
    assert (room.workspace / "notes0.txt").read_text() == "a person was faster\n"
    (notice,) = (event for event in room.events if isinstance(event, Notice) and event.level == "warning")
    assert notice.message == "not written: notes0.txt exists; the patch was made when it did not"


async def test_a_stop_gives_the_task_back_and_ends_the_run(room: Room) -> None:
    room.add(2)
    asyncio.get_running_loop().call_later(0.2, room.stop.set)
    writer = ListedAgent("llama", [None])
    ended = await room.run(writer)
    assert (ended.reason, ended.by_state, writer.was_cancelled) == ("stopped", {"pending": 1}, True)
    assert room.counts() == {"pending": 2}


async def test_a_stop_before_the_start_takes_nothing(room: Room) -> None:
    room.add(1)
    room.stop.set()
    ended = await room.run(good(0))
    assert (ended.reason, ended.processed, room.counts()) == ("stopped", 0, {"pending": 1})


async def test_nobody_to_ask_ends_the_run_before_anything(room: Room) -> None:
    room.add(1)
    ended = await room.run(None)
    assert (ended.processed, room.counts()) == (0, {"pending": 1})
    (started,) = (event for event in room.events if isinstance(event, RunStarted))
    assert started.mode == "none"


async def test_a_task_is_written_by_the_agent_that_it_prefers(room: Room) -> None:
    room.add(1)
    room.add(2, agent="ollama")
    room.others["ollama"] = ListedAgent("ollama", [fenced("good\n")] * 2)
    ended = await room.run(good(1), eight(3))
    assert ended.by_state == {"awaiting_acceptance": 3}
    with room.store() as store:
        assert [store.attempts(number)[0].agent for number in (1, 2, 3)] == ["llama", "ollama", "ollama"]
    assert room.others["ollama"].is_closed


@pytest.mark.parametrize(
    ("agent", "message"),
    [("ollama", "ollama, which the task prefers, cannot be asked"), ("oracle", "there is no agent `oracle` that writes")],
)
async def test_a_preference_that_cannot_be_met_is_said_and_the_others_write(room: Room, agent: str, message: str) -> None:
    room.add(1, agent=agent)
    ended = await room.run(good(1), eight(1))
    assert ended.by_state == {"awaiting_acceptance": 1}
    assert [event.message for event in room.events if isinstance(event, Notice)] == [message]


async def test_two_coaches_on_one_queue_share_the_tasks(room: Room) -> None:
    room.add(20)
    first, second = good(20), good(20)
    ended = await asyncio.gather(room.run(first, eight(20)), room.run(second, eight(20)))
    assert sum(each.processed for each in ended) == 20
    assert room.counts() == {"awaiting_acceptance": 20}
    with room.store() as store:
        assert [len(store.attempts(number)) for number in range(1, 21)] == [1] * 20


async def test_the_log_tells_the_run_and_no_secret(room: Room) -> None:
    room.add(1)
    key = room.environment["GEMINI_API_KEY"]
    ended = await room.run(ListedAgent("llama", [f"{key} is the key"] * 3))
    text = Path(ended.log).read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    assert key not in text
    assert [entry["event"] for entry in entries][:3] == ["RunStarted", "TaskStarted", "RoundStarted"]
    assert entries[-1]["event"] == "RunEnded"
    assert Path(ended.log).stat().st_mode & 0o077 == 0


def test_a_log_keeps_long_texts_short_and_survives_a_full_disk(tmp_path: Path) -> None:
    with RunLog(tmp_path / "runs" / "a.jsonl", secrets=("hunter2hunter2",), clock=lambda: 1.0) as log:
        log.entry({"event": "request", "body": {"text": "x" * 30_000, "key": "hunter2hunter2", "n": [1, 2.5, None, True]}})
        log._file.close()
        log.entry({"event": "lost"})
    (entry,) = (json.loads(line) for line in (tmp_path / "runs" / "a.jsonl").read_text().splitlines())
    assert entry["at"] == 1.0
    assert entry["body"]["key"] == "…"
    assert entry["body"]["text"].endswith("… (30,000 characters)")
    assert entry["body"]["n"] == [1, 2.5, None, True]
