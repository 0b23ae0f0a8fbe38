"""A pytest plugin that tells outside of the process what each test came to. It is run inside the sandbox, from its text alone.

The key comes by stdin and is read before any test is collected. The report goes, behind the key, to the stderr that pytest does not
capture.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def pytest_addoption(parser: Any, pluginmanager: Any) -> None:  # noqa: ARG001 - pytest passes by name
    """The first that pytest calls: before it captures the streams, and before anything of the workspace is imported."""
    pluginmanager.register(Recorder(key=sys.stdin.readline().strip(), stream=os.dup(2)), "prove_pytest_recorder")


class Recorder:
    """Remembers the worst of each test's phases, and writes the report at the end.

    Args:
        key: What the report begins with.
        stream: Descriptor that it goes to.
    """

    def __init__(self, *, key: str, stream: int) -> None:
        self._key = key
        self._stream = stream
        self._outcomes: dict[str, str] = {}
        self._broken: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase of a test has ended. Only a call that passed makes a test pass."""
        before = self._outcomes.get(report.nodeid)
        word = report.outcome
        if hasattr(report, "wasxfail"):
            word = "xfailed" if report.skipped else "xpassed"
        if before not in (None, "begun", "passed"):
            return
        if word != "passed":
            self._outcomes[report.nodeid] = word
        elif report.when == "call":
            self._outcomes[report.nodeid] = "passed"
        elif before is None:
            self._outcomes[report.nodeid] = "begun"

    def pytest_collectreport(self, report: Any) -> None:
        """A file has been collected."""
        if report.failed:
            self._broken.append(report.nodeid)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Everything has run."""
        text = json.dumps({"outcomes": self._outcomes, "broken": self._broken, "exit_code": int(exitstatus)})
        os.write(self._stream, f"\n{self._key}{text}\n".encode("utf-8", "backslashreplace"))
