"""What a command's end says to the shell."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, SKIPPED, CheckReport

PASSED_CODE = 0
"""Everything passed; skipped and partly proved kernels are allowed unless `--strict`."""
FAILED_CODE = 1
"""An error, or a failed or inconclusive verdict."""
NOTHING_CODE = 2
"""Nothing could be checked: bad usage, no shader found, or the engine is not there."""
INTERRUPTED_CODE = 130
"""Ctrl-C, as shells number it: 128 + SIGINT."""
TERMINATED_CODE = 143
"""128 + SIGTERM."""

_ENGINE_UNAVAILABLE = "PX901"


def exit_code_of(report: CheckReport, *, strict: bool) -> int:
    """The exit code of `check`.

    Args:
        report: What the check came to.
        strict: Whether a kernel that is skipped or partly proved counts as a failure.
    """
    if not report.kernels or any(finding.code == _ENGINE_UNAVAILABLE for finding in report.all_findings()):
        return NOTHING_CODE
    bad = {FAILED, INCONCLUSIVE} | ({SKIPPED, PARTLY_PROVED} if strict else set())
    if any(kernel.status in bad for kernel in report.kernels):
        return FAILED_CODE
    if any(finding.severity is Severity.ERROR for finding in report.all_findings()):
        return FAILED_CODE
    return PASSED_CODE
