"""A check as the doors need it: an absent engine is an answer too."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding, Location, Severity
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Checker, Progress
from pixel_server.discover import Discovery

ENGINE_UNAVAILABLE = "PX901"


async def run_check(checker: Checker, found: Discovery, on_progress: Callable[[Progress], None] | None = None) -> CheckReport:
    """Check what was found; findings about the paths come first.

    Args:
        checker: Open.
        found: What the paths named.
        on_progress: Called with every step.

    Returns:
        The report; without kernels, and with a PX901 finding, when the engine cannot run here.
    """
    if not found.shaders:
        return CheckReport(kernels=(), findings=found.findings, sources={})
    try:
        report = await checker.check(found.shaders, on_progress)
    except EngineUnavailable as problem:
        finding = Finding(
            code=ENGINE_UNAVAILABLE,
            severity=Severity.ERROR,
            message=problem.message,
            location=Location(found.shaders[0]),
            hint=problem.hint or "`pixel-lsp doctor` says what is missing",
        )
        return CheckReport(kernels=(), findings=(*found.findings, finding), sources={})
    return replace(report, findings=(*found.findings, *report.findings))
