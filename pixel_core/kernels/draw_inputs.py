"""The content of a case's buffers before the first pass, drawn so that any machine and any order draws the same.

Each part of each buffer has a random stream of its own, seeded by a hash of the case's seed and the part's name: adding a buffer, or
drawing one alone, changes no other. Floats are rounded to the type that the buffer stores, packed buffers to what their codec keeps,
so that the kernel and the truth start from the same numbers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.kernels import codecs
from pixel_core.kernels.array_functions import ARRAY_FUNCTIONS, Implementation
from pixel_core.kernels.bounded import Argument, Array, Bounded, check_size, literal, show_shape
from pixel_core.kernels.contents import decode_content
from pixel_core.kernels.evaluate import input_scalar, named_parameters
from pixel_core.kernels.evaluate_tree import KeyedProblem, evaluate_tree
from pixel_core.kernels.expression_nodes import Expression, ExpressionProblem, FunctionCall, NameUse
from pixel_core.kernels.memory import DTYPES
from pixel_core.kernels.planned import BufferPlan, Case
from pixel_core.kernels.read_provided import InputProblem, read_memory, read_values
from pixel_core.kernels.rearrange import as_array
from pixel_core.kernels.symbols import unknown_name
from pixel_core.kernels.texels import kept_values

ROLES_WITH_CONTENT = frozenset({"in", "inout", "accumulate", "table"})

MAX_CHAIN = 32
"""Inputs made from inputs made from inputs …"""


def draw_inputs(case: Case, only: Collection[str] | None = None) -> dict[str, dict[str, NDArray[Any]]]:
    """Draw every buffer that has content before the first pass.

    Args:
        case: Its buffers, `inputs` expressions, symbols and seed.
        only: Draw these buffers (and what they are made from); None for all.

    Returns:
        Buffer → part (`""` for a plain array, field path for a structure) → values of the part's logical shape, of the dtype that
        the buffer stores; f32 holding what the codec keeps, for a packed buffer.

    Raises:
        KeyedProblem: An input expression that is wrong, with its key (`inputs.x`).
    """
    drawing = _Drawing(case)
    return {
        buffer.name: drawing.buffer(buffer)
        for buffer in case.buffers
        if buffer.role in ROLES_WITH_CONTENT and (only is None or buffer.name in only)
    }


class _Drawing:
    def __init__(self, case: Case) -> None:
        self._case = case
        self._parameters = named_parameters(case)
        self._drawn: dict[tuple[str, str], NDArray[Any]] = {}
        self._open: list[str] = []

    def buffer(self, buffer: BufferPlan) -> dict[str, NDArray[Any]]:
        return {part: self._part(buffer, part) for part in buffer.shapes if not self._is_awaited(buffer, part)}

    def _is_awaited(self, buffer: BufferPlan, part: str) -> bool:
        """Whether a part comes from a function that has not been asked yet, because it may want to know others first."""
        name = f"{buffer.name}.{part}" if part else buffer.name
        return any(one in self._case.sources and one not in self._case.files for one in (name, buffer.name))

    def _part(self, buffer: BufferPlan, part: str) -> NDArray[Any]:
        if (buffer.name, part) in self._drawn:
            return self._drawn[buffer.name, part]
        name = f"{buffer.name}.{part}" if part else buffer.name
        if name in self._open:
            raise ExpressionProblem(f"`{name}` is made from itself: {' → '.join([*self._open, name])}")
        if len(self._open) >= MAX_CHAIN:
            raise ExpressionProblem(f"more than {MAX_CHAIN} inputs made from each other")
        key = name if name in self._case.inputs else buffer.name
        self._open.append(name)
        try:
            values = self._values(buffer, part, self._case.inputs.get(key))
        except KeyedProblem:
            raise
        except ExpressionProblem as problem:
            raise KeyedProblem(problem, f"inputs.{key}") from None
        finally:
            self._open.pop()
        self._drawn[buffer.name, part] = values
        return values

    def _values(self, buffer: BufferPlan, part: str, expression: Expression | None) -> NDArray[Any]:
        shape, scalar = buffer.shapes[part], input_scalar(buffer, part)
        check_size(shape)
        if self._is_awaited(buffer, part):
            hint = "write what uses it below it"
            raise ExpressionProblem(f"`{buffer.name}` comes from a file or a function that stands further down", None, hint)
        memory = None if buffer.has_python_codec else read_memory(self._case, buffer)
        if memory is not None:
            return decode_content(buffer, memory)[part]
        provided = read_values(self._case, buffer, part, DTYPES[scalar])
        if provided is not None:
            return self._provided(buffer, part, provided, scalar)
        if expression is None:
            return np.zeros(shape, DTYPES[scalar])
        sources = _Sources(shape, scalar, _generator(self._case.seed, buffer.name, part))
        value = evaluate_tree(_called(expression), self._lookup, {**ARRAY_FUNCTIONS, **sources.functions()})
        return _held(buffer, _as_stored(value, shape, scalar))

    def _provided(self, buffer: BufferPlan, part: str, values: NDArray[Any], scalar: str) -> NDArray[Any]:
        file = self._case.files[f"{buffer.name}.{part}" if part else buffer.name]
        try:
            kind = "int" if values.dtype.kind in "biu" else "float"
            wide = values.astype(np.int64 if kind == "int" else np.float64)
            return _held(buffer, _as_stored(Bounded(value=wide, kind=kind), values.shape, scalar))
        except ExpressionProblem as problem:
            raise InputProblem(ExpressionProblem(f"`{file.name}`: {problem.message}", None, problem.hint), file.key) from None

    def _lookup(self, name: str) -> Bounded:
        buffer_name, _, part = name.partition(".")
        for buffer in self._case.buffers:
            if buffer.name == buffer_name and buffer.role in ROLES_WITH_CONTENT and part in buffer.shapes:
                values = self._part(buffer, part)
                if values.dtype.kind == "f":
                    return Bounded(value=values.astype(np.float64), kind=input_scalar(buffer, part))
                return Bounded(value=values.astype(np.int64), kind=input_scalar(buffer, part))
        if name in self._case.symbols:
            return literal(self._case.symbols[name])
        if name in self._parameters:
            return self._parameters[name]
        known = (
            *(buffer.name for buffer in self._case.buffers if buffer.role in ROLES_WITH_CONTENT),
            *self._case.symbols,
            *self._parameters,
        )
        message, hint = unknown_name(name, dict.fromkeys(known))
        raise ExpressionProblem(message, None, hint)


def _held(buffer: BufferPlan, values: NDArray[Any]) -> NDArray[Any]:
    """Values as the buffer keeps them: rounded to texels, or to what its codec can say."""
    if buffer.texture is not None:
        return kept_values(buffer.texture.format, values)
    if buffer.codec is None or buffer.has_python_codec:
        return values
    kept = codecs.decode(buffer.codec, codecs.encode(buffer.codec, values), values.shape)
    if not np.isfinite(kept).all():
        raise ExpressionProblem(f"values too large for {buffer.codec}, whose scale is an f16 (up to 65,504)")
    return kept


def _generator(seed: int, buffer: str, part: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\0{buffer}\0{part}".encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "little"))))


def _called(expression: Expression) -> Expression:
    """`"zeros"` alone means `zeros()`."""
    tree = expression.tree
    if isinstance(tree, NameUse) and tree.name in _SOURCE_NAMES:
        return replace(expression, tree=FunctionCall(function=tree.name, arguments=(), keywords=(), span=tree.span))
    return expression


_SOURCE_NAMES = frozenset({"normal", "uniform", "special", "arange", "zeros", "ones"})


class _Sources:
    """Functions that know the part they fill: without a shape of their own they take the part's."""

    def __init__(self, shape: tuple[int, ...], scalar: str, generator: np.random.Generator) -> None:
        self._shape = shape
        self._scalar = scalar
        self._generator = generator

    def functions(self) -> Mapping[str, Implementation]:
        """By the names of the expression language."""
        return {
            "normal": self._normal,
            "uniform": self._uniform,
            "integers": self._integers,
            "choice": self._choice,
            "special": self._special,
            "permutation": self._permutation,
            "arange": self._arange,
            "zeros": self._zeros,
            "ones": self._ones,
            "full": self._full,
        }

    def _floats(self, value: Array) -> Bounded:
        return Bounded(value=value, kind="float")

    def _normal(self, mean: Argument | None = None, deviation: Argument | None = None) -> Bounded:
        centre, width = _number(mean, 0.0, "the mean"), _number(deviation, 1.0, "the standard deviation")
        if width < 0:
            raise ExpressionProblem(f"a standard deviation of {width:g}; it is at least 0")
        return self._floats(centre + width * self._generator.standard_normal(self._shape))

    def _uniform(self, low: Argument | None = None, high: Argument | None = None) -> Bounded:
        # As in numpy: uniform(), uniform(low, high); one argument alone is the upper end.
        if low is not None and high is None:
            low, high = None, low
        start, end = _number(low, 0.0, "the lower end"), _number(high, 1.0, "the upper end")
        if not start <= end:
            raise ExpressionProblem(f"`uniform` from {start:g} to {end:g}: the lower end is above the upper one")
        return self._floats(start + (end - start) * self._generator.random(self._shape))

    def _integers(self, low: Argument, high: Argument | None = None) -> Bounded:
        start, end = (0, _whole(low)) if high is None else (_whole(low), _whole(high))
        if start >= end:
            raise ExpressionProblem(
                f"`integers` from {start:,} to {end:,} (not included): there are none", None, "the upper end is not included"
            )
        return Bounded(value=self._generator.integers(start, end, self._shape, dtype=np.int64), kind="int")

    def _choice(self, *values: Argument) -> Bounded:
        offered = as_array(values[0]) if len(values) == 1 else as_array(values)
        flat = offered.value.reshape(-1)
        if not flat.size:
            raise ExpressionProblem("`choice` among no values")
        return Bounded(value=flat[self._generator.integers(0, flat.size, self._shape)], kind=offered.kind)

    def _special(self) -> Bounded:
        if self._scalar in {"f32", "f16"}:
            info = np.finfo(DTYPES[self._scalar])
            least, normal, largest = float(info.smallest_subnormal), float(info.smallest_normal), float(info.max)
            halves = [0.0, least, normal - least, normal, float(info.eps), 0.5, 1.0, 1.0 + float(info.eps), 2.0, 1024.0, largest]
            values = np.array([sign * value for value in halves for sign in (1.0, -1.0)])
            return self._floats(np.resize(values, self._shape))
        info = np.iinfo(DTYPES[self._scalar])
        whole = np.array(
            [0, 1, 2, 3, 31, 32, 255, 256, 65535, 65536, info.max // 2, info.max - 1, info.max, info.min, info.min + 1], dtype=np.int64
        )
        return Bounded(value=np.resize(whole, self._shape), kind="int")

    def _permutation(self, n: Argument) -> Bounded:
        count = _whole(n)
        if count < 0:
            raise ExpressionProblem(f"a permutation of {count}")
        check_size((count,))
        return Bounded(value=self._generator.permutation(count).astype(np.int64), kind="int")

    def _arange(self, *arguments: Argument) -> Bounded:
        if arguments:
            return ARRAY_FUNCTIONS["arange"](*arguments)
        return Bounded(value=np.arange(math.prod(self._shape), dtype=np.int64).reshape(self._shape), kind="int")

    def _zeros(self, *shape: Argument) -> Bounded:
        return ARRAY_FUNCTIONS["zeros"](*shape) if shape else literal(0)

    def _ones(self, *shape: Argument) -> Bounded:
        return ARRAY_FUNCTIONS["ones"](*shape) if shape else literal(1)

    def _full(self, *arguments: Argument) -> Bounded:
        *shape, value = arguments
        return ARRAY_FUNCTIONS["full"](*arguments) if shape else as_array(value)


def _number(argument: Argument | None, default: float, what: str) -> float:
    if argument is None:
        return default
    if isinstance(argument, tuple) or argument.value.ndim or not math.isfinite(float(argument.value)):
        raise ExpressionProblem(f"{what} is one finite number")
    return float(argument.value)


def _whole(argument: Argument) -> int:
    number = _number(argument, 0.0, "a bound of `integers`")
    if number != math.floor(number) or abs(number) > 2.0**62:
        raise ExpressionProblem(f"{number:g} is not a whole number within 64 bits")
    return int(number)


def _as_stored(value: Bounded, shape: tuple[int, ...], scalar: str) -> NDArray[Any]:
    """The drawn values in the buffer's type and shape."""
    array = value.value
    if array.ndim and array.shape != shape and array.size == math.prod(shape) and 1 in (array.ndim, len(shape)):
        array = array.reshape(shape)
    if array.ndim and array.shape != shape:
        raise ExpressionProblem(f"the expression has the shape {show_shape(array.shape)}, and the input is {show_shape(shape)}")
    array = np.broadcast_to(array, shape)
    if scalar in {"f32", "f16"}:
        with np.errstate(all="ignore"):
            stored = array.astype(DTYPES[scalar])
        if (np.isinf(stored) & np.isfinite(array.astype(np.float64))).any():
            raise ExpressionProblem(f"a value too large for {scalar} (up to {float(np.finfo(DTYPES[scalar]).max):.5g})")
        return stored
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all():
        raise ExpressionProblem(
            f"the input holds {scalar}, and the expression gives fractions", None, "write `integers(low, high)` or `floor(…)`"
        )
    info = np.iinfo(DTYPES[scalar])
    if array.size and (array.min() < info.min or array.max() > info.max):
        worst = array.min() if array.min() < info.min else array.max()
        raise ExpressionProblem(f"{int(worst):,} does not fit {scalar}", None, f"{scalar} holds {info.min:,} to {info.max:,}")
    return array.astype(DTYPES[scalar])
