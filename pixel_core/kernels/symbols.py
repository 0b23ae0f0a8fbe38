"""Exact evaluation of the small expressions that sizes, dispatches, parameters and constraints are made of.

Values are whole numbers and fractions, so `K / 4 * 4` is K and `ceil(N / 16)` is never one too many. Magnitudes are bounded before
they are computed: no expression of a contract can cost noticeable time or memory. Roots, exponentials and logarithms that are not
exact are rounded to float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Union

from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.expression_nodes import (
    BinaryOperation,
    Comparison,
    Conditional,
    Expression,
    ExpressionProblem,
    FunctionCall,
    NameUse,
    Node,
    Number,
    UnaryOperation,
)
from pixel_core.kernels.functions import FUNCTIONS, SYMBOL

MAX_MAGNITUDE = 1 << 128
MAX_BITS = 4_096

Value = Union[int, Fraction, bool]
SymbolValue = Union[int, Fraction, bool, float]


def evaluate_symbol(expression: Expression | Node, symbols: Mapping[str, SymbolValue]) -> Value:
    """The exact value of an expression.

    Args:
        expression: A parsed expression or a node of one.
        symbols: Value of every name it may use.

    Returns:
        A bool for a condition, an int where the value is whole, else a Fraction.

    Raises:
        ExpressionProblem: An unknown name, a division by zero, a value beyond 2**128, or something only arrays have.
    """
    tree = expression.tree if isinstance(expression, Expression) else expression
    return _evaluate(tree, symbols)


def evaluate_whole(expression: Expression, symbols: Mapping[str, SymbolValue], *, minimum: int = 0) -> int:
    """The value of an expression that counts something.

    Raises:
        ExpressionProblem: As `evaluate_symbol`, or the value is a condition, not whole, or below `minimum`.
    """
    value = evaluate_symbol(expression, symbols)
    if isinstance(value, bool):
        raise ExpressionProblem(f"`{expression.text}` is a condition; a whole number is needed here")
    if isinstance(value, Fraction):
        raise ExpressionProblem(
            f"`{expression.text}` is {show_value(value)}; a whole number is needed here", None, f"write `ceil({expression.text})`"
        )
    if value < minimum:
        raise ExpressionProblem(f"`{expression.text}` is {show_value(value)}; it must be at least {minimum}")
    return value


def show_value(value: SymbolValue) -> str:
    """A value as the user should read it: `65/16`, `1,024`, `true`; long fractions as decimals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Fraction) and value.denominator < 10_000:
        return str(value)
    return repr(float(value))


def unknown_name(name: str, known: Mapping[str, object]) -> tuple[str, str]:
    """Message and hint for a name that means nothing here."""
    close = closest_name(name, known)
    hint = f"did you mean `{close}`?" if close else f"known here: {', '.join(known) or 'nothing'}"
    return f"unknown name `{name}`", hint


# ---------------------------------------------------------------- evaluation


def _evaluate(node: Node, symbols: Mapping[str, SymbolValue]) -> Value:
    # Depth is bounded by the parser (MAX_DEPTH), so recursion is safe.
    match node:
        case Number():
            return _bounded(node.value, node)
        case NameUse():
            return _lookup(node, symbols)
        case UnaryOperation():
            return _unary(node, _evaluate(node.operand, symbols))
        case BinaryOperation(operator="and"):
            return _truth(_evaluate(node.left, symbols)) and _truth(_evaluate(node.right, symbols))
        case BinaryOperation(operator="or"):
            return _truth(_evaluate(node.left, symbols)) or _truth(_evaluate(node.right, symbols))
        case BinaryOperation():
            return _binary(node, _evaluate(node.left, symbols), _evaluate(node.right, symbols))
        case Comparison():
            return _COMPARISONS[node.operator](_evaluate(node.left, symbols), _evaluate(node.right, symbols))
        case Conditional():
            return _evaluate(node.then if _truth(_evaluate(node.condition, symbols)) else node.otherwise, symbols)
        case FunctionCall():
            return _call(node, symbols)
        case _:
            raise ExpressionProblem("lists and indexing belong to arrays; a number is needed here", node.span)


_COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = MappingProxyType(
    {
        "==": lambda left, right: left == right,
        "!=": lambda left, right: left != right,
        "<": lambda left, right: left < right,
        "<=": lambda left, right: left <= right,
        ">": lambda left, right: left > right,
        ">=": lambda left, right: left >= right,
    }
)


def _truth(value: Value) -> bool:
    return bool(value)


def _lookup(node: NameUse, symbols: Mapping[str, SymbolValue]) -> Value:
    if node.name in symbols:
        value = symbols[node.name]
        if isinstance(value, bool):
            return value
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpressionProblem(f"`{node.name}` is {value}; only finite numbers can be computed with here", node.span)
        return _bounded(Fraction(value), node)
    if node.name in {"true", "false"}:
        return node.name == "true"
    if node.name == "pi":
        return Fraction(math.pi)
    if node.name in {"inf", "nan"}:
        raise ExpressionProblem(f"`{node.name}` stands only alone or in array expressions", node.span)
    message, hint = unknown_name(node.name, symbols)
    raise ExpressionProblem(message, node.span, hint)


def _bounded(value: Fraction | int, node: Node) -> Value:
    """The value as an int where it is whole; refused when it has grown out of all proportion."""
    if abs(value) > MAX_MAGNITUDE:
        raise ExpressionProblem("the value is larger than 2**128", node.span)
    if isinstance(value, int):
        return value
    if value.denominator == 1:
        return value.numerator
    if value.denominator.bit_length() > MAX_BITS:
        raise ExpressionProblem(f"the fraction needs more than {MAX_BITS:,} bits", node.span)
    return value


def _whole(value: Value, node: Node, what: str) -> int:
    if isinstance(value, Fraction):
        raise ExpressionProblem(f"{what} needs whole numbers; this is {show_value(value)}", node.span)
    return int(value)


def _unary(node: UnaryOperation, value: Value) -> Value:
    if node.operator == "not":
        return not _truth(value)
    if node.operator == "~":
        return ~_whole(value, node.operand, "`~`")
    return -value if node.operator == "-" else +value


def _binary(node: BinaryOperation, left: Value, right: Value) -> Value:
    operator = node.operator
    if operator in {"/", "//", "%"}:
        return _divide(node, Fraction(left), Fraction(right))
    if operator == "**":
        return _power(node, left, right)
    if operator in {"<<", ">>", "&", "|", "^"}:
        return _bitwise(node, _whole(left, node.left, f"`{operator}`"), _whole(right, node.right, f"`{operator}`"))
    if operator == "@":
        raise ExpressionProblem("`@` multiplies matrices; a number is needed here", node.span, "multiply numbers with `*`")
    if operator == "+":
        return _bounded(left + right, node)
    return _bounded(left - right if operator == "-" else left * right, node)


