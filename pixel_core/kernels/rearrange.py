"""Array functions that make, move, sort and count elements. Moving is exact: errors move along."""

from __future__ import annotations

import math

import numpy as np

from pixel_core.kernels import operators
from pixel_core.kernels.bounded import (
    INTEGER_KINDS,
    ZERO,
    Argument,
    Array,
    Bounded,
    Floats,
    as_float,
    check_size,
    float_kind,
    integer_kind,
    literal,
    settled,
    show_shape,
)
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.reductions import axes_of, whole_number


def as_array(argument: Argument) -> Bounded:
    """An array as it is; a list of numbers or arrays stacked."""
    return argument if isinstance(argument, Bounded) else stack(*argument)


def shape_of(arguments: tuple[Argument, ...]) -> tuple[int, ...]:
    """A shape given as one list or as several numbers; checked.

    Raises:
        ExpressionProblem: Not whole numbers, negative, or too large.
    """
    items = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple) else arguments
    shape = tuple(whole_number(item, "a length") for item in items)
    if any(length < 0 for length in shape):
        raise ExpressionProblem(f"a shape with a negative length: {show_shape(shape)}")
    check_size(shape)
    return shape


# ---------------------------------------------------------------- making


def arange(*arguments: Argument) -> Bounded:
    """start, start + step, … below stop."""
    numbers = [as_array(argument) for argument in arguments]
    start, stop, step = literal(0), numbers[0], literal(1)
    if len(numbers) > 1:
        start, stop = numbers[0], numbers[1]
    if len(numbers) > 2:
        step = numbers[2]
    if any(number.value.ndim for number in (start, stop, step)):
        raise ExpressionProblem("`arange` takes single numbers")
    if float(step.value) == 0 or not all(math.isfinite(float(number.value)) for number in (start, stop, step)):
        raise ExpressionProblem("the step of `arange` is 0 or not finite")
    count = max(math.ceil((float(stop.value) - float(start.value)) / float(step.value)), 0)
    check_size((count,))
    index = Bounded(value=np.arange(count, dtype=np.int64), kind="int", varies=True)
    return operators.add(start, operators.multiply(index, step))


def full(*arguments: Argument) -> Bounded:
    """An array of one value: `full(n, …, value)`."""
    *lengths, value = arguments
    return filled(as_array(value), shape_of(tuple(lengths)) if lengths else ())


def filled(value: Bounded, shape: tuple[int, ...]) -> Bounded:
    """One value everywhere."""
    if value.value.ndim:
        raise ExpressionProblem("an array is filled with a single number")

    def spread_out(array: Array) -> Array:
        return np.broadcast_to(array, shape)

    return value.rearranged(spread_out)


def triangle(x: Bounded, k: Argument | None, *, lower: bool) -> Bounded:
    """The elements on and below (above) the k-th diagonal of the last two axes, the rest zero."""
    if x.value.ndim < 2:
        raise ExpressionProblem("a triangle needs two axes")
    offset = 0 if k is None else whole_number(k, "`k`")
    return x.rearranged(lambda array: (np.tril if lower else np.triu)(array, offset))


def one_hot(index: Bounded, n: Argument) -> Bounded:
    """1 at the index, else 0, along a new last axis."""
    count = whole_number(n, "`n`")
    check_size((*index.shape, count))
    return operators.add(operators.compare("==", index.rearranged(lambda array: array[..., None]), arange(literal(count))), literal(0))


# ---------------------------------------------------------------- moving


def transpose(x: Bounded, axes: Argument | None = None) -> Bounded:
    """Axes reversed, or in the given order."""
    if axes is None:
        return x.rearranged(np.transpose)
    order = axes_of(axes, x.value.ndim)
    if len(order) != x.value.ndim:
        raise ExpressionProblem(f"`axes` names {len(order)} of {x.value.ndim} axes")
    return x.rearranged(lambda array: np.transpose(array, order))


def reshape(x: Bounded, *shape: Argument) -> Bounded:
    """The same elements in another shape; one length may be -1."""
    items = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    lengths = [whole_number(item, "a length") for item in items]
    known = math.prod(length for length in lengths if length != -1)
    if -1 in lengths and known > 0 and x.value.size % known == 0:
        lengths[lengths.index(-1)] = x.value.size // known
    if any(length < 0 for length in lengths) or math.prod(lengths) != x.value.size:
        raise ExpressionProblem(f"{x.value.size:,} elements of {show_shape(x.shape)} cannot take the shape {show_shape(tuple(lengths))}")
    return x.rearranged(lambda array: array.reshape(lengths))


def _alike(arrays: list[Bounded]) -> list[Bounded]:
    """Arrays in the type they meet in, with full error arrays."""
    if any(array.is_float for array in arrays):
        kind = float_kind(*arrays)
        arrays = [as_float(array, kind) for array in arrays]
    else:
        kind = "bool" if all(array.kind == "bool" for array in arrays) else integer_kind(*arrays)
        arrays = [
            array if array.kind == "bool" else settled(array.value, kind, array.bound, array.spread, varies=array.varies)
            for array in arrays
        ]
    return arrays


