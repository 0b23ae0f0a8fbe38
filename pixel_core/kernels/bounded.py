"""A value that knows how wrong an honest kernel may be: the exact result, a worst-case bound, and a statistical spread.

Every operation of an expectation propagates three things for each element:

- `value`: the truth, in float64 (integers and booleans exactly);
- `bound`: the greatest absolute error of any evaluation that WGSL allows, in any order of summation;
- `spread`: an upper estimate of the root mean square error of devices as they are: they round to nearest, and the rounding errors
  of different operations are independent (Higham, "Accuracy and Stability of Numerical Algorithms", 2.8). Errors that a device makes
  systematically (its `exp`, its division) are not independent and enter in full.

Both propagate linearly (|f'| times the operand's error), which holds for a bound by the triangle inequality and for a root mean
square by Minkowski's, whatever the correlation. docs/tolerance.md derives the rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Union

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.kernels.expression_nodes import ExpressionProblem

Array = NDArray[Any]
Floats = NDArray[np.float64]

MAX_ELEMENTS = 1 << 26
"""Elements of one array of an expression; larger ones are refused before they are allocated."""

MAX_RANK = 16

ZERO: Floats = np.zeros(())
ZERO.setflags(write=False)


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """What a WGSL float type can hold, relative to the value it rounds.

    Attributes:
        name: `f32` or `f16`.
        ulp: Greatest 1 ULP / |x|: the error of a correctly rounded operation, since WGSL leaves the direction open.
        nearest: Root mean square error / |x| of rounding to nearest: half an ULP, evenly distributed.
        smallest_normal: Results below it may be flushed to zero.
        quantum: Distance of subnormal numbers.
        largest: Greatest finite value.
    """

    name: str
    ulp: float
    nearest: float
    smallest_normal: float
    quantum: float
    largest: float


F32 = Precision(
    name="f32",
    ulp=2.0**-23,
    nearest=2.0**-24 / math.sqrt(3),
    smallest_normal=2.0**-126,
    quantum=2.0**-149,
    largest=(2 - 2.0**-23) * 2.0**127,
)
F16 = Precision(name="f16", ulp=2.0**-10, nearest=2.0**-11 / math.sqrt(3), smallest_normal=2.0**-14, quantum=2.0**-24, largest=65504.0)

FLOAT_KINDS = frozenset({"f32", "f16", "float"})
INTEGER_KINDS = frozenset({"i32", "u32", "int"})


class Bounded(msgspec.Struct, frozen=True, kw_only=True):
    """An array with its error.

    Attributes:
        value: float64 for floats, int64 for integers (already wrapped to 32 bits where `kind` says so), bool for conditions.
        kind: `f32 f16 i32 u32 bool` as in WGSL; `float` and `int` for literals, dims and counts, which adapt to their partner.
        bound: Worst-case absolute error; shape of `value`, or one number for all. Of a bool: 1 where it could be either.
        spread: Root mean square error, likewise.
        varies: The values do not repeat, so that rounding errors of a sum over them may be taken as independent. A sum of a million
            equal numbers rounds the same way each time.
        is_estimated: The bound is a guess from magnitudes (a reference without `scale`), not derived.
    """

    value: Array
    kind: str
    bound: Floats = msgspec.field(default_factory=lambda: ZERO)
    spread: Floats = msgspec.field(default_factory=lambda: ZERO)
    varies: bool = False
    is_estimated: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.value.shape

    @property
    def is_exact(self) -> bool:
        """Whether no element can be wrong."""
        return self.bound.ndim == 0 and float(self.bound) == 0

    @property
    def is_float(self) -> bool:
        """Whether the values are floats (f32, f16 or a float literal)."""
        return self.kind in FLOAT_KINDS

    @property
    def precision(self) -> Precision:
        """What a kernel computes with when it computes with this."""
        return F16 if self.kind == "f16" else F32

    def rearranged(self, move: Callable[[Array], Array]) -> Bounded:
        """The same elements elsewhere: `move` transposes, indexes or repeats them."""
        value = move(self.value)
        check_size(value.shape)
        bound, spread = (error if error.ndim == 0 and self.value.ndim else move(error) for error in (self.bound, self.spread))
        return replace(self, value=value, bound=bound, spread=spread)


Argument = Union[Bounded, tuple["Argument", ...]]
"""What a function of an expression is given: an array or a list."""


def check_size(shape: tuple[int, ...]) -> None:
    """Refuse an array before it is made.

    Raises:
        ExpressionProblem: More than `MAX_ELEMENTS` elements or `MAX_RANK` axes.
    """
    if len(shape) > MAX_RANK:
        raise ExpressionProblem(f"an array with {len(shape)} axes; at most {MAX_RANK} are computed")
    elements = math.prod(shape)
    if elements > MAX_ELEMENTS:
        sizes = " × ".join(f"{length:,}" for length in shape)
        raise ExpressionProblem(f"an array of {sizes} elements; at most {MAX_ELEMENTS:,} are computed", None, "use smaller cases")


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of an elementwise operation, checked before anything is computed.

    Raises:
        ExpressionProblem: The shapes do not go together, or the result is too large.
    """
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        texts = " and ".join(show_shape(shape) for shape in shapes)
        raise ExpressionProblem(
            f"the shapes {texts} do not go together", None, "lengths must be equal or 1, counted from the last axis"
        ) from None
    check_size(shape)
    return shape


