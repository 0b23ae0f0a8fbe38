"""A slow matmul is made faster through the whole loop: what is wrong is not timed, what is faster is measured, and the fastest is saved.

The models are scripted, and say so; queue, proof, stopwatch, score and file are real. No time is asserted: which variant wins is what the
stopwatch itself says, and the one that does a quarter of the loads wins by several times.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from coach_testing.reviews import review_reply
from pixel_coach.attempts import CheckStatus, Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import Event, EvidenceGathered
from pixel_coach.optimise import leaderboard
from pixel_coach.settings import AgentSettings, CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, NewTask, State

HEAD = """\
//! [matmul]
//! dims     = "M N K"
//! shapes   = { a = "M K", b = "K N", c = "M N" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / 16), ceil(M / 16)"
//! expect   = { c = "a @ b" }
//! cases    = ["M=32 N=32 K=32", "M=1 N=1 K=1", "M=17 N=33 K=20"]

struct Size { m: u32, n: u32, k: u32 }

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
"""

NAIVE = f"""{HEAD}
@compute @workgroup_size(16, 16)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {{
    if (id.y >= size.m || id.x >= size.n) {{
        return;
    }}
    var sum = 0.0;
    for (var i = 0u; i < size.k; i++) {{
        sum += a[id.y * size.k + i] * b[i * size.n + id.x];
    }}
    c[id.y * size.n + id.x] = sum;
}}
"""

SIXTEEN_SUMS = f"""{HEAD}
// Four rows and four columns for each invocation: eight elements are loaded for sixteen products.
@compute @workgroup_size(4, 4)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {{
    let row = id.y * 4u;
    let column = id.x * 4u;
    let to_four = vec4(0u, 1u, 2u, 3u);
    let rows = min(row + to_four, vec4(size.m - 1u)) * size.k;
    let columns = min(column + to_four, vec4(size.n - 1u));
    var sums = mat4x4<f32>();
    for (var i = 0u; i < size.k; i++) {{
        let j = columns + i * size.n;
        let from_b = vec4(b[j.x], b[j.y], b[j.z], b[j.w]);
        sums[0] += a[rows.x + i] * from_b;
        sums[1] += a[rows.y + i] * from_b;
        sums[2] += a[rows.z + i] * from_b;
        sums[3] += a[rows.w + i] * from_b;
    }}
    for (var y = 0u; y < 4u && row + y < size.m; y++) {{
        for (var x = 0u; x < 4u && column + x < size.n; x++) {{
            c[(row + y) * size.n + column + x] = sums[y][x];
        }}
    }}
}}
"""

SLOWER = (
    NAIVE.replace("i < size.k", "i < 2u * size.k")
    .replace("* size.k + i]", "* size.k + i / 2u]")
    .replace("b[i * size.n + id.x]", "b[i / 2u * size.n + id.x] * /* a million times faster, says the model */ 0.5")
)

DROPS_A_ROW = SIXTEEN_SUMS.replace("y < 4u", "y < 3u")


TRIES = 4
"""On a busy machine the stopwatch may rightly not believe a kernel that is faster; it is asked again then, from the beginning."""


@pytest.mark.device
async def test_a_naive_matmul_becomes_faster_and_only_what_was_measured_is_claimed(tmp_path: Path) -> None:
    for number in range(TRIES):
        if await optimise(tmp_path / str(number)):
            return
    pytest.fail(f"in {TRIES} runs the stopwatch never found sixteen sums a thread faster than one")


async def optimise(folder: Path) -> bool:
    """Whether the faster kernel was found faster; what is claimed and written must be right in either case."""
    workspace = folder / "workspace"
    workspace.mkdir(parents=True)
    kernel = workspace / "matmul.wgsl"
    kernel.write_text(NAIVE, encoding="utf-8")
    replies = [
        {"role": "generator", "round": 1, "text": f"```wgsl\n{DROPS_A_ROW}```\n"},
        {"role": "generator", "round": 2, "contains": "c is wrong in", "text": f"```wgsl\n{SLOWER}```\n"},
        {"role": "generator", "round": 3, "contains": "not faster beyond the spread", "text": f"```wgsl\n{SIXTEEN_SUMS}```\n"},
        {"role": "reviewer", "round": 3, "text": review_reply(8)},
    ]
    script = folder / "session.json"
    script.write_text(json.dumps({"replies": replies}), encoding="utf-8")
    scripted = AgentSettings(service="scripted", model=str(script))
    environment = {"XDG_STATE_HOME": str(folder / "state")}
    with Store(queue_path(environment)) as store:
        task = store.add(NewTask(workspace=workspace, title="Faster", action=Action.OPTIMISE_KERNEL, target="matmul.wgsl"))
    events: list[Event] = []
    settings = CoachSettings(generator=scripted, reviewer=scripted)
    await run_batch(BatchOptions(workspace=workspace, apply=True), settings, environment, events.append, asyncio.Event())

    wrong, slow, fast = (event.evidence for event in events if isinstance(event, EvidenceGathered))
    assert (wrong.proof, wrong.checks[-1].status, wrong.measured_speedup) == (Proof.REFUTED, CheckStatus.SKIPPED, None)
    assert (slow.proof, slow.checks[-1].name, slow.checks[-1].status) == (Proof.REFUTED, "speed", CheckStatus.FAILED)
    assert fast.checks[-1].name == "speed"
    with Store(queue_path(environment)) as store:
        state, board = store.get(task.number).state, leaderboard(store.attempts(task.number))
    if fast.proof is not Proof.PROVED:
        assert (fast.proof, fast.checks[-1].status, state) == (Proof.REFUTED, CheckStatus.FAILED, State.NEEDS_HUMAN)
        assert kernel.read_text(encoding="utf-8") == NAIVE
        return False
    assert fast.checks[-1].status is CheckStatus.PASSED
    assert fast.checks[-1].summary.startswith(f"{fast.measured_speedup:.2f} times as fast as the file as it is")
    assert kernel.read_text(encoding="utf-8") == SIXTEEN_SUMS
    assert state is State.COMPLETED
    assert [(variant.attempt, variant.is_best) for variant in board] == [(3, True), (2, False)]
    assert board[0].speedup == fast.measured_speedup
    assert board[0].speedup > board[1].speedup
    return True
