"""What each buffer is for: input, output, in place, scratch, accumulated into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from pixel_core.findings import Finding, Label
from pixel_core.kernels.buffer_uses import BufferUse
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_problem import at_expression, at_key
from pixel_core.kernels.read_invariants import OLD
from pixel_core.source import SourceText

CONTENT_ROLES = frozenset({"in", "inout", "accumulate", "table"})
"""Roles of buffers that have content before the first pass."""

OUTPUT_ROLES = frozenset({"out", "inout", "accumulate"})


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """What was inferred.

    Attributes:
        roles: Buffer → role.
        outputs: Buffers, or `buffer.field`, that are compared with a truth.
        constrained: Those of which only invariants speak.
        findings: Contradictions, and outputs without truth.
    """

    roles: Mapping[str, str]
    outputs: tuple[str, ...]
    constrained: tuple[str, ...]
    findings: tuple[Finding, ...]


def infer_roles(contract: KernelContract, uses: Mapping[str, BufferUse], shader: SourceText) -> Roles:
    """Give every buffer a role.

    A role that the contract states stands. Else: what the shader can only read is `in`; a key of `buffers` is `scratch`, unless
    `inputs` or `expect` names it; an atomic
    output is `accumulate` and starts at zero unless `inputs` fills it; an output is `inout` when `inputs` fills it or its own
    expectation uses it, and `out` when not; what is written and has no truth is `scratch`, or `inout` when `inputs` fills it.
    With a Python reference or an oracle, everything that is written counts as an output unless `roles` says `scratch`. An output of
    which only `invariants` speak has a role as if it had a truth, and is `inout` when they name what it held before.
    """
    tables = (contract.inputs, contract.sources, *(table for case in contract.cases for table in (case.inputs, case.sources)))
    filled = {name.partition(".")[0] for table in tables for name in table}
    expected = {name.partition(".")[0]: name for name in contract.expect}
    held, held_before = _in_invariants(contract)
    filled |= {name.partition(".")[0] for name in held_before}
    held_buffers = {name.partition(".")[0] for name in held}
    roles: dict[str, str] = {}
    for name, use in uses.items():
        has_truth = name in expected or name in held_buffers or (contract.answers_whole and not use.is_declared)
        roles[name] = contract.roles.get(name) or _infer(use, has_truth=has_truth, starts=name in filled or _uses_itself(contract, name))
    findings = [*_contradictions(contract, uses, roles, shader), *_used_outputs(contract, uses, roles)]
    outputs = list(contract.expect)
    constrained: list[str] = []
    for name, use in uses.items():
        parts = [f"{name}.{field}" for field in use.fields] or [name]
        missing = [part for part in parts if part not in contract.expect and not _is_padding(part)]
        if contract.answers_whole and roles[name] in OUTPUT_ROLES:
            outputs.extend(missing)
            continue
        if roles[name] in OUTPUT_ROLES:
            constrained.extend(part for part in missing if part in held)
        # Who says `scratch` promises nothing; who says `out` means to.
        if use.is_written and not use.is_declared and contract.roles.get(name) in (None, *OUTPUT_ROLES):
            findings.extend(_without_truth(contract, use, part, shader) for part in missing if part not in held)
    if not outputs and not constrained and not findings:
        findings.append(
            at_key(contract, "PX331", "passes", f"`{contract.name}` writes no storage buffer or texture, so nothing shows what it computed")
        )
    return Roles(roles=roles, outputs=tuple(outputs), constrained=tuple(constrained), findings=tuple(findings))


def _in_invariants(contract: KernelContract) -> tuple[set[str], set[str]]:
    """The names that invariants use of values after the run, and of values before it."""
    names = {use.name for invariant in contract.invariants for use in invariant.used_names()}
    before = {name[len(OLD) :] for name in names if name.startswith(OLD)}
    return {name for name in names if not name.startswith(OLD)} - set(contract.define), before


def _is_padding(part: str) -> bool:
    """Whether a field only keeps others apart, by its name: `_pad0`, `padding`."""
    field = part.rpartition(".")[2]
    return field != part and (field.startswith("_") or field.strip("_0123456789") in {"pad", "padding"})


def _infer(use: BufferUse, *, has_truth: bool, starts: bool) -> str:
    if use.is_declared and not has_truth and not starts:
        return "scratch"
    if not use.is_written:
        return "in"
    if not has_truth:
        return "inout" if starts else "scratch"
    if use.is_atomic:
        return "accumulate"
    return "inout" if starts else "out"


def _uses_itself(contract: KernelContract, name: str) -> bool:
    """Whether the expectation of a buffer uses the buffer, directly or through `define`."""
    return any(name in _reached(contract, expression) for output, expression in contract.expect.items() if output.partition(".")[0] == name)


def _reached(contract: KernelContract, expression: Expression) -> set[str]:
    """Every buffer-like name that an expression uses, `define` opened up."""
    reached: set[str] = set()
    pending = [use.name for use in expression.used_names()]
    while pending:
        name = pending.pop()
        if name in reached:
            continue
        reached |= {name, name.partition(".")[0]}
        if name in contract.define:
            pending.extend(use.name for use in contract.define[name].used_names())
    return reached


def _contradictions(contract: KernelContract, uses: Mapping[str, BufferUse], roles: Mapping[str, str], shader: SourceText) -> list[Finding]:
    findings: list[Finding] = []
    for name, use in uses.items():
        role = roles[name]
        label = _declared_here(use, shader)
        if name in contract.roles and role in OUTPUT_ROLES and not use.is_written:
            message = f"`{name}` has the role `{role}`, and the shader can only read it"
            findings.append(at_key(contract, "PX330", f"roles.{name}", message, f"declare it {_writable(use)}", *label))
        if role in {"out", "scratch"} and name in contract.roles:
            key = next((key for key in (*contract.inputs, *contract.sources) if key.partition(".")[0] == name), None)
            if key is not None:
                message = f"`{name}` has the role `{role}` and starts undefined, but `inputs` fills it"
                findings.append(at_key(contract, "PX330", f"inputs.{key}", message, "give it the role `inout`, or take it out of `inputs`"))
    findings.extend(_hidden_from_invariants(contract, roles))
    for output in contract.expect:
        name = output.partition(".")[0]
        use = uses.get(name)
        if use is None:
            continue
        if not use.is_written:
            message = f"`{name}` is an output here, and the shader can only read it"
            hint = f"declare it {_writable(use)}, or correct the name"
            findings.append(at_key(contract, "PX330", f"key@expect.{output}", message, hint, *_declared_here(use, shader)))
        elif roles[name] not in OUTPUT_ROLES:
            message = f"`{name}` has the role `{roles[name]}` and a truth in `expect`"
            findings.append(at_key(contract, "PX330", f"key@expect.{output}", message, "only `out`, `inout` and `accumulate` are compared"))
    return findings


def _hidden_from_invariants(contract: KernelContract, roles: Mapping[str, str]) -> Iterator[Finding]:
    """Invariants that name what nobody may look at."""
    for invariant in contract.invariants:
        for use in invariant.used_names():
            is_old = use.name.startswith(OLD)
            buffer = (use.name[len(OLD) :] if is_old else use.name).partition(".")[0]
            role = roles.get(buffer)
            if role == "scratch":
                message, hint = f"`{buffer}` is scratch: nobody promises what it holds", "give it the role `out`"
            elif is_old and role == "out":
                message, hint = f"`{buffer}` has no content before the first pass", f"fill it: inputs = {{ {buffer} = … }}"
            else:
                continue
            yield at_expression(contract, "PX307", invariant, ExpressionProblem(message, use.span, hint))


def _used_outputs(contract: KernelContract, uses: Mapping[str, BufferUse], roles: Mapping[str, str]) -> list[Finding]:
    """Expectations that use a buffer without content before the first pass."""
    findings: list[Finding] = []
    for key, table in (("define", contract.define), ("expect", contract.expect)):
        for expression in table.values():
            for use in expression.used_names():
                buffer = use.name.partition(".")[0]
                if buffer not in uses or not uses[buffer].is_written or roles[buffer] in CONTENT_ROLES or use.name in contract.define:
                    continue
                message = f"`{use.name}` has no content before the first pass, and names in `{key}` mean values before it"
                hint = f"name what you mean in `define`; if the kernel reads `{buffer}`, fill it: inputs = {{ {buffer} = … }}"
                findings.append(at_expression(contract, "PX307", expression, ExpressionProblem(message, use.span, hint)))
    return findings


def _writable(use: BufferUse) -> str:
    return "as a storage texture: `texture_storage_2d<rgba8unorm, write>`" if use.is_texture else "`var<storage, read_write>`"


def _without_truth(contract: KernelContract, use: BufferUse, part: str, shader: SourceText) -> Finding:
    message = f"`{part}` is written, and nothing says what it must equal"
    hint = f'add it to `expect`, or say that it is scratch: roles = {{ {use.name} = "scratch" }}'
    return at_key(contract, "PX329", "expect", message, hint, *_declared_here(use, shader))


def _declared_here(use: BufferUse, shader: SourceText) -> tuple[Label, ...]:
    return tuple(Label(shader.location(one.span), "declared here") for one in use.variables[:1])
