"""`kill -9` at each step of the loop: a real process of the coach ends there, and what is left is right.

Right means: the task is handed out again once the lease has run out, nothing that was stored is gone, no file is half written, and the
next coach brings the task to its end.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach_testing.desk import KnowingProver, fenced
from coach_testing.reviews import review_reply
from pixel_coach import batch
from pixel_coach.attempts import Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import Event
from pixel_coach.settings import AgentSettings, CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import WORKING, Action, NewTask, State

SUPPORT = Path(__file__).parents[1] / "support"
REPOSITORY = SUPPORT.parents[1]

# Round 1 is refuted, round 2 proved and scored 8, then written: every step of the loop occurs.
REPLIES = [
    {"role": "generator", "round": 1, "text": fenced("bad\n")},
    {"role": "generator", "round": 2, "text": fenced("good\n")},
    {"role": "generator", "contains": "bad", "text": fenced("good\n")},
    {"role": "reviewer", "text": review_reply(8)},
]

STEPS = [
    "RunStarted",
    "before:lease",
    "after:lease",
    "TaskStarted",
    "RoundStarted",
    "TextArrived",
    "before:add_attempt",
    "after:add_attempt",
    "CandidateWritten",
    "before:set_evidence",
    "after:set_evidence",
    "EvidenceGathered",
    "ReviewStarted",
    "before:set_review",
    "after:set_review",
    "ReviewArrived",
    "before:mark_best",
    "after:mark_best",
    "before:change_state",
    "after:change_state",
    "TaskEnded",
    "RunEnded",
]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (tmp_path / "script.json").write_text(json.dumps({"replies": REPLIES}), encoding="utf-8")
    with Store(queue_path(environment(tmp_path))) as store:
        store.add(NewTask(workspace=workspace, title="Write notes", action=Action.WRITE_FILE, target="notes.txt"))
    return workspace


def environment(folder: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(folder / "state")}


@pytest.mark.parametrize("step", STEPS)
async def test_after_kill_9_the_task_is_done_by_the_next_coach(
    tmp_path: Path, workspace: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        sys.executable,
        "-m",
        "coach_testing.killable_run",
        str(tmp_path / "state"),
        str(workspace),
        str(tmp_path / "script.json"),
        step,
    )
    path = ":".join((str(SUPPORT), str(REPOSITORY), str(REPOSITORY / "coach")))
    done = subprocess.run(command, env={"PYTHONPATH": path}, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    with Store(queue_path(environment(tmp_path))) as store:
        task, kept = store.get(1), store.attempts(1)
        lease = store.lease_of(1)
        assert (task.state in WORKING) == (lease is not None)
        if lease is not None:
            store.connection.execute("UPDATE tasks SET lease_expires_at = 0")  # two minutes later
    target = workspace / "notes.txt"
    assert not target.exists() or target.read_text() == "good\n"

    monkeypatch.setattr(batch, "Prover", lambda *_: KnowingProver({"bad": Proof.REFUTED}))
    scripted = AgentSettings(service="scripted", model=str(tmp_path / "script.json"))
    events: list[Event] = []
    await run_batch(
        BatchOptions(workspace=workspace, apply=True),
        CoachSettings(generator=scripted, reviewer=scripted),
        environment(tmp_path),
        events.append,
        asyncio.Event(),
    )
    with Store(queue_path(environment(tmp_path))) as store:
        task, attempts = store.get(1), store.attempts(1)
        assert attempts[: len(kept)] == kept, "what was stored stays as it was"
        if task.state is State.AWAITING_ACCEPTANCE:
            # Killed between the acceptance by the loop and the writing: a person finds it, and nothing is lost.
            assert step == "before:change_state"
            assert [attempt.is_best for attempt in attempts][-1]
        else:
            assert task.state is State.COMPLETED
            assert target.read_text() == "good\n"
        assert store.lease_of(1) is None
    assert not list(workspace.glob(".notes*")), "no temporary file is left"
