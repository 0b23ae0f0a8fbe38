from __future__ import annotations

import math

from pixel_core.kernels.report import CheckReport
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_summary import render_summary
from pixel_testing.reports import case, check_report, kernel


def check(report: CheckReport, expected: str, *, encoding: str = "utf-8") -> None:
    assert render_summary(report, Medium(encoding=encoding)).plain == expected.strip("\n")


def test_kernels_are_listed_in_columns_and_counted() -> None:
    cases = [case(f"n={n}", error=3.14e-6, ratio=0.04, seconds=0.015) for n in range(14)]
    check(
        check_report(kernel("matmul", "passed", cases), kernel("histogram", "passed", [case("n=1")])),
        """
✓ matmul     14 cases  max error 3.1e-6 (0.04 of the bound)  0.21 s
✓ histogram  1 case  exact  10 ms

2 kernels passed on llvmpipe (LLVM 15.0.6, 256 bits), Mesa 22.3.6
""",
    )


def test_every_status_has_its_line() -> None:
    wrong = [
        case("a"),
        case("b", "failed", error=3.2, ratio=780488.0),
        case("c", "inconclusive", None, None),
        case("d", "skipped", None, None),
    ]
    check(
        check_report(
            kernel("a", "failed", wrong),
            kernel("b", "inconclusive", [case("a", "inconclusive", None, None, seconds=0.0)]),
            kernel("c", "failed"),
            kernel(None, "skipped"),
            kernel("d", "inconclusive", [case("a")]),
        ),
        """
✗ a       1 failed, 1 inconclusive, 1 skipped of 4 cases  max error 3.2 (7.8e5 times the bound)  40 ms
? b       1 inconclusive of 1 case
✗ c       failed before any case ran
– k.wgsl  skipped
? d       1 case, inconclusive  10 ms

2 kernels failed, 2 inconclusive, 1 skipped on llvmpipe (LLVM 15.0.6, 256 bits), Mesa 22.3.6
""",
    )


def test_errors_that_are_no_numbers() -> None:
    check(
        check_report(
            kernel("nan", "failed", [case("a", "failed", math.nan, math.nan, 12.0)]),
            kernel("inf", "failed", [case("a", "failed", math.inf, math.inf, 2.0)]),
        ),
        """
✗ nan  1 failed of 1 case  max error NaN  12 s
✗ inf  1 failed of 1 case  max error infinite  2.00 s

2 kernels failed on llvmpipe (LLVM 15.0.6, 256 bits), Mesa 22.3.6
""",
    )


def test_nothing() -> None:
    check(check_report(), "nothing was checked")


def test_ascii_signs() -> None:
    check(
        check_report(kernel("µ", "passed", [case("a")]), kernel("b", "skipped")),
        """
+ \\xb5  1 case  exact  10 ms
- b     skipped

1 kernel passed, 1 skipped on llvmpipe (LLVM 15.0.6, 256 bits), Mesa 22.3.6
""",
        encoding="ascii",
    )
