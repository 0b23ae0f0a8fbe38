"""The operators of expressions on bounded values. Python's and numpy's meaning: `/` divides exactly, `//` and `%` floor.

Jumps (comparisons, `floor`, casts to integers, `where`) follow one rule: an operand stands for the interval value ± bound, and the
result's bound covers every result that some number of the interval has. A condition that could be either is *ambiguous*: bound 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from pixel_core.kernels.accuracy import DIVISION_ULPS
from pixel_core.kernels.bounded import (
    ZERO,
    Array,
    Bounded,
    Floats,
    as_float,
    broadcast_shape,
    float_kind,
    integer_kind,
    literal,
    result,
    settled,
    wrapped,
)
from pixel_core.kernels.expression_nodes import ExpressionProblem


def _operands(left: Bounded, right: Bounded) -> tuple[Bounded, Bounded, str]:
    broadcast_shape(left.shape, right.shape)
    kind = float_kind(left, right)
    return as_float(left, kind), as_float(right, kind), kind


def _are_whole(left: Bounded, right: Bounded) -> bool:
    return not (left.is_float or right.is_float)


def _either_varies(*operands: Bounded) -> bool:
    return any(operand.varies for operand in operands)


def whole_result(value: Array, *operands: Bounded) -> Bounded:
    """An integer result; error in any operand makes those elements unknowable, because wrapping has no neighbourhood."""
    kind = integer_kind(*operands)
    error: Floats = ZERO
    if not all(operand.is_exact for operand in operands):
        unknown = sum((np.where(operand.bound > 0, np.inf, 0.0) for operand in operands), start=np.zeros(value.shape))
        error = np.where(unknown > 0, np.inf, 0.0)
    return settled(wrapped(value, kind), kind, error, error, varies=_either_varies(*operands))


def _integer_sum(value: Array, left: Bounded, right: Bounded) -> Bounded:
    kind = integer_kind(left, right)
    return settled(wrapped(value, kind), kind, left.bound + right.bound, left.spread + right.spread, varies=_either_varies(left, right))


def integers(operand: Bounded) -> Array:
    """The int64 values of an integer or a condition."""
    return operand.value.astype(np.int64)


def add(left: Bounded, right: Bounded) -> Bounded:
    """`left + right`, correctly rounded."""
    broadcast_shape(left.shape, right.shape)
    if _are_whole(left, right):
        return _integer_sum(integers(left) + integers(right), left, right)
    left, right, kind = _operands(left, right)
    return result(
        left.value + right.value, kind, (left.bound + right.bound, left.spread + right.spread), varies=_either_varies(left, right)
    )


def subtract(left: Bounded, right: Bounded) -> Bounded:
    """`left - right`, correctly rounded."""
    broadcast_shape(left.shape, right.shape)
    if _are_whole(left, right):
        return _integer_sum(integers(left) - integers(right), left, right)
    left, right, kind = _operands(left, right)
    return result(
        left.value - right.value, kind, (left.bound + right.bound, left.spread + right.spread), varies=_either_varies(left, right)
    )


def multiply(left: Bounded, right: Bounded) -> Bounded:
    """`left * right`, correctly rounded."""
    broadcast_shape(left.shape, right.shape)
    if _are_whole(left, right):
        return whole_result(integers(left) * integers(right), left, right)
    left, right, kind = _operands(left, right)
    errors = (_product_error(left, right, left.bound, right.bound), _product_error(left, right, left.spread, right.spread))
    return result(left.value * right.value, kind, errors, varies=_either_varies(left, right))


def _product_error(left: Bounded, right: Bounded, left_error: Floats, right_error: Floats) -> Floats:
    if left.is_exact and right.is_exact:
        return ZERO
    return np.abs(left.value) * right_error + (np.abs(right.value) + right_error) * left_error


def divide(left: Bounded, right: Bounded) -> Bounded:
    """`left / right` in floats, within 2.5 ULP. A divisor whose interval holds 0 leaves the quotient open."""
    left, right, kind = _operands(left, right)
    value = left.value / right.value
    errors = (_quotient_error(value, right, left.bound, right.bound), _quotient_error(value, right, left.spread, right.spread))
    precision = left.precision if kind == "f16" else right.precision
    units = (DIVISION_ULPS * precision.ulp, DIVISION_ULPS * precision.ulp)
    quotient = result(value, kind, errors, varies=_either_varies(left, right), units=units)
    # Outside [smallest normal, 1 / smallest normal] the table promises nothing.
    magnitude = np.abs(right.value)
    outside = ((magnitude < precision.smallest_normal) & (magnitude > 0)) | (magnitude > 1 / precision.smallest_normal)
    if not outside.any():
        return quotient
    error = np.where(outside & np.isfinite(magnitude), np.inf, quotient.bound)
    return settled(value, kind, error, error, varies=quotient.varies)


def _quotient_error(value: Floats, right: Bounded, left_error: Floats, right_error: Floats) -> Floats:
    if left_error is ZERO and right_error is ZERO:
        return ZERO
    magnitude = np.abs(right.value)
    least = magnitude - right_error
    # |(l + δl)/(r + δr) - l/r| ≤ (δl + |l/r| δr) / (|r| - δr)
    error = (left_error + np.abs(value) * right_error) / np.where(least > 0, least, np.nan)
    return np.where(least > 0, error, np.where(right_error > 0, np.inf, 0.0))


def floor_divide(left: Bounded, right: Bounded) -> Bounded:
    """`left // right`: Python's, toward minus infinity. An integer divided by 0 gives 0."""
    broadcast_shape(left.shape, right.shape)
    if _are_whole(left, right):
        return whole_result(integers(left) // integers(right), left, right)
    return stepwise(divide(left, right), np.floor)


def modulo(left: Bounded, right: Bounded) -> Bounded:
    """`left % right`: Python's, with the sign of the divisor."""
    broadcast_shape(left.shape, right.shape)
    if _are_whole(left, right):
        return whole_result(integers(left) % integers(right), left, right)
    return subtract(left, multiply(right, floor_divide(left, right)))


def negate(operand: Bounded) -> Bounded:
    """`-operand`, exact."""
    if operand.is_float:
        return Bounded(value=-operand.value, kind=operand.kind, bound=operand.bound, spread=operand.spread, varies=operand.varies)
    return subtract(literal(0), operand)


def stepwise(operand: Bounded, step: Callable[[Floats], Floats]) -> Bounded:
    """A monotone function with jumps, exact in itself: `floor`, `ceil`, `round`, `trunc`, `sign`."""
    if not operand.is_float:
        return (
            operand if operand.kind != "bool" else Bounded(value=integers(operand), kind="int", bound=operand.bound, spread=operand.spread)
        )
    value = step(operand.value)
    # A jump does not scale with the error, so what the bound reaches counts in the spread too.
    reach = _reach(value, operand.value, operand.bound, step)
    return settled(value, operand.kind, reach, reach, varies=operand.varies)


def _reach(value: Floats, argument: Floats, error: Floats, step: Callable[[Floats], Floats]) -> Floats:
    """How far a monotone function goes from `value` over argument ± error."""
    if error.ndim == 0 and float(error) == 0:
        return ZERO
    return np.maximum(step(argument + error) - value, value - step(argument - error))


# ---------------------------------------------------------------- conditions and bits


def condition(value: Array, ambiguous: Array | None) -> Bounded:
    """A condition; `ambiguous` marks the elements that could be either."""
    error = ZERO if ambiguous is None or not ambiguous.any() else ambiguous.astype(np.float64)
    return settled(value, "bool", error, error, varies=True)


def truth(operand: Bounded) -> tuple[Array, Array]:
    """Where an operand is certainly true, and where it is possibly true."""
    value = operand.value != 0
    if operand.is_exact:
        return value, value
    either = operand.bound >= np.where(value, np.abs(operand.value), np.nextafter(0.0, 1.0))
    return value & ~either, value | either


def _from_truth(value: Array, certain: Array, possible: Array) -> Bounded:
    return condition(value, certain != possible)


def compare(operator: str, left: Bounded, right: Bounded) -> Bounded:
    """`== != < <= > >=`; ambiguous where the intervals of both sides meet."""
    broadcast_shape(left.shape, right.shape)
    if left.is_float or right.is_float:
        kind = float_kind(left, right)
        left, right = as_float(left, kind), as_float(right, kind)
    value = _COMPARISONS[operator](left.value, right.value)
    if left.is_exact and right.is_exact:
        return condition(value, None)
    error = left.bound + right.bound
    return condition(value, (np.abs(left.value - right.value) <= error) & (error > 0))


_COMPARISONS: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
)


