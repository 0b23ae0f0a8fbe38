"""The functions of array expressions by name: what `functions` allows, in bounded values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np

from pixel_core.kernels import elementwise as elements
from pixel_core.kernels import operators, rearrange, reductions
from pixel_core.kernels.bounded import Argument, Bounded, literal
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.rearrange import as_array
from pixel_core.kernels.reductions import axes_of, whole_number
from pixel_core.kernels.sample_texture import sample

Implementation = Callable[..., Bounded]


def _on_arrays(function: Implementation) -> Implementation:
    """A function whose positional arguments are all arrays; lists are stacked."""

    def call(*arguments: Argument, **keywords: Argument) -> Bounded:
        return function(*(as_array(argument) for argument in arguments), **keywords)

    return call


def _first_array(function: Implementation) -> Implementation:
    """A function of one array and further arguments that may be lists (axes, shapes)."""

    def call(first: Argument, *arguments: Argument, **keywords: Argument) -> Bounded:
        return function(as_array(first), *arguments, **keywords)

    return call


def _least_or_greatest(*arguments: Argument, least: bool, axis: Argument | None = None, keepdims: Argument | None = None) -> Bounded:
    """`min(x)` over axes, `min(x, y, …)` of several, as in Python."""
    if len(arguments) == 1:
        return reductions.extreme_over(as_array(arguments[0]), axis, keepdims, least=least)
    if axis is not None or keepdims is not None:
        raise ExpressionProblem("`axis` belongs to one array; of several values each element is compared")
    first, *others = (as_array(argument) for argument in arguments)
    for other in others:
        first = elements.extreme(first, other, least=least)
    return first


def _reduction(function: Callable[[Bounded, Argument | None, Argument | None], Bounded]) -> Implementation:
    def call(x: Argument, *, axis: Argument | None = None, keepdims: Argument | None = None) -> Bounded:
        return function(as_array(x), axis, keepdims)

    return call


def _select(otherwise: Bounded, then: Bounded, condition: Bounded) -> Bounded:
    return operators.where(condition, then, otherwise)


def _stepped(step: Callable[..., np.ndarray]) -> Implementation:
    def call(x: Argument) -> Bounded:
        return operators.stepwise(as_array(x), step)

    return call


def _cast(kind: str) -> Implementation:
    def call(x: Argument) -> Bounded:
        return operators.cast(as_array(x), kind)

    return call


def _bitcast(kind: str) -> Implementation:
    def call(x: Argument) -> Bounded:
        return elements.bitcast(as_array(x), kind)

    return call


def _elementwise(name: str) -> Implementation:
    return _on_arrays(partial(elements.elementwise, name))


def _constant(number: int) -> Implementation:
    def call(*shape: Argument) -> Bounded:
        return rearrange.filled(literal(number), rearrange.shape_of(shape))

    return call


def _triangle(*, lower: bool) -> Implementation:
    def call(x: Argument, k: Argument | None = None) -> Bounded:
        return rearrange.triangle(as_array(x), k, lower=lower)

    return call


def _length(x: Bounded) -> Bounded:
    if not x.value.ndim:
        raise ExpressionProblem("a single number has no length")
    return literal(x.shape[0])


def _axis_length(x: Bounded, axis: Argument) -> Bounded:
    (along,) = axes_of(literal(whole_number(axis, "an axis")), x.value.ndim)
    return literal(x.shape[along])


ARRAY_FUNCTIONS: Mapping[str, Implementation] = MappingProxyType(
    {
        "abs": _on_arrays(elements.absolute),
        "ceil": _stepped(np.ceil),
        "floor": _stepped(np.floor),
        "round": _stepped(np.rint),
        "trunc": _stepped(np.trunc),
        "min": partial(_least_or_greatest, least=True),
        "max": partial(_least_or_greatest, least=False),
        **{
            name: _elementwise(name)
            for name in ("sqrt", "exp", "log", "log2", "exp2", "inverse_sqrt", "sin", "cos", "atan", "sinh", "cosh", "tanh", "erf")
        },
        "tan": _on_arrays(elements.tan),
        "asin": _on_arrays(elements.asin),
        "acos": _on_arrays(elements.acos),
        "atan2": _on_arrays(elements.atan2),
        "pow": _on_arrays(elements.pow_function),
        "sign": _on_arrays(elements.sign),
        "fract": _on_arrays(elements.fract),
        "clip": _on_arrays(elements.clip),
        "clamp": _on_arrays(elements.clip),
        "where": _on_arrays(operators.where),
        "select": _on_arrays(_select),
        "sigmoid": _on_arrays(elements.sigmoid),
        "silu": _on_arrays(elements.silu),
        "gelu": _on_arrays(elements.gelu),
        "relu": _on_arrays(elements.relu),
        "isnan": _on_arrays(elements.isnan),
        "isinf": _on_arrays(elements.isinf),
        "popcount": _on_arrays(elements.popcount),
        **{kind: _cast(kind) for kind in ("f32", "f16", "i32", "u32")},
        **{f"bitcast_{kind}": _bitcast(kind) for kind in ("f32", "u32", "i32")},
        "arange": rearrange.arange,
        "zeros": _constant(0),
        "ones": _constant(1),
        "full": rearrange.full,
        "tril": _triangle(lower=True),
        "triu": _triangle(lower=False),
        "one_hot": _first_array(rearrange.one_hot),
        "sum": _reduction(reductions.sum_over),
        "prod": _reduction(reductions.product_over),
        "mean": _reduction(reductions.mean),
        "var": _reduction(reductions.variance),
        "any": _reduction(lambda x, axis, keepdims: reductions.truth_over(x, axis, keepdims, every=False)),
        "all": _reduction(lambda x, axis, keepdims: reductions.truth_over(x, axis, keepdims, every=True)),
        "argmax": _reduction(lambda x, axis, keepdims: reductions.argument_of_extreme(x, axis, keepdims, least=False)),
        "argmin": _reduction(lambda x, axis, keepdims: reductions.argument_of_extreme(x, axis, keepdims, least=True)),
        "cumsum": _first_array(reductions.running_sum),
        "cummax": _first_array(reductions.running_maximum),
        "diff": _first_array(rearrange.diff),
        "dot": _on_arrays(reductions.dot),
        "matmul": _on_arrays(reductions.matmul),
        "outer": _on_arrays(reductions.outer),
        "transpose": _first_array(rearrange.transpose),
        "reshape": _first_array(rearrange.reshape),
        "concat": rearrange.concat,
        "stack": rearrange.stack,
        "sample": sample,
        "repeat": _first_array(rearrange.repeat),
        "tile": _first_array(rearrange.tile),
        "flip": _first_array(rearrange.flip),
        "roll": _first_array(rearrange.roll),
        "pad": _first_array(rearrange.pad),
        "sort": _first_array(rearrange.sort),
        "argsort": _first_array(rearrange.argsort),
        "gather": _first_array(rearrange.gather),
        "take": _first_array(rearrange.gather),
        "histogram": _first_array(rearrange.bincount),
        "bincount": _first_array(rearrange.bincount),
        "len": _on_arrays(_length),
        "shape": _first_array(_axis_length),
    }
)
"""Every function of `functions.FUNCTIONS` that expectations may call."""
