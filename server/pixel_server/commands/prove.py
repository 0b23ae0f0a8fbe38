"""`pixel-lsp prove`: every kernel that a model runs, at every size that it runs it, held to its contract."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from pixel_core.findings import Severity
from pixel_core.inference.find_model import find_model
from pixel_core.inference.messages import ModelSource, Observed
from pixel_core.inference.model_process import ModelProcess
from pixel_core.kernels.fit_dispatches import FittedDispatches, fit_dispatches
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_server.exit_codes import FAILED_CODE, exit_code_of
from pixel_server.json_report import json_report
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.progress import progress
from pixel_server.terminal.render_findings import render_findings
from pixel_server.terminal.render_proof import render_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveCommand:
    """What the command line asks for.

    Attributes:
        path: A GGUF or PXI file; None where `model` names one.
        model: Of an installed package.
        context_tokens: Of the cache; 0 for what the model was made for, 8,192 at most.
        form: `text` or `json`.
        jobs: Kernel workers at most.
        seed: Added to every case's seed.
        color: False for none; True leaves it to the terminal and `NO_COLOR`.
    """

    path: str | None
    model: str | None = None
    context_tokens: int = 0
    form: str = "text"
    jobs: int = 1
    seed: int = 0
    color: bool = True


def prove(command: ProveCommand) -> int:
    """Check the kernels and say what came of it on standard output. Returns the exit code.

    Raises:
        PixelError: The model cannot be used, or there is no adapter.
    """
    path = find_model(command.model) if command.model is not None else Path(command.path or "").absolute()
    return asyncio.run(_prove(command, ModelSource(path=str(path), context_tokens=command.context_tokens)))


async def _prove(command: ProveCommand, source: ModelSource) -> int:
    process = ModelProcess(source)
    try:
        observed = await process.observe()
    finally:
        await process.close()
    fitted = fit_dispatches(observed.dispatches)
    # The references of our own shaders need what we need, and nothing of a workspace.
    options = CheckOptions(seed=command.seed, jobs=command.jobs, interpreter=Path(sys.executable), reuse_results=False)
    async with Checker(options) as checker:
        with progress(open_console(color=command.color, stderr=True)) as on_progress:
            report = await checker.check_loaded(fitted.shaders, on_progress)
    if command.form == "json":
        sys.stdout.write(_json(observed, fitted, report))
    else:
        _write(observed, fitted, report, color=command.color)
    return max(exit_code_of(report, strict=True), FAILED_CODE if fitted.unfitted else 0)


def _write(observed: Observed, fitted: FittedDispatches, report: CheckReport, *, color: bool) -> None:
    console = open_console(color=color)
    medium = medium_of(console, Path.cwd())
    errors = [found for found in report.all_findings() if found.severity is Severity.ERROR]
    if errors:
        console.print(render_findings(errors, report.sources, medium), end="", soft_wrap=True)
    console.print(render_proof(observed, fitted, report, medium), soft_wrap=True)


def _json(observed: Observed, fitted: FittedDispatches, report: CheckReport) -> str:
    unfitted = [
        {"shader": one.dispatch.shader, "entry": one.dispatch.entry, "workgroups": one.dispatch.workgroups, "reason": one.reason}
        for one in fitted.unfitted
    ]
    head = {"model": observed.name, "context": observed.context_tokens, "dispatches": fitted.dispatches, "unfitted": unfitted}
    return json.dumps({**head, **json.loads(json_report(report))}, indent=2) + "\n"