def logical_and(left: Bounded, right: Bounded) -> Bounded:
    """`left and right`, elementwise."""
    broadcast_shape(left.shape, right.shape)
    (left_certain, left_possible), (right_certain, right_possible) = truth(left), truth(right)
    return _from_truth((left.value != 0) & (right.value != 0), left_certain & right_certain, left_possible & right_possible)


def logical_or(left: Bounded, right: Bounded) -> Bounded:
    """`left or right`, elementwise."""
    broadcast_shape(left.shape, right.shape)
    (left_certain, left_possible), (right_certain, right_possible) = truth(left), truth(right)
    return _from_truth((left.value != 0) | (right.value != 0), left_certain | right_certain, left_possible | right_possible)


def logical_not(operand: Bounded) -> Bounded:
    """`not operand`, elementwise."""
    certain, possible = truth(operand)
    return _from_truth(operand.value == 0, ~possible, ~certain)


def bitwise(operator: str, left: Bounded, right: Bounded) -> Bounded:
    """`& | ^ << >>` on integers; shift counts are taken modulo 32, as in WGSL. `& | ^` on conditions are logical."""
    broadcast_shape(left.shape, right.shape)
    if not _are_whole(left, right):
        raise ExpressionProblem(
            f"`{operator}` works on integers and conditions", None, "convert with `i32(x)`, `u32(x)` or `bitcast_u32(x)`"
        )
    if left.kind == "bool" and right.kind == "bool" and operator in {"&", "|", "^"}:
        if operator == "^":
            return logical_and(logical_or(left, right), logical_not(logical_and(left, right)))
        return logical_and(left, right) if operator == "&" else logical_or(left, right)
    first, second = integers(left), integers(right)
    if operator in {"<<", ">>"}:
        value = first << (second & 31) if operator == "<<" else first >> (second & 31)
        return whole_result(value, left, Bounded(value=second, kind=left.kind if left.kind != "bool" else "int", bound=right.bound))
    return whole_result({"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}[operator](first, second), left, right)


def invert(operand: Bounded) -> Bounded:
    """`~operand`: every bit of an integer; `not` of a condition."""
    if operand.is_float:
        raise ExpressionProblem("`~` works on integers and conditions", None, "convert with `i32(x)` or `u32(x)`")
    return logical_not(operand) if operand.kind == "bool" else whole_result(~integers(operand), operand)


def where(chosen: Bounded, then: Bounded, otherwise: Bounded) -> Bounded:
    """`then` where the condition holds, else `otherwise`; where the condition is ambiguous, the bound covers both."""
    broadcast_shape(chosen.shape, then.shape, otherwise.shape)
    if _are_whole(then, otherwise):
        kind = "bool" if then.kind == otherwise.kind == "bool" else integer_kind(then, otherwise)
    else:
        kind = float_kind(then, otherwise)
        then, otherwise = as_float(then, kind), as_float(otherwise, kind)
    certain, possible = truth(chosen)
    holds = chosen.value != 0
    value = np.where(holds, then.value, otherwise.value)
    bound, spread = np.where(holds, then.bound, otherwise.bound), np.where(holds, then.spread, otherwise.spread)
    ambiguous = certain != possible
    if ambiguous.any():
        apart = np.abs(then.value.astype(np.float64) - otherwise.value.astype(np.float64))
        bound, spread = (
            np.where(ambiguous, apart + np.maximum(one, other), error)
            for one, other, error in ((then.bound, otherwise.bound, bound), (then.spread, otherwise.spread, spread))
        )
    return settled(value, kind, bound, spread, varies=_either_varies(chosen, then, otherwise))


# ---------------------------------------------------------------- casts


def cast(operand: Bounded, kind: str) -> Bounded:
    """WGSL's value conversions: floats to integers truncate and are held inside the type; integers to integers keep their bits."""
    if kind in {"f32", "f16"}:
        return as_float(operand, kind)
    if not operand.is_float:
        value = integers(operand)
        return settled(wrapped(value, kind), kind, operand.bound, operand.spread, varies=operand.varies)
    low, high = (0.0, 4294967040.0) if kind == "u32" else (-2147483648.0, 2147483520.0)

    def convert(values: Floats) -> Floats:
        return np.trunc(np.clip(values, low, high))

    stepped = stepwise(operand, convert)
    undefined = ~np.isfinite(operand.value)
    bound = np.where(np.isnan(operand.value), np.inf, stepped.bound) if undefined.any() else stepped.bound
    return settled(np.nan_to_num(stepped.value).astype(np.int64), kind, bound, stepped.spread, varies=operand.varies)


BINARY: Mapping[str, Callable[[Bounded, Bounded], Bounded]] = MappingProxyType(
    {
        "+": add,
        "-": subtract,
        "*": multiply,
        "/": divide,
        "//": floor_divide,
        "%": modulo,
        "and": logical_and,
        "or": logical_or,
    }
)
"""Elementwise binary operators that are not bitwise; `**` is in `elementwise`, `@` in `reductions`."""
