from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from pixel_core.findings import Finding, Label, Location, Severity, Span
from pixel_core.kernels.report import CheckReport
from pixel_core.source import SourceText
from pixel_server.json_report import json_report
from pixel_testing.reports import case, check_report, kernel

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
SHADER = SourceText(Path("k.wgsl"), "// 積\r\nlet a = 1;\r\n")


def encoded(report: CheckReport) -> Any:
    Draft202012Validator.check_schema(SCHEMA)
    value = json.loads(json_report(report), parse_constant=lambda name: f"{name} is no JSON")
    Draft202012Validator(SCHEMA).validate(value)
    return value


def finding(location: Location) -> Finding:
    return Finding(
        code="PX401", severity=Severity.ERROR, message="wrong", location=location, labels=(Label(location, "here"),), notes=("n",), hint="h"
    )


def test_nothing_is_a_report_too() -> None:
    assert encoded(check_report()) == {
        "version": 1,
        "findings": [],
        "kernels": [],
        "summary": {"passed": 0, "partly_proved": 0, "failed": 0, "inconclusive": 0, "skipped": 0},
    }


def test_a_kernel_with_its_cases_and_findings() -> None:
    place = {"file": "k.wgsl", "line": 2, "column": 5, "end_line": 2, "end_column": 6}
    location = SHADER.location(Span(SHADER.text.index("a ="), SHADER.text.index("a =") + 1))
    report = check_report(kernel("matmul", "failed", [case("n=1", "failed", 3.0, 7.5, 0.25)], [finding(location)]), sources=[SHADER])
    assert encoded(report)["kernels"] == [
        {
            "shader": "k.wgsl",
            "contract": "matmul",
            "entry": "matmul",
            "status": "failed",
            "engine": "device",
            "adapter": "llvmpipe (LLVM 15.0.6, 256 bits)",
            "driver": "Mesa 22.3.6",
            "cases": [{"name": "n=1", "status": "failed", "max_abs_error": 3.0, "max_bound_ratio": 7.5, "seconds": 0.25}],
            "findings": [
                {
                    "code": "PX401",
                    "severity": "error",
                    "message": "wrong",
                    **place,
                    "notes": ["n"],
                    "hint": "h",
                    "labels": [{"message": "here", **place}],
                }
            ],
        }
    ]


def test_kernels_are_counted_by_status() -> None:
    statuses = ("passed", "failed", "failed", "skipped")
    report = encoded(check_report(*(kernel(None, status) for status in statuses)))
    assert report["summary"] == {"passed": 1, "partly_proved": 0, "failed": 2, "inconclusive": 0, "skipped": 1}


def test_whole_files_and_unknown_texts_stand_at_one_one() -> None:
    for location in (Location(SHADER.path), Location(Path("other.wgsl"), Span(5, 6))):
        (found,) = encoded(check_report(findings=[finding(location)], sources=[SHADER]))["findings"]
        assert (found["line"], found["column"], found["end_line"], found["end_column"]) == (1, 1, 1, 1)


def test_numbers_that_json_cannot_say_are_null() -> None:
    cases = [case("a", "failed", math.nan, math.inf), case("b", "skipped", None, None)]
    assert [
        (each["max_abs_error"], each["max_bound_ratio"])
        for each in encoded(check_report(kernel("k", "failed", cases)))["kernels"][0]["cases"]
    ] == [
        (None, None),
        (None, None),
    ]


def test_paths_that_are_no_unicode_survive_any_stream() -> None:
    text = json_report(check_report(kernel(None, "skipped", shader="k\udcff→.wgsl")))
    assert text.isascii()
    assert json.loads(text)["kernels"][0]["shader"] == "k\udcff→.wgsl"
