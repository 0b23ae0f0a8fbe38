"""Reports made by hand, for the doors that draw them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_core.engines.base import AdapterInfo
from pixel_core.findings import Finding
from pixel_core.kernels.report import CaseReport, CheckReport, ValidationReport
from pixel_core.source import SourceText

LLVMPIPE = AdapterInfo(
    engine="device", name="llvmpipe (LLVM 15.0.6, 256 bits)", backend="Vulkan", driver="Mesa 22.3.6", is_software=True, quirks=("loop_cap",)
)


def case(name: str, status: str = "passed", error: float | None = 0.0, ratio: float | None = 0.0, seconds: float = 0.01) -> CaseReport:
    return CaseReport(name=name, status=status, derived=False, max_absolute_error=error, max_bound_ratio=ratio, seconds=seconds)


def kernel(
    name: str | None, status: str, cases: Sequence[CaseReport] = (), findings: Sequence[Finding] = (), shader: str = "k.wgsl"
) -> ValidationReport:
    return ValidationReport(
        shader=Path(shader),
        contract=name,
        entry=name,
        status=status,
        engine="device" if cases else None,
        adapter=LLVMPIPE if cases else None,
        cases=tuple(cases),
        findings=tuple(findings),
    )


def check_report(*kernels: ValidationReport, findings: Sequence[Finding] = (), sources: Sequence[SourceText] = ()) -> CheckReport:
    return CheckReport(kernels=kernels, findings=tuple(findings), sources={source.path: source for source in sources})
