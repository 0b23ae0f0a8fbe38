"""Nothing wrong is timed: a kernel has to pass its whole contract, and the very case that is to be timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.report import FAILED, PASSED, CheckReport
from pixel_core.kernels.validate import Checker, Progress, Selection
from pixel_core.source import SourceText
from pixel_core.speed.benchmark import Refusal
from pixel_core.speed.choose_targets import Target


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What may be timed and what may not.

    Attributes:
        passed: In the order they were given.
        refusals: Why the others did not pass.
        findings: What the checks had to say about those.
        sources: Every text that a finding points into, by path.
    """

    passed: tuple[Target, ...]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]
    sources: Mapping[Path, SourceText]


async def verify_targets(
    checker: Checker, targets: Sequence[Target], on_progress: Callable[[Progress], None] | None = None, *, only_these: bool = False
) -> Verification:
    """Check each target's contract once, and each target's case.

    Args:
        checker: Runs the cases.
        targets: Their originals may be the same.
        on_progress: Called before each case.
        only_these: Leave out the contract's other cases.

    Raises:
        EngineUnavailable: There is no adapter.
    """
    passed: list[Target] = []
    refusals: list[Refusal] = []
    findings: list[Finding] = []
    sources: dict[Path, SourceText] = {}
    wholes: dict[tuple[Path, str], str] = {}

    async def status(target: Target, *, case: str | None) -> str:
        loaded = target.original if case is None else target.examined.loaded
        selection = Selection(contract=target.contract, case=case, watch_loops=case is None)
        report = await checker.check_loaded((loaded,), on_progress, selection=selection)
        found, why = _status(report, target.contract, case)
        if found != PASSED:
            told = [one for one in why if one not in findings]
            findings.extend(told)
            sources.update(report.sources)
        return found

    for target in targets:
        key = (target.original.source.path, target.contract)
        if key not in wholes:
            wholes[key] = PASSED if only_these else await status(target, case=None)
        whole = wholes[key]
        own = await status(target, case=target.case.name) if whole == PASSED else whole
        if own == PASSED:
            passed.append(target)
        else:
            what = "its contract" if whole != PASSED else "this case"
            reason = f"{what} is {own}; what is not proved is not timed" if own != FAILED else f"it fails {what}, and is not timed"
            refusals.append(Refusal(shader=key[0], contract=target.contract, case=target.case.name, reason=reason))
    return Verification(passed=tuple(passed), refusals=tuple(refusals), findings=tuple(findings), sources=sources)


def _status(report: CheckReport, contract: str, case: str | None) -> tuple[str, list[Finding]]:
    """How the contract, or one case of it, ended, and the findings that say why it did not pass."""
    kernel = next((one for one in report.kernels if one.contract == contract), None)
    if kernel is None:
        return FAILED, list(report.findings)
    status = kernel.status
    if case is not None:
        status = next((one.status for one in kernel.cases if one.name == case), FAILED)
    told = [finding for finding in (*report.findings, *kernel.findings) if finding.severity in (Severity.ERROR, Severity.WARNING)]
    return status, told