def show_shape(shape: tuple[int, ...]) -> str:
    """A shape as the user should read it: `[64, 3]`, `[]` for one number."""
    return f"[{', '.join(str(length) for length in shape)}]"


# ---------------------------------------------------------------- making them


def literal(value: float | int | bool) -> Bounded:
    """A number of the program text or a symbol; a float that f32 cannot hold is rounded by the kernel."""
    if isinstance(value, bool):
        return Bounded(value=np.asarray(value), kind="bool")
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return literal(float(value))
        return Bounded(value=np.asarray(value, dtype=np.int64), kind="int")
    return _represented(np.asarray(value, dtype=np.float64), "float", F32)


def from_input(values: Array, kind: str) -> Bounded:
    """The content of a buffer before the first pass.

    Args:
        values: Of dtype f32, f16, i32 or u32.
        kind: Its WGSL scalar.
    """
    if kind in INTEGER_KINDS:
        return Bounded(value=values.astype(np.int64), kind=kind, varies=True)
    value = values.astype(np.float64)
    precision = F16 if kind == "f16" else F32
    magnitude = np.abs(value)
    subnormal = (magnitude < precision.smallest_normal) & (magnitude > 0)
    # A device may read a subnormal number as zero.
    error = np.where(subnormal, magnitude, 0.0) if subnormal.any() else ZERO
    return Bounded(value=value, kind=kind, bound=error, spread=error, varies=_varies(value))


