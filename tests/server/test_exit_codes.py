from __future__ import annotations

import pytest

from pixel_core.findings import Finding, Location, Severity
from pixel_server.exit_codes import exit_code_of
from pixel_testing.reports import case, check_report, kernel


def finding(code: str, severity: Severity) -> Finding:
    from pathlib import Path

    return Finding(code=code, severity=severity, message="m", location=Location(Path("k.wgsl")))


@pytest.mark.parametrize(
    ("statuses", "expected", "strictly"),
    [
        (["passed"], 0, 0),
        (["passed", "skipped"], 0, 1),
        (["skipped"], 0, 1),
        (["passed", "partly_proved"], 0, 1),
        (["passed", "failed"], 1, 1),
        (["passed", "inconclusive"], 1, 1),
        ([], 2, 2),
    ],
)
def test_the_worst_status_decides(statuses: list[str], expected: int, strictly: int) -> None:
    report = check_report(*(kernel("k", status, [case("a")]) for status in statuses))
    assert exit_code_of(report, strict=False) == expected
    assert exit_code_of(report, strict=True) == strictly


@pytest.mark.parametrize(("severity", "expected"), [(Severity.ERROR, 1), (Severity.WARNING, 0), (Severity.INFO, 0), (Severity.HINT, 0)])
def test_an_error_of_a_file_fails_the_check(severity: Severity, expected: int) -> None:
    assert exit_code_of(check_report(kernel("k", "passed"), findings=[finding("PX101", severity)]), strict=False) == expected


def test_an_absent_engine_means_that_nothing_was_checked() -> None:
    report = check_report(kernel("k", "skipped"), findings=[finding("PX901", Severity.ERROR)])
    assert exit_code_of(report, strict=False) == 2
