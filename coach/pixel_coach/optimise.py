"""Making kernels faster: a variant counts when it is proved first, and then measured to be faster than the file as it is.

The speed-up that is told is the one measured against the current file in the same run; no model's claim enters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from pixel_coach.attempts import Attempt, CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.tasks import Task
from pixel_coach.time_kernel import SpeedRecord
from pixel_core.errors import EngineUnavailable


class Stopwatch(Protocol):
    """What times kernels: `evidence.Prover`."""

    async def time_kernel(self, task: Task, patch: Patch, *, seed: int) -> SpeedRecord:
        """Time a proved candidate against the file as it is."""
        ...


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A right variant of a kernel, and how fast it was measured to be.

    Attributes:
        attempt: Number of the attempt.
        speedup: Time of the file as it was then / time of the variant, in one run.
        engine: What ran it.
        is_best: The one that is kept of its run.
    """

    attempt: int
    speedup: float
    engine: str
    is_best: bool


async def add_speed(stopwatch: Stopwatch, task: Task, patch: Patch, evidence: Evidence, *, seed: int) -> Evidence:
    """The evidence with the check `speed` and the speed-up that was measured.

    What is not proved is not timed. A variant that is right and no faster is refuted: it is not what was asked for.

    Args:
        stopwatch: What times kernels.
        task: What was asked for.
        patch: The variant.
        evidence: Of its correctness.
        seed: Drawn after the variant was written; new inputs of every timed run follow from it.
    """
    if evidence.proof is not Proof.PROVED:
        skipped = EvidenceCheck(name="speed", status=CheckStatus.SKIPPED, summary="only what is proved is timed")
        return replace(evidence, checks=(*evidence.checks, skipped))
    try:
        record = await stopwatch.time_kernel(task, patch, seed=seed)
    except EngineUnavailable as absence:
        check = EvidenceCheck(name="speed", status=CheckStatus.UNAVAILABLE, summary=absence.message, feedback=absence.hint or "")
        return replace(evidence, proof=Proof.NOT_VALIDATED, checks=(*evidence.checks, check))
    check = _judge(record)
    proof = Proof.PROVED if check.status is CheckStatus.PASSED else Proof.REFUTED
    return replace(evidence, proof=proof, checks=(*evidence.checks, check), measured_speedup=record.speedup)


def leaderboard(attempts: Iterable[Attempt]) -> tuple[Variant, ...]:
    """Every right variant that was timed, the fastest first; equal texts once."""
    seen: dict[str, Variant] = {}
    for attempt in attempts:
        evidence = attempt.evidence
        if evidence is None or evidence.measured_speedup is None:
            continue
        variant = Variant(attempt=attempt.number, speedup=evidence.measured_speedup, engine=evidence.engine, is_best=attempt.is_best)
        seen.setdefault(evidence.text_sha256, variant)
    return tuple(sorted(seen.values(), key=lambda variant: (-variant.speedup, variant.attempt)))


def _judge(record: SpeedRecord) -> EvidenceCheck:
    """What a measurement says of a variant."""
    detail = {
        "case": record.case,
        "current_s": record.current_s,
        "candidate_s": record.candidate_s,
        "floor_s": record.floor_s,
        "low": record.low,
        "high": record.high,
        "spread": record.spread if record.current_s else None,
        "is_suspicious": record.is_suspicious,
        "is_software": record.is_software,
    }
    if record.problem or record.speedup is None:
        summary = f"its speed does not count: {record.problem or 'nothing was measured'}"
        return EvidenceCheck(name="speed", status=CheckStatus.FAILED, summary=summary, detail=detail)
    measured = f"{record.speedup:.2f} times as fast as the file as it is (middle half of the runs {record.low:.2f} to {record.high:.2f})"
    if not record.is_faster:
        apart = f"two runs of the file itself differ by {100 * (record.spread - 1):.0f} %"
        summary = f"right, and not faster beyond the spread: {measured}; {apart}"
        return EvidenceCheck(name="speed", status=CheckStatus.FAILED, summary=summary, detail=detail)
    on = ", on a software adapter" if record.is_software else ""
    return EvidenceCheck(name="speed", status=CheckStatus.PASSED, summary=measured + on, detail=detail)
