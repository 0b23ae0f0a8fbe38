"""One case of a contract, from sizes to bytes and dispatches."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import msgspec

from pixel_core.findings import Label
from pixel_core.kernels.buffer_uses import BufferUse
from pixel_core.kernels.contract import CaseContract, KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem, parse_expression
from pixel_core.kernels.infer_roles import CONTENT_ROLES
from pixel_core.kernels.input_sources import InputFile, InputFunction, InputSource
from pixel_core.kernels.plan_buffers import plan_buffer
from pixel_core.kernels.plan_passes import PassPlanning, plan_passes
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key, at_span
from pixel_core.kernels.plan_symbols import CaseSymbols, Interfaces, plain_symbols, resolve_symbols
from pixel_core.kernels.plan_textures import plan_texture
from pixel_core.kernels.planned import BufferPlan, Case, DispatchPlan, PlannedSource
from pixel_core.kernels.symbols import evaluate_symbol, show_value
from pixel_core.source import SourceText
from pixel_core.wgsl.texel_formats import TexelFormat
from pixel_core.wgsl.types import Array, Atomic, Matrix, Scalar, Struct, Type, Vector

DEFAULT_FLOATS = "normal(0, 1)"
"""How floats are drawn, packed ones too, where the contract does not say."""

DEFAULT_INTEGERS = "integers(0, 256)"
"""How integers are drawn, likewise."""

DEFAULT_LEVELS = "uniform(0, 1)"
"""How normalised levels are drawn, likewise."""

DEFAULT_ACCUMULATED = "zeros()"
"""What buffers start from that the kernel adds to."""


def default_texels(texel_format: TexelFormat) -> str:
    """How the texels of a format are drawn, likewise."""
    low, high = texel_format.integer_range
    defaults = {
        "unorm": "uniform(0, 1)",
        "snorm": "uniform(-1, 1)",
        "float": DEFAULT_FLOATS,
        "sint": f"integers({max(low, -256)}, {min(high, 255) + 1})",
    }
    return defaults.get(texel_format.encoding, DEFAULT_INTEGERS)


class CasePlanning(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all cases of a contract."""

    contract: KernelContract
    interfaces: Interfaces
    uses: Mapping[str, BufferUse]
    formats: Mapping[str, TexelFormat]
    roles: Mapping[str, str]
    shader: SourceText
    seed: int


def plan_case(planning: CasePlanning, case: CaseContract, *, derived: bool = False) -> Case:
    """Plan one case.

    Raises:
        PlanProblem: It breaks `where` or the budget, or something in it cannot be computed or does not fit.
    """
    contract = planning.contract
    symbols = resolve_symbols(contract, planning.interfaces, case.name, case.dims, case.overrides)
    _check_where(contract, case, symbols)
    passes = PassPlanning(contract=contract, interfaces=planning.interfaces, case=case, symbols=symbols, shader=planning.shader)
    dispatches = plan_passes(passes)
    buffers = tuple(
        plan_texture(contract, use, planning.roles[name], planning.formats[name], case.name, symbols.values)
        if name in planning.formats
        else plan_buffer(contract, use, planning.roles[name], case.name, symbols.values)
        for name, use in planning.uses.items()
    )
    _check_indirect(contract, case, dispatches, buffers)
    invocations = sum(prod(dispatch.workgroups) * prod(dispatch.workgroup_size) for dispatch in dispatches)
    size_bytes = sum(buffer.size_bytes for buffer in buffers)
    _check_budget(contract, case, invocations, size_bytes, dispatches, buffers)
    inputs, sources = _inputs(contract, case, buffers)
    return Case(
        name=case.name,
        derived=derived,
        symbols=plain_symbols(symbols.values),
        seed=(case.seed or 0) + planning.seed,
        buffers=buffers,
        dispatches=dispatches,
        inputs=inputs,
        sources=sources,
        invocations=invocations,
        size_bytes=size_bytes,
    )


def _check_where(contract: KernelContract, case: CaseContract, symbols: CaseSymbols) -> None:
    for condition in contract.where:
        try:
            value = evaluate_symbol(condition, symbols.values)
        except ExpressionProblem as problem:
            raise PlanProblem(at_expression(contract, "PX325", condition, problem, case.name)) from None
        if not isinstance(value, bool):
            problem = ExpressionProblem(
                f"`{condition.text}` is {show_value(value)}; a condition is true or false", None, "compare it with something: … == 0"
            )
            raise PlanProblem(at_expression(contract, "PX305", condition, problem))
        if not value:
            label = (Label(contract.source.location(condition.span), "this condition"),) if condition.span else ()
            message = f"the case `{case.name}` does not meet `{condition.text}`"
            raise PlanProblem(at_span(contract, "PX326", case.span, message, "correct the case, or weaken the condition", *label))


