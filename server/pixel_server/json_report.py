"""The JSON form of a check, as `docs/report.schema.json` describes it.

Lines and columns count from 1, in code points; the end is exclusive; what concerns a whole file stands at 1:1. Numbers that are not
finite have no JSON form and are null.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Union

from pixel_core.findings import Finding, Location
from pixel_core.kernels.report import STATUSES, CaseReport, CheckReport, ValidationReport
from pixel_core.source import SourceText

VERSION: Final = 1

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]


def json_report(report: CheckReport) -> str:
    """The whole report as JSON text of one object, indented, with a final line break."""
    value: Json = {
        "version": VERSION,
        "findings": [finding_json(finding, report.sources) for finding in report.findings],
        "kernels": [_kernel(kernel, report.sources) for kernel in report.kernels],
        "summary": {status: report.count(status) for status in STATUSES},
    }
    # Paths that are no Unicode hold lone surrogates; escaped, they survive any encoding of the stream.
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _kernel(kernel: ValidationReport, sources: Mapping[Path, SourceText]) -> Json:
    return {
        "shader": os.fspath(kernel.shader),
        "contract": kernel.contract,
        "entry": kernel.entry,
        "status": kernel.status,
        "engine": kernel.engine,
        "adapter": kernel.adapter.name if kernel.adapter else None,
        "driver": kernel.adapter.driver if kernel.adapter else None,
        "cases": [_case(case) for case in kernel.cases],
        "findings": [finding_json(finding, sources) for finding in kernel.findings],
    }


def _case(case: CaseReport) -> Json:
    return {
        "name": case.name,
        "status": case.status,
        "max_abs_error": _real(case.max_absolute_error),
        "max_bound_ratio": _real(case.max_bound_ratio),
        "seconds": round(case.seconds, 6),
    }


def finding_json(finding: Finding, sources: Mapping[Path, SourceText]) -> Json:
    """One finding, as reports hold it."""
    return {
        "code": finding.code,
        "severity": finding.severity.name.lower(),
        "message": finding.message,
        **_place(finding.location, sources),
        "notes": list(finding.notes),
        "hint": finding.hint,
        "labels": [{"message": label.message, **_place(label.location, sources)} for label in finding.labels],
    }


def _place(location: Location, sources: Mapping[Path, SourceText]) -> dict[str, Json]:
    source = sources.get(location.path)
    line = column = end_line = end_column = 1
    if source is not None and location.span is not None:
        line, column = source.position(location.span.start)
        end_line, end_column = source.position(location.span.end)
    return {"file": os.fspath(location.path), "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _real(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
