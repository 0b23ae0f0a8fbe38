"""Everything that can be executed for a WGSL kernel: compilers, the contract, hidden cases, repeats. The text never touches a disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from pixel_coach.attempts import CheckStatus, EvidenceCheck
from pixel_coach.prove_barriers import find_missing_barrier
from pixel_coach.prove_contract_text import KernelCandidate, judge_contract, load_candidate, prepares_by_command
from pixel_coach.prove_feedback import errors_of, findings_text
from pixel_coach.prove_outcome import Outcome, skipped
from pixel_coach.prove_races import find_lost_update
from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding
from pixel_core.kernels.contract import ContractFile
from pixel_core.kernels.examine import examine
from pixel_core.kernels.hidden_cases import HiddenCases, hidden_cases
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, PASSED, SKIPPED, CheckReport, ValidationReport
from pixel_core.kernels.validate import Checker, Selection

REPEATS: Final = 3
_ENVIRONMENT_CODES: Final = ("PX9",)
_NO_CONTRACTS: Final = ContractFile(contracts=(), findings=())


class KernelProof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a kernel.

    Attributes:
        checks: `parse`, `check`, `unchanged_contract`, `contract`, `hidden`, `repeat`.
        loaded: Under the contract that counts; None when it did not come to that.
        contract_text: What it was measured by; empty without a contract.
        engine: What ran it; empty when nothing ran.
    """

    checks: tuple[EvidenceCheck, ...]
    loaded: LoadedShader | None = None
    contract_text: str = ""
    engine: str = ""


KERNEL_CHECKS: Final = ("parse", "check", "unchanged_contract", "contract", "hidden", "repeat")


async def prove_kernel(checker: Checker, candidate: KernelCandidate, *, hidden_seed: int) -> KernelProof:
    """Run every check of a kernel, up to the first that fails.

    Args:
        checker: Runs every case anew (`reuse_results=False`).
        candidate: The text, and what it is measured by.
        hidden_seed: Drawn after the text was written.
    """
    checks: list[EvidenceCheck] = [_parse(candidate)]
    if _is_over(checks):
        return KernelProof(checks=_padded(checks))
    checks.append(await _compile(checker, candidate))
    if _is_over(checks):
        return KernelProof(checks=_padded(checks))
    judged = judge_contract(candidate)
    checks.append(judged.check)
    if judged.loaded is None:
        return KernelProof(checks=_padded(checks))
    if not judged.contract_text:
        outcome = Outcome("contract")
        return KernelProof(checks=(*checks, outcome.absent("there is no contract, so the kernel was not executed")))
    running = _Running(checker, judged.loaded, candidate.contract)
    for name, run in (("contract", running.contract), ("hidden", lambda: running.hidden(hidden_seed)), ("repeat", running.repeat)):
        try:
            checks.append(await run())
        except EngineUnavailable as absence:
            checks.append(Outcome(name).unavailable(absence.message, feedback=absence.hint or ""))
        if _is_over(checks):
            break
    return KernelProof(checks=_padded(checks), loaded=judged.loaded, contract_text=judged.contract_text, engine=running.engine)


def _parse(candidate: KernelCandidate) -> EvidenceCheck:
    outcome = Outcome("parse")
    loaded = load_candidate(candidate)
    command = prepares_by_command(loaded)
    if command is not None:
        return outcome.unavailable(f"`{command}` prepares this shader, and no program of yours is given what was generated")
    errors = errors_of([found for one in loaded.all_variants for found in one.told(one.findings)])
    if errors:
        return outcome.failed(_count(errors), feedback=findings_text(errors, loaded.sources), detail=_codes(errors))
    if not any(entry.stage == "compute" for entry in loaded.interface.entry_points):
        return outcome.failed("there is no compute entry point", feedback="write a function with `@compute @workgroup_size(…)`")
    missing = find_missing_barrier(loaded)
    if missing is not None:
        return outcome.failed(missing, feedback="put `workgroupBarrier();` between the stores and the loads of other invocations")
    return outcome.passed("our front end has no error against it")


