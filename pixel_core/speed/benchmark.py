"""What a benchmark comes to, as data. Seconds are those of the benchmark's clock; the doors draw them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from pixel_core.engines.base import AdapterInfo
from pixel_core.findings import Finding, Location
from pixel_core.kernels.planned import Case
from pixel_core.source import SourceText
from pixel_core.speed.spread import Spread, spread_of

CPU, TIMESTAMPS, WALL = "cpu", "timestamps", "wall"
CLOCKS: Final = (CPU, TIMESTAMPS, WALL)
"""What seconds are: CPU seconds of all threads of the worker (software adapters); between the device's own timestamps (real ones); of
the wall, from submission to the idle device (real ones without `timestamp-query`)."""

_READ_AND_WRITTEN: Final = frozenset({"inout", "accumulate", "scratch"})


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a case has to do.

    Attributes:
        flops: Floating-point operations as the contract's `flops` counts them; None without.
        size_bytes: Bytes of the bound storage buffers: those that are only read or only written once, the others twice. The least
            traffic that a kernel can have, whatever it reads again.
    """

    flops: float | None
    size_bytes: int

    @property
    def intensity(self) -> float | None:
        """Operations for each byte."""
        return None if self.flops is None or not self.size_bytes else self.flops / self.size_bytes


class Roofline(msgspec.Struct, frozen=True, kw_only=True):
    """What the adapter can do at most, in each round of the same benchmark.

    Source: S. Williams, A. Waterman, D. Patterson, "Roofline: An Insightful Visual Performance Model for Multicore Architectures",
    Communications of the ACM 52 (2009).

    Attributes:
        flops_per_s: Of the kernel that only multiplies and adds, in f32.
        bytes_per_s: Of the kernel that only copies, read and written bytes together.
    """

    flops_per_s: tuple[float, ...]
    bytes_per_s: tuple[float, ...]

    @property
    def peak(self) -> Spread:
        """Operations in a second."""
        return spread_of(self.flops_per_s)

    @property
    def bandwidth(self) -> Spread:
        """Bytes in a second."""
        return spread_of(self.bytes_per_s)

    def least_seconds(self, work: Work) -> tuple[float, ...]:
        """Time that the work takes at least, in each round: operations at the peak or bytes at the bandwidth, whichever takes longer."""
        flops = work.flops or 0.0
        rates = zip(self.flops_per_s, self.bytes_per_s, strict=True)
        return tuple(max(flops / peak, work.size_bytes / bandwidth) for peak, bandwidth in rates)

    def attainable(self, intensity: float) -> float:
        """min(peak, intensity · bandwidth), of the medians, in operations a second."""
        return min(self.peak.median, intensity * self.bandwidth.median)


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One kernel at one size.

    Attributes:
        shader: Path of the WGSL file.
        contract: Name of the contract.
        case: Name of the case.
        shader_sha256: Of the shader's text.
        entry: Where its entry point is declared.
        work: Of one run.
        runs: How many runs one measurement is the mean of.
        seconds: Of one run, one a round.
        share: What part of the roofline was reached, one a round: 1 is all.
        numpy_s: CPU seconds of numpy for the same product, one a round; empty where there is none to compare with.
    """

    shader: Path
    contract: str
    case: str
    shader_sha256: str
    entry: Location
    work: Work
    runs: int
    seconds: tuple[float, ...]
    share: tuple[float, ...]
    numpy_s: tuple[float, ...] = ()

    @property
    def time(self) -> Spread:
        """Seconds of one run."""
        return spread_of(self.seconds)

    @property
    def flops_per_s(self) -> float | None:
        """Operations in a second, by the median."""
        return None if self.work.flops is None else self.work.flops / self.time.median

    @property
    def bytes_per_s(self) -> float:
        """Bytes of the bound buffers in a second, by the median."""
        return self.work.size_bytes / self.time.median


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel or a case that was not timed, and why.

    Attributes:
        shader: Path of the WGSL file.
        contract: Name of the contract; None where there is none that can be read.
        case: Name of the case, or the sizes that were asked for; None for all.
        reason: In words that follow a colon.
        is_failure: Something is wrong with it; else there is only nothing to time.
    """

    shader: Path
    contract: str | None
    case: str | None
    reason: str
    is_failure: bool = True


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """A whole benchmark.

    Attributes:
        adapter: What ran the kernels.
        clock: One of `CLOCKS`.
        roofline: None when nothing was timed.
        measurements: In the order of the cases, then of the shaders.
        refusals: What was not timed.
        findings: Why a kernel is wrong, and what became slower than a baseline.
        sources: Every text that a finding points into, by path.
    """

    adapter: AdapterInfo
    clock: str
    roofline: Roofline | None
    measurements: tuple[Measurement, ...]
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[Finding, ...] = ()
    sources: Mapping[Path, SourceText] = msgspec.field(default_factory=dict)


def bound_bytes(case: Case) -> int:
    """`Work.size_bytes` of a case; slack is not counted, since nothing needs it."""
    sizes = ((buffer.role, buffer.size_bytes - buffer.slack_bytes) for buffer in case.buffers)
    return sum(2 * size if role in _READ_AND_WRITTEN else size for role, size in sizes)
