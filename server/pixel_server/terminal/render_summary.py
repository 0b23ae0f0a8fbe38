"""One line per kernel, and one for the whole check.

✓ matmul     14 cases  max error 3.1e-6 (0.04 of the bound)  0.21 s
✗ histogram  3 of 12 cases failed  0.18 s

1 kernel passed, 1 failed, on llvmpipe (LLVM 15.0.6, 256 bits) with Mesa 22.3.6
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from rich.text import Text

from pixel_core.kernels.report import (
    FAILED,
    INCONCLUSIVE,
    PARTLY_PROVED,
    PASSED,
    SKIPPED,
    STATUSES,
    CheckReport,
    ValidationReport,
    status_words,
)
from pixel_server.terminal.medium import Glyphs, Medium
from pixel_server.verdict_words import cases_in_short, count, seconds, worst_error

_STYLES: Final = {PASSED: "bold green", PARTLY_PROVED: "bold cyan", FAILED: "bold red", INCONCLUSIVE: "bold yellow", SKIPPED: "dim"}


def render_summary(report: CheckReport, medium: Medium) -> Text:
    """The lines of the kernels and the closing line, without a final line break."""
    names = [medium.printable(kernel.contract) if kernel.contract else medium.path(kernel.shader) for kernel in report.kernels]
    name_width = max((cell_len(name) for name in names), default=0)
    lines = [_kernel(kernel, name, name_width, medium) for kernel, name in zip(report.kernels, names, strict=True)]
    if lines:
        lines.append(Text())
    lines.append(_closing(report, medium))
    return Text("\n").join(lines)


def _kernel(kernel: ValidationReport, name: str, name_width: int, medium: Medium) -> Text:
    line = Text.assemble(status_sign(kernel.status, medium.glyphs), (name, "bold"), " " * (name_width - cell_len(name)))
    line.append(f"  {cases_in_short(kernel)}")
    error = worst_error(kernel) if kernel.status in {PASSED, PARTLY_PROVED, FAILED} else None
    if error:
        line.append(f"  {error}")
    if any(case.seconds for case in kernel.cases):
        line.append(f"  {seconds(sum(case.seconds for case in kernel.cases))}", "dim")
    return line


def status_sign(status: str, glyphs: Glyphs) -> Text:
    """How a line about a status begins."""
    signs = {
        PASSED: glyphs.passed,
        PARTLY_PROVED: glyphs.partly,
        FAILED: glyphs.failed,
        INCONCLUSIVE: glyphs.inconclusive,
        SKIPPED: glyphs.skipped,
    }
    return Text(f"{signs.get(status, glyphs.inconclusive)} ", _STYLES.get(status, ""))


def _closing(report: CheckReport, medium: Medium) -> Text:
    if not report.kernels:
        return Text("nothing was checked", "bold")
    parts = [(status, report.count(status)) for status in STATUSES if report.count(status)]
    line = Text()
    for index, (status, number) in enumerate(parts):
        if index:
            line.append(", ")
        line.append(f"{count(number, 'kernel') if not index else f'{number:,}'} {status_words(status)}", _STYLES[status])
    adapters = {f"{kernel.adapter.name}, {kernel.adapter.driver}" for kernel in report.kernels if kernel.adapter is not None}
    if adapters:
        line.append(f" on {medium.printable('; '.join(sorted(adapters)))}")
    return line
