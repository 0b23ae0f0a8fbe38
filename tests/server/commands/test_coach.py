"""The batch as a program: what it writes in each form, how it ends, and that nothing is left behind. The models are scripted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pixel_coach.events import RunEnded
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, NewTask, State
from pixel_server.commands.coach import exit_code_of

KERNEL = """\
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn double(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&x)) { y[id.x] = 2.0 * x[id.x]; }
}
"""
CONTRACT = """\
//! [double]
//! dims     = "N"
//! shapes   = { x = "N", y = "N" }
//! dispatch = "ceil(N / 64)"
//! expect   = { y = "2 * x" }
//! cases    = ["N=100"]

"""
WRONG = KERNEL.replace("2.0 *", "3.0 *")


class Bench:
    """A workspace with one broken kernel, a queue, and a script for the models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "project"
        (self.workspace / ".git").mkdir(parents=True)
        self.file = self.workspace / "double.wgsl"
        self.file.write_text(CONTRACT + WRONG, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_COLOR"))},
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        with self.store() as store:
            task = NewTask(workspace=self.workspace, title="Mend double", action=Action.REPAIR_KERNEL, target="double.wgsl")
            self.number = store.add(task).number

    def store(self) -> Store:
        return Store(queue_path(self.environment))

    def command(self, reply: str, *arguments: str, seconds: float = 0.0) -> list[str]:
        script = self.folder / "script.json"
        replies = [{"role": "generator", "text": f"```wgsl\n{reply}```\n", "seconds": seconds}]
        script.write_text(json.dumps({"replies": replies}), encoding="utf-8")
        given = ["--generator", f"scripted={script}", "--no-review", *arguments]
        return [sys.executable, "-m", "pixel_server.cli", "--coach", *given]

    def run(self, reply: str, *arguments: str, code: int) -> str:
        done = subprocess.run(
            self.command(reply, *arguments),
            cwd=self.workspace,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, ""), done.stdout
        return done.stdout

    def state(self) -> State:
        with self.store() as store:
            return store.get(self.number).state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.device
def test_a_proved_kernel_awaits_acceptance_and_a_program_can_follow(bench: Bench) -> None:
    lines = bench.run(CONTRACT + KERNEL, "--format", "jsonl", code=0).splitlines()
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    kinds = [event["event"] for event in events if event["event"] != "Notice"]
    once = list(dict.fromkeys(kinds))
    assert once[:5] == ["RunStarted", "TaskStarted", "RoundStarted", "TextArrived", "CandidateWritten"]
    assert "EvidenceGathered" in once
    assert once[-2:] == ["TaskEnded", "RunEnded"]
    ended = events[-2]
    assert (ended["state"], ended["applied"]) == ("awaiting_acceptance", False)
    assert events[-1]["by_state"] == {"awaiting_acceptance": 1}
    # Unreviewed: the file is as it was, whatever was said.
    assert bench.file.read_text(encoding="utf-8") == CONTRACT + WRONG
    assert bench.run("", "--apply", code=2).splitlines()[-5] == "the coach stopped: no task is ready"


@pytest.mark.device
def test_a_kernel_that_stays_wrong_needs_a_person(bench: Bench) -> None:
    said = bench.run(CONTRACT + WRONG.replace("3.0 *", "4.0 *"), "--rounds", "1", code=1)
    assert "--- Iteration 1/1" in said
    assert "  evidence: refuted" in said
    assert "✗ needs human: " in said
    assert "\x1b" not in said
    assert bench.state() is State.NEEDS_HUMAN


@pytest.mark.device
def test_one_object_at_the_end(bench: Bench) -> None:
    value = json.loads(bench.run(CONTRACT + KERNEL, "--format", "json", "--max-tasks", "1", code=0))
    assert (value["version"], value["started"]["generator"]["agent"]) == (1, "scripted")
    assert [(task["task"], task["state"]) for task in value["tasks"]] == [(bench.number, "awaiting_acceptance")]
    assert value["ended"]["processed"] == 1


def children_of(process_id: int) -> set[int]:
    tasks = Path(f"/proc/{process_id}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text(encoding="ascii").split()}


def is_running(process_id: int) -> bool:
    status = Path(f"/proc/{process_id}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(("sent", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_coach_gives_its_task_back(sent: signal.Signals, expected: int, bench: Bench) -> None:
    command = bench.command(KERNEL, "--format", "jsonl", seconds=60)
    with subprocess.Popen(
        command, cwd=bench.workspace, env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "RoundStarted":
                break
        children = children_of(process.pid)
        assert bench.state() is State.IN_PROGRESS
        process.send_signal(sent)
        rest = [json.loads(line)["event"] for line in process.stdout]
        assert process.wait(timeout=60) == expected
        assert process.stderr.read() == b""
    assert rest[-1] == "RunEnded"
    assert bench.state() is State.PENDING
    deadline = time.monotonic() + 5
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, children))


def test_a_reader_that_leaves_stops_the_coach(bench: Bench) -> None:
    command = bench.command(KERNEL, "--format", "jsonl", seconds=5)
    with subprocess.Popen(
        command, cwd=bench.workspace, env=bench.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["event"] == "RunStarted"
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr.read() == b""
    assert bench.state() is State.PENDING


@pytest.mark.parametrize(
    ("by_state", "expected"),
    [
        ({}, 2),
        ({"completed": 1, "awaiting_acceptance": 2}, 0),
        ({"completed": 1, "needs_human": 1}, 1),
        ({"pending": 1}, 1),
        ({"failed": 1}, 1),
        ({"completed": 1, "failed": 0}, 0),
    ],
)
def test_exit_codes_are_honest(by_state: dict[str, int], expected: int) -> None:
    ended = RunEnded(reason="", processed=sum(by_state.values()), by_state=by_state, dollars=0.0, log="")
    assert exit_code_of(ended) == expected
