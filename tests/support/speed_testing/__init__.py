"""Benchmarks as data, for tests of what is made of measurements: no time is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_core.engines.base import AdapterInfo
from pixel_core.findings import Location, Span
from pixel_core.source import SourceText
from pixel_core.speed.benchmark import CPU, Benchmark, Measurement, Refusal, Roofline, Work

ADAPTER = AdapterInfo(engine="device", name="llvmpipe", backend="Vulkan", driver="Mesa 22", is_software=True)
SHADER = Path("kernels/matmul.wgsl")
TEXT = "// a kernel\n@compute @workgroup_size(1)\nfn matmul() {}\n"
ENTRY = Location(SHADER, Span(TEXT.index("matmul"), TEXT.index("matmul") + len("matmul")))


def a_measurement(
    seconds: Sequence[float] = (0.02, 0.02, 0.02),
    *,
    contract: str = "matmul",
    case: str = "M=4 N=4",
    share: Sequence[float] = (0.1, 0.1, 0.1),
    work: Work | None = None,
    shader: Path = SHADER,
    sha256: str = "a" * 64,
    numpy_s: Sequence[float] = (),
) -> Measurement:
    """One kernel at one size."""
    return Measurement(
        shader=shader,
        contract=contract,
        case=case,
        shader_sha256=sha256,
        entry=Location(shader, ENTRY.span),
        work=work or Work(flops=2e8, size_bytes=1_000_000),
        runs=3,
        seconds=tuple(seconds),
        share=tuple(share),
        numpy_s=tuple(numpy_s),
    )


def a_benchmark(
    *measurements: Measurement, clock: str = CPU, refusals: Sequence[Refusal] = (), adapter: AdapterInfo = ADAPTER
) -> Benchmark:
    """Measurements under a roofline of 40 GFLOP/s and 4 GB/s."""
    return Benchmark(
        adapter=adapter,
        clock=clock,
        roofline=Roofline(flops_per_s=(39e9, 40e9, 41e9), bytes_per_s=(4e9, 4e9, 4e9)) if measurements else None,
        measurements=measurements,
        refusals=tuple(refusals),
        sources={SHADER: SourceText(SHADER, TEXT)},
    )
