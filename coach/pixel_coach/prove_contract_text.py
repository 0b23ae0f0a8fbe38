"""Whether a candidate kernel stands under the contract that the task gives, and offers its host what it offered before."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from pixel_coach.attempts import EvidenceCheck
from pixel_coach.prove_feedback import errors_of, findings_text
from pixel_coach.prove_outcome import Outcome
from pixel_coach.tasks import Action
from pixel_core.dialects.steps import Command
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.contract_text import contract_text, same_contract_text, without_contract
from pixel_core.kernels.load_shader import LoadedShader, sidecar_path, understand
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.source import SourceText
from pixel_core.wgsl.layout import parts_of
from pixel_core.wgsl.reflect import Binding, ShaderInterface
from pixel_core.wgsl.types import Matrix, Scalar, Type, Vector

NAME: Final = "unchanged_contract"


class KernelCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A shader that was written, and what it is measured by.

    Attributes:
        path: Where it would stand, absolute.
        text: The candidate.
        base: The file as it is; None where there is none.
        sidecar: The text of `NAME.contract.toml`, or None.
        given: The contract that the task itself brings (TOML), or None.
        contract: Name of the one contract that counts; None for all.
        action: What the task asks for.
        mentions_f16: The task speaks of f16, so that a new kernel may store it.
        mentions_integers: The task or its contract speaks of whole numbers, so that a new kernel may compute with them.
        surroundings: What `prepare` of the contract that counts may use: its programs are the user's.
    """

    path: Path
    text: str
    base: str | None
    sidecar: str | None
    given: str | None
    contract: str | None
    action: Action
    mentions_f16: bool
    mentions_integers: bool = True
    surroundings: Surroundings = msgspec.field(default_factory=Surroundings)


class ContractJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """What `unchanged_contract` came to.

    Attributes:
        check: The record.
        loaded: The candidate under the contract that counts; None when the check failed.
        is_trusted: The contract was not written together with the kernel, so that fulfilling it proves something.
        contract_text: What it is measured by.
    """

    check: EvidenceCheck
    loaded: LoadedShader | None
    is_trusted: bool
    contract_text: str


def judge_contract(candidate: KernelCandidate) -> ContractJudgement:
    """Compare the candidate's contract with the one that was there, or put the task's over it."""
    outcome = Outcome(NAME)
    source = SourceText(candidate.path, candidate.text)
    own = contract_text(source)
    base = SourceText(candidate.path, candidate.base) if candidate.base is not None else None
    expected = contract_text(base) if base is not None else None
    sidecar = SourceText(sidecar_path(candidate.path), candidate.sidecar) if candidate.sidecar is not None else None
    if sidecar is not None:
        if own is not None:
            return _failed(outcome, f"the candidate brings a contract of its own; it stands in {sidecar.path.name}", "leave it out")
        return _judge_interface(outcome, candidate, load_candidate(candidate), sidecar.text)
    if expected is not None:
        if own != expected:
            said = "is gone" if own is None else "was changed"
            return _failed(outcome, f"the contract in the `//!` lines {said}", f"keep these lines as they are:\n{_as_lines(expected)}")
        return _judge_interface(outcome, candidate, load_candidate(candidate), expected)
    if candidate.given is not None:
        given = same_contract_text(candidate.given)
        if own is not None and own != given:
            return _failed(outcome, "the contract differs from the one that the task gives", f"it is:\n{_as_lines(given)}")
        return _judge_interface(outcome, candidate, load_candidate(candidate), given)
    return _judge_own(outcome, understand(source, None), own)


def load_candidate(candidate: KernelCandidate) -> LoadedShader:
    """The candidate under the contract that counts, prepared as that says; one of its own starts no process.

    A template is rendered in a sandbox of its own. A `command` of the user's gets no text that was generated: who knows what it executes.
    """
    source, sidecar = _source_and_sidecar(candidate)
    loaded = understand(source, sidecar, replace(candidate.surroundings, may_run=False))
    if not any(contract.prepare is not None and contract.prepare.runs_programs for contract in loaded.all_contracts):
        return loaded
    if prepares_by_command(loaded) is not None or not _is_trusted(candidate, source, sidecar):
        return loaded
    return understand(source, sidecar, candidate.surroundings)


def prepares_by_command(loaded: LoadedShader) -> str | None:
    """The program that a contract prepares its shader by; None where it needs none."""
    preparations = [contract.prepare for contract in loaded.all_contracts if contract.prepare is not None]
    commands = (step for preparation in preparations for step in preparation.steps if isinstance(step, Command))
    return next((command.arguments[0].text for command in commands), None)


def _source_and_sidecar(candidate: KernelCandidate) -> tuple[SourceText, SourceText | None]:
    source = SourceText(candidate.path, candidate.text)
    if candidate.sidecar is not None:
        return source, SourceText(sidecar_path(candidate.path), candidate.sidecar)
    expected = None if candidate.base is None else contract_text(SourceText(candidate.path, candidate.base))
    if expected is None and candidate.given is not None and contract_text(source) is None:
        return without_contract(source), SourceText(sidecar_path(candidate.path), same_contract_text(candidate.given) + "\n")
    return source, None


def _is_trusted(candidate: KernelCandidate, source: SourceText, sidecar: SourceText | None) -> bool:
    """Whether the contract is the file's or the task's, and not the candidate's."""
    own = contract_text(source)
    if sidecar is not None:
        return own is None
    expected = None if candidate.base is None else contract_text(SourceText(candidate.path, candidate.base))
    if expected is None and candidate.given is not None:
        expected = same_contract_text(candidate.given)
    return own is not None and own == expected