def _varies(value: Floats) -> bool:
    """Whether a sample of the elements has more than a few distinct values."""
    flat = value.reshape(-1)
    sample = flat[:: max(1, flat.size // 256)][:256]
    return np.unique(sample).size > 16


# ---------------------------------------------------------------- rounding


def rounded(magnitude: Floats, error: Floats | float, unit: float, precision: Precision) -> Floats:
    """Error after one more operation: what its operands brought, its own rounding, and a result that may be flushed to zero.

    Args:
        magnitude: |exact result|.
        error: What the operands' errors have made of it.
        unit: Error of the operation / |result|.
        precision: What it is computed in.
    """
    reach = magnitude + error
    total = reach * unit + error
    tiny = reach < precision.smallest_normal
    if tiny.any():
        total = total + np.where(tiny & (reach > 0), magnitude + precision.quantum, 0.0)
    return total


def result(
    value: Floats,
    kind: str,
    errors: tuple[Floats | float, Floats | float],
    *,
    varies: bool,
    units: tuple[float, float] | None = None,
    own: Floats | float = 0.0,
) -> Bounded:
    """A float result whose operands brought `errors` (bound, spread).

    Args:
        value: The exact result.
        kind: `f32`, `f16` or `float`.
        errors: Propagated bound and spread.
        varies: See `Bounded`.
        units: Rounding units for bound and spread; None for a correctly rounded operation.
        own: Further absolute error of the operation itself, which counts in full in both.
    """
    precision = F16 if kind == "f16" else F32
    magnitude = np.abs(value)
    bound_unit, spread_unit = units if units is not None else (precision.ulp, precision.nearest)
    bound = rounded(magnitude, errors[0], bound_unit, precision) + own
    spread = rounded(magnitude, errors[1], spread_unit, precision) + own
    return settled(value, kind, bound, spread, varies=varies)


def settled(value: Array, kind: str, bound: Floats | float, spread: Floats | float, *, varies: bool) -> Bounded:
    """Put the errors in order: shaped like the value or one number; infinite instead of undefined; none on an infinite value."""
    bound_array, spread_array = np.asarray(bound, dtype=np.float64), np.asarray(spread, dtype=np.float64)
    if kind in FLOAT_KINDS and not np.isfinite(value).all():
        finite = np.isfinite(value)
        bound_array, spread_array = np.where(finite, bound_array, 0.0), np.where(finite, spread_array, 0.0)
    bound_array, spread_array = (
        np.where(np.isnan(error), np.inf, error) if np.isnan(error).any() else error for error in (bound_array, spread_array)
    )
    if bound_array.ndim and not bound_array.any():
        bound_array = spread_array = ZERO
    if bound_array.ndim or spread_array.ndim:
        bound_array, spread_array = np.broadcast_to(bound_array, value.shape), np.broadcast_to(spread_array, value.shape)
    return Bounded(value=np.asarray(value), kind=kind, bound=bound_array, spread=spread_array, varies=varies)


def _represented(value: Floats, kind: str, precision: Precision) -> Bounded:
    """Values as `precision` holds them: one ULP of error where it cannot hold them exactly, in either direction."""
    with np.errstate(all="ignore"):
        held = value.astype(np.float16 if precision.name == "f16" else np.float32).astype(np.float64)
    inexact = (held != value) & np.isfinite(value)
    if not inexact.any():
        return Bounded(value=value, kind=kind)
    magnitude = np.abs(value)
    # Conversions truncate on some devices, so the whole ULP counts in the spread too.
    bound = np.where(inexact, rounded(magnitude, 0.0, precision.ulp, precision), 0.0)
    return settled(value, kind, bound, bound / math.sqrt(3), varies=False)


def as_float(operand: Bounded, kind: str) -> Bounded:
    """An operand converted to the float type that it is combined in: `f32`, `f16` or `float`."""
    if operand.kind == kind or (operand.kind == "f16" and kind == "f32") or (operand.kind == "float" and kind == "f32"):
        return operand if operand.kind == kind else replace(operand, kind=kind)
    precision = F16 if kind == "f16" else F32
    value = operand.value.astype(np.float64)
    converted = _represented(value, kind, precision)
    if operand.is_exact:
        return replace(converted, varies=operand.varies)
    unit = precision.ulp if operand.is_float else (0.0 if converted.is_exact else precision.ulp)
    magnitude = np.abs(value)
    bound = rounded(magnitude, operand.bound, unit, precision)
    spread = rounded(magnitude, operand.spread, unit / math.sqrt(3), precision)
    return settled(value, kind, bound, spread, varies=operand.varies)


def held_as(truth: Bounded, scalar: str) -> Bounded:
    """A truth in the float type that memory keeps: one rounding more, and overflow."""
    held = as_float(truth, scalar)
    precision = F16 if scalar == "f16" else F32
    size = np.abs(held.value)
    beyond = (size > precision.largest) & np.isfinite(size)
    value = np.where(beyond, np.copysign(np.inf, held.value), held.value) if beyond.any() else held.value
    near = (size + held.bound > precision.largest) & ~beyond & np.isfinite(size)
    bound = np.where(near, np.inf, held.bound) if near.any() else held.bound
    return settled(value, scalar, bound, held.spread, varies=held.varies)


def float_kind(*operands: Bounded) -> str:
    """The float type in which operands meet: f32 before f16, and a concrete type before a literal."""
    kinds = {operand.kind for operand in operands}
    return "f32" if "f32" in kinds else "f16" if "f16" in kinds else "float"


def integer_kind(*operands: Bounded) -> str:
    """The integer type in which operands meet; i32 with u32 gives whole numbers that do not wrap."""
    kinds = {operand.kind for operand in operands} & {"i32", "u32"}
    return kinds.pop() if len(kinds) == 1 else "int"


def wrapped(value: Array, kind: str) -> Array:
    """Integers modulo 2³² as `kind` reads them."""
    if kind == "u32":
        return value & 0xFFFFFFFF
    if kind == "i32":
        return ((value + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return value
