"""From shaders' paths to their verdicts: read, plan, run every case in the workers, explain. Loads neither numpy nor wgpu."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding, Location, Severity
from pixel_core.kernels.execute import CaseRunner
from pixel_core.kernels.explain import INFORMATIVE_CASES, explain_results, informative_cases
from pixel_core.kernels.explain_fault import FINAL_FAULTS
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.place import Kernel, place_entry
from pixel_core.kernels.plan import Case, plan_cases
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PASSED, SKIPPED, CaseReport, CheckReport, ValidationReport
from pixel_core.kernels.results import CaseResult
from pixel_core.rules import RULES
from pixel_core.source import SourceText

__all__ = ["CheckOptions", "Checker", "Progress", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What a check is asked to do.

    Attributes:
        engine: `auto`, `device`, `interpreter` or `both`.
        case: Run only the cases of this name; None runs all.
        seed: Added to every case's seed.
        trusted: Whether kernels and references may run; else static findings only, and every kernel is skipped.
        interpreter: The user's Python for references; None finds one (workspace `.venv`, `VIRTUAL_ENV`, `python3`).
        workspace: Folder that files named by a contract must stay inside; None is each shader's own project root.
        jobs: Kernel workers at most.
        memory_bytes: Address space of one worker.
    """

    engine: str = "auto"
    case: str | None = None
    seed: int = 0
    trusted: bool = True
    interpreter: Path | None = None
    workspace: Path | None = None
    jobs: int = 1
    memory_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of a check: `done` of `total` cases so far, and what is running now."""

    shader: Path
    contract: str
    case: str
    done: int
    total: int


@dataclass(slots=True)
class _Job:
    """One kernel on its way to a report."""

    loaded: LoadedShader
    kernel: Kernel
    cases: tuple[Case, ...]
    findings: list[Finding]
    results: list[tuple[Case, CaseResult]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the last case ended in a way that leaves nothing to learn from the next."""
        return bool(self.results) and any(fault.kind in FINAL_FAULTS for fault in self.results[-1][1].faults)


class Checker:
    """Checks shaders, keeping its workers warm in between (`--watch`, the language server).

    Use as an async context manager; leaving it ends every child process.

    Args:
        options: What every check is asked.
    """

    def __init__(self, options: CheckOptions | None = None) -> None:
        self._options = options or CheckOptions()
        self._runner = CaseRunner(
            jobs=self._options.jobs,
            memory_bytes=self._options.memory_bytes,
            interpreter=self._options.interpreter,
            workspace=self._options.workspace,
            seed=self._options.seed,
        )

    async def __aenter__(self) -> Checker:  # noqa: PYI034 -- typing.Self needs Python 3.11
        """Start nothing yet: the first kernel that must run starts the workers."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End every child process."""
        await self._runner.close()

    async def check(self, shaders: Sequence[Path], on_progress: Callable[[Progress], None] | None = None) -> CheckReport:
        """Check shaders.

        Raises:
            EngineUnavailable: The engine that was asked for cannot run on this machine.
        """
        if self._options.engine in ("interpreter", "both"):
            raise EngineUnavailable("the interpreter engine is not part of this version", hint="use `--engine device` or `--engine auto`")
        if self._options.trusted:
            self._runner.prewarm()
        sources: dict[Path, SourceText] = {}
        findings: list[Finding] = []
        reports: list[ValidationReport | _Job] = []
        for path in shaders:
            loaded = load_shader(path)
            if isinstance(loaded, Finding):
                findings.append(loaded)
                reports.append(ValidationReport(shader=path, contract=None, entry=None, status=FAILED))
                continue
            sources[path] = loaded.source
            if loaded.sidecar is not None:
                sources[loaded.sidecar.path] = loaded.sidecar
            findings.extend(loaded.findings)
            findings.extend(loaded.contracts.findings)
            reports.extend(self._plan(loaded))
            await asyncio.sleep(0)
        jobs = [report for report in reports if isinstance(report, _Job)]
        if any(job.cases for job in jobs):
            await self._runner.require_device()
            await self._run(jobs, on_progress)
        kernels = tuple(self._report(report) if isinstance(report, _Job) else report for report in reports)
        return CheckReport(kernels=kernels, findings=tuple(findings), sources=sources)

    def _plan(self, loaded: LoadedShader) -> list[ValidationReport | _Job]:
        """What is to be done for one shader: a job for each kernel that can run, a finished report for each that cannot."""
        contracts = loaded.contracts.contracts
        broken = not loaded.compiles
        planned: list[ValidationReport | _Job] = []
        for contract in contracts:
            plan = plan_cases(contract, loaded.tree, loaded.interface, seed=self._options.seed)
            kernel = Kernel(
                shader=loaded.source, tree=loaded.tree, names=loaded.names, interface=loaded.interface, contract=contract, plan=plan
            )
            job = _Job(loaded=loaded, kernel=kernel, cases=plan.cases, findings=list(plan.findings))
            if broken:
                planned.append(_static_report(job, FAILED))
            elif not self._options.trusted:
                job.findings.append(
                    _finding("PX708", "not executed: this workspace is not trusted", place_entry(kernel, contract.passes[0].entry).location)
                )
                planned.append(_static_report(job, FAILED if _has_error(job.findings) else SKIPPED))
            else:
                job.cases = self._selected(job)
                planned.append(job)
        unreadable_contract = _has_error(loaded.contracts.findings)
        if unreadable_contract or not contracts:
            planned.append(_report_without_contract(loaded, FAILED if broken or unreadable_contract else SKIPPED))
        return planned

    def _selected(self, job: _Job) -> tuple[Case, ...]:
        wanted = self._options.case
        if wanted is None:
            return job.cases
        selected = tuple(case for case in job.cases if case.name == wanted)
        if not selected:
            names = [case.name for case in job.cases]
            near = get_close_matches(wanted, names, n=3, cutoff=0.3) or names[:3]
            contract = job.kernel.contract
            message = f"`{contract.name}` has no case named `{wanted}`"
            hint = f"its cases include {', '.join(f'`{name}`' for name in near)}" if near else None
            job.findings.append(_finding("PX393", message, contract.source.location(contract.span), hint))
        return selected

    async def _run(self, jobs: Sequence[_Job], on_progress: Callable[[Progress], None] | None) -> None:
        """Run every case; kernels in parallel as far as there are workers, the cases of one kernel in order."""
        total = sum(len(job.cases) for job in jobs)
        done = 0

        async def run_one(job: _Job) -> None:
            nonlocal done
            for case in job.cases:
                if job.is_over:
                    done += len(job.cases) - len(job.results)
                    break
                if on_progress is not None:
                    contract = job.kernel.contract.name
                    on_progress(Progress(shader=job.loaded.source.path, contract=contract, case=case.name, done=done, total=total))
                job.results.append((case, await self._runner.run(job.loaded, job.kernel, case)))
                done += 1

        limit = asyncio.Semaphore(max(self._options.jobs, 1))

        async def run_limited(job: _Job) -> None:
            async with limit:
                await run_one(job)

        tasks = [asyncio.ensure_future(run_limited(job)) for job in jobs]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _report(self, job: _Job) -> ValidationReport:
        kernel = job.kernel
        is_complete = self._options.case is None and len(job.results) == len(job.cases)
        findings = [*job.findings, *explain_results(kernel, job.results, all_cases=is_complete)]
        adapter = next((result.adapter for _, result in job.results if result.adapter), None)
        return ValidationReport(
            shader=job.loaded.source.path,
            contract=kernel.contract.name,
            entry=_entries(kernel),
            status=_status(kernel, job.results, findings, all_cases=is_complete),
            engine=adapter.engine if adapter else None,
            adapter=adapter,
            cases=(
                *(_case_report(case, result) for case, result in job.results),
                *(CaseReport(name=case.name, status=SKIPPED, derived=case.derived) for case in job.cases[len(job.results) :]),
            ),
            findings=tuple(findings),
            shader_sha256=job.loaded.sha256,
            contract_sha256=job.loaded.sidecar_sha256,
            seed=self._options.seed,
        )


