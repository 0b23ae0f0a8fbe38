"""Sizes of a contract, found back from numbers that its expressions must come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import msgspec

from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_symbols import order_let
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol


class Equation(msgspec.Struct, frozen=True, kw_only=True):
    """What an expression of a contract must come to.

    Attributes:
        expression: Over dims, `let` and constants.
        value: The number.
        constants: Other names that it may use.
        subject: What has that number, for people.
    """

    expression: Expression
    value: int | float
    constants: Mapping[str, SymbolValue]
    subject: str


def solve_sizes(dims: Sequence[str], let: Mapping[str, Expression], equations: Iterable[Equation]) -> dict[str, int] | str:
    """The value of every dim.

    An expression that is a straight line in the only dim that is still open gives that dim; all equations are checked in the end.

    Args:
        dims: What is wanted.
        let: Names that stand for expressions.
        equations: What must hold.

    Returns:
        The dims by name; or, in a sentence, why there are none.
    """
    known: dict[str, int] = {}
    pending = list(equations)
    open_dims = set(dims)
    progress = True
    while progress and open_dims:
        progress = False
        for equation in pending:
            unknown = _names(equation.expression, let) & open_dims
            if len(unknown) != 1:
                continue
            (name,) = unknown
            found = _root(equation, name, known, let)
            if found is not None:
                known[name] = found
                open_dims.discard(name)
                progress = True
    if open_dims:
        return f"nothing that is bound says what `{min(open_dims)}` is"
    for equation in pending:
        value = _value(equation, known, let)
        if value is None or value != Fraction(equation.value):
            return f"{equation.subject} is {equation.value:,}, and `{equation.expression.text}` comes to something else"
    return {name: known[name] for name in dims}


def _root(equation: Equation, name: str, known: Mapping[str, int], let: Mapping[str, Expression]) -> int | None:
    """Where the straight line through two points of an expression has the value; None where the expression has it nowhere near."""
    low, high = (_value(equation, {**known, name: place}, let) for place in (1, 2))
    if low is None or high is None or low == high:
        return None
    place = 1 + (Fraction(equation.value) - low) / (high - low)
    if place.denominator != 1 or place < 0:
        return None
    return int(place) if _value(equation, {**known, name: int(place)}, let) == Fraction(equation.value) else None


def _value(equation: Equation, known: Mapping[str, int], let: Mapping[str, Expression]) -> Fraction | None:
    values: dict[str, SymbolValue] = {**equation.constants, **known}
    needed = _names(equation.expression, let)
    try:
        for name in order_let({name: let[name] for name in let if name in needed}):
            if all(use.name in values for use in let[name].used_names()):
                values[name] = evaluate_symbol(let[name], values)
        return Fraction(evaluate_symbol(equation.expression, values))
    except ExpressionProblem:
        return None


def _names(expression: Expression, let: Mapping[str, Expression]) -> set[str]:
    """Every name that an expression needs, `let` opened up."""
    reached: set[str] = set()
    pending = [use.name for use in expression.used_names()]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += [use.name for use in let[name].used_names()] if name in let else []
    return reached