def _joined(arrays: list[Bounded], value: Array, bounds: Array, spreads: Array) -> Bounded:
    exact = all(array.is_exact for array in arrays)
    varies = any(array.varies for array in arrays) or len(arrays) > 16
    kind = next((array.kind for array in arrays if array.kind != "bool"), arrays[0].kind)
    return settled(value, kind, ZERO if exact else bounds, ZERO if exact else spreads, varies=varies)


def concat(*arguments: Argument, axis: Argument | None = None) -> Bounded:
    """Arrays joined along an axis, 0 unless said."""
    items = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple) else arguments
    arrays = _alike([as_array(item) for item in items])
    rank = arrays[0].value.ndim
    if not rank or any(array.value.ndim != rank for array in arrays):
        raise ExpressionProblem("`concat` joins arrays with equally many axes, at least one", None, "use `stack` for numbers")
    (along,) = axes_of(literal(0) if axis is None else axis, rank)
    check_size((sum(array.value.size for array in arrays),))
    value = np.concatenate([array.value for array in arrays], axis=along)
    bounds = np.concatenate([np.broadcast_to(array.bound, array.shape) for array in arrays], axis=along)
    spreads = np.concatenate([np.broadcast_to(array.spread, array.shape) for array in arrays], axis=along)
    return _joined(arrays, value, bounds, spreads)


def stack(*arguments: Argument, axis: Argument | None = None) -> Bounded:
    """Arrays of one shape joined along a new axis, the first unless said."""
    items = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple) else arguments
    arrays = _alike([as_array(item) for item in items])
    shape = arrays[0].shape
    if any(array.shape != shape for array in arrays):
        raise ExpressionProblem(
            f"arrays of different shapes cannot be stacked: {', '.join(show_shape(array.shape) for array in arrays[:4])}"
        )
    (along,) = axes_of(literal(0) if axis is None else axis, len(shape) + 1)
    check_size((len(arrays), *shape))
    value = np.stack([array.value for array in arrays], axis=along)
    bounds = np.stack([np.broadcast_to(array.bound, shape) for array in arrays], axis=along)
    spreads = np.stack([np.broadcast_to(array.spread, shape) for array in arrays], axis=along)
    return _joined(arrays, value, bounds, spreads)


def repeat(x: Bounded, n: Argument, axis: Argument | None = None) -> Bounded:
    """Each element n times; flattened without an axis."""
    count = _count(n)
    check_size((x.value.size * count,))
    along = None if axis is None else axes_of(axis, x.value.ndim)[0]
    return x.rearranged(lambda array: np.repeat(array, count, axis=along))


def tile(x: Bounded, n: Argument) -> Bounded:
    """The whole array n times; a list gives a number for each axis."""
    counts = tuple(_count(item) for item in n) if isinstance(n, tuple) else (_count(n),)
    check_size((x.value.size * math.prod(counts),))
    return x.rearranged(lambda array: np.tile(array, counts))


def _count(n: Argument) -> int:
    count = whole_number(n, "a count")
    if count < 0:
        raise ExpressionProblem(f"a count of {count}")
    return count


def flip(x: Bounded, axis: Argument | None = None) -> Bounded:
    """Reversed along axes, all of them unless said."""
    axes = axes_of(axis, x.value.ndim)
    return x.rearranged(lambda array: np.flip(array, axes))


def roll(x: Bounded, shift: Argument, axis: Argument | None = None) -> Bounded:
    """Rotated along an axis; flattened without one."""
    distance = whole_number(shift, "`shift`")
    along = None if axis is None else axes_of(axis, x.value.ndim)[0]
    return x.rearranged(lambda array: np.roll(array, distance, axis=along))


def pad(x: Bounded, before: Argument, after: Argument, value: Argument | None = None, axis: Argument | None = None) -> Bounded:
    """Longer by `before` and `after` elements of one value, along the last axis unless said."""
    if not x.value.ndim:
        raise ExpressionProblem("a single number cannot be padded")
    along = axes_of(literal(-1) if axis is None else axis, x.value.ndim)[0]
    filling = literal(0) if value is None else as_array(value)
    parts: list[Argument] = []
    for count in (_count(before), _count(after)):
        shape = list(x.shape)
        shape[along] = count
        check_size(tuple(shape))
        parts.append(filling.rearranged(lambda array, shape=tuple(shape): np.broadcast_to(array, shape)))
    return concat(parts[0], x, parts[1], axis=literal(along))


def diff(x: Bounded, axis: Argument | None = None) -> Bounded:
    """Difference of neighbours, along the last axis unless said."""
    if not x.value.ndim:
        raise ExpressionProblem("a single number has no neighbours")
    along = axes_of(literal(-1) if axis is None else axis, x.value.ndim)[0]
    lead = (slice(None),) * along
    return operators.subtract(
        x.rearranged(lambda array: array[(*lead, slice(1, None))]), x.rearranged(lambda array: array[(*lead, slice(None, -1))])
    )