def check(shaders: Sequence[Path], options: CheckOptions | None = None) -> CheckReport:
    """Check shaders once, starting and ending the workers. See `Checker.check`."""

    async def run() -> CheckReport:
        async with Checker(options) as checker:
            return await checker.check(shaders)

    return asyncio.run(run())


def _status(kernel: Kernel, results: Sequence[tuple[Case, CaseResult]], findings: Sequence[Finding], *, all_cases: bool) -> str:
    """The worst of the cases, and never better than the findings allow."""
    statuses = {result.status for _, result in results}
    if FAILED in statuses or _has_error(findings):
        return FAILED
    if not results:
        return SKIPPED if not all_cases else INCONCLUSIVE
    if INCONCLUSIVE in statuses:
        return INCONCLUSIVE
    judged = {name: [output for _, result in results for output in result.outputs if output.output == name] for name in kernel.plan.outputs}
    proved = all(informative_cases(outputs) > 0 for outputs in judged.values())
    return PASSED if proved or not all_cases or len(results) < INFORMATIVE_CASES else INCONCLUSIVE


def _static_report(job: _Job, status: str) -> ValidationReport:
    return ValidationReport(
        shader=job.loaded.source.path,
        contract=job.kernel.contract.name,
        entry=_entries(job.kernel),
        status=status,
        findings=tuple(job.findings),
        shader_sha256=job.loaded.sha256,
        contract_sha256=job.loaded.sidecar_sha256,
    )


def _report_without_contract(loaded: LoadedShader, status: str) -> ValidationReport:
    findings: tuple[Finding, ...] = ()
    compute = [entry for entry in loaded.interface.entry_points if entry.stage == "compute"]
    if status == SKIPPED and compute:
        hint = f"`pixel-lsp contract {loaded.source.path.name} --write` begins one"
        findings = (
            _finding(
                "PX390", f"`{compute[0].name}` has no contract, so it was not executed", loaded.source.location(compute[0].span), hint
            ),
        )
    return ValidationReport(
        shader=loaded.source.path,
        contract=None,
        entry=" ".join(entry.name for entry in compute) or None,
        status=status,
        findings=findings,
        shader_sha256=loaded.sha256,
    )


def _case_report(case: Case, result: CaseResult) -> CaseReport:
    outputs = result.outputs
    return CaseReport(
        name=case.name,
        status=result.status,
        derived=case.derived,
        max_absolute_error=max((float(output.max_absolute_error) for output in outputs), default=None),
        max_bound_ratio=max((float(output.max_bound_ratio) for output in outputs), default=None),
        seconds=result.timing.total_s,
        timing=result.timing,
    )


def _entries(kernel: Kernel) -> str:
    return " → ".join(dict.fromkeys(step.entry for step in kernel.contract.passes))


def _has_error(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _finding(code: str, message: str, location: Location, hint: str | None = None) -> Finding:
    return Finding(code=code, severity=RULES[code].severity, message=message, location=location, hint=hint)
