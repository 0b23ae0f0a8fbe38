"""The picture of the dashboard, docs/images/dashboard.svg: the real app over a made-up queue whose replies are labelled as scripted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path

from pixel_coach.agents.base import Availability, Usage
from pixel_coach.attempts import Attempt, CheckStatus, CriterionScore, Evidence, EvidenceCheck, Patch, Proof, Review, ReviewFinding
from pixel_coach.events import CandidateWritten, EvidenceGathered, RoundStarted, RunStarted, TaskStarted, TextArrived
from pixel_coach.ledger import Ledger
from pixel_coach.phases import load_phase
from pixel_coach.run_log import RunLog
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Lease, Store
from pixel_coach.tasks import Action, NewTask, State
from pixel_server.dashboard.app import Dashboard

PHASE = "1_gpu_core"
RUN = "20261122-101500-5eed01"
OLD = "fn tail() {\n    // the last, incomplete tile\n    return;\n}\n"
NEW = "fn tail() {\n    // the last, incomplete tile\n    store(row, column, sum);\n}\n"
ARRIVING = """\
var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn sum_products(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = id.x; i < params.n; i += params.stride) {
        sum += x[i] * y[i];
"""
OTHERS = (("Softmax over rows", "softmax", 8), ("Histogram in workgroup memory", "histogram", 7))


def dashboard_picture() -> str:
    """An SVG of the dashboard while a coach works on one task and others wait."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        # The dashboard names folders from the user's home.
        os.environ["HOME"] = str(root)
        workspace = root / "kernels"
        workspace.mkdir()
        with Store(root / "queue.sqlite3") as store:
            fill(store, workspace, root / "runs")
        return asyncio.run(_draw(root, workspace))


async def _draw(root: Path, workspace: Path) -> str:
    app = Dashboard(queue=root / "queue.sqlite3", runs=root / "runs", workspace=workspace, settings=CoachSettings())
    async with app.run_test(size=(132, 42)) as pilot:
        await pilot.pause()
        return app.export_screenshot(title="pixel-lsp dashboard")


def fill(store: Store, workspace: Path, runs: Path) -> None:
    """Make a queue with a task in every state that matters, and the log of a run under way.

    Args:
        store: An empty queue.
        workspace: Root of the workspace.
        runs: Folder of the logs.
    """
    load_phase(store, workspace, PHASE)
    for (title, name, priority), proof, state in zip(
        OTHERS, (Proof.PROVED, Proof.REFUTED), (State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN), strict=True
    ):
        target = f"shaders/{name}.wgsl"
        added = store.add(NewTask(workspace=workspace, title=title, action=Action.WRITE_FILE, target=target, priority=priority))
        lease = store.lease(workspace=workspace, owner="an earlier run", number=added.number, seconds=1e6)
        assert lease is not None
        _attempt(store, lease, 1, Proof.REFUTED, score=None)
        _attempt(store, lease, 2, proof, score=8 if proof is Proof.PROVED else None)
        said = "proved; scored 8/10" if proof is Proof.PROVED else "three rounds were not enough: 2 of 14 cases failed"
        store.move(lease, state, said)
    first = store.next(workspace=workspace)
    assert first is not None
    lease = store.lease(workspace=workspace, owner=f"{RUN} (process 1)", number=first.number, seconds=1e6)
    assert lease is not None
    _attempt(store, lease, 1, Proof.REFUTED, score=None)
    task = lease.task
    refuted = _evidence(Proof.REFUTED)
    with RunLog(runs / f"{RUN}.jsonl") as log:
        scripted = Availability(agent="scripted", is_available=True, reason="a script", model="demo.toml")
        log.event(RunStarted(run=RUN, mode="full", generator=scripted, reviewer=scripted, tasks=3))
        log.event(
            TaskStarted(
                task=task.number, title=task.title, phase=task.phase, target=task.target, action=task.action.value, priority=task.priority
            )
        )
        log.event(RoundStarted(task=task.number, round=1, rounds=3, candidates=1))
        log.event(CandidateWritten(task=task.number, round=1, candidate=0, characters=1842, usage=Usage(reply_tokens=612, seconds=14.2)))
        log.event(EvidenceGathered(task=task.number, round=1, candidate=0, attempt=1, evidence=refuted))
        log.event(RoundStarted(task=task.number, round=2, rounds=3, candidates=1))
        log.event(TextArrived(task=task.number, source="generator", text=ARRIVING))


def _attempt(store: Store, lease: Lease, round_: int, proof: Proof, *, score: int | None) -> None:
    base = hashlib.sha256(OLD.encode()).hexdigest()
    patch = Patch(path=lease.task.target, base_sha256=base, new_text=NEW)
    attempt = store.add_attempt(
        lease,
        Attempt(
            task=lease.task.number,
            run=lease.run,
            round=round_,
            candidate=0,
            agent="scripted",
            model="demo.toml",
            patch=patch,
            reply=NEW,
        ),
    )
    store.set_evidence(lease, attempt.number, _evidence(proof))
    if score is not None:
        store.set_review(lease, attempt.number, _review(score))
        ledger, settings = Ledger(store), CoachSettings()
        reservation = ledger.reserve(lease.task, "gemini", "gemini-2.5-flash", 3000, 1000, settings, purpose="review")
        ledger.settle(reservation, Usage(prompt_tokens=2800, reply_tokens=420, seconds=3.1))
    store.mark_best(lease, attempt.number)


def _evidence(proof: Proof) -> Evidence:
    is_good = proof is Proof.PROVED
    status = CheckStatus.PASSED if is_good else CheckStatus.FAILED
    summary = (
        "14 cases, greatest error 3.1e-6 (0.04 of the bound)" if is_good else "2 of 14 cases failed: `partials` is wrong in 1 of 4 elements"
    )
    checks = (
        EvidenceCheck(name="parse", status=CheckStatus.PASSED, summary="the text is WGSL", seconds=0.01),
        EvidenceCheck(name="check", status=CheckStatus.PASSED, summary="no finding", seconds=0.02),
        EvidenceCheck(
            name="contract",
            status=status,
            summary=summary,
            seconds=0.41,
            feedback="" if is_good else "the last one: the tail of the vectors is left out",
        ),
        EvidenceCheck(
            name="hidden",
            status=CheckStatus.PASSED if is_good else CheckStatus.SKIPPED,
            summary="6 cases of other sizes" if is_good else "not needed: an earlier check failed",
            seconds=0.38 if is_good else 0.0,
        ),
    )
    return Evidence(proof=proof, checks=checks, text_sha256="", engine="device llvmpipe")


def _review(score: int) -> Review:
    return Review(
        reviewer="scripted demo.toml",
        is_model=True,
        score=score,
        criteria=(
            CriterionScore(criterion="gpu_integration", evidence="bounds are checked before each load; barriers are uniform", score=8),
            CriterionScore(criterion="completeness", evidence="incomplete tiles are computed, not skipped", score=9),
        ),
        findings=(ReviewFinding(rule="PX803", line=3, quote="store", message="say which tile this is", severity="info"),),
        feedback="Sound. A comment on the incomplete tile would help the next reader.",
        text_sha256="",
    )
