"""Timing: what a measurement comes to, with a checker that answers from a script; and one real one, of which no time is asserted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from pixel_coach.prove_contract_text import KernelCandidate
from pixel_coach.tasks import Action
from pixel_coach.time_kernel import ROUNDS, SpeedRecord, time_kernel
from pixel_core.engines.base import AdapterInfo
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.kernels.report import CaseReport, CheckReport, ValidationReport
from pixel_core.kernels.results import Timing
from pixel_core.kernels.validate import Checker, CheckOptions, Selection

BASE = """\
//! [double]
//! dims = "n"
//! shapes = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect = { y = "2 * x" }
//! cases = ["n=1000", "n=64", "n=100"]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn double(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) {
        y[id.x] = x[id.x] + x[id.x];
    }
}
"""
FASTER = BASE.replace("x[id.x] + x[id.x]", "2.0 * x[id.x]")

Seconds = Callable[[str, int], float | None]
"""Which text (`base`, `candidate`, `copy`), which call for it, from 0 → seconds; None for a wrong result."""


class ScriptedChecker:
    def __init__(self, seconds: Seconds, *, is_software: bool) -> None:
        self._seconds = seconds
        self._calls = {"base": 0, "candidate": 0, "copy": 0}
        self._adapter = AdapterInfo(engine="device", name="scripted", backend="Vulkan", driver="1", is_software=is_software)
        self.inputs: set[str] = set()

    async def check_loaded(self, shaders: Sequence[LoadedShader], *, selection: Selection | None = None) -> CheckReport:
        text = shaders[0].source.text
        whose = "copy" if "fn copy" in text else "candidate" if "2.0 * x" in text else "base"
        seconds = self._seconds(whose, self._calls[whose])
        self._calls[whose] += 1
        if shaders[0].sidecar is not None and whose != "copy":
            self.inputs.add(shaders[0].sidecar.text)
        # The other clock runs wrong, so that a test shows which one is read.
        wall, cpu = (9.0, seconds) if self._adapter.is_software else (seconds, 9.0)
        timing = Timing(device_s=wall or 0.0, device_cpu_s=cpu or 0.0)
        name = selection.case if selection is not None else "round 0"
        case = CaseReport(name=name or "", status="failed" if seconds is None else "passed", derived=False, timing=timing)
        kernel = ValidationReport(
            shader=Path("k.wgsl"), contract="double", entry="double", status="passed", adapter=self._adapter, cases=(case,)
        )
        return CheckReport(kernels=(kernel,), findings=(), sources={})


async def timed(seconds: Seconds, *, base: str | None = BASE, text: str = FASTER, is_software: bool = False) -> SpeedRecord:
    return await time_kernel(cast("Checker", ScriptedChecker(seconds, is_software=is_software)), candidate(base, text), seed=1)


def candidate(base: str | None, text: str) -> KernelCandidate:
    return KernelCandidate(
        path=Path("k.wgsl"),
        text=text,
        base=base,
        sidecar=None,
        given=None,
        contract=None,
        action=Action.OPTIMISE_KERNEL,
        mentions_f16=False,
    )


def by_text(**seconds: float) -> Seconds:
    return lambda whose, _: seconds[whose]


@pytest.mark.parametrize("is_software", [True, False])
async def test_faster(is_software: bool) -> None:
    record = await timed(by_text(base=0.4, candidate=0.2, copy=0.01), is_software=is_software)
    assert (record.speedup, record.low, record.high, record.is_faster) == (2.0, 2.0, 2.0, True)
    assert (len(record.current_s), len(record.candidate_s), record.floor_s) == (2 * ROUNDS, ROUNDS, 0.01)
    assert (record.is_suspicious, record.problem, record.case) == (False, "", "n=16000")


def rounds(current: list[float], candidate: float) -> Seconds:
    """Four turns a round: the current file thrice, its first one uncounted, and the candidate."""
    return lambda whose, call: 0.01 if whose == "copy" else current[call % len(current)] if whose == "base" else candidate


@pytest.mark.parametrize(
    ("current", "candidate_s", "is_faster"),
    [
        pytest.param([9.0, 1.1, 1.1], 0.9, True, id="by more than the file varies"),
        pytest.param([9.0, 1.1, 1.1], 1.06, False, id="by too little"),
        pytest.param([9.0, 1.0, 1.5], 0.95, False, id="by less than the file varies"),
        pytest.param([9.0, 1.4, 1.3] * 7 + [9.0, 1.3, 0.8], 0.9, True, id="in all rounds but one"),
        pytest.param([9.0, 1.4, 1.3] * 6 + [9.0, 1.3, 0.8] * 2, 0.9, False, id="in all rounds but two"),
    ],
)
async def test_faster_is_more_than_noise(current: list[float], candidate_s: float, is_faster: bool) -> None:
    record = await timed(rounds(current, candidate_s))
    assert record.speedup is not None
    assert record.low > 1.0
    assert record.is_faster is is_faster


async def test_nothing_is_below_a_floor_that_cannot_be_measured() -> None:
    """The roofline's copy moves 1,024 words at least."""
    few = [text.replace("//! cases", '//! where = ["n <= 100"]\n//! cases').replace("n=1000", "n=50") for text in (BASE, FASTER)]
    record = await timed(by_text(base=0.2, candidate=0.1, copy=0.15), base=few[0], text=few[1])
    assert (record.case, record.floor_s, record.is_suspicious) == ("n=100", 0.0, False)


