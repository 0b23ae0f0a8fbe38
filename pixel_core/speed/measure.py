"""The measurement: check what is to be timed, then time it in turns with the roofline's kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Union

import msgspec

from pixel_core.engines.base import AdapterInfo, TimedRuns
from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding
from pixel_core.kernels.place import place_entry
from pixel_core.kernels.validate import Checker, Progress
from pixel_core.source import SourceText
from pixel_core.speed.benchmark import CPU, TIMESTAMPS, WALL, Benchmark, Measurement, Refusal, Roofline
from pixel_core.speed.choose_targets import Target, choose_targets
from pixel_core.speed.roofline_kernels import COPY, MULTIPLY_ADD, roofline_kernels
from pixel_core.speed.verify_targets import Verification, verify_targets

ONE_NUMPY_THREAD: Final = MappingProxyType({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
"""Variables of the workers: threads that wait for work burn CPU time, and numpy would look slower than it is."""

_SAMPLE_S: Final = 0.02
"""Seconds of one measurement at least: a hundred times what a submission costs."""

_SLOW_RUN_S: Final = 1.0
"""Of a run that takes longer, compiling is a small part."""

_MAX_RUNS: Final = 256
_MAX_RESTORED_RUNS: Final = 16
"""Where buffers are restored, each run is a submission of its own."""

_LEAST_ROOFLINE_RUN_S: Final = 0.004
"""A run of the multiply-add kernel takes that long at least, so that it fills an adapter."""


class _Entrant(msgspec.Struct):
    """Something that is timed once a round."""

    target: Target
    runs: int = 1
    with_numpy: bool = False
    seconds: list[float] = msgspec.field(default_factory=list)
    numpy_s: list[float] = msgspec.field(default_factory=list)
    problem: str = ""


async def measure(
    checker: Checker,
    targets: Sequence[Target],
    *,
    rounds: int,
    with_numpy: bool = True,
    on_progress: Callable[[Progress], None] | None = None,
) -> Benchmark:
    """Check every target, then time those that passed.

    Each round times the roofline's kernels and then every target once, from another one on in each round, so that whatever else the
    machine does falls on all of them.

    Args:
        checker: Runs everything.
        targets: What is to be timed.
        rounds: How many measurements of each.
        with_numpy: Time numpy too, for targets that are a product of two matrices; once for each case.
        on_progress: Called before each step.

    Raises:
        EngineUnavailable: There is no adapter, or it gets the roofline's own kernels wrong.
    """
    adapter = await checker.require_adapter()
    verification = await verify_targets(checker, targets, on_progress)
    if not verification.passed:
        return _benchmark(adapter, WALL, None, (), verification)
    clock = _Clock(checker, adapter)
    roofline = [await _roofline_entrant(checker, clock, name) for name in (MULTIPLY_ADD, COPY)]
    entrants = [_Entrant(target) for target in verification.passed]
    for entrant in entrants:
        await clock.calibrate(entrant)
    _give_numpy_to_the_first(entrants if with_numpy else ())
    total = rounds * len(entrants)
    for number in range(rounds):
        for entrant in roofline:
            await clock.time(entrant)
        start = number % len(entrants)
        for place, entrant in enumerate((*entrants[start:], *entrants[:start])):
            if on_progress is not None:
                done = number * len(entrants) + place
                target = entrant.target
                case = target.case.name
                on_progress(Progress(shader=target.original.source.path, contract=target.contract, case=case, done=done, total=total))
            if not entrant.problem:
                await clock.time(entrant)
    limits = Roofline(flops_per_s=_rates(roofline[0]), bytes_per_s=_rates(roofline[1]))
    return _benchmark(adapter, clock.name, limits, entrants, verification)


class _Clock:
    """Times entrants. Which clock it is the first time shows: an adapter's features stay as they are."""

    def __init__(self, checker: Checker, adapter: AdapterInfo) -> None:
        self._checker = checker
        self.name = CPU if adapter.is_software else TIMESTAMPS

    async def calibrate(self, entrant: _Entrant) -> float:
        """Warm up, and decide how many runs one measurement takes. Returns seconds of one.

        The first run may compile, so what is quick runs once more.
        """
        seconds = await self._run(entrant)
        if seconds < _SLOW_RUN_S:
            seconds = await self._run(entrant)
        restored = any(buffer.role in {"inout", "accumulate"} for buffer in entrant.target.case.buffers)
        wanted = math.ceil(_SAMPLE_S / max(seconds, 1e-7))
        entrant.runs = max(1, min(wanted, _MAX_RESTORED_RUNS if restored else _MAX_RUNS))
        return seconds

    async def time(self, entrant: _Entrant) -> None:
        """Add one measurement, or the reason why there is none."""
        seconds = await self._run(entrant, keep_numpy=True)
        if not entrant.problem:
            entrant.seconds.append(seconds)

    async def _run(self, entrant: _Entrant, *, keep_numpy: bool = False) -> float:
        target = entrant.target
        if entrant.problem:
            return 0.0
        reply = await self._checker.time_case(target.examined, target.case, runs=entrant.runs, with_numpy=entrant.with_numpy)
        if reply.timed is None:
            entrant.problem = reply.fault.message if reply.fault else "it did not run"
            return 0.0
        if keep_numpy and reply.numpy_s is not None:
            entrant.numpy_s.append(reply.numpy_s)
        return self._seconds(reply.timed)

    def _seconds(self, timed: TimedRuns) -> float:
        if self.name == TIMESTAMPS and timed.device_s is None:
            self.name = WALL
        seconds: Union[float, None] = {CPU: timed.cpu_s, TIMESTAMPS: timed.device_s, WALL: timed.wall_s}[self.name]
        return max(seconds or 0.0, 1e-9)


