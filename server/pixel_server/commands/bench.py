"""`pixel-lsp bench`: how fast kernels are, beside what the adapter can do at most and beside a saved baseline."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pixel_core.findings import Finding
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_core.speed.baseline import Baseline, read_baseline, save_baseline
from pixel_core.speed.benchmark import Benchmark, Refusal
from pixel_core.speed.choose_targets import choose_targets
from pixel_core.speed.compare_with_baseline import Comparison
from pixel_core.speed.confirm_slower import confirm_slower
from pixel_core.speed.measure import ONE_NUMPY_THREAD, measure
from pixel_server.benchmark_report import benchmark_report
from pixel_server.discover import discover
from pixel_server.draw_roofline import draw_roofline, require_plotting
from pixel_server.exit_codes import FAILED_CODE, NOTHING_CODE, PASSED_CODE
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.progress import progress
from pixel_server.terminal.render_benchmark import render_benchmark
from pixel_server.terminal.render_findings import render_findings


class BenchCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        paths: Files, folders and globs.
        options: What the checker is asked before anything is timed.
        kernel: Only the contract of this name; None for all.
        cases: Names of cases, or sizes; empty chooses one for each contract.
        rounds: Measurements of each.
        form: `text` or `json`.
        plot: Where the roofline is drawn; None draws none.
        baseline: What the measurements are compared with; None for nothing.
        save: Where they are saved; None saves nothing.
        threshold: Least difference that counts as slower: 0.1 is 10 %.
        color: False for none; True leaves it to the terminal and `NO_COLOR`.
    """

    paths: Sequence[str]
    options: CheckOptions
    kernel: str | None = None
    cases: Sequence[str] = ()
    rounds: int = 9
    form: str = "text"
    plot: Path | None = None
    baseline: Path | None = None
    save: Path | None = None
    threshold: float = 0.1
    color: bool = True


def bench(command: BenchCommand) -> int:
    """Time the kernels and say what came of it on standard output. Returns the exit code.

    Raises:
        PixelError: There is no engine, no baseline where one is named, or nothing to draw with.
    """
    # Whatever would keep the result from being of use is said before minutes are spent on it.
    if command.plot is not None:
        require_plotting(command.plot)
    known = None if command.baseline is None else read_baseline(command.baseline)
    if command.save is not None and command.save.exists():
        read_baseline(command.save)
    benchmark, comparisons = asyncio.run(_measured(command, known))
    slower = tuple(one.finding for one in comparisons if one.finding is not None)
    benchmark = replace(benchmark, findings=(*benchmark.findings, *slower))
    if command.form == "json":
        sys.stdout.write(benchmark_report(benchmark, comparisons))
    else:
        _write(command, benchmark, comparisons)
    if benchmark.measurements and command.plot is not None:
        draw_roofline(benchmark, command.plot)
    if benchmark.measurements and command.save is not None:
        save_baseline(command.save, benchmark)
    return _exit_code(benchmark, is_slower=bool(slower))


async def _measured(command: BenchCommand, known: Baseline | None) -> tuple[Benchmark, tuple[Comparison, ...]]:
    found = discover(command.paths)
    shaders: list[LoadedShader] = []
    findings: list[Finding] = list(found.findings)
    unreadable: list[Refusal] = []
    for path in found.shaders:
        loaded = load_shader(path)
        if isinstance(loaded, Finding):
            findings.append(loaded)
            unreadable.append(Refusal(shader=path, contract=None, case=None, reason="it cannot be read"))
        else:
            shaders.append(loaded)
    targets, refusals = choose_targets(shaders, kernel=command.kernel, cases=command.cases, seed=command.options.seed)
    async with Checker(replace(command.options, environment=ONE_NUMPY_THREAD)) as checker:
        with progress(open_console(color=command.color, stderr=True)) as on_progress:
            measured = await measure(checker, targets, rounds=command.rounds, on_progress=on_progress)
            comparisons: tuple[Comparison, ...] = ()
            if known is not None and command.baseline is not None:
                measured, comparisons = await confirm_slower(
                    checker,
                    targets,
                    measured,
                    known,
                    command.baseline,
                    rounds=command.rounds,
                    threshold=command.threshold,
                    on_progress=on_progress,
                )
    refusals = (*unreadable, *refusals, *measured.refusals)
    return replace(measured, refusals=refusals, findings=(*findings, *measured.findings)), comparisons


def _write(command: BenchCommand, benchmark: Benchmark, comparisons: Sequence[Comparison]) -> None:
    console = open_console(color=command.color)
    medium = medium_of(console, Path.cwd())
    if benchmark.findings:
        console.print(render_findings(benchmark.findings, benchmark.sources, medium), end="", soft_wrap=True)
    console.print(render_benchmark(benchmark, comparisons, medium), soft_wrap=True)


def _exit_code(benchmark: Benchmark, *, is_slower: bool) -> int:
    if is_slower or any(refusal.is_failure for refusal in benchmark.refusals):
        return FAILED_CODE
    return PASSED_CODE if benchmark.measurements else NOTHING_CODE
