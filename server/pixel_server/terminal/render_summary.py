"""One line per kernel, and one for the whole check.

✓ matmul     14 cases  max error 3.1e-6 (0.04 of the bound)  0.21 s
✗ histogram  3 of 12 cases failed  0.18 s

1 kernel passed, 1 failed, on llvmpipe (LLVM 15.0.6, 256 bits) with Mesa 22.3.6
"""

from __future__ import annotations

import math
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PASSED, SKIPPED, STATUSES, CheckReport, ValidationReport
from pixel_server.terminal.medium import Glyphs, Medium

_STYLES: Final = {PASSED: "bold green", FAILED: "bold red", INCONCLUSIVE: "bold yellow", SKIPPED: "dim"}


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
    sign = _sign(kernel.status, medium.glyphs)
    line = Text.assemble((f"{sign} ", _STYLES.get(kernel.status, "")), (name, "bold"), " " * (name_width - cell_len(name)))
    line.append(f"  {_cases(kernel)}")
    error = _worst_error(kernel) if kernel.status in {PASSED, FAILED} else None
    if error:
        line.append(f"  {error}")
    if any(case.seconds for case in kernel.cases):
        line.append(f"  {seconds(sum(case.seconds for case in kernel.cases))}", "dim")
    return line


def _sign(status: str, glyphs: Glyphs) -> str:
    signs = {PASSED: glyphs.passed, FAILED: glyphs.failed, INCONCLUSIVE: glyphs.inconclusive, SKIPPED: glyphs.skipped}
    return signs.get(status, glyphs.inconclusive)


def _cases(kernel: ValidationReport) -> str:
    total = len(kernel.cases)
    if not total:
        return {FAILED: "failed before any case ran", SKIPPED: "skipped"}.get(kernel.status, kernel.status)
    passed = sum(case.status == PASSED for case in kernel.cases)
    if passed == total:
        verdict = "" if kernel.status == PASSED else f", {kernel.status}"
        return f"{count(total, 'case')}{verdict}"
    others = [(status, sum(case.status == status for case in kernel.cases)) for status in STATUSES if status != PASSED]
    said = ", ".join(f"{number:,} {status}" for status, number in others if number)
    return f"{said} of {count(total, 'case')}"


def _worst_error(kernel: ValidationReport) -> str | None:
    """The greatest error, and what part of its bound the greatest ratio is (they may stand in different cases)."""
    errors = [case.max_absolute_error for case in kernel.cases if case.max_absolute_error is not None]
    ratios = [case.max_bound_ratio for case in kernel.cases if case.max_bound_ratio is not None]
    if not errors:
        return None
    error = math.nan if any(math.isnan(value) for value in errors) else max(errors)
    if error == 0:
        return "exact"
    ratio = math.nan if any(math.isnan(value) for value in ratios) else max(ratios, default=math.nan)
    if not math.isfinite(ratio):
        return f"max error {_short(error)}"
    said = f"{ratio:.2f} of the bound" if ratio <= 1 else f"{_short(ratio)} times the bound"
    return f"max error {_short(error)} ({said})"


def _closing(report: CheckReport, medium: Medium) -> Text:
    if not report.kernels:
        return Text("nothing was checked", "bold")
    parts = [(status, report.count(status)) for status in STATUSES if report.count(status)]
    line = Text()
    for index, (status, number) in enumerate(parts):
        if index:
            line.append(", ")
        line.append(f"{count(number, 'kernel') if not index else f'{number:,}'} {status}", _STYLES[status])
    adapters = {f"{kernel.adapter.name}, {kernel.adapter.driver}" for kernel in report.kernels if kernel.adapter is not None}
    if adapters:
        line.append(f" on {medium.printable('; '.join(sorted(adapters)))}")
    return line


def count(number: int, noun: str) -> str:
    """`1 case`, `14 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(value: float) -> str:
    """A duration in the unit that reads best."""
    return f"{value * 1e3:.0f} ms" if value < 0.1 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _short(value: float) -> str:
    """Two significant digits: `3.1e-6`, `0.04`, `1200`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinite"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{value:.2g}" if -3 <= int(exponent) <= 1 else f"{mantissa}e{int(exponent)}"
