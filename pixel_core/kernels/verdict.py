"""From the results of a kernel's cases to its report. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_core.findings import Finding
from pixel_core.kernels.examine import ExaminedKernel, entries_of, has_error
from pixel_core.kernels.explain import INFORMATIVE_CASES, explain_results, informative_cases
from pixel_core.kernels.place import Kernel, place_key
from pixel_core.kernels.plan import Case
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, PASSED, SKIPPED, CaseReport, ValidationReport
from pixel_core.kernels.result_cache import CaseRun
from pixel_core.kernels.results import CaseResult
from pixel_core.rules import RULES

CaseRuns = Sequence[tuple[Case, CaseRun]]


def report_kernel(examined: ExaminedKernel, runs: CaseRuns, *, seed: int, all_cases: bool) -> ValidationReport:
    """The report of a kernel that ran.

    Args:
        examined: The kernel.
        runs: Those of its cases, in order, that ran or whose result is known.
        seed: Base seed of the run.
        all_cases: Whether the kernel's own cases were all asked for; a part of them cannot show that there are too few informative ones.
    """
    kernel = examined.kernel
    results = [(case, run.result) for case, run in runs]
    reports = {case.name: _case_report(case, result) for case, result in results}
    # Cases that could not even be planned would count too.
    is_complete = all_cases and len(runs) == len(examined.cases) and not has_error(examined.findings)
    told = examined.loaded.told(explain_results(kernel, results, all_cases=is_complete))
    findings = (*examined.findings, *told)
    status = _status(kernel, results, findings, is_complete=is_complete)
    if status == PARTLY_PROVED:
        findings = (*findings, _partly_proved(kernel))
    adapter = next((result.adapter for _, result in results if result.adapter), None)
    read = dict.fromkeys(Path(path) for _, run in runs for path in run.files)
    return ValidationReport(
        shader=examined.loaded.source.path,
        contract=kernel.contract.name,
        entry=entries_of(kernel),
        status=status,
        engine=adapter.engine if adapter else None,
        adapter=adapter,
        cases=tuple(reports.get(case.name, CaseReport(name=case.name, status=SKIPPED, derived=case.derived)) for case in examined.cases),
        findings=findings,
        shader_sha256=examined.loaded.sha256,
        contract_sha256=examined.loaded.sidecar_sha256,
        seed=seed,
        files=tuple(dict.fromkeys((*examined.loaded.files, *read))),
    )


def _status(kernel: Kernel, results: Sequence[tuple[Case, CaseResult]], findings: Sequence[Finding], *, is_complete: bool) -> str:
    """The worst of the cases, and never better than the findings allow."""
    statuses = {result.status for _, result in results}
    if FAILED in statuses or has_error(findings):
        return FAILED
    if not results:
        return SKIPPED
    if INCONCLUSIVE in statuses:
        return INCONCLUSIVE
    good = PARTLY_PROVED if kernel.plan.constrained else PASSED
    if not is_complete or len(results) < INFORMATIVE_CASES:
        return good
    if kernel.plan.constrained and all(result.passing_dumb_values for _, result in results):
        return INCONCLUSIVE
    judged = {name: [output for _, result in results for output in result.outputs if output.output == name] for name in kernel.plan.outputs}
    return good if all(informative_cases(outputs) > 0 for outputs in judged.values()) else INCONCLUSIVE


def _partly_proved(kernel: Kernel) -> Finding:
    named = ", ".join(f"`{output}`" for output in kernel.plan.constrained)
    rule = RULES["PX394"]
    return Finding(
        code=rule.code,
        severity=rule.severity,
        message=f"partly proved: only invariants speak of {named}",
        location=place_key(kernel.contract, "invariants").location,
        hint="what it must equal would prove it: `expect`, `reference` or `oracle`",
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