async def test_the_same_program_is_not_timed() -> None:
    layout = BASE.replace("    if (id.x", "  // Twice as fast.\n  if ( id.x")
    record = await timed(by_text(), text=layout)
    assert (record.speedup, record.problem) == (None, "it is the same program as the file; only comments or layout differ")


async def test_warm_up_does_not_count() -> None:
    record = await timed(lambda whose, call: 50.0 if call == 0 and whose != "copy" else 0.1)
    assert max((*record.current_s, *record.candidate_s)) == 0.1


async def test_wrong_output_in_a_timed_run() -> None:
    record = await timed(lambda whose, call: None if whose == "candidate" and call == 5 else 0.1)
    assert (record.speedup, record.problem) == (None, "the candidate is wrong in a timed run")
    record = await timed(lambda whose, call: None if whose == "base" else 0.1)
    assert record.problem == "the file as it is is wrong in a timed run"


async def test_implausible_speedup_is_measured_again_and_may_hold() -> None:
    record = await timed(by_text(base=4.0, candidate=0.1, copy=0.01))
    assert (record.speedup, record.is_suspicious, record.problem) == (40.0, True, "")


async def test_below_the_floor_is_measured_again() -> None:
    record = await timed(by_text(base=0.2, candidate=0.1, copy=0.15))
    assert (record.speedup, record.is_suspicious) == (2.0, True)


async def test_implausible_speedup_that_does_not_come_again() -> None:
    seconds: Seconds = lambda whose, call: {"base": 4.0, "copy": 0.01}.get(whose, 0.1 if call <= ROUNDS else 2.0)  # noqa: E731
    record = await timed(seconds)
    assert (record.speedup, record.problem) == (None, "40.0 times faster in one measurement and 2.0 times in the next")


@pytest.mark.parametrize(("base", "text"), [(None, FASTER), (BASE, FASTER.replace("2 * x", "x"))])
async def test_nothing_to_compare_with(base: str | None, text: str) -> None:
    record = await timed(by_text(), base=base, text=text)
    assert record.problem == "there is no file with the same contract to compare with"


async def test_every_round_has_new_inputs() -> None:
    checker: Any = ScriptedChecker(by_text(base=4.0, candidate=0.1, copy=0.01), is_software=False)
    await time_kernel(checker, candidate(BASE, FASTER), seed=1)
    # One set of seeds for the first measurement, another one for the second.
    assert len(checker.inputs) == 2
    assert all(len({part for part in text.split() if part.isdigit() and len(part) > 9}) == ROUNDS + 1 for text in checker.inputs)


@pytest.mark.device
async def test_on_a_device() -> None:
    async with Checker(CheckOptions(reuse_results=False)) as checker:
        record = await time_kernel(checker, candidate(BASE, FASTER), seed=1)
    assert record.problem == "" or record.is_suspicious
    assert len(record.candidate_s) == ROUNDS
    assert min(*record.current_s, *record.candidate_s, record.floor_s) > 0
