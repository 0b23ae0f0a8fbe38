"""Evidence for a contract that was written: the kernel fulfils it as it is, kernels with a mistake do not, and no code was touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from pixel_coach.attempts import CheckStatus, EvidenceCheck
from pixel_coach.prove_contract_text import code_of
from pixel_coach.prove_feedback import errors_of, findings_text
from pixel_coach.prove_outcome import Outcome, skipped
from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Severity
from pixel_core.kernels.contract_text import contract_text, without_contract
from pixel_core.kernels.load_shader import LoadedShader, sidecar_path, understand
from pixel_core.kernels.mutate import Mutant, mutate
from pixel_core.kernels.report import FAILED, PARTLY_PROVED, PASSED, CheckReport
from pixel_core.kernels.validate import Checker
from pixel_core.source import SourceText
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.syntax import TokenKind

MUTANTS: Final = 12
KILLED_SHARE: Final = 0.6
"""Of the mutants, a contract must notice this share; the rest may be the same kernel in other words."""

_BAGS: Final = frozenset({"multiset", "histogram"})
"""Modes of comparing that pay no heed to where an element stands."""

WRITTEN_CONTRACT_CHECKS: Final = ("parse", "unchanged_code", "contract", "mutants")


class WrittenContract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract, and the kernel that it is for.

    Attributes:
        shader: Path of the shader.
        base: The shader as it is; None when there is none.
        shader_text: The shader as it would be: the base, unless the contract stands in the shader itself.
        sidecar_text: The sidecar as it would be; None without one.
        base_sidecar: The sidecar as it is.
        contract: Name of the contract that the task asks for; None for any.
    """

    shader: Path
    base: str | None
    shader_text: str
    sidecar_text: str | None
    base_sidecar: str | None
    contract: str | None


class ContractProof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out.

    Attributes:
        checks: `parse`, `unchanged_code`, `contract`, `mutants`.
        contract_text: The contract.
        engine: What ran it; empty when nothing ran.
    """

    checks: tuple[EvidenceCheck, ...]
    contract_text: str = ""
    engine: str = ""


async def prove_written_contract(checker: Checker, written: WrittenContract, *, seed: int) -> ContractProof:
    """Run every check of a new contract, up to the first that fails.

    Args:
        checker: Runs every case anew.
        written: The contract.
        seed: Which mutants are made.
    """
    source = SourceText(written.shader, written.shader_text)
    sidecar = SourceText(sidecar_path(written.shader), written.sidecar_text) if written.sidecar_text is not None else None
    loaded = understand(source, sidecar)
    text = written.sidecar_text or contract_text(source) or ""
    checks = [_parse(loaded, written)]
    if checks[-1].status is CheckStatus.PASSED:
        checks.append(_unchanged_code(written))
    if checks[-1].status is CheckStatus.FAILED:
        return ContractProof(checks=_padded(checks), contract_text=text)
    try:
        report = await checker.check_loaded([loaded])
        checks.append(_fulfilled(loaded, report))
        engine = next((f"{one.adapter.engine} {one.adapter.name}, {one.adapter.driver}" for one in report.kernels if one.adapter), "")
        if checks[-1].status is CheckStatus.PASSED:
            checks.append(await _on_mutants(checker, loaded, text, seed))
    except EngineUnavailable as absence:
        checks.append(Outcome("contract").unavailable(absence.message, feedback=absence.hint or ""))
        engine = ""
    return ContractProof(checks=_padded(checks), contract_text=text, engine=engine)


def _parse(loaded: LoadedShader, written: WrittenContract) -> EvidenceCheck:
    outcome = Outcome("parse")
    errors = errors_of([*loaded.findings, *loaded.contracts.findings])
    if errors:
        return outcome.failed(errors[0].message, feedback=findings_text(errors, _sources(loaded)))
    names = [one.name for one in loaded.contracts.contracts]
    if not names:
        return outcome.failed("there is no contract", feedback="begin it with `//! [name]`, followed by a key such as `//! dims = …`")
    if written.contract is not None and written.contract not in names:
        return outcome.failed(f"there is no contract named `{written.contract}`", feedback=f"there are: {', '.join(names)}")
    return outcome.passed("the contract can be read")


def _unchanged_code(written: WrittenContract) -> EvidenceCheck:
    """The shader's code is the same, token by token; and a generated contract runs no code that was not there."""
    outcome = Outcome("unchanged_code")
    if written.base is None:
        return outcome.failed(f"there is no {written.shader.name} that the contract could speak of")
    if _code(written.shader_text) != _code(written.base):
        return outcome.failed("the code of the shader was changed", feedback="change the `//!` lines at the top, and nothing else")
    path, sidecar = written.shader, written.base_sidecar
    before = understand(SourceText(path, written.base), SourceText(sidecar_path(path), sidecar) if sidecar is not None else None)
    after = understand(
        SourceText(path, written.shader_text),
        SourceText(sidecar_path(path), written.sidecar_text) if written.sidecar_text is not None else None,
    )
    known = {code for one in before.contracts.contracts for code in code_of(one)}
    foreign = next((code for one in after.contracts.contracts for code in code_of(one) if code not in known), None)
    if foreign is not None:
        return outcome.failed(f"the contract would run {foreign}", feedback="state the truth by `expect`")
    loose = [
        name
        for one in after.contracts.contracts
        for name, how in one.compare.items()
        if how.rtol or how.atol or how.nmse or how.moved or how.levels or how.nan == "equal"
    ]
    if loose:
        said = "leave `compare` out: the bound is derived from the expression. A person may loosen it."
        return outcome.failed(f"the contract loosens how `{loose[0]}` is compared", feedback=said)
    bags = [name for one in after.contracts.contracts for name, how in one.compare.items() if how.mode in _BAGS]
    if bags:
        # Right for a kernel that writes in any order, and the author of the contract must not be who says that.
        return outcome.absent(f"the contract does not look at the order of `{bags[0]}`; whether that matters is for a person to say")
    return outcome.passed("only the contract was written")


