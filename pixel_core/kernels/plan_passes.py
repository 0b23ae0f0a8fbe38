"""The dispatches of a case: passes with repeats unrolled, buffers bound, uniforms filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pixel_core.findings import Label
from pixel_core.kernels.buffer_uses import entry_bindings
from pixel_core.kernels.contract import CaseContract, KernelContract, Parameter, PassContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key, at_span
from pixel_core.kernels.plan_symbols import CaseSymbols, Interfaces, override_value, workgroup_symbols
from pixel_core.kernels.plan_uniforms import merge_parameters, plan_uniform
from pixel_core.kernels.planned import BindingPlan, DispatchPlan, ParameterValue
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol, evaluate_whole
from pixel_core.source import SourceText
from pixel_core.wgsl.reflect import EntryPoint, ShaderInterface

MAX_WORKGROUPS = 65_535
"""Workgroups in one dimension of a dispatch (WebGPU: `maxComputeWorkgroupsPerDimension`)."""

MAX_DISPATCHES = 10_000
"""Dispatches of one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassPlanning:
    """What planning the passes of one case needs."""

    contract: KernelContract
    interfaces: Interfaces
    case: CaseContract
    symbols: CaseSymbols
    shader: SourceText


def plan_passes(planning: PassPlanning) -> tuple[DispatchPlan, ...]:
    """Every dispatch of a case, in order.

    Raises:
        PlanProblem: A count, override or uniform that cannot be computed or does not fit; too many workgroups or dispatches.
    """
    dispatches: list[DispatchPlan] = []
    for step in planning.contract.passes:
        count = _repeats(planning, step)
        if len(dispatches) + count > MAX_DISPATCHES:
            span = step.repeat.span if step.repeat and step.repeat.span else step.span
            message = f"more than {MAX_DISPATCHES:,} dispatches (case {planning.case.name})"
            raise PlanProblem(at_span(planning.contract, "PX327", span, message))
        parameters = merge_parameters(planning.contract.params, step.params, planning.case.params)
        if step.index is None:
            # Repeats differ only in what they bind: work out the rest once.
            first = _plan_dispatch(planning, step, parameters, 0) if count else None
            dispatches.extend(_rebound(first, step, index) for index in range(count) if first is not None)
        else:
            dispatches.extend(_plan_dispatch(planning, step, parameters, index) for index in range(count))
    return tuple(dispatches)


def _repeats(planning: PassPlanning, step: PassContract) -> int:
    if step.repeat is None:
        return 1
    values = {**planning.symbols.values, **workgroup_symbols(planning.symbols.interface, step.entry)}
    return _whole(planning, step.repeat, values)


def _whole(planning: PassPlanning, expression: Expression, values: Mapping[str, SymbolValue]) -> int:
    try:
        return evaluate_whole(expression, values)
    except ExpressionProblem as problem:
        raise PlanProblem(at_expression(planning.contract, "PX325", expression, problem, planning.case.name)) from None


def _plan_dispatch(planning: PassPlanning, step: PassContract, parameters: Mapping[str, Parameter], index: int) -> DispatchPlan:
    values: dict[str, SymbolValue] = {**planning.symbols.values}
    if step.index is not None:
        values[step.index] = index
    overrides = {**planning.symbols.overrides, **_overrides(planning, step, values)}
    interface = planning.interfaces.under(overrides)
    entry = interface.entry_point(step.entry)
    if entry is None or entry.workgroup_size is None:
        message = f"the workgroup size of `{step.entry}` could not be worked out"
        raise PlanProblem(at_span(planning.contract, "PX333", step.span, message))
    _check_overrides(planning, step, interface, entry)
    values.update(overrides)
    values.update(workgroup_symbols(interface, step.entry))
    bindings: list[BindingPlan] = []
    for binding in entry_bindings(interface, entry):
        is_storage = binding.address_space == "storage"
        uniform: ParameterValue | None = None
        if not is_storage:
            uniform = plan_uniform(planning.contract, binding, parameters, planning.case.name, values)
        bindings.append(
            BindingPlan(
                group=binding.group,
                binding=binding.binding,
                variable=binding.name,
                buffer=_bound(step, binding.name, index) if is_storage else None,
                uniform_type=None if is_storage else binding.type,
                uniform_value=uniform,
            )
        )
    return DispatchPlan(
        entry=step.entry,
        workgroups=_workgroups(planning, step, values),
        workgroup_size=entry.workgroup_size,
        overrides={name: value for name, value in overrides.items() if name in entry.overrides},
        bindings=tuple(bindings),
    )


def _bound(step: PassContract, variable: str, index: int) -> str:
    names = step.bind.get(variable, (variable,))
    return names[index % len(names)]


def _rebound(dispatch: DispatchPlan, step: PassContract, index: int) -> DispatchPlan:
    if index == 0 or not any(len(names) > 1 for names in step.bind.values()):
        return dispatch
    bindings = tuple(
        binding
        if binding.buffer is None
        else BindingPlan(
            group=binding.group,
            binding=binding.binding,
            variable=binding.variable,
            buffer=_bound(step, binding.variable, index),
            uniform_type=None,
            uniform_value=None,
        )
        for binding in dispatch.bindings
    )
    return DispatchPlan(
        entry=dispatch.entry,
        workgroups=dispatch.workgroups,
        workgroup_size=dispatch.workgroup_size,
        overrides=dispatch.overrides,
        bindings=bindings,
    )


def _overrides(planning: PassPlanning, step: PassContract, values: Mapping[str, SymbolValue]) -> dict[str, int | float | bool]:
    chosen: dict[str, int | float | bool] = {}
    for name, expression in step.overrides.items():
        try:
            value = evaluate_symbol(expression, values)
        except ExpressionProblem as problem:
            raise PlanProblem(at_expression(planning.contract, "PX325", expression, problem, planning.case.name)) from None
        chosen[name] = override_value(planning.contract, planning.interfaces.base, name, expression, value)
    return chosen


def _check_overrides(planning: PassPlanning, step: PassContract, interface: ShaderInterface, entry: EntryPoint) -> None:
    for override in interface.overrides:
        if override.name in entry.overrides and override.value is None:
            message = f"the override `{override.name}` of `{step.entry}` has no default and no value in the contract"
            hint = f"add overrides = {{ {override.name} = … }}"
            label = Label(planning.shader.location(override.span), "declared here")
            raise PlanProblem(at_key(planning.contract, "PX333", "overrides", message, hint, label))


def _workgroups(planning: PassPlanning, step: PassContract, values: Mapping[str, SymbolValue]) -> tuple[int, int, int]:
    counts: list[int] = []
    for axis, expression in zip("xyz", step.dispatch, strict=False):
        count = _whole(planning, expression, values)
        if count > MAX_WORKGROUPS:
            message = f"`{expression.text}` is {count:,} workgroups in {axis}; at most {MAX_WORKGROUPS:,} can be dispatched"
            raise PlanProblem(
                at_expression(
                    planning.contract, "PX327", expression, ExpressionProblem(message, None, "use a second dimension"), planning.case.name
                )
            )
        counts.append(count)
    x, y, z = (*counts, 1, 1)[:3]
    return x, y, z