def _judge_own(outcome: Outcome, loaded: LoadedShader, own: str | None) -> ContractJudgement:
    """A kernel without a contract before it: what it brings itself is no evidence, and may run no code but its own."""
    if own is None:
        return ContractJudgement(check=outcome.absent("there is no contract"), loaded=loaded, is_trusted=False, contract_text="")
    foreign = foreign_code(loaded.all_contracts)
    if foreign is not None:
        return _failed(outcome, f"the candidate's own contract runs {foreign}", "state the truth by `expect`")
    check = outcome.absent("the contract was written together with the kernel, so fulfilling it proves nothing")
    return ContractJudgement(check=check, loaded=loaded, is_trusted=False, contract_text=own)


def foreign_code(contracts: tuple[KernelContract, ...]) -> str | None:
    """Code of the user's that contracts would run; a generated contract must not choose any."""
    return next((code for one in contracts for code in code_of(one)), None)


def code_of(contract: KernelContract) -> tuple[str, ...]:
    """The functions and kernels that a contract takes for the truth or for inputs, and the programs that prepare its shader."""
    found: list[str] = []
    found += [f"`{code}`" for code in contract.python_code]
    if contract.oracle is not None:
        found.append(f"`{contract.oracle.name}`")
    if contract.prepare is not None and contract.prepare.runs_programs:
        found.append("a program to prepare its shader")
    return tuple(found)


def _judge_interface(outcome: Outcome, candidate: KernelCandidate, loaded: LoadedShader, contract: str) -> ContractJudgement:
    errors = errors_of(loaded.contracts.findings)
    if errors:
        sources = {loaded.source.path: loaded.source, **({loaded.sidecar.path: loaded.sidecar} if loaded.sidecar else {})}
        return _failed(outcome, "the contract cannot be read", findings_text(errors, sources))
    names = [one.name for one in loaded.contracts.contracts]
    if candidate.contract is not None and candidate.contract not in names:
        return _failed(outcome, f"there is no contract named `{candidate.contract}`", f"there are: {', '.join(names)}")
    if candidate.base is None:
        difference = None if candidate.mentions_f16 else _stored_f16(loaded.interface)
    else:
        before = understand(SourceText(candidate.path, candidate.base), loaded.sidecar, loaded.surroundings)
        is_broken = candidate.action is Action.REPAIR_KERNEL and not before.compiles
        difference = _interface_difference(before.interface, loaded.interface, ignore_unknown=is_broken)
    if difference is not None:
        return _failed(outcome, f"the kernel offers its host something else: {difference}", "keep bindings, their types and entry points")
    rounded = _whole_output(loaded) if candidate.base is None and not candidate.mentions_integers else None
    if rounded is not None:
        check = outcome.absent(f"`{rounded}` holds whole numbers, which neither the task nor its contract speaks of")
        return ContractJudgement(check=check, loaded=loaded, is_trusted=True, contract_text=contract)
    check = outcome.passed("the contract and what the host binds are as they were")
    return ContractJudgement(check=check, loaded=loaded, is_trusted=True, contract_text=contract)


def _interface_difference(before: ShaderInterface, after: ShaderInterface, *, ignore_unknown: bool) -> str | None:
    """The first difference between what two shaders offer; of a base that does not compile, only what was understood of it counts.

    The types matter to more than the host: the tolerance follows the precision that an output is declared with.
    """
    for old in before.bindings:
        new = next((one for one in after.bindings if (one.group, one.binding) == (old.group, old.binding)), None)
        if new is None or new.name != old.name:
            return f"`@group({old.group}) @binding({old.binding}) {old.name}` is gone"
        if old.type is None and ignore_unknown:
            continue
        if (new.address_space, new.type) != (old.address_space, old.type):
            return f"`{old.name}` has another type or address space"
        if new.access != old.access and not ignore_unknown:
            return f"`{old.name}` is `{new.access}` and was `{old.access}`"
    added = [one for one in after.bindings if all((one.group, one.binding) != (old.group, old.binding) for old in before.bindings)]
    if added and not ignore_unknown:
        return f"`{added[0].name}` is a new binding"
    missing = [one.name for one in before.entry_points if after.entry_point(one.name) is None]
    if missing:
        return f"the entry point `{missing[0]}` is gone"
    overrides = {one.name: (one.type, one.value) for one in after.overrides}
    changed = [one.name for one in before.overrides if overrides.get(one.name) != (one.type, one.value)]
    return f"the override `{changed[0]}` is gone or has another default" if changed and not ignore_unknown else None


def _stored_f16(interface: ShaderInterface) -> str | None:
    stored = next((one.name for one in interface.bindings if _holds_f16(one)), None)
    return None if stored is None else f"`{stored}` stores f16, and the task asks for no lower precision than f32"


def _whole_output(loaded: LoadedShader) -> str | None:
    """An output of integers. Of integers alone a contract is easily fulfilled that was meant for floats: no sum of them is ever rounded."""
    outputs = {name.partition(".")[0] for one in loaded.contracts.contracts for name in one.expect}
    return next((one.name for one in loaded.interface.bindings if one.name in outputs and _scalars(one) & {"i32", "u32"}), None)


def _holds_f16(binding: Binding) -> bool:
    return "f16" in _scalars(binding)


def _scalars(binding: Binding) -> set[str]:
    parts: list[Type] = list(parts_of(binding.type)) if binding.type is not None else []
    scalars = [part.component if isinstance(part, (Vector, Matrix)) else part for part in parts]
    return {scalar.name for scalar in scalars if isinstance(scalar, Scalar)}


def _failed(outcome: Outcome, summary: str, feedback: str) -> ContractJudgement:
    return ContractJudgement(check=outcome.failed(summary, feedback=feedback), loaded=None, is_trusted=False, contract_text="")


def _as_lines(contract: str) -> str:
    return "\n".join(f"//! {line}".rstrip() for line in contract.splitlines())
