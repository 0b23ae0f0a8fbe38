"""What can be said about a shader and its contracts before anything runs. Pure, but for the files of oracles, which are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pixel_core.findings import Finding, Location, Severity
from pixel_core.kernels.load_oracle import OracleKernel, load_oracle
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.kernels.place import Kernel
from pixel_core.kernels.plan import Case, Plan, plan_cases
from pixel_core.kernels.plan_oracle import plan_oracle
from pixel_core.kernels.plan_problem import PlanProblem
from pixel_core.kernels.report import FAILED, SKIPPED, ValidationReport
from pixel_core.rules import RULES


class ExaminedKernel(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel that could be planned, or says in its findings why not.

    Attributes:
        loaded: The shader that it stands in.
        kernel: Contract and shader, understood.
        cases: What is to be run; empty when nothing can be.
        findings: PX3xx of the plan.
    """

    loaded: LoadedShader
    kernel: Kernel
    cases: tuple[Case, ...]
    findings: tuple[Finding, ...]

    @property
    def can_run(self) -> bool:
        """Whether its shader compiles as far as our own front end can tell, and there is a case."""
        return self.loaded.compiles and bool(self.cases)

    def static_report(self, *more: Finding) -> ValidationReport:
        """The report of a kernel that is not run: failed where an error says so, else skipped."""
        findings = (*self.findings, *self.loaded.told(more))
        failed = not self.loaded.compiles or has_error(findings)
        return ValidationReport(
            shader=self.loaded.source.path,
            contract=self.kernel.contract.name,
            entry=entries_of(self.kernel),
            status=FAILED if failed else SKIPPED,
            findings=findings,
            shader_sha256=self.loaded.sha256,
            contract_sha256=self.loaded.sidecar_sha256,
            files=self.loaded.files,
        )


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """A shader, examined.

    Attributes:
        findings: PX1xx about the shader and PX3xx about contracts that could not be read.
        kernels: One per contract that could be read.
        remainder: The report for what has no readable contract; None when every contract could be read.
    """

    findings: tuple[Finding, ...]
    kernels: tuple[ExaminedKernel, ...]
    remainder: ValidationReport | None

    def static_reports(self) -> tuple[ValidationReport, ...]:
        """The reports when nothing is run."""
        reports = tuple(kernel.static_report() for kernel in self.kernels)
        return reports if self.remainder is None else (*reports, self.remainder)


def examine(loaded: LoadedShader, *, seed: int = 0, case: str | None = None, workspace: Path | None = None) -> Examination:
    """Plan every kernel of a shader, under each `prepare` of its contracts.

    Args:
        loaded: From `load_shader` or `understand`.
        seed: Base seed of every case.
        case: Keep only the cases of this name.
        workspace: Folder that oracles must lie inside; None is each contract's project root.
    """
    kernels = [kernel for one in loaded.all_variants if one.is_prepared for kernel in _kernels(one, seed, case, workspace)]
    if case is not None:
        # One part of a contract has the case, and the others need not say that they have not.
        has_case = {kernel.kernel.contract.name for kernel in kernels if kernel.cases}
        kernels = [kernel for kernel in kernels if kernel.cases or kernel.kernel.contract.name not in has_case]
    # What several variants have in common is told once.
    findings = tuple(dict.fromkeys(found for one in loaded.all_variants for found in (*one.told(one.findings), *one.contracts.findings)))
    unreadable = has_error(loaded.contracts.findings)
    unprepared = [one for one in loaded.all_variants if not one.is_prepared]
    missing = unreadable or bool(unprepared) or not kernels
    remainder = _without_contract(loaded, unreadable=unreadable or any(has_error(one.findings) for one in unprepared)) if missing else None
    return Examination(findings=findings, kernels=tuple(kernels), remainder=remainder)


def _kernels(loaded: LoadedShader, seed: int, case: str | None, workspace: Path | None) -> Iterator[ExaminedKernel]:
    for contract in loaded.contracts.contracts:
        plan = plan_cases(contract, loaded.module, loaded.interface, seed=seed)
        oracle = None if contract.oracle is None else load_oracle(contract, loaded, workspace)
        plan = _under_oracle(plan, oracle)
        kernel = Kernel(
            file=loaded.source,
            shader=loaded.wgsl,
            tree=loaded.tree,
            names=loaded.names,
            interface=loaded.interface,
            contract=contract,
            plan=plan,
            oracle=oracle if isinstance(oracle, OracleKernel) else None,
        )
        cases = plan.cases if case is None else tuple(one for one in plan.cases if one.name == case)
        findings = plan.findings if cases or case is None else (*plan.findings, _no_such_case(kernel, case))
        yield ExaminedKernel(loaded=loaded, kernel=kernel, cases=cases, findings=loaded.told(findings))


def _under_oracle(plan: Plan, oracle: OracleKernel | Finding | None) -> Plan:
    """The plan without its cases, and why, when the oracle cannot answer for all of them."""
    if oracle is None:
        return plan
    if isinstance(oracle, Finding):
        return replace(plan, cases=(), findings=(*plan.findings, oracle))
    try:
        for case in plan.cases:
            plan_oracle(oracle, plan.contract, plan.outputs, case)
    except PlanProblem as problem:
        return replace(plan, cases=(), findings=(*plan.findings, problem.finding))
    return plan


def entries_of(kernel: Kernel) -> str:
    """Its entry points in the order of the passes."""
    return " → ".join(dict.fromkeys(step.entry for step in kernel.contract.passes))


def has_error(findings: Sequence[Finding]) -> bool:
    """Whether one of them is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def finding(code: str, message: str, location: Location, hint: str | None = None) -> Finding:
    """A finding with the severity of its rule."""
    return Finding(code=code, severity=RULES[code].severity, message=message, location=location, hint=hint)


def _no_such_case(kernel: Kernel, wanted: str) -> Finding:
    contract = kernel.contract
    names = [case.name for case in kernel.plan.cases]
    near = get_close_matches(wanted, names, n=3, cutoff=0.3) or names[:3]
    hint = f"its cases include {', '.join(f'`{name}`' for name in near)}" if near else None
    return finding("PX393", f"`{contract.name}` has no case named `{wanted}`", contract.source.location(contract.span), hint)


def _without_contract(loaded: LoadedShader, *, unreadable: bool) -> ValidationReport:
    compute = [entry for entry in loaded.entry_points if entry.stage == "compute"] if loaded.is_prepared else []
    failed = unreadable or (loaded.is_prepared and not loaded.compiles)
    findings: tuple[Finding, ...] = ()
    if compute and not failed:
        hint = f"`pixel-lsp contract {loaded.source.path.name} --write` begins one"
        message = f"`{compute[0].name}` has no contract, so it was not executed"
        findings = (finding("PX390", message, loaded.source.location(compute[0].span), hint),)
    return ValidationReport(
        shader=loaded.source.path,
        contract=None,
        entry=" ".join(entry.name for entry in compute) or None,
        status=FAILED if failed else SKIPPED,
        findings=findings,
        shader_sha256=loaded.sha256,
        contract_sha256=loaded.sidecar_sha256,
        files=loaded.files,
    )