def gather(x: Bounded, indices: Argument, axis: Argument | None = None) -> Bounded:
    """`x[indices]` along an axis, the first unless said; an index that may be wrong makes its element unknowable."""
    if not x.value.ndim:
        raise ExpressionProblem("a single number has no elements to take")
    along = axes_of(literal(0) if axis is None else axis, x.value.ndim)[0]
    places = whole_indices(as_array(indices), x.shape[along])
    shape = (*x.shape[:along], *places.shape, *x.shape[along + 1 :])
    check_size(shape)
    taken = x.rearranged(lambda array: np.take(array, places.value, axis=along))
    if places.is_exact:
        return taken
    unknown = np.where(places.bound > 0, np.inf, 0.0).reshape(*(1,) * along, *places.shape, *(1,) * (x.value.ndim - along - 1))
    return settled(taken.value, taken.kind, taken.bound + unknown, taken.spread + unknown, varies=taken.varies)


def whole_indices(indices: Bounded, length: int) -> Bounded:
    """Indices as int64, negative ones counted from the end.

    Raises:
        ExpressionProblem: Floats, or one that is out of range.
    """
    if indices.kind not in INTEGER_KINDS:
        raise ExpressionProblem("indices are integers", None, "convert with `i32(x)`")
    value = operators.integers(indices)
    if value.size and not (-length <= int(value.min()) and int(value.max()) < length):
        outside = int(value.max()) if int(value.max()) >= length else int(value.min())
        raise ExpressionProblem(f"index {outside:,} is outside an axis of length {length:,}")
    return Bounded(
        value=np.where(value < 0, value + length, value), kind="int", bound=indices.bound, spread=indices.spread, varies=indices.varies
    )


# ---------------------------------------------------------------- sorting and counting


def sort(x: Bounded, axis: Argument | None = None) -> Bounded:
    """Ascending along the last axis unless said. Sorting is monotone: the sorted ends of the intervals enclose the result."""
    if not x.value.ndim:
        raise ExpressionProblem("a single number cannot be sorted")
    along = axes_of(literal(-1) if axis is None else axis, x.value.ndim)[0]
    value = np.sort(x.value, axis=along)
    if x.is_exact:
        return settled(value, x.kind, 0.0, 0.0, varies=x.varies)
    errors = [
        np.maximum(np.sort(x.value + error, axis=along) - value, value - np.sort(x.value - error, axis=along))
        for error in (x.bound, x.spread)
    ]
    return settled(value, x.kind, errors[0], errors[1], varies=x.varies)


def argsort(x: Bounded, axis: Argument | None = None) -> Bounded:
    """Indices that sort, stable; unknowable where neighbours could change places."""
    if not x.value.ndim:
        raise ExpressionProblem("a single number cannot be sorted")
    along = axes_of(literal(-1) if axis is None else axis, x.value.ndim)[0]
    order = np.argsort(x.value, axis=along, kind="stable")
    error: Floats = ZERO
    if not x.is_exact:
        value = np.moveaxis(np.take_along_axis(x.value, order, along), along, -1)
        reach = np.moveaxis(np.take_along_axis(np.broadcast_to(x.bound, x.shape), order, along), along, -1)
        close = value[..., 1:] - value[..., :-1] <= reach[..., 1:] + reach[..., :-1]
        either = np.zeros(value.shape, dtype=bool)
        either[..., 1:] |= close
        either[..., :-1] |= close
        error = np.where(np.moveaxis(either, -1, along), np.inf, 0.0)
    return settled(order.astype(np.int64), "int", error, error, varies=x.varies)


def bincount(x: Bounded, n: Argument) -> Bounded:
    """How often each of 0 … n-1 occurs; other values are not counted. A value that may be wrong may count in any bin it reaches."""
    count = _count(n)
    check_size((count,))
    if x.kind not in INTEGER_KINDS:
        raise ExpressionProblem("bins are counted by integers", None, "make them with `i32(floor(x))` or `u32(x)`")
    value = operators.integers(x).reshape(-1)
    inside = value[(value >= 0) & (value < count)]
    counts = np.bincount(inside, minlength=count).astype(np.int64)
    error: Floats = ZERO
    if not x.is_exact:
        error = _reachable(value, np.broadcast_to(x.bound, x.shape).reshape(-1), count)
    return settled(counts, "int", error, error, varies=x.varies)


def _reachable(value: Array, bound: Floats, count: int) -> Floats:
    """Per bin, how many uncertain values could fall into it or leave it: the running sum of where their intervals start and end."""
    uncertain = bound > 0
    limit = float(count)
    low = np.clip(np.floor(value[uncertain] - bound[uncertain]), 0, limit).astype(np.int64)
    high = np.clip(np.ceil(value[uncertain] + bound[uncertain]) + 1, 0, limit).astype(np.int64)
    steps = np.bincount(low, minlength=count + 1) - np.bincount(high, minlength=count + 1)
    return np.cumsum(steps)[:count].astype(np.float64)
