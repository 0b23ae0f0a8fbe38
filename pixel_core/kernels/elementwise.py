"""Functions of each element: the smooth ones by their derivative's reach over the operand's interval, the others by composition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from pixel_core.kernels import operators
from pixel_core.kernels.accuracy import ACCURACY
from pixel_core.kernels.bounded import (
    F16,
    F32,
    ZERO,
    Array,
    Bounded,
    Floats,
    as_float,
    broadcast_shape,
    float_kind,
    integer_kind,
    literal,
    settled,
)
from pixel_core.kernels.expression_nodes import ExpressionProblem

MAX_WHOLE_EXPONENT = 64


def elementwise(name: str, operand: Bounded) -> Bounded:
    """A built-in function of one value, with the error that WGSL allows it.

    Args:
        name: A key of `ACCURACY`, except `atan2`.
        operand: Any numbers; integers are converted first.
    """
    operand = as_float(operand, float_kind(operand))
    function, propagate = _SMOOTH[name]
    value = np.asarray(function(operand.value))
    row = ACCURACY[name]
    errors: list[Floats] = []
    for error in (operand.bound, operand.spread):
        carried = ZERO if operand.is_exact else propagate(operand.value, error, value)
        own = row.error(operand.value, error, value, operand.precision)
        errors.append(_flushed(carried + own, value, operand))
    return settled(value, operand.kind, errors[0], errors[1], varies=operand.varies)


def _flushed(error: Floats, value: Floats, operand: Bounded) -> Floats:
    tiny = np.abs(value) < operand.precision.smallest_normal
    return error + np.where(tiny & (value != 0), np.abs(value) + operand.precision.quantum, 0.0) if tiny.any() else error


Propagate = Callable[[Floats, Floats, Floats], Floats]
"""(argument, its error, result) → greatest change of the result over argument ± error."""


def _growing(function: Callable[[Floats], Floats], low: float = -math.inf, high: float = math.inf) -> Propagate:
    """For a monotone function: both ends of the interval, held inside its domain."""

    def propagate(argument: Floats, error: Floats, value: Floats) -> Floats:
        upper = np.abs(function(np.minimum(argument + error, high)) - value)
        lower = np.abs(value - function(np.maximum(argument - error, low)))
        return np.maximum(upper, lower)

    return propagate


def _exponential(base: float) -> Propagate:
    def propagate(_argument: Floats, error: Floats, value: Floats) -> Floats:
        return np.abs(value) * np.expm1(error * math.log(base))

    return propagate


def _logarithm(base: float) -> Propagate:
    def propagate(argument: Floats, error: Floats, _value: Floats) -> Floats:
        # The lower end moves most; an interval that reaches 0 leaves the logarithm open.
        inside = argument > error
        return np.where(inside, -np.log1p(-np.where(inside, error / argument, 0.0)) / math.log(base), np.inf)

    return propagate


def _inverse_sqrt_reach(argument: Floats, error: Floats, value: Floats) -> Floats:
    least = argument - error
    return np.where(least > 0, 1 / np.sqrt(np.where(least > 0, least, 1.0)) - value, np.where(error > 0, np.inf, 0.0))


def _bounded_slope(_argument: Floats, error: Floats, _value: Floats) -> Floats:
    return np.minimum(error, 2.0)


def _inverse_sqrt(values: Floats) -> Floats:
    return 1 / np.sqrt(values)


def _cosh_reach(argument: Floats, error: Floats, value: Floats) -> Floats:
    return np.cosh(np.abs(argument) + error) - value


def _erf(values: Floats) -> Floats:
    """The error function in float64, from the standard library, once per distinct value."""
    distinct, places = np.unique(values, return_inverse=True)
    return np.array([math.erf(value) for value in distinct.tolist()], dtype=np.float64)[places].reshape(values.shape)


def _erf_reach(_argument: Floats, error: Floats, _value: Floats) -> Floats:
    return np.minimum(error * (2 / math.sqrt(math.pi)), 2.0)


_SMOOTH: Mapping[str, tuple[Callable[[Floats], Floats], Propagate]] = MappingProxyType(
    {
        "exp": (np.exp, _exponential(math.e)),
        "exp2": (np.exp2, _exponential(2.0)),
        "log": (np.log, _logarithm(math.e)),
        "log2": (np.log2, _logarithm(2.0)),
        "sqrt": (np.sqrt, _growing(np.sqrt, low=0.0)),
        "inverse_sqrt": (_inverse_sqrt, _inverse_sqrt_reach),
        "sin": (np.sin, _bounded_slope),
        "cos": (np.cos, _bounded_slope),
        "asin": (np.arcsin, _growing(np.arcsin, -1.0, 1.0)),
        "acos": (np.arccos, _growing(np.arccos, -1.0, 1.0)),
        "atan": (np.arctan, _growing(np.arctan)),
        "sinh": (np.sinh, _growing(np.sinh)),
        "cosh": (np.cosh, _cosh_reach),
        "tanh": (np.tanh, _growing(np.tanh)),
        "erf": (_erf, _erf_reach),
    }
)


# ---------------------------------------------------------------- powers


def power(left: Bounded, right: Bounded) -> Bounded:
    """`left ** right`: repeated multiplication for small whole exponents, roots for halves, else exp2(right · log2(left))."""
    broadcast_shape(left.shape, right.shape)
    exponent = _number(right)
    if not (left.is_float or right.is_float):
        if (right.value < 0).any():
            return power(as_float(left, "float"), right)
        _check_magnitude(left, right)
        return operators.whole_result(np.power(operators.integers(left), operators.integers(right)), left, right)
    if exponent is not None and abs(exponent) <= MAX_WHOLE_EXPONENT and exponent == math.floor(exponent):
        whole = _whole_power(left, abs(int(exponent)))
        return whole if exponent >= 0 else operators.divide(literal(1.0), whole)
    if exponent == 0.5:
        return elementwise("sqrt", left)
    if exponent == -0.5:
        return elementwise("inverse_sqrt", left)
    return elementwise("exp2", operators.multiply(right, elementwise("log2", left)))


def _check_magnitude(base: Bounded, exponent: Bounded) -> None:
    """Typed integers wrap; a literal or a dim that outgrows 64 bits is a mistake."""
    if integer_kind(base, exponent) == "int" and base.value.size and exponent.value.size:
        bits = math.log2(max(float(np.abs(base.value).max()), 1.0)) * float(exponent.value.max())
        if bits >= 63:
            raise ExpressionProblem("the power is larger than 2**63", None, "write the base as a float: `2.0 ** n`")


def _number(operand: Bounded) -> float | None:
    """The value of a single exact number."""
    return float(operand.value) if operand.value.ndim == 0 and operand.is_exact else None


def _whole_power(base: Bounded, exponent: int) -> Bounded:
    if exponent == 0:
        return Bounded(value=np.ones(base.shape), kind=float_kind(base))
    power_of_two, product = base, None
    while True:
        if exponent & 1:
            product = power_of_two if product is None else operators.multiply(product, power_of_two)
        exponent >>= 1
        if not exponent:
            return product if product is not None else base
        power_of_two = operators.multiply(power_of_two, power_of_two)


# ---------------------------------------------------------------- compositions, as WGSL's table inherits them


def tan(x: Bounded) -> Bounded:
    """sin(x) / cos(x)."""
    return operators.divide(elementwise("sin", x), elementwise("cos", x))


def asin(x: Bounded) -> Bounded:
    """The worse of the table's absolute error and atan2(x, sqrt(1 - x·x))."""
    return _worse(elementwise("asin", x), atan2(x, _cathetus(x)))


