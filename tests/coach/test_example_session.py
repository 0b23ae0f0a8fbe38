"""The example session that the coach was first imagined with: a matmul kernel, scored 6, mended, scored 8, saved.

The models are scripted, and say so; queue, proof, score, acceptance and file are real.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from coach_testing.reviews import review_reply
from pixel_coach.attempts import Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import Event, EvidenceGathered, ReviewArrived, RunEnded, RunStarted, TaskEnded
from pixel_coach.settings import AgentSettings, CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, NewTask, State
from pixel_core.kernels.contract_text import contract_text
from pixel_core.source import SourceText

SHADERS = Path(__file__).parents[2] / "shaders"
TITLE = "WGSL matrix multiplication kernel"

NAIVE = """
// One invocation for each element of C, straight from storage.
struct Size { m: u32, n: u32, k: u32 }

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(16, 16)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.y >= size.m || id.x >= size.n) {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < size.k; i++) {
        sum += a[id.y * size.k + i] * b[i * size.n + id.x];
    }
    c[id.y * size.n + id.x] = sum;
}
"""


@pytest.mark.device
async def test_matmul_is_refused_at_6_and_saved_at_8(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    tiled = (SHADERS / "matmul.wgsl").read_text(encoding="utf-8")
    contract = contract_text(SourceText(Path("matmul.wgsl"), tiled))
    six = review_reply([8, 7, 6, 6, 6], feedback="Good structure! Needs tiling: every element is read from storage K times.")
    replies = [
        {"role": "generator", "round": 1, "text": f"A plain kernel first.\n```wgsl\n{NAIVE}```\n"},
        {"role": "generator", "round": 2, "contains": "Needs tiling", "text": f"```wgsl\n{tiled}```\n"},
        {"role": "reviewer", "round": 1, "text": six},
        {"role": "reviewer", "round": 2, "text": review_reply(8)},
    ]
    script = tmp_path / "session.json"
    script.write_text(json.dumps({"replies": replies}), encoding="utf-8")
    scripted = AgentSettings(service="scripted", model=str(script))
    settings = CoachSettings(generator=scripted, reviewer=scripted)
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with Store(queue_path(environment)) as store:
        task = store.add(
            NewTask(
                workspace=workspace,
                title=TITLE,
                action=Action.WRITE_FILE,
                target="pixel_llm/gpu_kernels/matmul.wgsl",
                phase="1_gpu_core",
                priority=10,
                metadata={"contract_text": contract},
            )
        )
    events: list[Event] = []
    ended = await run_batch(
        BatchOptions(workspace=workspace, phase="1_gpu_core", apply=True), settings, environment, events.append, asyncio.Event()
    )
    assert [event.evidence.proof for event in events if isinstance(event, EvidenceGathered)] == [Proof.PROVED, Proof.PROVED]
    assert [event.review.score for event in events if isinstance(event, ReviewArrived) and event.review] == [6, 8]
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert started.mode == "full"
    assert started.generator is not None
    assert "scripted, not a model" in started.generator.reason
    (task_ended,) = (event for event in events if isinstance(event, TaskEnded))
    assert (task_ended.state, task_ended.score, task_ended.applied) == (State.COMPLETED, 8, True)
    assert (ended.reason, ended.by_state) == ("no task of phase 1_gpu_core is ready", {"completed": 1})
    assert isinstance(events[-1], RunEnded)
    assert (workspace / "pixel_llm/gpu_kernels/matmul.wgsl").read_text(encoding="utf-8").endswith(tiled[tiled.index("const TILE") :])
    with Store(queue_path(environment)) as store:
        assert store.get(task.number).state is State.COMPLETED
        assert [attempt.is_best for attempt in store.attempts(task.number)] == [False, True]
    log = [json.loads(line) for line in Path(ended.log).read_text(encoding="utf-8").splitlines()]
    assert [entry["event"] for entry in log if entry["event"] in ("TaskStarted", "TaskEnded", "RunEnded")] == [
        "TaskStarted",
        "TaskEnded",
        "RunEnded",
    ]
