"""What a kernel came to, in a few words: `✓ 14 cases, max error 3.1e-6 (0.04 of the bound), 0.21 s`."""

from __future__ import annotations

import math
from typing import Final

from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, PASSED, SKIPPED, STATUSES, ValidationReport, status_words

_SIGNS: Final = {PASSED: "✓", PARTLY_PROVED: "≈", FAILED: "✗", INCONCLUSIVE: "?", SKIPPED: "–"}


def verdict_words(kernel: ValidationReport) -> str:
    """What its cases came to; its greatest error where outputs were compared; how long it took where it ran."""
    error = worst_error(kernel) if kernel.status in {PASSED, PARTLY_PROVED, FAILED} else None
    took = (seconds(sum(case.seconds for case in kernel.cases)),) if any(case.seconds for case in kernel.cases) else ()
    return f"{_SIGNS.get(kernel.status, '?')} {', '.join((cases_in_short(kernel), *((error,) if error else ()), *took))}"


def cases_in_short(kernel: ValidationReport) -> str:
    """How many cases came to what."""
    total = len(kernel.cases)
    if not total:
        return {FAILED: "failed before any case ran", SKIPPED: "skipped"}.get(kernel.status, status_words(kernel.status))
    passed = sum(case.status in (PASSED, PARTLY_PROVED) for case in kernel.cases)
    if passed == total:
        verdict = "" if kernel.status == PASSED else f", {status_words(kernel.status)}"
        return f"{count(total, 'case')}{verdict}"
    # What passed is what remains, except beside cases that nobody ran.
    others = [
        (status, sum(case.status == status for case in kernel.cases))
        for status in STATUSES
        if status not in (PASSED, PARTLY_PROVED) or kernel.status in (PASSED, PARTLY_PROVED)
    ]
    said = ", ".join(f"{number:,} {status_words(status)}" for status, number in others if number)
    return f"{said} of {count(total, 'case')}"


def worst_error(kernel: ValidationReport) -> str | None:
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