def acos(x: Bounded) -> Bounded:
    """The worse of the table's absolute error and atan2(sqrt(1 - x·x), x)."""
    return _worse(elementwise("acos", x), atan2(_cathetus(x), x))


def _cathetus(x: Bounded) -> Bounded:
    return elementwise("sqrt", operators.subtract(literal(1.0), operators.multiply(x, x)))


def _worse(direct: Bounded, inherited: Bounded) -> Bounded:
    bound, spread = np.maximum(direct.bound, inherited.bound), np.maximum(direct.spread, inherited.spread)
    return settled(direct.value, direct.kind, bound, spread, varies=direct.varies)


def atan2(y: Bounded, x: Bounded) -> Bounded:
    """The angle of (x, y); where the interval of both reaches the origin or the cut, any angle."""
    broadcast_shape(y.shape, x.shape)
    kind = float_kind(y, x)
    y, x = as_float(y, kind), as_float(x, kind)
    value = np.arctan2(y.value, x.value)
    own = ACCURACY["atan2"].error(value, ZERO, value, y.precision)
    errors: list[Floats] = []
    for y_error, x_error in ((y.bound, x.bound), (y.spread, x.spread)):
        distance = np.hypot(y.value, x.value) - np.hypot(y_error, x_error)
        moved = np.hypot(y_error, x_error)
        carried = np.where(distance > 0, moved / np.where(distance > 0, distance, 1.0), np.where(moved > 0, np.pi, 0.0))
        across = (x.value - x_error < 0) & (np.abs(y.value) <= y_error) & (y_error > 0)
        errors.append(np.where(across, 2 * np.pi, np.minimum(carried, np.pi)) + own)
    return settled(value, kind, errors[0], errors[1], varies=y.varies or x.varies)


def pow_function(x: Bounded, y: Bounded) -> Bounded:
    """WGSL's `pow`: exp2(y · log2(x)), also for whole exponents, where `x ** y` would multiply."""
    value = power(x, y)
    if not value.is_float:
        return value
    inherited = elementwise("exp2", operators.multiply(y, elementwise("log2", x)))
    # pow of a negative number is outside WGSL's domain: nothing is promised, and the multiplication's value is a guess.
    bound = np.where(x.value < 0, np.inf, np.maximum(value.bound, np.where(x.value == 0, 0.0, inherited.bound)))
    spread = np.where(x.value < 0, np.inf, np.maximum(value.spread, np.where(x.value == 0, 0.0, inherited.spread)))
    return settled(value.value, value.kind, bound, spread, varies=value.varies)


