from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, PASSED, SKIPPED, CaseReport, ValidationReport
from pixel_server.verdict_words import cases_in_short


@pytest.mark.parametrize(
    ("status", "cases", "expected"),
    [
        (PASSED, [PASSED], "1 case"),
        (PASSED, [PASSED, PASSED], "2 cases"),
        (INCONCLUSIVE, [PASSED, PASSED], "2 cases, inconclusive"),
        (FAILED, [PASSED, FAILED, FAILED], "2 failed of 3 cases"),
        (FAILED, [FAILED, SKIPPED], "1 failed, 1 skipped of 2 cases"),
        (PASSED, [PASSED, SKIPPED, SKIPPED], "1 passed, 2 skipped of 3 cases"),
        (PARTLY_PROVED, [PARTLY_PROVED, PARTLY_PROVED], "2 cases, partly proved"),
        (PARTLY_PROVED, [PARTLY_PROVED, SKIPPED], "1 partly proved, 1 skipped of 2 cases"),
        (FAILED, [PARTLY_PROVED, FAILED], "1 failed of 2 cases"),
        (SKIPPED, [], "skipped"),
        (FAILED, [], "failed before any case ran"),
    ],
)
def test_cases_in_short(status: str, cases: list[str], expected: str) -> None:
    reports = tuple(CaseReport(name=f"n={number}", status=one, derived=False) for number, one in enumerate(cases))
    assert cases_in_short(ValidationReport(shader=Path("k.wgsl"), contract="k", entry="k", status=status, cases=reports)) == expected