async def _compile(checker: Checker, candidate: KernelCandidate) -> EvidenceCheck:
    outcome = Outcome("check")
    # Without its contract, so that nothing runs: whether it is the right one is the next question.
    loaded = load_candidate(candidate)
    variants = tuple(replace(one, contracts=_NO_CONTRACTS) for one in loaded.variants)
    try:
        report = await checker.check_loaded([replace(loaded, contracts=_NO_CONTRACTS, variants=variants)])
    except EngineUnavailable as absence:
        return outcome.unavailable(absence.message, feedback=absence.hint or "")
    errors = errors_of([one for one in report.findings if one.code.startswith("PX2")])
    if errors:
        return outcome.failed(_count(errors), feedback=findings_text(errors, report.sources), detail=_codes(errors))
    absent = [one.message for one in report.findings if one.code == "PX904"]
    return outcome.passed("the compilers accept it" + (f" ({'; '.join(absent)})" if absent else ""))


class _Running:
    """The checks that execute a kernel."""

    def __init__(self, checker: Checker, loaded: LoadedShader, contract: str | None) -> None:
        self._checker = checker
        self._loaded = loaded
        self._contract = contract
        self._hidden: HiddenCases | None = None
        self.engine = ""

    async def contract(self) -> EvidenceCheck:
        """All cases that the user sees."""
        outcome = Outcome("contract")
        report = await self._checker.check_loaded([self._loaded])
        kernels = self._counted(report)
        self.engine = next((_engine_text(kernel) for kernel in kernels if kernel.adapter), "")
        detail = {"cases": sum(len(kernel.cases) for kernel in kernels), "max_bound_ratio": _worst_ratio(kernels)}
        findings = [finding for kernel in kernels for finding in kernel.findings]
        return _judge(outcome, kernels, findings_text(findings, report.sources), findings, detail)

    async def hidden(self, seed: int) -> EvidenceCheck:
        """Cases that the generator never saw. Of a failure it is told the kind alone."""
        outcome = Outcome("hidden")
        hidden = hidden_cases(self._loaded, seed=seed)
        if hidden is None:
            return outcome.unavailable("no hidden case could be drawn for the contract")
        self._hidden = hidden
        kernels: list[ValidationReport] = []
        for loaded in hidden.shaders:
            kernels += self._counted(await self._checker.check_loaded([loaded]))
        kinds: dict[str, None] = {}
        names: list[str] = []
        for kernel in kernels:
            for case in kernel.cases:
                # Those after a crash or a time-out were not run; only what ran has failed.
                if case.status not in (*_HOLDS, SKIPPED):
                    kinds.setdefault(hidden.kinds[kernel.contract or ""][case.name])
                    names.append(case.name)
        detail = {"cases": sum(len(kernel.cases) for kernel in kernels), "failed": names, "max_bound_ratio": _worst_ratio(kernels)}
        if not kinds and all(case.status in _HOLDS for kernel in kernels for case in kernel.cases):
            return outcome.passed(f"right in {detail['cases']} cases that were not shown", detail=detail)
        said = "\n".join(f"- {kind}" for kind in kinds)
        feedback = f"The kernel is right in every case that was shown, and wrong in others:\n{said}\nIt must hold for every size and input."
        statuses = {case.status for kernel in kernels for case in kernel.cases}
        if FAILED in statuses:
            return outcome.failed("wrong in cases that were not shown", feedback=feedback, detail=detail)
        return outcome.unavailable("some hidden cases could not be decided", feedback=feedback, detail=detail)

    async def repeat(self) -> EvidenceCheck:
        """The largest cases again and again; each run compares two executions bit by bit, and all of them must agree."""
        outcome = Outcome("repeat")
        assert self._hidden is not None
        lost = find_lost_update(self._loaded)
        if lost is not None:
            return outcome.failed(lost, feedback="use an atomic operation such as `atomicAdd`, or let one invocation do it")
        runs = 0
        for loaded in (self._loaded, self._hidden.loaded):
            for name in self._largest(loaded):
                errors: set[tuple[float | None, float | None]] = set()
                for _ in range(REPEATS):
                    report = await self._checker.check_loaded([loaded], selection=Selection(contract=self._contract, case=name))
                    cases = [case for kernel in self._counted(report) for case in kernel.cases if case.name == name]
                    runs += 2
                    if any(case.status not in _HOLDS for case in cases):
                        return outcome.failed("right once and wrong another time", feedback=_CHANCE, detail={"runs": runs})
                    errors |= {(case.max_absolute_error, case.max_bound_ratio) for case in cases}
                if len(errors) > 1 and not self._takes_any_order():
                    return outcome.failed("other results from one run to the next", feedback=_CHANCE, detail={"runs": runs})
        return outcome.passed(f"the same results in {runs} runs", detail={"runs": runs})

    def _counted(self, report: CheckReport) -> list[ValidationReport]:
        return [one for one in report.kernels if self._contract is None or one.contract == self._contract]

    def _largest(self, loaded: LoadedShader) -> list[str]:
        """Of each contract, the case with the most invocations."""
        kernels = [one for one in examine(loaded).kernels if self._contract in (None, one.kernel.contract.name)]
        return list(dict.fromkeys(max(one.cases, key=lambda case: case.invocations).name for one in kernels if one.cases))

    def _takes_any_order(self) -> bool:
        return any(compare.mode == "multiset" for one in self._loaded.contracts.contracts for compare in one.compare.values())