def _divide(node: BinaryOperation, left: Fraction, right: Fraction) -> Value:
    if right == 0:
        raise ExpressionProblem("division by zero", node.span)
    if node.operator == "/":
        return _bounded(left / right, node)
    return _bounded(Fraction(left // right) if node.operator == "//" else left % right, node)


def _power(node: BinaryOperation, base: Value, exponent: Value) -> Value:
    if isinstance(exponent, Fraction):
        if base < 0:
            raise ExpressionProblem("a fractional power of a negative number is not real", node.span)
        if base == 0:
            return 0 if exponent > 0 else _divide(node, Fraction(1), Fraction(0))
        return _rounded(lambda: float(base) ** float(exponent), node)
    if base == 0 and exponent < 0:
        raise ExpressionProblem("division by zero", node.span)
    if exponent == 0 or base == 1:
        return 1
    if base == 0:
        return 0
    if base == -1:
        return 1 if exponent % 2 == 0 else -1
    fraction = Fraction(base)
    bits = max(abs(fraction.numerator).bit_length(), fraction.denominator.bit_length())
    if (bits - 1 or 1) * abs(exponent) > MAX_BITS:
        raise ExpressionProblem(f"{show_value(base)} to the power {show_value(exponent)} is too large; values go up to 2**128", node.span)
    return _bounded(fraction ** int(exponent), node)


def _bitwise(node: BinaryOperation, left: int, right: int) -> Value:
    match node.operator:
        case "&":
            return left & right
        case "|":
            return left | right
        case "^":
            return left ^ right
        case _:
            if not 0 <= right <= 128:
                raise ExpressionProblem(f"a shift by {show_value(right)}; shifts go from 0 to 128", node.right.span)
            return _bounded(left << right if node.operator == "<<" else left >> right, node)


# ---------------------------------------------------------------- functions


def _call(node: FunctionCall, symbols: Mapping[str, SymbolValue]) -> Value:
    rule = FUNCTIONS.get(node.function)
    if rule is None or SYMBOL not in rule.contexts:
        raise ExpressionProblem(f"`{node.function}` is not a function of numbers", node.span)
    if node.keywords:
        raise ExpressionProblem(f"`{node.function}` of numbers takes no keywords", node.span)
    count = len(node.arguments)
    if count < rule.min_args or (rule.max_args is not None and count > rule.max_args):
        raise ExpressionProblem(f"`{rule.signature}` is called with {count} arguments", node.span)
    values = [_evaluate(argument, symbols) for argument in node.arguments]
    if node.function in {"min", "max"}:
        return min(values) if node.function == "min" else max(values)
    if node.function in _EXACT:
        return _bounded(_EXACT[node.function](values[0]), node)
    if node.function in _WHOLE:
        whole = [_whole(value, argument, f"`{node.function}`") for value, argument in zip(values, node.arguments, strict=True)]
        if node.function == "isqrt" and whole[0] < 0:
            raise ExpressionProblem("the square root of a negative number is not real", node.span)
        return _WHOLE[node.function](*whole)
    return _REAL[node.function](Fraction(values[0]), node)


_EXACT: Mapping[str, Callable[[Value], Value]] = MappingProxyType({"abs": abs, "ceil": math.ceil, "floor": math.floor, "round": round})


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


_WHOLE: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {"gcd": math.gcd, "lcm": math.lcm, "bits": int.bit_length, "isqrt": math.isqrt, "is_power_of_two": _is_power_of_two}
)


def _rounded(compute: Callable[[], float], node: Node) -> Value:
    try:
        value = compute()
    except (OverflowError, ValueError):
        raise ExpressionProblem("the value is out of range", node.span) from None
    if not math.isfinite(value):
        raise ExpressionProblem("the value is out of range", node.span)
    return _bounded(Fraction(value), node)


def _sqrt(value: Fraction, node: Node) -> Value:
    if value < 0:
        raise ExpressionProblem("the square root of a negative number is not real", node.span)
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return _bounded(Fraction(top, bottom), node)
    return _rounded(lambda: math.sqrt(value), node)


def _log2(value: Fraction, node: Node) -> Value:
    _positive(value, node)
    if _is_power_of_two(value.numerator) and _is_power_of_two(value.denominator):
        return value.numerator.bit_length() - value.denominator.bit_length()
    result = math.log2(value)
    if result.is_integer():
        # Rounding must not hide that the value lies beside a power of two: ceil(log2(2**60 + 1)) is 61.
        power = Fraction(2) ** int(result)
        result = math.nextafter(result, math.inf if value > power else -math.inf)
    return _bounded(Fraction(result), node)


def _log(value: Fraction, node: Node) -> Value:
    _positive(value, node)
    return _rounded(lambda: math.log(value), node)


def _exp(value: Fraction, node: Node) -> Value:
    return _rounded(lambda: math.exp(value), node)


def _positive(value: Fraction, node: Node) -> None:
    if value <= 0:
        raise ExpressionProblem(f"the logarithm of {show_value(value)} does not exist", node.span)


_REAL: Mapping[str, Callable[[Fraction, Node], Value]] = MappingProxyType({"sqrt": _sqrt, "log2": _log2, "log": _log, "exp": _exp})
