"""A pytest plugin that tells outside of the process what each test came to. It is run inside the sandbox, from its text alone.

The key comes by stdin and is read before any test is collected. The report goes, behind the key, to the stderr that pytest does not
capture.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def _recorder() -> tuple[Any, Any]:
    stream = os.dup(2)
    key = sys.stdin.readline().strip()
    outcomes: dict[str, str] = {}
    broken: list[str] = []

    def record(report: Any) -> None:
        before = outcomes.get(report.nodeid)
        word = report.outcome
        if hasattr(report, "wasxfail"):
            word = "xfailed" if report.skipped else "xpassed"
        # The worst of setup, call and teardown; only a call that passed makes a test pass.
        if word != "passed":
            outcomes[report.nodeid] = word if before in (None, "passed", "begun") else before
        elif report.when == "call":
            outcomes[report.nodeid] = "passed" if before in (None, "begun") else before
        elif before is None:
            outcomes[report.nodeid] = "begun"

    def finish(exit_code: int) -> None:
        text = json.dumps({"outcomes": outcomes, "broken": broken, "exit_code": int(exit_code)})
        os.write(stream, f"\n{key}{text}\n".encode("utf-8", "backslashreplace"))

    return (record, broken), finish


(_record, _broken), _finish = _recorder()


def pytest_runtest_logreport(report: Any) -> None:
    """A phase of a test has ended."""
    _record(report)


def pytest_collectreport(report: Any) -> None:
    """A file has been collected."""
    if report.failed:
        _broken.append(report.nodeid)


def pytest_sessionfinish(session: Any, exitstatus: int) -> None:  # noqa: ARG001 - pytest passes by name
    """Everything has run."""
    _finish(exitstatus)
