"""What each output must be: `expect` in bounded values, from the inputs as they were before the first pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.kernels.bounded import (
    INTEGER_KINDS,
    Bounded,
    from_input,
    held_as,
    literal,
    settled,
    show_shape,
    wrapped,
)
from pixel_core.kernels.codecs import CODEC_TABLE
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.evaluate_tree import KeyedProblem, Lookup, evaluate_tree
from pixel_core.kernels.expression_nodes import Expression, ExpressionProblem
from pixel_core.kernels.memory import encode_scalar, part_scalar
from pixel_core.kernels.planned import BufferPlan, Case, ParameterValue
from pixel_core.kernels.sample_texture import sampler_value
from pixel_core.kernels.symbols import unknown_name
from pixel_core.kernels.texels import from_texels, held_by_texels, stored_scalar
from pixel_core.wgsl.types import Array, Matrix, Scalar, Struct, Type, Vector

REARRANGEMENT = 2.0
"""A kernel may compute the same formula otherwise: `x * inverseSqrt(v)` for `x / sqrt(v)`, a scale folded into a sum, `exp2` for `exp`.
Such a rewriting adds operations of the same kind as those it replaces, so the finished bound is doubled, once, before it is stored."""

Inputs = Mapping[str, Mapping[str, NDArray[Any]]]


def evaluate_expect(contract: KernelContract, case: Case, inputs: Inputs) -> dict[str, Bounded]:
    """The truth of every output that has an `expect`.

    Args:
        contract: Its `expect` and `define`.
        case: Sizes, symbols, parameters.
        inputs: From `draw_inputs`: buffer → part → values.

    Returns:
        Output (`c`, `particles.position`) → value of the output's logical shape with its error, in the output's scalar type.

    Raises:
        KeyedProblem: A mistake in an expression, with its key (`expect.c`, `define.e`).
    """
    lookup = _Names(contract, case, inputs)
    truths: dict[str, Bounded] = {}
    for output, expression in contract.expect.items():
        key = f"expect.{output}"
        truth = _evaluate(expression, lookup, key)
        try:
            buffer, part = split_output(case, output)
            scalar, compare = input_scalar(buffer, part), contract.compare.get(output)
            if compare is not None and compare.mode == "quantised":
                scalar = "f32"  # the level before it is rounded
            truths[output] = held_by(buffer, stored(truth, scalar, buffer.shapes[part]))
        except ExpressionProblem as problem:
            raise KeyedProblem(problem, key) from None
    return truths


def names_of(contract: KernelContract, case: Case, inputs: Inputs) -> Lookup:
    """The value of every name that an expectation may use."""
    return _Names(contract, case, inputs)


def whole_names_of(contract: KernelContract, case: Case, inputs: Inputs) -> Lookup:
    """The same with integers as whole numbers, which do not wrap at 32 bits: for conditions on them."""
    return _Names(contract, case, inputs, wraps=False)


def _evaluate(expression: Expression, lookup: Lookup, key: str) -> Bounded:
    try:
        return evaluate_tree(expression, lookup)
    except KeyedProblem:
        raise
    except ExpressionProblem as problem:
        raise KeyedProblem(problem, key) from None


def split_output(case: Case, output: str) -> tuple[BufferPlan, str]:
    """The buffer and part that an output names.

    Raises:
        ExpressionProblem: There is no such buffer or part.
    """
    name, _, part = output.partition(".")
    try:
        buffer = case.buffer(name)
    except KeyError:
        message, hint = unknown_name(name, {buffer.name: buffer for buffer in case.buffers})
        raise ExpressionProblem(message, None, hint) from None
    if part not in buffer.shapes:
        parts = ", ".join(f"`{name}.{known}`" for known in buffer.shapes if known)
        raise ExpressionProblem(f"`{output}` has no shape", None, f"its parts are {parts}" if parts else f"`{name}` is a plain array")
    return buffer, part


def output_scalar(buffer: BufferPlan, part: str) -> str:
    """Scalar in which a part is judged: most packed buffers hold f32, packed halves and a texture of 16-bit floats f16."""
    if buffer.texture is not None:
        return stored_scalar(buffer.texture.format)
    if buffer.codec is None:
        return part_scalar(buffer.type, part)
    return "f32" if buffer.has_python_codec else CODEC_TABLE[buffer.codec].judged_as


def input_scalar(buffer: BufferPlan, part: str) -> str:
    """Scalar of a part as expressions and the shader see it: reading a texel gives f32, u32 or i32, unpacking two halves f32."""
    if buffer.texture is not None:
        return buffer.texture.format.scalar
    if buffer.codec is not None and not buffer.has_python_codec:
        return CODEC_TABLE[buffer.codec].scalar
    return output_scalar(buffer, part)


def held_by(buffer: BufferPlan, truth: Bounded) -> Bounded:
    """A truth, as `stored` gives it, after the rounding of a texture's format, or of packed halves.

    Raises:
        ExpressionProblem: An integer that a texel cannot hold.
    """
    if buffer.texture is not None:
        return held_by_texels(truth, buffer.texture.format)
    return held_as(truth, "f16") if buffer.codec is not None and output_scalar(buffer, "") == "f16" else truth


# ---------------------------------------------------------------- names


class _Names:
    """Values of names: defines, inputs, symbols, parameters; each computed at most once."""

    def __init__(self, contract: KernelContract, case: Case, inputs: Inputs, *, wraps: bool = True) -> None:
        self._contract = contract
        self._case = case
        self._inputs = inputs
        self._wraps = wraps
        self._parameters = named_parameters(case)
        self._samplers = named_samplers(case)
        self._known: dict[str, Bounded] = {}
        self._open: list[str] = []

    def __call__(self, name: str) -> Bounded:
        if name not in self._known:
            found = self._find(name)
            if not self._wraps and found.kind in INTEGER_KINDS:
                found = replace(found, kind="int")
            self._known[name] = found
        return self._known[name]

    def _find(self, name: str) -> Bounded:
        if name in self._contract.define:
            return self._defined(name)
        buffer, _, part = name.partition(".")
        if buffer in self._inputs and part in self._inputs[buffer]:
            plan, values = self._case.buffer(buffer), self._inputs[buffer][part]
            return from_input(values, input_scalar(plan, part)) if plan.texture is None else from_texels(plan.texture.format, values)
        if name in self._case.symbols:
            return literal(self._case.symbols[name])
        if name in self._parameters:
            return self._parameters[name]
        if name in self._samplers:
            return self._samplers[name]
        raise self._unknown(name, buffer)

    def _defined(self, name: str) -> Bounded:
        if name in self._open:
            raise ExpressionProblem(f"`{name}` is defined by itself: {' → '.join([*self._open, name])}")
        if len(self._open) >= 64:
            raise ExpressionProblem("more than 64 definitions inside each other")
        self._open.append(name)
        try:
            return _evaluate(self._contract.define[name], self, f"define.{name}")
        finally:
            self._open.pop()

    def _unknown(self, name: str, buffer: str) -> ExpressionProblem:
        if buffer in self._inputs:
            parts = ", ".join(f"`{buffer}.{part}`" for part in self._inputs[buffer] if part)
            return ExpressionProblem(f"`{name}` is not a part of the buffer `{buffer}`", None, f"its parts are {parts}" if parts else None)
        if any(plan.name == buffer for plan in self._case.buffers):
            return ExpressionProblem(
                f"`{buffer}` has no content before the first pass",
                None,
                f"an expectation uses what goes in; give `{buffer}` the role `inout` if the kernel reads it",
            )
        known = (*self._contract.define, *self._inputs, *self._case.symbols, *self._parameters)
        message, hint = unknown_name(name, dict.fromkeys(known))
        return ExpressionProblem(message, None, hint)


def named_parameters(case: Case) -> dict[str, Bounded]:
    """Uniform scalars and vectors by name (`scale`, `size.n`), as the shader holds them; not those that differ between dispatches."""
    values: dict[str, tuple[Type, ParameterValue]] = {}
    differing: set[str] = set()
    for dispatch in case.dispatches:
        for binding in dispatch.bindings:
            if binding.uniform_type is None or binding.uniform_value is None:
                continue
            for name, held in _leaves(binding.variable, binding.uniform_type, binding.uniform_value):
                if values.setdefault(name, held) != held:
                    differing.add(name)
    return {name: _held(name, type_, value) for name, (type_, value) in values.items() if name not in differing}


def named_samplers(case: Case) -> dict[str, Bounded]:
    """Samplers by name, as `sample` takes them."""
    bindings = [binding for dispatch in case.dispatches for binding in dispatch.bindings]
    return {one.variable: sampler_value(one.sampler) for one in bindings if one.sampler is not None}


def _leaves(name: str, type_: Type, value: ParameterValue) -> Iterator[tuple[str, tuple[Type, ParameterValue]]]:
    if isinstance(type_, Struct) and isinstance(value, Mapping):
        for field in type_.fields:
            if field.name in value:
                yield from _leaves(f"{name}.{field.name}", field.type, value[field.name])
    else:
        yield name, (type_, value)


def _held(name: str, type_: Type, value: ParameterValue) -> Bounded:
    """A parameter in its own scalar type: what the uniform buffer really holds."""
    scalar = type_
    while isinstance(scalar, (Array, Vector, Matrix)):
        scalar = scalar.element if isinstance(scalar, Array) else scalar.component
    kind = scalar.name if isinstance(scalar, Scalar) else "f32"
    numbers = np.asarray(value)
    flat = [np.frombuffer(encode_scalar(kind, number, name), dtype=_DTYPES[kind])[0] for number in numbers.reshape(-1).tolist()]
    held = from_input(np.asarray(flat, dtype=_DTYPES[kind]).reshape(numbers.shape), kind)
    return replace(held, varies=False)


_DTYPES = {"f32": "<f4", "f16": "<f2", "i32": "<i4", "u32": "<u4"}


# ---------------------------------------------------------------- storing


def stored(truth: Bounded, scalar: str, shape: tuple[int, ...]) -> Bounded:
    """The truth as the output's type holds it: shape, `REARRANGEMENT`, the last rounding, overflow.

    Raises:
        ExpressionProblem: The shape or the type does not fit the output.
    """
    truth = _fitted(truth, shape)
    with np.errstate(all="ignore"):
        return _stored_integer(truth, scalar) if scalar in INTEGER_KINDS else _stored_float(truth, scalar)


def _fitted(truth: Bounded, shape: tuple[int, ...]) -> Bounded:
    if truth.shape == shape:
        return truth
    if not truth.value.ndim:
        return truth.rearranged(lambda array: np.broadcast_to(array, shape))
    if tuple(length for length in truth.shape if length != 1) == tuple(length for length in shape if length != 1):
        return truth.rearranged(lambda array: array.reshape(shape))
    hint = None
    if truth.value.size == int(np.prod(shape)):
        hint = f"`reshape(…, {show_shape(shape)[1:-1]})` makes the shapes equal"
    elif truth.shape == shape[::-1]:
        hint = "`transpose(…)` makes the shapes equal"
    raise ExpressionProblem(f"the expression has the shape {show_shape(truth.shape)}, and the output is {show_shape(shape)}", None, hint)


def _stored_float(truth: Bounded, scalar: str) -> Bounded:
    return held_as(replace(truth, bound=truth.bound * REARRANGEMENT), scalar)


def _stored_integer(truth: Bounded, scalar: str) -> Bounded:
    value = truth.value
    if truth.is_float:
        whole = np.isfinite(value) & (value == np.floor(value)) & (np.abs(value) < 2.0**63)
        if not whole.all():
            index = tuple(int(place) for place in np.unravel_index(int(np.argmin(whole)), value.shape))
            raise ExpressionProblem(
                f"the output is {scalar}, and the expression gives {float(value[index])!r} at {show_shape(index)}",
                None,
                f"say how it becomes whole: `{scalar}(…)`, `floor(…)` or `round(…)`; or that it holds floats: `codecs`",
            )
    return settled(wrapped(value.astype(np.int64), scalar), scalar, truth.bound, truth.spread, varies=truth.varies)
