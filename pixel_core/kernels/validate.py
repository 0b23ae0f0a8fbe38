"""From shaders to their verdicts: read, plan, run every case in the workers, explain. Loads neither numpy nor wgpu."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pixel_core.engines.base import AdapterInfo
from pixel_core.engines.compilers import CompilerVerdicts
from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding
from pixel_core.kernels.compiler_findings import absence_findings, compiler_findings
from pixel_core.kernels.examine import Examination, ExaminedKernel, examine, finding
from pixel_core.kernels.execute import CaseRunner
from pixel_core.kernels.explain_fault import FINAL_FAULTS
from pixel_core.kernels.join_parts import join_parts
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.place import place_entry
from pixel_core.kernels.plan import Case
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, CheckReport, ValidationReport
from pixel_core.kernels.result_cache import CaseRun
from pixel_core.kernels.results import CaseResult, Fault
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.kernels.verdict import report_kernel
from pixel_core.kernels.worker_messages import TimeReply
from pixel_core.source import SourceText


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True):
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
        reuse_results: Whether a case whose texts and files are those of an earlier check is not run again.
        environment: Further variables of the kernel workers.
    """

    engine: str = "auto"
    case: str | None = None
    seed: int = 0
    trusted: bool = True
    interpreter: Path | None = None
    workspace: Path | None = None
    jobs: int = 1
    memory_bytes: int = 4 << 30
    reuse_results: bool = True
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a check: `done` of `total` cases so far, and what is running now."""

    shader: Path
    contract: str
    case: str
    done: int
    total: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for by hand: it runs even where its result is known, and of everything else only what is known is told.

    Attributes:
        contract: Only this contract; None for all.
        case: Only the cases of this name; None for all.
        watch_loops: Whether the largest case looks for loops that the adapter ended although every output is right. That takes several
            times as long as the case; a case that is checked beside its whole contract can do without.
    """

    contract: str | None = None
    case: str | None = None
    watch_loops: bool = True

    def of(self, kernel: ExaminedKernel) -> frozenset[str]:
        """The names of a kernel's cases that are asked for."""
        if self.contract not in (None, kernel.kernel.contract.name):
            return frozenset()
        return frozenset(case.name for case in kernel.cases if self.case in (None, case.name))


class _Job(msgspec.Struct):
    """One kernel on its way to a report: names of the cases that are to run, and what ran or was known.

    It is over once a case ended in a way that leaves nothing to learn from the next.
    """

    examined: ExaminedKernel
    asked: frozenset[str] = frozenset()
    runs: list[tuple[Case, CaseRun]] = msgspec.field(default_factory=list)
    is_over: bool = False