def _fulfilled(loaded: LoadedShader, report: CheckReport) -> EvidenceCheck:
    outcome = Outcome("contract")
    findings = [one for kernel in report.kernels for one in kernel.findings]
    # A warning about a contract (an output without truth, too few informative cases) is an error of its author.
    bad = [one for one in findings if one.severity is Severity.ERROR or (one.code.startswith("PX3") and one.severity is Severity.WARNING)]
    statuses = {kernel.status for kernel in report.kernels}
    detail = {"cases": sum(len(kernel.cases) for kernel in report.kernels)}
    if statuses == {PASSED} and not bad:
        return outcome.passed(f"the kernel fulfils it in {detail['cases']} cases", detail=detail)
    if bad and all(one.code.startswith("PX9") for one in bad):
        return outcome.unavailable(bad[0].message, feedback=bad[0].hint or "")
    summary = bad[0].message if bad else "the kernel does not fulfil it"
    if PARTLY_PROVED in statuses and not bad:
        summary = "its invariants hold, and it does not say what the outputs must equal"
    return outcome.failed(summary, feedback=findings_text(bad or findings, {**_sources(loaded), **report.sources}), detail=detail)


async def _on_mutants(checker: Checker, loaded: LoadedShader, text: str, seed: int) -> EvidenceCheck:
    outcome = Outcome("mutants")
    plain = without_contract(loaded.source)
    mutants = list(mutate(understand(plain, None).tree))
    Random(seed).shuffle(mutants)  # noqa: S311 - not for cryptography
    sidecar = SourceText(sidecar_path(loaded.source.path), text + "\n")
    killed = 0
    survived: list[Mutant] = []
    for mutant in mutants:
        if killed + len(survived) == MUTANTS:
            break
        changed = understand(SourceText(loaded.source.path, mutant.text), sidecar)
        # A barrier that is missing may do no harm on this adapter, and an error of the compiler shows nothing.
        if not changed.compiles or mutant.kind == "barrier":
            continue
        report = await checker.check_loaded([changed])
        if any(one.code.startswith("PX2") for one in errors_of(report.findings)):
            continue
        if any(kernel.status == FAILED for kernel in report.kernels):
            killed += 1
        else:
            survived.append(mutant)
    total = killed + len(survived)
    if not total:
        return outcome.absent("nothing in the kernel can be mutated, so what the contract notices is not known")
    detail = {"mutants": total, "killed": killed, "survived": [f"line {one.line}: {one.change}" for one in survived]}
    if killed / total >= KILLED_SHARE:
        return outcome.passed(f"the contract notices {killed} of {total} mistakes put into the kernel", detail=detail)
    said = "\n".join(f"- line {one.line}: {one.change}" for one in survived)
    return outcome.failed(f"the contract notices only {killed} of {total} mistakes put into the kernel", feedback=said, detail=detail)


def _code(text: str) -> list[str]:
    tokens = lex(SourceText(Path("shader.wgsl"), text))[0]
    return [token.text for token in tokens if token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT)]


def _sources(loaded: LoadedShader) -> dict[Path, SourceText]:
    return {one.path: one for one in (loaded.source, loaded.sidecar) if one is not None}


def _padded(checks: Sequence[EvidenceCheck]) -> tuple[EvidenceCheck, ...]:
    done = {check.name for check in checks}
    return (*checks, *(skipped(name) for name in WRITTEN_CONTRACT_CHECKS if name not in done))
