"""`pixel-lsp check`: from paths to verdicts, as text or in a form for programs, once or at every save."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_server.discover import discover
from pixel_server.exit_codes import TERMINATED_CODE, exit_code_of
from pixel_server.json_report import json_report
from pixel_server.regions import repository_root
from pixel_server.run_check import run_check
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.progress import progress
from pixel_server.terminal.write_report import write_report


class CheckCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        paths: Files, folders and globs.
        options: What the checker is asked.
        form: What is written to standard output: `text`, `json`, `sarif`, `junit` or `github`.
        watch: Stay, and check again what changed; text only.
        strict: A skipped kernel counts as a failure.
        color: False for none; True leaves it to the terminal and `NO_COLOR`.
    """

    paths: Sequence[str]
    options: CheckOptions
    form: str = "text"
    watch: bool = False
    strict: bool = False
    color: bool = True


def check(command: CheckCommand) -> int:
    """Check the shaders and say what came of it on standard output. Returns the exit code."""
    return asyncio.run(_until_terminated(command))


async def _until_terminated(command: CheckCommand) -> int:
    """Run the check as a task that SIGTERM cancels, so that every child process is ended in any case."""
    task = asyncio.ensure_future(_check(command))
    is_terminated = False

    def terminate() -> None:
        nonlocal is_terminated
        is_terminated = True
        task.cancel()

    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if is_terminated:
            return TERMINATED_CODE
        raise


async def _check(command: CheckCommand) -> int:
    console = open_console(color=command.color)
    if command.watch:
        from pixel_server.watch import watch

        return await watch(command.paths, command.options, console)
    async with Checker(command.options) as checker:
        with progress(open_console(color=command.color, stderr=True)) as on_progress:
            report = await run_check(checker, discover(command.paths), on_progress)
    if command.form == "text":
        write_report(report, console)
    else:
        sys.stdout.write(_for_programs(report, command.form))
    return exit_code_of(report, strict=command.strict)


def _for_programs(report: CheckReport, form: str) -> str:
    if form == "sarif":
        from pixel_server.sarif_report import sarif_report

        return sarif_report(report, repository_root(Path.cwd()))
    if form == "junit":
        from pixel_server.junit_report import junit_report

        return junit_report(report, repository_root(Path.cwd()))
    if form == "github":
        from pixel_server.github_report import github_report

        return github_report(report, repository_root(Path.cwd()))
    return json_report(report)
