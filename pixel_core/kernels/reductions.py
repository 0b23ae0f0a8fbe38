"""Sums, products, extremes, running sums and matrix products of bounded values.

A kernel may sum in any order: one after another, in a tree, in blocks, with fused multiply-adds. Whatever the order, n terms take
n - 1 roundings, each of a partial sum that is no larger than Σ|x|, so the error is at most γ·Σ|x| with γ = (1 + u)^(n-1) - 1
(Higham, "Accuracy and Stability of Numerical Algorithms", 4.2). Statistically a partial sum is no larger than the sum of the
positive or of the negative terms, P = (Σ|x| + |Σx|) / 2, and independent rounding errors add up to √(n-1)·u/√3·P.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pixel_core.kernels import operators
from pixel_core.kernels.bounded import (
    ZERO,
    Argument,
    Array,
    Bounded,
    Floats,
    Precision,
    as_float,
    broadcast_shape,
    check_size,
    float_kind,
    integer_kind,
    literal,
    settled,
    show_shape,
    wrapped,
)
from pixel_core.kernels.expression_nodes import ExpressionProblem

MAX_MULTIPLY_ADDS = 1 << 35
"""Of one matrix product; larger ones are refused before they are computed."""

Axes = tuple[int, ...]


def growth(count: Floats | float, unit: float) -> Floats:
    """γ = (1 + unit)^count - 1: relative error after `count` roundings, all in the same direction."""
    return np.expm1(np.asarray(count, dtype=np.float64) * math.log1p(unit))


def whole_number(argument: Argument, what: str) -> int:
    """A single exact integer of an expression.

    Raises:
        ExpressionProblem: It is something else.
    """
    if isinstance(argument, tuple) or argument.value.ndim or not argument.is_exact:
        raise ExpressionProblem(f"{what} is one whole number")
    number = float(argument.value)
    if not math.isfinite(number) or number != math.floor(number):
        raise ExpressionProblem(f"{what} is one whole number, not {number:g}")
    return int(argument.value)


def axes_of(axis: Argument | None, rank: int) -> Axes:
    """The axes that `axis` names: all of them for None, negative ones counted from the end.

    Raises:
        ExpressionProblem: There is no such axis, or one is named twice.
    """
    if axis is None:
        return tuple(range(rank))
    named = [whole_number(item, "an axis") for item in (axis if isinstance(axis, tuple) else (axis,))]
    for number in named:
        if not -rank <= number < rank:
            raise ExpressionProblem(f"there is no axis {number}: the array has {rank} {'axis' if rank == 1 else 'axes'}")
    axes = tuple(number % rank for number in named)
    if len(set(axes)) != len(axes):
        raise ExpressionProblem("an axis is named twice")
    return axes


def keeps_dims(keepdims: Argument | None) -> bool:
    """The value of a `keepdims` argument."""
    return keepdims is not None and not isinstance(keepdims, tuple) and bool(keepdims.value.all())


def _sum_errors(error: Floats, shape: tuple[int, ...], axes: Axes, keep: bool) -> Floats | float:
    """Σ of an error over axes; 0 stays one number."""
    if error.ndim == 0 and float(error) == 0:
        return 0.0
    return np.sum(np.broadcast_to(error, shape), axis=axes, keepdims=keep)


def _sum_spread(
    carried: Floats | float, magnitude: Floats, total: Floats, roundings: Floats | float, precision: Precision, varies: bool
) -> Floats:
    """Root mean square error of a sum. Equal terms round alike each time, so without variety the roundings add up in full."""
    if not varies:
        return carried + growth(roundings, precision.ulp / 2) * magnitude
    partial = (magnitude + np.abs(total)) / 2
    return carried + np.sqrt(roundings) * precision.nearest * partial


def _flushed(magnitude: Floats, count: float, precision: Precision) -> Floats | float:
    """Partial sums below the smallest normal number may each be flushed to zero."""
    tiny = (magnitude > 0) & (magnitude < count * precision.smallest_normal)
    return np.where(tiny, magnitude + count * precision.quantum, 0.0) if tiny.any() else 0.0


def sum_over(x: Bounded, axis: Argument | None = None, keepdims: Argument | None = None) -> Bounded:
    """Sum over axes. Integers wrap; conditions are counted."""
    axes, keep = axes_of(axis, x.value.ndim), keeps_dims(keepdims)
    count = math.prod(x.shape[number] for number in axes)
    bound, spread = (_sum_errors(error, x.shape, axes, keep) for error in (x.bound, x.spread))
    if not x.is_float:
        kind = integer_kind(x)
        total = np.sum(operators.integers(x), axis=axes, keepdims=keep)
        return settled(wrapped(total, kind), kind, bound, spread, varies=x.varies)
    total = np.sum(x.value, axis=axes, keepdims=keep)
    magnitude = np.sum(np.abs(x.value), axis=axes, keepdims=keep)
    roundings = max(count - 1, 0)
    lost = _flushed(magnitude, count, x.precision) if count > 1 else 0.0
    worst = bound + growth(roundings, x.precision.ulp) * (magnitude + bound) + lost
    usual = _sum_spread(spread, magnitude, total, roundings, x.precision, x.varies) + lost
    return settled(total, x.kind, worst, usual, varies=x.varies)


def mean(x: Bounded, axis: Argument | None = None, keepdims: Argument | None = None) -> Bounded:
    """Sum over axes / number of elements."""
    count = math.prod(x.shape[number] for number in axes_of(axis, x.value.ndim))
    return operators.divide(sum_over(x, axis, keepdims), literal(count))


def variance(x: Bounded, axis: Argument | None = None, keepdims: Argument | None = None) -> Bounded:
    """Mean of (x - mean(x))² over axes."""
    centred = operators.subtract(x, mean(x, axis, literal(True)))
    return mean(operators.multiply(centred, centred), axis, keepdims)


def product_over(x: Bounded, axis: Argument | None = None, keepdims: Argument | None = None) -> Bounded:
    """Product over axes; integers wrap."""
    axes, keep = axes_of(axis, x.value.ndim), keeps_dims(keepdims)
    if not x.is_float:
        kind = integer_kind(x)
        total = np.prod(operators.integers(x), axis=axes, keepdims=keep, dtype=np.int64)
        unknown = np.inf if not x.is_exact else 0.0
        return settled(wrapped(total, kind), kind, unknown, unknown, varies=x.varies)
    total = np.prod(x.value, axis=axes, keepdims=keep)
    roundings = max(math.prod(x.shape[number] for number in axes) - 1, 0)
    magnitude = np.abs(total)
    errors: list[Floats] = []
    for error, unit in ((x.bound, x.precision.ulp), (x.spread, x.precision.ulp / 2)):
        reach = np.prod(np.abs(x.value) + error, axis=axes, keepdims=keep)
        errors.append(reach - magnitude + growth(roundings, unit) * reach + x.precision.smallest_normal * min(roundings, 1))
    return settled(total, x.kind, errors[0], errors[1], varies=x.varies)


def extreme_over(x: Bounded, axis: Argument | None, keepdims: Argument | None, *, least: bool) -> Bounded:
    """The least or greatest over axes; exact in itself."""
    axes, keep = axes_of(axis, x.value.ndim), keeps_dims(keepdims)
    if math.prod(x.shape[number] for number in axes) == 0:
        raise ExpressionProblem("the least or greatest of no elements does not exist")
    pick: Callable[..., Array] = np.min if least else np.max
    values = operators.integers(x) if x.kind == "bool" else x.value
    value = pick(values, axis=axes, keepdims=keep)
    kind = "int" if x.kind == "bool" else x.kind
    if x.is_exact:
        return settled(value, kind, 0.0, 0.0, varies=x.varies)
    errors = [
        np.maximum(pick(values + error, axis=axes, keepdims=keep) - value, value - pick(values - error, axis=axes, keepdims=keep))
        for error in (x.bound, x.spread)
    ]
    return settled(value, kind, errors[0], errors[1], varies=x.varies)


def truth_over(x: Bounded, axis: Argument | None, keepdims: Argument | None, *, every: bool) -> Bounded:
    """Whether every or any element is true."""
    axes, keep = axes_of(axis, x.value.ndim), keeps_dims(keepdims)
    reduce: Callable[..., Array] = np.all if every else np.any
    certain, possible = (reduce(side, axis=axes, keepdims=keep) for side in operators.truth(x))
    value = reduce(x.value != 0, axis=axes, keepdims=keep)
    return operators.condition(np.asarray(value), np.asarray(certain != possible))


def argument_of_extreme(x: Bounded, axis: Argument | None, keepdims: Argument | None, *, least: bool) -> Bounded:
    """Index of the first least or greatest; its bound is the distance to the farthest element that could be it."""
    if x.value.size == 0:
        raise ExpressionProblem("the least or greatest of no elements does not exist")
    if axis is None:
        flat = x.rearranged(np.ravel)
        found = argument_of_extreme(flat, literal(0), None, least=least)
        return found.rearranged(lambda array: array.reshape((1,) * x.value.ndim)) if keeps_dims(keepdims) else found
    (along,) = _one_axis(axis, x.value.ndim)
    keep = keeps_dims(keepdims)
    values = -x.value.astype(np.float64) if least else x.value.astype(np.float64)
    index = np.argmax(values, axis=along, keepdims=True)
    bound: Floats | float = 0.0
    if not x.is_exact:
        low = np.max(values - x.bound, axis=along, keepdims=True)
        shape = [1] * values.ndim
        shape[along] = -1
        distance = np.abs(np.arange(values.shape[along]).reshape(shape) - index)
        bound = np.max(np.where(values + x.bound >= low, distance, 0), axis=along, keepdims=True).astype(np.float64)
        bound = bound if keep else np.squeeze(bound, along)
    return settled(index if keep else np.squeeze(index, along), "int", bound, bound, varies=x.varies)


def _one_axis(axis: Argument, rank: int) -> Axes:
    axes = axes_of(axis, rank)
    if len(axes) != 1:
        raise ExpressionProblem("this function works along one axis")
    return axes


def _along(x: Bounded, axis: Argument | None) -> tuple[Bounded, int]:
    """The array and the axis of a scan: the flattened array for None, as in numpy."""
    if axis is None:
        return (x if x.value.ndim == 1 else x.rearranged(np.ravel)), 0
    return x, _one_axis(axis, x.value.ndim)[0]


def running_sum(x: Bounded, axis: Argument | None = None) -> Bounded:
    """Inclusive running sum; each prefix is a sum of its own, in any order."""
    x, along = _along(x, axis)
    zero_or = [
        0.0 if error.ndim == 0 and float(error) == 0 else np.cumsum(np.broadcast_to(error, x.shape), axis=along)
        for error in (x.bound, x.spread)
    ]
    if not x.is_float:
        kind = integer_kind(x)
        return settled(wrapped(np.cumsum(operators.integers(x), axis=along), kind), kind, zero_or[0], zero_or[1], varies=x.varies)
    total, magnitude = np.cumsum(x.value, axis=along), np.cumsum(np.abs(x.value), axis=along)
    shape = [1] * x.value.ndim
    shape[along] = -1
    roundings = np.arange(x.shape[along], dtype=np.float64).reshape(shape)
    lost = _flushed(magnitude, x.shape[along], x.precision)
    worst = zero_or[0] + growth(roundings, x.precision.ulp) * (magnitude + zero_or[0]) + lost
    usual = _sum_spread(zero_or[1], magnitude, total, roundings, x.precision, x.varies) + lost
    return settled(total, x.kind, worst, usual, varies=x.varies)


def running_maximum(x: Bounded, axis: Argument | None = None) -> Bounded:
    """Inclusive running maximum; exact in itself."""
    x, along = _along(x, axis)
    value = np.maximum.accumulate(x.value, axis=along)
    if x.is_exact:
        return settled(value, x.kind, 0.0, 0.0, varies=x.varies)
    errors = [
        np.maximum(np.maximum.accumulate(x.value + error, axis=along) - value, value - np.maximum.accumulate(x.value - error, axis=along))
        for error in (x.bound, x.spread)
    ]
    return settled(value, x.kind, errors[0], errors[1], varies=x.varies)


# ---------------------------------------------------------------- products


def matmul(left: Bounded, right: Bounded) -> Bounded:
    """`left @ right` as numpy has it: vectors, matrices, stacks of matrices.

    The error is that of a sum of K products: γ(K)·|A|@|B| (K - 1 additions and the multiplication's own rounding).
    """
    _check_product(left, right)
    if not (left.is_float or right.is_float):
        return _integer_matmul(left, right)
    kind = float_kind(left, right)
    left, right = as_float(left, kind), as_float(right, kind)
    precision = left.precision
    terms = left.shape[-1]
    value = np.matmul(left.value, right.value)
    left_size, right_size = np.abs(left.value), np.abs(right.value)
    magnitude = np.matmul(left_size, right_size)
    lost = _flushed(magnitude, 2.0 * terms, precision)
    worst, usual = magnitude, ZERO
    if not (left.is_exact and right.is_exact):
        worst = np.matmul(left_size + left.bound, right_size + right.bound)
        usual = np.matmul(left_size + left.spread, right_size + right.spread) - magnitude
    bound = worst - magnitude + growth(terms, precision.ulp) * worst + lost
    # The products' own roundings, √Σx² ≤ Σ|x| ≤ 2P, count as three more partial sums.
    spread = _sum_spread(usual, magnitude, value, terms + 3.0, precision, left.varies or right.varies) + lost
    return settled(value, kind, bound, spread, varies=left.varies or right.varies)


def _check_product(left: Bounded, right: Bounded) -> None:
    if not left.value.ndim or not right.value.ndim:
        raise ExpressionProblem("`@` multiplies matrices and vectors; one side is a single number", None, "multiply numbers with `*`")
    inner = right.shape[-2] if right.value.ndim > 1 else right.shape[0]
    if left.shape[-1] != inner:
        raise ExpressionProblem(
            f"`@` of {show_shape(left.shape)} and {show_shape(right.shape)}: {left.shape[-1]:,} columns meet {inner:,} rows",
            None,
            "transpose a side with `transpose(x)`, or check `shapes`",
        )
    stack = broadcast_shape(left.shape[:-2], right.shape[:-2])
    rows = left.shape[-2:-1]
    columns = right.shape[-1:] if right.value.ndim > 1 else ()
    shape = (*stack, *rows, *columns)
    check_size(shape)
    if math.prod(shape) * max(inner, 1) > MAX_MULTIPLY_ADDS:
        raise ExpressionProblem(
            f"`@` would take {math.prod(shape) * inner:,} multiplications; at most {MAX_MULTIPLY_ADDS:,} are done",
            None,
            "use smaller cases",
        )


def _integer_matmul(left: Bounded, right: Bounded) -> Bounded:
    kind = integer_kind(left, right)
    first, second = operators.integers(left), operators.integers(right)
    # numpy has no fast integer product; where every sum fits 53 bits, floats are exact.
    reach = float(np.abs(first).max(initial=0)) * float(np.abs(second).max(initial=0)) * max(left.shape[-1], 1)
    exact_type = np.float64 if reach < 2**53 else np.int64
    value = np.matmul(first.astype(exact_type), second.astype(exact_type)).astype(np.int64)
    error = 0.0 if left.is_exact and right.is_exact else np.inf
    return settled(wrapped(value, kind), kind, error, error, varies=left.varies or right.varies)


def outer(left: Bounded, right: Bounded) -> Bounded:
    """All products of two vectors."""
    if left.value.ndim != 1 or right.value.ndim != 1:
        raise ExpressionProblem("`outer` takes two vectors", None, "multiply with new axes instead: `a[:, None] * b[None, :]`")
    return operators.multiply(left.rearranged(lambda array: array[:, None]), right.rearranged(lambda array: array[None, :]))


def dot(left: Bounded, right: Bounded) -> Bounded:
    """Sum of the products of two vectors."""
    if left.value.ndim != 1 or right.value.ndim != 1:
        raise ExpressionProblem(
            f"`dot` takes two vectors, not {show_shape(left.shape)} and {show_shape(right.shape)}", None, "use `@` for matrices"
        )
    return matmul(left, right)