def _check_indirect(
    contract: KernelContract, case: CaseContract, dispatches: tuple[DispatchPlan, ...], buffers: tuple[BufferPlan, ...]
) -> None:
    words = {buffer.name: buffer.size_bytes // 4 for buffer in buffers}
    for dispatch in dispatches:
        if dispatch.indirect is None:
            continue
        name, first = dispatch.indirect
        if first + 3 > words[name]:
            step = next(step for step in contract.passes if step.indirect is not None and step.indirect.buffer == name)
            message = f"three workgroup counts from place {first:,} on do not fit `{name}`, which has {words[name]:,} (case {case.name})"
            raise PlanProblem(at_key(contract, "PX323", step.key_of("indirect"), message, "a dispatch has counts in x, y and z"))


def _check_budget(
    contract: KernelContract,
    case: CaseContract,
    invocations: int,
    size_bytes: int,
    dispatches: tuple[DispatchPlan, ...],
    buffers: tuple[BufferPlan, ...],
) -> None:
    budget = contract.budget
    if size_bytes > budget.bytes:
        largest = max(buffers, key=lambda buffer: buffer.size_bytes)
        message = f"the case `{case.name}` needs {size_bytes:,} bytes of buffers, and its budget is {budget.bytes:,}"
        hint = f"`{largest.name}` alone has {largest.size_bytes:,}; use smaller sizes, or raise budget = {{ bytes = {size_bytes} }}"
        raise PlanProblem(at_span(contract, "PX328", case.span, message, hint))
    if invocations > budget.invocations:
        largest = max(dispatches, key=lambda dispatch: prod(dispatch.workgroups) * prod(dispatch.workgroup_size))
        groups, size = (" × ".join(f"{one:,}" for one in counts) for counts in (largest.workgroups, largest.workgroup_size))
        message = f"the case `{case.name}` needs {invocations:,} invocations, and its budget is {budget.invocations:,}"
        hint = f"`{largest.entry}` is dispatched with {groups} workgroups of {size}; use smaller sizes, or raise the budget"
        raise PlanProblem(at_span(contract, "PX328", case.span, message, hint))


def _inputs(
    contract: KernelContract, case: CaseContract, buffers: tuple[BufferPlan, ...]
) -> tuple[dict[str, Expression], dict[str, PlannedSource]]:
    """Where each part of each buffer with content comes from: as the case says, else the contract, else the default of its type."""
    stated: dict[str, Expression | InputSource] = {**contract.inputs, **contract.sources, **case.inputs, **case.sources}
    inputs: dict[str, Expression] = {}
    found: dict[str, InputSource] = {}
    for buffer in buffers:
        if buffer.role not in CONTENT_ROLES:
            continue
        for part in buffer.shapes:
            name = f"{buffer.name}.{part}" if part else buffer.name
            chosen = next((stated[key] for key in (name, buffer.name) if key in stated), None)
            if not isinstance(chosen, (InputFile, InputFunction)):
                inputs[name] = chosen or parse_expression(_default(buffer, part))
            elif part and name in stated and fills_memory(chosen):
                message = f"`{chosen.text}` holds bytes, and bytes fill all of `{buffer.name}`"
                raise PlanProblem(at_key(contract, "PX305", chosen.key, message, f"an array for `{name}` alone comes from an .npy file"))
            elif name in stated or fills_memory(chosen):
                found[name if name in stated else buffer.name] = chosen
            elif buffer.texture is None:
                fields = ", ".join(f"`{buffer.name}.{one}`" for one in buffer.shapes)
                message = f"`{buffer.name}` is a structure, and an array fills one field of it"
                raise PlanProblem(at_key(contract, "PX305", chosen.key, message, f"its fields: {fields}"))
            else:
                inputs[name] = parse_expression(_default(buffer, part))
    order = sorted({*contract.inputs, *contract.sources, *case.inputs, *case.sources}, key=lambda name: _line_of(contract, case, name))
    return inputs, {name: PlannedSource(source=found[name], above=tuple(order[: order.index(name)])) for name in order if name in found}


def fills_memory(source: InputSource) -> bool:
    """Whether a source gives the bytes of a whole buffer, and not the values of an array."""
    return isinstance(source, InputFile) and not source.file.endswith(".npy")


def _line_of(contract: KernelContract, case: CaseContract, name: str) -> int:
    """Where an input stands; one that a case says in its own way keeps its place in the contract."""
    for table in (contract.inputs, contract.sources, case.inputs, case.sources):
        stated = table.get(name)
        if stated is not None and stated.span is not None:
            return stated.span.start
    return 0


def _default(buffer: BufferPlan, part: str) -> str:
    if buffer.role == "accumulate":
        return DEFAULT_ACCUMULATED
    if buffer.texture is not None:
        return default_texels(buffer.texture.format)
    if buffer.codec is not None:
        return {"u8x4": DEFAULT_INTEGERS, "unorm8x4": DEFAULT_LEVELS}.get(buffer.codec, DEFAULT_FLOATS)
    return DEFAULT_FLOATS if scalar_of(buffer.type, part) in {"f32", "f16"} else DEFAULT_INTEGERS


def scalar_of(type_: Type, part: str) -> str:
    """Scalar of one part of a buffer; `part` is a dotted path of members."""
    names = part.split(".") if part else []
    current: Type | None = type_
    while current is not None:
        if isinstance(current, Scalar):
            return current.name
        if isinstance(current, (Vector, Matrix, Atomic)):
            current = current.component
        elif isinstance(current, Array):
            current = current.element
        elif isinstance(current, Struct) and names:
            name = names.pop(0)
            current = next((member.type for member in current.fields if member.name == name), None)
        else:
            current = None
    return "u32"
