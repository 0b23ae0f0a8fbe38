"""The parts of a contract whose shader depends on sizes: the cases that share one text, each part with the steps that make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from pixel_core.dialects.steps import Preparation, Preprocess, Written
from pixel_core.findings import Finding
from pixel_core.kernels.contract import CaseContract, KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.functions import CONSTANTS
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key
from pixel_core.kernels.plan_symbols import OverrideValues, order_let, settle_symbols
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol, show_value

MAX_TEXTS: Final = 16
"""Different texts that one contract may make of a file: each is checked and compiled on its own."""

_OTHER_PROBE: Final = "2"
"""Stands once for each macro that depends on the workgroup size, where there was 1: if that changes the size, the macro decides it."""

WorkgroupSizes = Callable[[Preparation, OverrideValues], "Mapping[str, int] | None"]
"""The workgroup size of the first pass, `workgroup_size.x` and so on, in what some steps make of the shader under some overrides; empty
where it is not known, None where they make no WGSL, or none with that entry point."""

_Texts = tuple["str | None", ...]
"""What the macros stand for, in their order; None for what is not known yet."""


def prepare_by_size(contract: KernelContract, workgroup_sizes: WorkgroupSizes) -> tuple[KernelContract, ...] | Finding:
    """The contract once for each text, with the cases that have it, in the order of their first ones.

    Args:
        contract: Has `macros`.
        workgroup_sizes: Asked where a macro depends on them.

    Returns:
        The parts; or what is wrong with a macro, with the number of texts, or that there are no cases to take sizes from.
    """
    if not contract.cases:
        hint = f'list them: cases = ["{" ".join(f"{dim}=64" for dim in contract.dims)}"]'
        if not contract.dims:
            hint = 'list one: cases = [{ name = "first" }]'
        return at_key(contract, "PX308", "prepare", "what this makes of the shader depends on sizes, and there are no `cases`", hint)
    parts: dict[_Texts, list[CaseContract]] = {}
    making = _Making(contract, workgroup_sizes)
    try:
        for case in contract.cases:
            parts.setdefault(making.texts(case), []).append(case)
    except PlanProblem as problem:
        return problem.finding
    if len(parts) > MAX_TEXTS:
        message = f"the cases make {len(parts)} different texts of the shader; at most {MAX_TEXTS} are checked"
        return at_key(contract, "PX309", "prepare", message, "take fewer different sizes, or make the macro depend on fewer")
    return tuple(replace(contract, prepare=_prepared(contract, texts), cases=tuple(cases)) for texts, cases in parts.items())


def _prepared(contract: KernelContract, texts: Sequence[str | None]) -> Preparation:
    """The steps with what the macros stand for; those that are not known keep what they have."""
    assert contract.prepare is not None
    steps = list(contract.prepare.steps)
    for ((number, name), expression), text in zip(contract.macros.items(), texts, strict=True):
        step = steps[number]
        assert isinstance(step, Preprocess)
        span = expression.span or step.span
        if text is not None:
            steps[number] = replace(step, macros={**step.macros, name: Written(text, span)})
    return replace(contract.prepare, steps=tuple(steps))


class _Making:
    """Makes the texts of one contract's macros. A shader is looked at once for each set of them."""

    def __init__(self, contract: KernelContract, workgroup_sizes: WorkgroupSizes) -> None:
        self._contract = contract
        self._workgroup_sizes = workgroup_sizes
        self._known: dict[tuple[object, ...], Mapping[str, int] | None] = {}

    def texts(self, case: CaseContract) -> _Texts:
        """What each macro stands for in a case.

        Raises:
            PlanProblem: It has no value.
        """
        contract = self._contract
        stated = {**contract.overrides, **case.overrides}
        values: dict[str, SymbolValue] = dict(case.dims)
        pending = {**{name: contract.let[name] for name in order_let(contract.let)}, **stated}
        settle_symbols(contract, case.name, pending, values)
        overrides = {name: _plain(values[name]) for name in stated if name in values}
        texts = self._made(case, values)
        if any(text is None for text in texts) and self._may_need_workgroup(pending):
            found = self._sizes(texts, overrides)
            if found is None:  # the shader has mistakes, which are told where it is read
                return texts
            values.update(found)
            settle_symbols(contract, case.name, pending, values)
            made = self._made(case, values)
            others = tuple(_OTHER_PROBE if text is None else text for text in texts)
            if any(sizes not in (None, found) for sizes in (self._sizes(made, overrides), self._sizes(others, overrides))):
                raise self._circle(case, next(name for name, text in zip(contract.macros, texts, strict=True) if text is None))
            texts = made
        for text, expression in zip(texts, contract.macros.values(), strict=True):
            if text is None:
                raise self._unknown(case, expression, values)
        return texts

    def _made(self, case: CaseContract, values: Mapping[str, SymbolValue]) -> _Texts:
        return tuple(
            None if _missing(expression, values) else self._whole(case, expression, values) for expression in self._contract.macros.values()
        )

    def _may_need_workgroup(self, pending: Mapping[str, Expression]) -> bool:
        named = [expression.used_names() for expression in (*self._contract.macros.values(), *pending.values())]
        return any(use.name.startswith("workgroup_size.") for uses in named for use in uses)

    def _sizes(self, texts: _Texts, overrides: OverrideValues) -> Mapping[str, int] | None:
        key = (texts, *sorted(overrides.items()))
        if key not in self._known:
            if len(self._known) >= 2 * MAX_TEXTS:
                message = f"the cases make more than {MAX_TEXTS} different texts of the shader"
                raise PlanProblem(at_key(self._contract, "PX309", "prepare", message, "take fewer different sizes or overrides"))
            self._known[key] = self._workgroup_sizes(_prepared(self._contract, texts), overrides)
        return self._known[key]

    def _whole(self, case: CaseContract, expression: Expression, values: Mapping[str, SymbolValue]) -> str:
        try:
            value = evaluate_symbol(expression, values)
            if isinstance(value, (Fraction, float)):
                message = f"`{expression.text}` is {show_value(value)}; a whole number is needed here"
                raise ExpressionProblem(message, None, "round it with `ceil`")
        except ExpressionProblem as problem:
            raise PlanProblem(at_expression(self._contract, "PX325", expression, problem, case.name)) from None
        return str(int(value))

    def _unknown(self, case: CaseContract, expression: Expression, values: Mapping[str, SymbolValue]) -> PlanProblem:
        use = next(use for use in expression.used_names() if _is_missing(use.name, values))
        is_override = any(use.name in one.overrides for one in self._contract.cases)
        hint = "use what is known before: `dims`, `overrides` of the contract or of the case, and what follows from them"
        if is_override:
            hint = f"this case does not say it, and the shader's own value is not read: overrides = {{ {use.name} = … }}"
        problem = ExpressionProblem(f"`{use.name}` cannot be known before the shader is prepared", use.span, hint)
        return PlanProblem(at_expression(self._contract, "PX325", expression, problem, case.name))

    def _circle(self, case: CaseContract, macro: tuple[int, str]) -> PlanProblem:
        expression = self._contract.macros[macro]
        hint = "name the size in `let` or `overrides`, and use that for both"
        problem = ExpressionProblem(f"`{expression.text}` depends on the workgroup size, and decides it", None, hint)
        return PlanProblem(at_expression(self._contract, "PX325", expression, problem, case.name))


def _missing(expression: Expression, values: Mapping[str, SymbolValue]) -> bool:
    return any(_is_missing(use.name, values) for use in expression.used_names())


def _is_missing(name: str, values: Mapping[str, SymbolValue]) -> bool:
    return name not in values and name not in CONSTANTS


def _plain(value: SymbolValue) -> int | float | bool:
    return value if isinstance(value, (bool, int)) else float(value)