async def _roofline_entrant(checker: Checker, clock: _Clock, name: str) -> _Entrant:
    """The roofline's kernel at a size that fills the adapter, checked and warmed up."""
    loaded = roofline_kernels()[name]
    names = [case.name for case in loaded.contracts.contracts[0].cases]
    if name == COPY:
        # The larger one is for the caches of GPUs; on a CPU it would only take longer.
        names = names[:1] if clock.name == CPU else names[-1:]
    chosen: _Entrant | None = None
    for case in names:
        (target,), _ = choose_targets((loaded,), kernel=name, cases=(case,))
        chosen = _Entrant(target)
        seconds = await clock.calibrate(chosen)
        if seconds >= _LEAST_ROOFLINE_RUN_S or chosen.problem:
            break
    assert chosen is not None
    verified = await verify_targets(checker, (chosen.target,), only_these=True)
    if chosen.problem or not verified.passed:
        why = chosen.problem or verified.refusals[0].reason
        raise EngineUnavailable(f"this adapter gets the kernel wrong that measures its roofline, `{name}`: {why}")
    return chosen


def _rates(entrant: _Entrant) -> tuple[float, ...]:
    if entrant.problem:
        raise EngineUnavailable(f"the roofline was lost on the way: {entrant.problem}")
    work = entrant.target.work
    amount = work.size_bytes if work.flops is None else work.flops
    return tuple(amount / seconds for seconds in entrant.seconds)


def _give_numpy_to_the_first(entrants: Sequence[_Entrant]) -> None:
    """The time of numpy is the same whichever kernel it is compared with, so it is taken once for each case."""
    seen: set[str] = set()
    for entrant in entrants:
        entrant.with_numpy = entrant.target.case.name not in seen
        seen.add(entrant.target.case.name)


def _benchmark(
    adapter: AdapterInfo, clock: str, roofline: Roofline | None, entrants: Sequence[_Entrant], verification: Verification
) -> Benchmark:
    refusals = list(verification.refusals)
    measurements: list[Measurement] = []
    sources: dict[Path, SourceText] = dict(verification.sources)
    findings: tuple[Finding, ...] = verification.findings
    for entrant in entrants:
        target = entrant.target
        path = target.original.source.path
        sources[path] = target.original.source
        if entrant.problem or roofline is None:
            refusals.append(Refusal(shader=path, contract=target.contract, case=target.case.name, reason=entrant.problem))
            continue
        least = roofline.least_seconds(target.work)
        measurements.append(
            Measurement(
                shader=path,
                contract=target.contract,
                case=target.case.name,
                shader_sha256=target.original.sha256,
                entry=place_entry(target.examined.kernel, target.examined.kernel.contract.passes[0].entry).location,
                work=target.work,
                runs=entrant.runs,
                seconds=tuple(entrant.seconds),
                share=tuple(lower / seconds for lower, seconds in zip(least, entrant.seconds, strict=True)),
                numpy_s=tuple(entrant.numpy_s),
            )
        )
    kept: Mapping[Path, SourceText] = sources
    return Benchmark(
        adapter=adapter,
        clock=clock,
        roofline=roofline,
        measurements=tuple(measurements),
        refusals=tuple(refusals),
        findings=findings,
        sources=kept,
    )