def sigmoid(x: Bounded) -> Bounded:
    """1 / (1 + exp(-x))."""
    one = literal(1.0)
    return operators.divide(one, operators.add(one, elementwise("exp", operators.negate(as_float(x, float_kind(x))))))


def silu(x: Bounded) -> Bounded:
    """`x · sigmoid(x)`."""
    return operators.multiply(x, sigmoid(x))


def gelu(x: Bounded) -> Bounded:
    """0.5 · x · (1 + erf(x / √2))."""
    inner = elementwise("erf", operators.multiply(x, literal(1 / math.sqrt(2))))
    return operators.multiply(operators.multiply(literal(0.5), x), operators.add(literal(1.0), inner))


def absolute(x: Bounded) -> Bounded:
    """|x|, exact. |i32's least value| wraps to itself, as in WGSL."""
    if x.kind == "bool":
        return operators.add(x, literal(0))
    if not x.is_float:
        return where_negative(x)
    return Bounded(value=np.abs(x.value), kind=x.kind, bound=x.bound, spread=x.spread, varies=x.varies)


def where_negative(x: Bounded) -> Bounded:
    """-x where x is negative, else x."""
    return operators.where(operators.compare("<", x, literal(0)), operators.negate(x), x)


def sign(x: Bounded) -> Bounded:
    """-1, 0 or 1."""
    if x.is_float:
        return operators.stepwise(x, np.sign)
    if x.kind == "bool":
        return operators.add(x, literal(0))
    return Bounded(value=np.sign(x.value), kind=x.kind, bound=np.minimum(x.bound, 2.0), spread=np.minimum(x.spread, 2.0), varies=x.varies)


def fract(x: Bounded) -> Bounded:
    """`x - floor(x)`."""
    return operators.subtract(x, operators.stepwise(x, np.floor))


def relu(x: Bounded) -> Bounded:
    """max(x, 0)."""
    return extreme(x, literal(0), least=False)


def clip(x: Bounded, low: Bounded, high: Bounded) -> Bounded:
    """min(max(x, low), high)."""
    return extreme(extreme(x, low, least=False), high, least=True)


def extreme(left: Bounded, right: Bounded, *, least: bool) -> Bounded:
    """The lesser or greater of two, elementwise; exact in itself."""
    broadcast_shape(left.shape, right.shape)
    pick: Callable[[Array, Array], Array] = np.minimum if least else np.maximum
    if left.is_float or right.is_float:
        kind = float_kind(left, right)
        left, right = as_float(left, kind), as_float(right, kind)
    else:
        kind = integer_kind(left, right)
    value = pick(left.value, right.value)
    varies = left.varies or right.varies
    if left.is_exact and right.is_exact:
        return settled(value, kind, 0.0, 0.0, varies=varies)
    errors: list[Floats] = []
    for one, other in ((left.bound, right.bound), (left.spread, right.spread)):
        upper = pick(left.value + one, right.value + other) - value
        errors.append(np.maximum(upper, value - pick(left.value - one, right.value - other)))
    return settled(value, kind, errors[0], errors[1], varies=varies)


def isnan(x: Bounded) -> Bounded:
    """Whether each element is not a number."""
    return operators.condition(np.isnan(x.value.astype(np.float64)), None)


def isinf(x: Bounded) -> Bounded:
    """Whether each element is infinite in its own type."""
    largest = (F16 if x.kind == "f16" else F32).largest
    return operators.condition(np.abs(x.value.astype(np.float64)) > largest, None)


def popcount(x: Bounded) -> Bounded:
    """Number of one bits of a 32-bit integer."""
    if x.is_float:
        raise ExpressionProblem("`popcount` counts the bits of integers", None, "write `popcount(bitcast_u32(x))` for the bits of floats")
    bits = np.ascontiguousarray((operators.integers(x) & 0xFFFFFFFF).astype("<u4"))
    counts = np.unpackbits(bits.reshape(-1, 1).view(np.uint8), axis=1).sum(axis=1, dtype=np.int64)
    error = np.where(x.bound > 0, 32.0, 0.0)
    return settled(counts.reshape(x.shape), x.kind if x.kind != "bool" else "int", error, error, varies=x.varies)


def bitcast(x: Bounded, kind: str) -> Bounded:
    """The same 32 bits as another type; a float that may be wrong has unknowable bits."""
    if x.kind == "f16":
        raise ExpressionProblem("an f16 has 16 bits; a bitcast here takes 32", None, "convert with `f32(x)` first")
    with np.errstate(all="ignore"):
        words = x.value.astype("<f4").view("<u4") if x.is_float else (operators.integers(x) & 0xFFFFFFFF).astype("<u4")
    error = np.where(x.bound > 0, np.inf, 0.0)
    if kind == "f32":
        return settled(words.view("<f4").astype(np.float64), kind, error, error, varies=x.varies)
    value = words.astype(np.int64) if kind == "u32" else words.view("<i4").astype(np.int64)
    return settled(value, kind, error, error, varies=x.varies)
