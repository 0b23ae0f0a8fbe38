"""Runs `pixel-lsp check --format json` as a user does: in a process of its own, with nothing shared but files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]
SHADERS = REPOSITORY / "shaders"
DATA = REPOSITORY / "tests" / "data"

CHECK = (sys.executable, "-m", "pixel_server.cli", "check", "--format", "json", "--python", sys.executable)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What a check came to.

    Attributes:
        exit_code: Of the process.
        report: The JSON report.
        stderr: What it wrote to standard error.
    """

    exit_code: int
    report: Mapping[str, Any]
    stderr: str

    def kernel(self, shader: str) -> Mapping[str, Any]:
        """The report of the only kernel of a shader, by the shader's file name."""
        (kernel,) = (kernel for kernel in self.report["kernels"] if Path(kernel["shader"]).name == shader)
        return kernel


def run_check(folder: Path, paths: Sequence[str] = (".",), options: Sequence[str] = (), timeout_s: float = 300) -> CheckOutcome:
    """Check `paths` with `folder` as the current folder.

    Raises:
        subprocess.TimeoutExpired: The check did not end in time.
    """
    done = subprocess.run(
        [*CHECK, *options, *paths],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
    )
    return read_outcome(done.returncode, done.stdout, done.stderr)


def read_outcome(exit_code: int, stdout: str, stderr: str) -> CheckOutcome:
    """What a check process left."""
    assert stdout, f"no report on standard output; exit code {exit_code}, standard error:\n{stderr}"
    return CheckOutcome(exit_code=exit_code, report=json.loads(stdout), stderr=stderr)