_HOLDS: Final = (PASSED, PARTLY_PROVED)
"""Of a case: what its contract says of it holds. Whether that is a proof, `contract` decides."""

_CHANCE: Final = (
    "Two invocations touch the same memory without a barrier or an atomic operation between them, or read what was not written."
)


def _judge(
    outcome: Outcome, kernels: Sequence[ValidationReport], feedback: str, findings: Sequence[Finding], detail: Mapping[str, object]
) -> EvidenceCheck:
    statuses = {kernel.status for kernel in kernels}
    errors = errors_of(findings)
    if statuses == {PASSED}:
        return outcome.passed(f"right in all {detail['cases']} cases", detail=detail)
    if errors and all(error.code.startswith(_ENVIRONMENT_CODES) for error in errors):
        return outcome.unavailable(errors[0].message, feedback=errors[0].hint or "", detail=detail)
    if FAILED in statuses:
        return outcome.failed(errors[0].message if errors else "the contract is not fulfilled", feedback=feedback, detail=detail)
    if INCONCLUSIVE in statuses:
        said = findings[0].message if findings else "no case could be decided"
        return outcome.unavailable(f"not decided: {said}", feedback=feedback, detail=detail)
    if PARTLY_PROVED in statuses:
        return outcome.absent("partly proved: its invariants hold, and nothing says what its outputs must equal")
    return outcome.unavailable("no case was executed", feedback=feedback, detail=detail)


def _is_over(checks: Sequence[EvidenceCheck]) -> bool:
    return checks[-1].status in (CheckStatus.FAILED, CheckStatus.UNAVAILABLE)


def _padded(checks: Sequence[EvidenceCheck]) -> tuple[EvidenceCheck, ...]:
    done = {check.name for check in checks}
    return (*checks, *(skipped(name) for name in KERNEL_CHECKS if name not in done))


def _engine_text(kernel: ValidationReport) -> str:
    assert kernel.adapter is not None
    return f"{kernel.adapter.engine} {kernel.adapter.name}, {kernel.adapter.driver}"


def _worst_ratio(kernels: Sequence[ValidationReport]) -> float | None:
    return max((case.max_bound_ratio for kernel in kernels for case in kernel.cases if case.max_bound_ratio is not None), default=None)


def _count(findings: Sequence[Finding]) -> str:
    first = findings[0].message
    return first if len(findings) == 1 else f"{first} (and {len(findings) - 1} more)"


def _codes(findings: Sequence[Finding]) -> dict[str, object]:
    return {"codes": list(dict.fromkeys(one.code for one in findings))}