class Checker:
    """Checks shaders, keeping its workers warm and its results in between (`--watch`, the language server).

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
            reuse_results=self._options.reuse_results,
            environment=self._options.environment,
        )
        self._absence_is_told = False
        self._surroundings = Surroundings(workspace=self._options.workspace, may_run=self._options.trusted)

    async def __aenter__(self) -> Checker:  # noqa: PYI034 -- typing.Self needs Python 3.11
        """Start nothing yet: the first check starts the workers."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End every child process."""
        await self._runner.close()

    async def check(self, shaders: Sequence[Path], on_progress: Callable[[Progress], None] | None = None) -> CheckReport:
        """Check the shaders of some paths.

        Raises:
            EngineUnavailable: The engine that was asked for cannot run on this machine.
        """
        self._require_known_engine()
        if self._options.trusted:
            self._runner.prewarm()
        loaded: list[LoadedShader] = []
        unreadable: dict[int, Finding] = {}
        for number, path in enumerate(shaders):
            shader = load_shader(path, self._surroundings)
            if isinstance(shader, Finding):
                unreadable[number] = shader
            else:
                loaded.append(shader)
            await asyncio.sleep(0)
        report = await self.check_loaded(loaded, on_progress)
        failed = tuple(ValidationReport(shader=shaders[number], contract=None, entry=None, status=FAILED) for number in unreadable)
        return CheckReport(kernels=(*failed, *report.kernels), findings=(*unreadable.values(), *report.findings), sources=report.sources)

    async def check_loaded(
        self,
        shaders: Sequence[LoadedShader],
        on_progress: Callable[[Progress], None] | None = None,
        *,
        selection: Selection | None = None,
        cancel: asyncio.Event | None = None,
    ) -> CheckReport:
        """Check shaders that are read already, such as an editor's unsaved texts.

        Args:
            shaders: From `load_shader` or `understand`.
            on_progress: Called before each case.
            selection: What to run, and to run anew; None runs whatever is not known.
            cancel: Set to stop: the case under way is withdrawn, the others do not start, and the report says so.

        Raises:
            EngineUnavailable: The engine that was asked for cannot run on this machine.
        """
        self._require_known_engine()
        sources: dict[Path, SourceText] = {}
        findings: list[Finding] = []
        reported: list[list[ValidationReport | _Job]] = []
        for loaded in shaders:
            reports: list[ValidationReport | _Job] = []
            reported.append(reports)
            sources.update(loaded.sources)
            examination = self._examine(loaded, selection)
            findings.extend(examination.findings)
            for one in loaded.all_variants:
                if not one.is_prepared:
                    continue
                kernels = [examined for examined in examination.kernels if examined.loaded is one]
                verdicts = await self._runner.compile(one, cancel) if self._options.trusted else CompilerVerdicts()
                if isinstance(verdicts, Fault):
                    reports.extend(_stopped(examined, verdicts) for examined in kernels)
                else:
                    findings.extend(found for found in self._compilers_say(one, verdicts) if found not in findings)
                    refused = "naga" in verdicts.refused_by
                    reports.extend(self._job_or_report(examined, selection, refused=refused) for examined in kernels)
            if examination.remainder is not None:
                reports.append(examination.remainder)
            await asyncio.sleep(0)
        jobs = [report for reports in reported for report in reports if isinstance(report, _Job)]
        if jobs:
            await self._runner.require_device()
            await self._run(jobs, on_progress, cancel, anew=selection is not None, watch_loops=(selection or Selection()).watch_loops)
        kernels = tuple(report for reports in reported for report in self._reported(reports))
        return CheckReport(kernels=kernels, findings=tuple(findings), sources=sources)

    def _reported(self, reports: Sequence[ValidationReport | _Job]) -> Iterator[ValidationReport]:
        """The reports of one shader, one for each contract."""
        seed, all_cases = self._options.seed, self._options.case is None
        parts: dict[object, list[tuple[ValidationReport, _Job | None]]] = {}
        for number, one in enumerate(reports):
            job = one if isinstance(one, _Job) else None
            report = report_kernel(one.examined, one.runs, seed=seed, all_cases=all_cases) if isinstance(one, _Job) else one
            parts.setdefault(number if report.contract is None else report.contract, []).append((report, job))
        for part in parts.values():
            ran = [(job.examined, job.runs) for _, job in part if job is not None]
            yield part[0][0] if len(part) == 1 else join_parts([report for report, _ in part], ran, seed=seed, all_cases=all_cases)

    async def require_adapter(self) -> AdapterInfo:
        """What kernels run on.

        Raises:
            EngineUnavailable: There is no adapter, or an engine was asked for that is not there.
        """
        self._require_known_engine()
        return await self._runner.require_device()

    async def time_case(self, examined: ExaminedKernel, case: Case, *, runs: int, with_numpy: bool = False) -> TimeReply:
        """Run one case many times for its duration alone. Check it first: a wrong kernel has no speed.

        Args:
            examined: The kernel.
            case: One of its cases.
            runs: How many times.
            with_numpy: Time numpy too, where the contract expects the product of two of its matrices.
        """
        return await self._runner.time(examined.loaded, examined.kernel, case, runs=runs, with_numpy=with_numpy)

    def _require_known_engine(self) -> None:
        if self._options.engine in ("interpreter", "both"):
            raise EngineUnavailable("the interpreter engine is not part of this version", hint="use `--engine device` or `--engine auto`")

    def _examine(self, loaded: LoadedShader, selection: Selection | None) -> Examination:
        examination = examine(loaded, seed=self._options.seed, case=self._options.case, workspace=self._options.workspace)
        if selection is None or any(map(selection.of, examination.kernels)):
            return examination
        return examine(
            loaded, seed=self._options.seed, case=selection.case, workspace=self._options.workspace
        )  # which says that there is no such case

    def _compilers_say(self, loaded: LoadedShader, verdicts: CompilerVerdicts) -> list[Finding]:
        """What naga and Tint say about a shader; that one of them is not there is said once."""
        absent = [] if self._absence_is_told else absence_findings(loaded.source.path, verdicts)
        self._absence_is_told = self._absence_is_told or bool(absent)
        return [*loaded.told(compiler_findings(loaded, verdicts)), *absent]

    def _job_or_report(self, examined: ExaminedKernel, selection: Selection | None, *, refused: bool) -> _Job | ValidationReport:
        if not examined.can_run:
            return examined.static_report()
        if refused:
            return replace(examined.static_report(), status=FAILED)
        if not self._options.trusted:
            place = place_entry(examined.kernel, examined.kernel.contract.passes[0].entry)
            return examined.static_report(finding("PX708", "not executed: this workspace is not trusted", place.location))
        return _Job(examined, asked=(selection or Selection()).of(examined))

    async def _run(
        self,
        jobs: Sequence[_Job],
        on_progress: Callable[[Progress], None] | None,
        cancel: asyncio.Event | None,
        *,
        anew: bool,
        watch_loops: bool,
    ) -> None:
        """Run what is asked for; kernels in parallel as far as there are workers, the cases of one kernel in order."""
        total = sum(len(job.asked) for job in jobs)
        done = 0
        limit = asyncio.Semaphore(max(self._options.jobs, 1))

        async def run_job(job: _Job) -> None:
            nonlocal done
            loaded, kernel = job.examined.loaded, job.examined.kernel
            async with limit:
                for case in job.examined.cases:
                    if case.name not in job.asked:
                        known = await self._runner.known(loaded, kernel, case)
                        job.runs.extend([] if known is None else [(case, known)])
                        continue
                    if not job.is_over:
                        if on_progress is not None:
                            on_progress(
                                Progress(shader=loaded.source.path, contract=kernel.contract.name, case=case.name, done=done, total=total)
                            )
                        run = await self._runner.run(loaded, kernel, case, cancel, anew=anew, watch_loops=watch_loops)
                        job.runs.append((case, run))
                        job.is_over = any(fault.kind in FINAL_FAULTS for fault in run.result.faults)
                    done += 1

        tasks = [asyncio.ensure_future(run_job(job)) for job in jobs]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _stopped(examined: ExaminedKernel, fault: Fault) -> _Job | ValidationReport:
    """A kernel whose shader could not even be compiled to the end: its first case says so, and the others are not run."""
    if not examined.can_run:
        return examined.static_report()
    case = examined.cases[0]
    status = INCONCLUSIVE if fault.kind == "cancelled" else FAILED
    run = CaseRun(result=CaseResult(name=case.name, status=status, faults=(fault,)), files={})
    return _Job(examined, runs=[(case, run)], is_over=True)


def check(shaders: Sequence[Path], options: CheckOptions | None = None) -> CheckReport:
    """Check shaders once, starting and ending the workers. See `Checker.check`."""

    async def run() -> CheckReport:
        async with Checker(options) as checker:
            return await checker.check(shaders)

    return asyncio.run(run())
