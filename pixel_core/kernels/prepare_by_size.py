"""The parts of a contract whose shader depends on sizes: the cases that share one text, each part with the steps that make it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from pixel_core.dialects.steps import Preprocess, Written
from pixel_core.findings import Finding
from pixel_core.kernels.contract import CaseContract, KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key
from pixel_core.kernels.plan_symbols import order_let
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol, show_value

MAX_TEXTS: Final = 16
"""Different texts that one contract may make of a file: each is checked and compiled on its own."""


def prepare_by_size(contract: KernelContract) -> tuple[KernelContract, ...] | Finding:
    """The contract once for each text, with the cases that have it, in the order of their first ones.

    Args:
        contract: Has `macros`.

    Returns:
        The parts; or what is wrong with a macro, with the number of texts, or that there are no cases to take sizes from.
    """
    if not contract.cases:
        hint = f'list them: cases = ["{" ".join(f"{dim}=64" for dim in contract.dims)}"]'
        return at_key(contract, "PX308", "prepare", "what this makes of the shader depends on sizes, and there are no `cases`", hint)
    parts: dict[tuple[str, ...], list[CaseContract]] = {}
    try:
        for case in contract.cases:
            parts.setdefault(tuple(_texts(contract, case)), []).append(case)
    except PlanProblem as problem:
        return problem.finding
    if len(parts) > MAX_TEXTS:
        message = f"the cases make {len(parts)} different texts of the shader; at most {MAX_TEXTS} are checked"
        return at_key(contract, "PX309", "prepare", message, "take fewer different sizes, or make the macro depend on fewer")
    return tuple(_part(contract, texts, tuple(cases)) for texts, cases in parts.items())


def _part(contract: KernelContract, texts: tuple[str, ...], cases: tuple[CaseContract, ...]) -> KernelContract:
    assert contract.prepare is not None
    steps = list(contract.prepare.steps)
    for ((number, name), expression), text in zip(contract.macros.items(), texts, strict=True):
        step = steps[number]
        assert isinstance(step, Preprocess)
        span = expression.span or step.span
        steps[number] = replace(step, macros={**step.macros, name: Written(text, span)})
    return replace(contract, prepare=replace(contract.prepare, steps=tuple(steps)), cases=cases)


def _texts(contract: KernelContract, case: CaseContract) -> Iterator[str]:
    """What each macro stands for in a case."""
    values: dict[str, SymbolValue] = dict(case.dims)
    for name in order_let(contract.let):
        expression = contract.let[name]
        if all(use.name in values for use in expression.used_names()):
            values[name] = _value(contract, case, expression, values)
    for expression in contract.macros.values():
        yield _whole(contract, case, expression, _value(contract, case, expression, values))


def _value(contract: KernelContract, case: CaseContract, expression: Expression, values: Mapping[str, SymbolValue]) -> SymbolValue:
    missing = next((use for use in expression.used_names() if use.name in contract.let and use.name not in values), None)
    try:
        if missing is not None:
            raise ExpressionProblem(
                f"`{missing.name}` cannot be known before the shader is prepared",
                missing.span,
                "use sizes alone: `dims`, and what follows from them",
            )
        return evaluate_symbol(expression, values)
    except ExpressionProblem as problem:
        raise PlanProblem(at_expression(contract, "PX325", expression, problem, case.name)) from None


def _whole(contract: KernelContract, case: CaseContract, expression: Expression, value: SymbolValue) -> str:
    if isinstance(value, (Fraction, float)):
        problem = ExpressionProblem(
            f"`{expression.text}` is {show_value(value)}; a whole number is needed here", None, "round it with `ceil`"
        )
        raise PlanProblem(at_expression(contract, "PX325", expression, problem, case.name))
    return str(int(value))
