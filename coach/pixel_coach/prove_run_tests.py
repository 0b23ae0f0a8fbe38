"""One run of a test command in the sandbox, and what came of each test."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.prove_command import HARNESS, TestCommand
from pixel_coach.sandbox import Sandbox, SandboxJob, SandboxLimits, SandboxResult

_OUTPUT_CHARACTERS: Final = 3_000
# Not imported: it is a program of its own, and reads its key when it is loaded.
_PLUGIN: Final = Path(__file__).with_name("prove_pytest_report.py")


class _Report(msgspec.Struct, frozen=True):
    outcomes: dict[str, str]
    broken: list[str]
    exit_code: int


class TestRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to.

    Attributes:
        result: Of the sandbox.
        outcomes: Test → `passed`, `failed`, `skipped`, `xfailed`, `xpassed` or `begun`; None when there is no report of pytest that can
            be believed.
        broken: Files that could not be collected.
    """

    __test__ = False

    result: SandboxResult
    outcomes: Mapping[str, str] | None
    broken: tuple[str, ...] = ()

    @property
    def ended_well(self) -> bool:
        """The command said that all is right."""
        return self.result.ended_by == "exit" and self.result.exit_code == 0

    @property
    def output(self) -> str:
        """The end of what it printed, for feedback."""
        text = (self.result.stdout + b"\n" + self.result.stderr).decode("utf-8", "replace").strip()
        return text if len(text) <= _OUTPUT_CHARACTERS else "… " + text[-_OUTPUT_CHARACTERS:]


class TestRunner:
    """Runs a command on copies of a workspace in which some files are others.

    Args:
        sandbox: Where it runs.
        workspace: What is copied.
        interpreter: The user's Python.
        command: What to run.
        seconds: Wall time of one run.
    """

    __test__ = False

    def __init__(self, sandbox: Sandbox, workspace: Path, interpreter: Path, command: TestCommand, *, seconds: float) -> None:
        self._sandbox = sandbox
        self._workspace = workspace
        self._interpreter = interpreter
        self.command = command
        self._limits = SandboxLimits(seconds=seconds, cpu_seconds=max(int(seconds), 1))

    async def run(self, overlay: Mapping[str, str]) -> TestRun:
        """Run the command with these texts in place of the workspace's.

        Raises:
            OSError: The copy of the workspace could not be made.
        """
        key = secrets.token_hex(16)
        job = SandboxJob(
            command=self.command.arguments,
            workspace=self._workspace,
            overlay={path: text.encode("utf-8", "replace") for path, text in overlay.items()},
            interpreter=self._interpreter,
            read_only={f"{HARNESS}/{_PLUGIN.name}": _PLUGIN} if self.command.is_pytest else {},
            environment={"PYTHONPATH": HARNESS} if self.command.is_pytest else {},
            input=f"{key}\n".encode(),
            limits=self._limits,
        )
        result = await self._sandbox.run(job)
        if not self.command.is_pytest:
            return TestRun(result=result, outcomes=None)
        return _read_report(result, key)


def _read_report(result: SandboxResult, key: str) -> TestRun:
    lines = [line for line in result.stderr.decode("utf-8", "replace").splitlines() if line.startswith(key)]
    # Two reports would mean that somebody else knows the key.
    if len(lines) != 1 or result.ended_by != "exit":
        return TestRun(result=result, outcomes=None)
    try:
        report = msgspec.json.decode(lines[0][len(key) :].encode(), type=_Report)
    except msgspec.DecodeError:
        return TestRun(result=result, outcomes=None)
    shown = SandboxResult(
        exit_code=result.exit_code if report.exit_code == result.exit_code else report.exit_code or 1,
        stdout=result.stdout,
        stderr=result.stderr.replace(lines[0].encode(), b""),
        seconds=result.seconds,
        ended_by=result.ended_by,
    )
    return TestRun(result=shown, outcomes=report.outcomes, broken=tuple(report.broken))
