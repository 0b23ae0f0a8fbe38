"""The dispatches of a case: passes with repeats unrolled, buffers bound, uniforms filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pixel_core.findings import Label
from pixel_core.kernels.buffer_uses import entry_bindings, has_content, is_sampler
from pixel_core.kernels.contract import CaseContract, KernelContract, Parameter, PassContract, PassGroup, Step
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key, at_span
from pixel_core.kernels.plan_symbols import CaseSymbols, Interfaces, override_value, workgroup_symbols
from pixel_core.kernels.plan_textures import sampler_of
from pixel_core.kernels.plan_uniforms import merge_parameters, plan_uniform
from pixel_core.kernels.planned import BindingPlan, DispatchPlan, ParameterValue
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol, evaluate_whole
from pixel_core.source import SourceText
from pixel_core.wgsl.reflect import EntryPoint, ShaderInterface

MAX_WORKGROUPS = 65_535
"""Workgroups in one dimension of a dispatch (WebGPU: `maxComputeWorkgroupsPerDimension`)."""

MAX_DISPATCHES = 10_000
"""Dispatches of one case."""


class PassPlanning(msgspec.Struct, frozen=True, kw_only=True):
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
    schedule = _Schedule(planning)
    schedule.add(planning.contract.schedule, {}, 0)
    return tuple(schedule.dispatches)


class _Schedule:
    """Unrolls repeats.

    Args:
        planning: What planning needs.
    """

    def __init__(self, planning: PassPlanning) -> None:
        self.dispatches: list[DispatchPlan] = []
        self._planning = planning
        self._rounds = 0

    def add(self, steps: Sequence[Step], counters: Mapping[str, int], turn: int) -> None:
        """Add the dispatches of some steps.

        Args:
            steps: Passes and groups, in order.
            counters: Value of each `index` around them.
            turn: Round of the innermost group around them, for lists in `bind`.
        """
        for step in steps:
            if isinstance(step, PassGroup):
                for index in range(self._rounds_of(step, counters)):
                    self.add(step.passes, _counting(counters, step.index, index), index)
            else:
                self._add_pass(step, counters, turn)

    def _add_pass(self, step: PassContract, counters: Mapping[str, int], turn: int) -> None:
        planning = self._planning
        count = self._rounds_of(step, counters)
        turns = range(count) if step.repeat is not None else range(turn, turn + 1)
        parameters = merge_parameters(planning.contract.params, step.params, planning.case.params)
        if step.index is not None:
            self.dispatches.extend(
                _plan_dispatch(planning, step, parameters, _counting(counters, step.index, index), index) for index in turns
            )
        elif count:
            # Repeats differ only in what they bind: work out the rest once.
            first = _plan_dispatch(planning, step, parameters, counters, turns[0])
            self.dispatches.extend(_rebound(first, step, index) for index in turns)

    def _rounds_of(self, step: Step, counters: Mapping[str, int]) -> int:
        planning = self._planning
        count = 1
        if step.repeat is not None:
            entry = _first_entry(step)
            values = {**planning.symbols.values, **counters, **workgroup_symbols(planning.symbols.interface, entry)}
            count = _whole(planning, step.repeat, values)
        # Rounds of a group count as well: they take time even where nothing in them is dispatched.
        self._rounds += count
        if self._rounds > MAX_DISPATCHES:
            span = step.repeat.span if step.repeat and step.repeat.span else step.span
            message = f"more than {MAX_DISPATCHES:,} dispatches (case {planning.case.name})"
            raise PlanProblem(at_span(planning.contract, "PX327", span, message))
        return count


def _counting(counters: Mapping[str, int], name: str | None, value: int) -> Mapping[str, int]:
    return counters if name is None else {**counters, name: value}


def _first_entry(step: Step) -> str:
    """The entry point of a pass, or of the first pass in a group."""
    while isinstance(step, PassGroup):
        step = step.passes[0]
    return step.entry


def _whole(planning: PassPlanning, expression: Expression, values: Mapping[str, SymbolValue]) -> int:
    try:
        return evaluate_whole(expression, values)
    except ExpressionProblem as problem:
        raise PlanProblem(at_expression(planning.contract, "PX325", expression, problem, planning.case.name)) from None


def _plan_dispatch(
    planning: PassPlanning, step: PassContract, parameters: Mapping[str, Parameter], counters: Mapping[str, int], turn: int
) -> DispatchPlan:
    values: dict[str, SymbolValue] = {**planning.symbols.values, **counters}
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
        is_filled = has_content(planning.contract, binding)
        is_parameter = not is_filled and not is_sampler(binding)
        uniform: ParameterValue | None = None
        if is_parameter:
            uniform = plan_uniform(planning.contract, binding, parameters, planning.case.name, values)
        bindings.append(
            BindingPlan(
                group=binding.group,
                binding=binding.binding,
                variable=binding.name,
                buffer=_bound(step, binding.name, turn) if is_filled else None,
                uniform_type=binding.type if is_parameter else None,
                uniform_value=uniform,
                sampler=sampler_of(planning.contract, binding.name) if is_sampler(binding) else None,
            )
        )
    return DispatchPlan(
        entry=step.entry,
        workgroups=_workgroups(planning, step, values),
        workgroup_size=entry.workgroup_size,
        overrides={name: value for name, value in overrides.items() if name in entry.overrides},
        bindings=tuple(bindings),
        indirect=None if step.indirect is None else (step.indirect.buffer, _whole(planning, step.indirect.first, values)),
    )


def _bound(step: PassContract, variable: str, turn: int) -> str:
    names = step.bind.get(variable, (variable,))
    return names[turn % len(names)]


def _rebound(dispatch: DispatchPlan, step: PassContract, turn: int) -> DispatchPlan:
    if not any(len(names) > 1 for names in step.bind.values()):
        return dispatch
    bindings = tuple(
        binding
        if binding.buffer is None
        else BindingPlan(
            group=binding.group,
            binding=binding.binding,
            variable=binding.variable,
            buffer=_bound(step, binding.variable, turn),
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
        indirect=dispatch.indirect,
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
    if step.indirect is not None:
        return 0, 0, 0
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
