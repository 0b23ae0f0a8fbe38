"""The order of a measurement and what it comes to, with a checker that answers from a script; the roofline's kernels on a real adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from pixel_core.engines.base import AdapterInfo, TimedRuns
from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding
from pixel_core.kernels.examine import ExaminedKernel
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.planned import Case
from pixel_core.kernels.report import CaseReport, CheckReport, ValidationReport
from pixel_core.kernels.results import Fault
from pixel_core.kernels.validate import Checker, Selection
from pixel_core.kernels.worker_messages import TimeReply
from pixel_core.speed.benchmark import CPU, TIMESTAMPS, WALL, Benchmark
from pixel_core.speed.choose_targets import choose_targets
from pixel_core.speed.measure import measure
from pixel_core.speed.roofline_kernels import COPY, MULTIPLY_ADD, roofline_kernels

SHADERS = Path(__file__).parents[3] / "shaders"
CASE = "M=64 N=64 K=64"

Seconds = Callable[[str], float | None]
"""Contract → seconds of one run; None for a run that fails."""


class ScriptedChecker:
    def __init__(self, seconds: Seconds, *, is_software: bool = True, timestamps: bool = True, wrong: Sequence[str] = ()) -> None:
        self._seconds = seconds
        self._timestamps = timestamps
        self._wrong = wrong
        self.adapter = AdapterInfo(engine="device", name="scripted", backend="Vulkan", driver="1", is_software=is_software)
        self.timed: list[tuple[str, int]] = []
        self.numpy: list[str] = []

    async def require_adapter(self) -> AdapterInfo:
        return self.adapter

    async def check_loaded(self, shaders: Sequence[LoadedShader], *_: object, selection: Selection) -> CheckReport:
        assert selection.contract is not None
        status = "failed" if selection.contract in self._wrong else "passed"
        case = CaseReport(name=selection.case or CASE, status=status, derived=False)
        path = shaders[0].source.path
        kernel = ValidationReport(shader=path, contract=selection.contract, entry=None, status=status, cases=(case,))
        return CheckReport(kernels=(kernel,), findings=(), sources={})

    async def time_case(self, examined: ExaminedKernel, case: Case, *, runs: int, with_numpy: bool) -> TimeReply:
        name = examined.kernel.contract.name
        self.timed.append((name, runs))
        seconds = self._seconds(name)
        if seconds is None:
            return TimeReply(fault=Fault(kind="device_lost", message="the device was lost"))
        # The other clocks run wrong, so that a test shows which one is read.
        cpu, device = (seconds, 9.0) if self.adapter.is_software else (9.0, seconds)
        wall = 9.0 if self._timestamps or self.adapter.is_software else seconds
        timed = TimedRuns(runs=runs, wall_s=wall, cpu_s=cpu, device_s=device if self._timestamps else None)
        if with_numpy:
            self.numpy.append(f"{name} {case.name}")
        return TimeReply(timed=timed, numpy_s=0.5 if with_numpy else None)


async def run(checker: ScriptedChecker, *names: str, cases: Sequence[str] = (CASE,), rounds: int = 3) -> Benchmark:
    loaded = [shader for shader in (load_shader(SHADERS / f"{name}.wgsl") for name in names) if not isinstance(shader, Finding)]
    targets, refusals = choose_targets(loaded, kernel=None, cases=cases)
    assert refusals == ()
    return await measure(cast("Any", checker), targets, rounds=rounds)


def steadily(**seconds: float) -> Seconds:
    return lambda name: seconds.get(name, 0.02)


async def test_each_round_times_the_roofline_and_then_everybody_in_turn() -> None:
    checker = ScriptedChecker(steadily())
    benchmark = await run(checker, "matmul", "matmul_registers")
    warm_ups = [MULTIPLY_ADD, MULTIPLY_ADD, COPY, COPY, "matmul", "matmul", "matmul_registers", "matmul_registers"]
    rounds = [
        [MULTIPLY_ADD, COPY, "matmul", "matmul_registers"],
        [MULTIPLY_ADD, COPY, "matmul_registers", "matmul"],
        [MULTIPLY_ADD, COPY, "matmul", "matmul_registers"],
    ]
    assert [name for name, _ in checker.timed] == [*warm_ups, *(name for one in rounds for name in one)]
    assert [(one.contract, len(one.seconds)) for one in benchmark.measurements] == [("matmul", 3), ("matmul_registers", 3)]


async def test_short_runs_are_repeated_until_they_can_be_measured() -> None:
    checker = ScriptedChecker(steadily(matmul=0.003, matmul_registers=1e-9))
    benchmark = await run(checker, "matmul", "matmul_registers")
    assert [one.runs for one in benchmark.measurements] == [7, 256]


async def test_what_takes_long_warms_up_once() -> None:
    checker = ScriptedChecker(steadily(matmul=1.5))
    await run(checker, "matmul")
    assert [name for name, _ in checker.timed].count("matmul") == 1 + 3


async def test_the_share_is_that_of_the_round() -> None:
    """In the second round the whole machine is half as fast: the share stays."""
    calls = {"multiply_add": 0, "copy": 0, "matmul": 0}

    def seconds(name: str) -> float:
        calls[name] += 1
        return 0.04 if calls[name] == 4 else 0.02

    (measurement,) = (await run(ScriptedChecker(seconds), "matmul")).measurements
    assert measurement.seconds == (0.02, 0.04, 0.02)
    assert measurement.share[0] == pytest.approx(measurement.share[1])
    # Three matrices of bytes, where the copy moves 64 MiB in the same time; its operations would take less.
    assert measurement.share[0] == pytest.approx(3 * 4 * 64**2 / (2 * 4 * 8388608))


@pytest.mark.parametrize(
    ("is_software", "timestamps", "clock"), [(True, True, CPU), (True, False, CPU), (False, True, TIMESTAMPS), (False, False, WALL)]
)
async def test_the_clock_is_the_adapters(is_software: bool, timestamps: bool, clock: str) -> None:
    benchmark = await run(ScriptedChecker(steadily(matmul=0.03), is_software=is_software, timestamps=timestamps), "matmul")
    assert benchmark.clock == clock
    assert benchmark.measurements[0].seconds == (0.03, 0.03, 0.03)


async def test_what_is_wrong_is_not_timed() -> None:
    checker = ScriptedChecker(steadily(), wrong=("matmul",))
    benchmark = await run(checker, "matmul", "matmul_registers")
    assert "matmul" not in {name for name, _ in checker.timed}
    assert [one.contract for one in benchmark.measurements] == ["matmul_registers"]
    assert [(one.contract, one.reason) for one in benchmark.refusals] == [("matmul", "it fails its contract, and is not timed")]


async def test_nothing_to_time_measures_no_roofline() -> None:
    checker = ScriptedChecker(steadily(), wrong=("matmul",))
    benchmark = await run(checker, "matmul")
    assert (benchmark.roofline, benchmark.measurements, checker.timed) == (None, (), [])


async def test_a_kernel_that_stops_running_is_left_out() -> None:
    calls = 0

    def seconds(name: str) -> float | None:
        nonlocal calls
        calls += name == "matmul"
        return None if name == "matmul" and calls > 3 else 0.02

    benchmark = await run(ScriptedChecker(seconds), "matmul", "matmul_registers")
    assert [one.contract for one in benchmark.measurements] == ["matmul_registers"]
    assert [one.reason for one in benchmark.refusals] == ["the device was lost"]


async def test_a_roofline_that_cannot_be_measured_ends_it() -> None:
    with pytest.raises(EngineUnavailable, match="the kernel wrong that measures its roofline, `multiply_add`"):
        await run(ScriptedChecker(steadily(), wrong=(MULTIPLY_ADD,)), "matmul")


async def test_numpy_is_timed_once_for_each_case() -> None:
    checker = ScriptedChecker(steadily())
    benchmark = await run(checker, "matmul", "matmul_registers", cases=(CASE, "M=8 N=8 K=8"))
    assert set(checker.numpy) == {f"matmul {CASE}", "matmul M=8 N=8 K=8"}
    assert [one.numpy_s for one in benchmark.measurements] == [(0.5, 0.5, 0.5), (), (0.5, 0.5, 0.5), ()]


async def test_a_fast_adapter_gets_a_larger_roofline_kernel() -> None:
    checker = ScriptedChecker(steadily(multiply_add=0.001), is_software=False)
    benchmark = await run(checker, "matmul")
    assert benchmark.roofline is not None
    assert benchmark.roofline.peak.median == pytest.approx(1048576 * 12 * 4096 * 2 / 0.001)
    assert benchmark.roofline.bandwidth.median == pytest.approx(2 * 4 * 33554432 / 0.02)


@pytest.mark.device
async def test_the_rooflines_kernels_keep_their_contracts_and_can_be_timed() -> None:
    """At small sizes; the command checks them at those that it times."""
    async with Checker() as checker:
        for name, case in ((MULTIPLY_ADD, "n=64"), (COPY, "n=1024")):
            (target,), _ = choose_targets((roofline_kernels()[name],), kernel=None, cases=(case,))
            report = await checker.check_loaded((target.examined.loaded,))
            assert [(kernel.status, kernel.cases[0].max_absolute_error) for kernel in report.kernels] == [("passed", 0)]
            reply = await checker.time_case(target.examined, target.case, runs=2, with_numpy=True)
            assert (reply.fault, reply.numpy_s) == (None, None)
            assert reply.timed is not None
            assert reply.timed.runs == 2
