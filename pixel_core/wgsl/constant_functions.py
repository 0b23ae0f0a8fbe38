"""The built-in functions that a const-expression may call, on constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from pixel_core.wgsl.arithmetic import (
    ABSTRACT_FLOAT,
    ABSTRACT_INT,
    Constant,
    ConstantError,
    Number,
    binary,
    convert,
    finish,
    is_float,
    is_integer,
    represent,
    unify,
)


def call_builtin(name: str, arguments: Sequence[Constant]) -> Constant | None:
    """The value of a built-in function.

    Returns:
        None for functions that are not evaluated here and for arguments that do not fit (a type error).

    Raises:
        ConstantError: The function has no value there, such as `sqrt(-1.0)`.
    """
    if name in _FLOAT_FUNCTIONS:
        return _apply_float(name, arguments)
    if name in _NUMBER_FUNCTIONS:
        return _apply_number(name, arguments)
    if name in _BIT_FUNCTIONS:
        return _apply_bits(name, arguments)
    special = _SPECIAL.get(name)
    return special(arguments) if special is not None else None


def _common(arguments: Sequence[Constant]) -> list[Constant] | None:
    """The arguments in their common type and size."""
    if not arguments or len({len(argument.components) for argument in arguments}) != 1:
        return None
    first = arguments[0]
    for argument in arguments[1:]:
        unified = unify(first, argument)
        if unified is None:
            return None
        first = unified[0]
    result: list[Constant] = []
    for argument in arguments:
        unified = unify(first, argument)
        if unified is None:
            return None
        result.append(unified[1])
    return result


def _apply_float(name: str, arguments: Sequence[Constant]) -> Constant | None:
    function, count = _FLOAT_FUNCTIONS[name]
    unified = _common(arguments) if len(arguments) == count else None
    if unified is None:
        return None
    scalar = ABSTRACT_FLOAT if unified[0].scalar == ABSTRACT_INT else unified[0].scalar
    if not is_float(scalar):
        return None
    rows = zip(*(convert(argument, scalar).components for argument in unified), strict=True)
    results: list[Number] = []
    for row in rows:
        try:
            value = function(*(float(number) for number in row))
        except (ValueError, ZeroDivisionError):
            values = ", ".join(f"{number:g}" for number in row)
            raise ConstantError(f"`{name}({values})` has no value") from None
        except OverflowError:
            value = math.inf
        results.append(represent(value, scalar))
    return Constant(scalar, tuple(results))


def _apply_number(name: str, arguments: Sequence[Constant]) -> Constant | None:
    function, count = _NUMBER_FUNCTIONS[name]
    unified = _common(arguments) if len(arguments) == count else None
    if unified is None or not (is_integer(unified[0].scalar) or is_float(unified[0].scalar)):
        return None
    scalar = unified[0].scalar
    rows = zip(*(argument.components for argument in unified), strict=True)
    return Constant(scalar, tuple(finish(function(*row), scalar) for row in rows))


def _apply_bits(name: str, arguments: Sequence[Constant]) -> Constant | None:
    if len(arguments) != 1 or not is_integer(arguments[0].scalar):
        return None
    argument = convert(arguments[0], "i32") if arguments[0].scalar == ABSTRACT_INT else arguments[0]
    function = _BIT_FUNCTIONS[name]
    is_signed = argument.scalar == "i32"
    return Constant(
        argument.scalar,
        tuple(finish(function(int(value) & 0xFFFFFFFF, is_signed), argument.scalar) for value in argument.components),
    )


def _clamp(value: Number, low: Number, high: Number) -> Number:
    if low > high:
        raise ConstantError(f"`clamp` with a low bound of {low} above its high bound of {high}")
    return min(max(value, low), high)


def _abs(value: Number) -> Number:
    return -value if value < 0 else value


def _max(left: Number, right: Number) -> Number:
    return max(left, right)


def _min(left: Number, right: Number) -> Number:
    return min(left, right)


def _sign(value: Number) -> Number:
    return (value > 0) - (value < 0)


def _smoothstep(low: float, high: float, x: float) -> float:
    if low == high:
        raise ConstantError("`smoothstep` with equal bounds")
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


_FLOAT_1: Mapping[str, Callable[[float], float]] = {
    "acos": math.acos,
    "acosh": math.acosh,
    "asin": math.asin,
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": math.atanh,
    "ceil": lambda x: float(math.ceil(x)),
    "cos": math.cos,
    "cosh": math.cosh,
    "degrees": math.degrees,
    "exp": math.exp,
    "exp2": lambda x: math.pow(2.0, x),
    "floor": lambda x: float(math.floor(x)),
    "fract": lambda x: x - math.floor(x),
    "inverseSqrt": lambda x: 1.0 / math.sqrt(x),
    "log": math.log,
    "log2": math.log2,
    "radians": math.radians,
    "round": lambda x: float(round(x)),  # Python rounds halves to even, as WGSL does
    "saturate": lambda x: min(max(x, 0.0), 1.0),
    "sin": math.sin,
    "sinh": math.sinh,
    "sqrt": math.sqrt,
    "tan": math.tan,
    "tanh": math.tanh,
    "trunc": lambda x: float(math.trunc(x)),
}
_FLOAT_2: Mapping[str, Callable[[float, float], float]] = {
    "atan2": math.atan2,
    "pow": math.pow,
    "step": lambda edge, x: 1.0 if edge <= x else 0.0,
}
_FLOAT_3: Mapping[str, Callable[[float, float, float], float]] = {
    "fma": lambda a, b, c: a * b + c,
    "mix": lambda a, b, t: a * (1.0 - t) + b * t,
    "smoothstep": _smoothstep,
}
_FLOAT_FUNCTIONS: Mapping[str, tuple[Callable[..., float], int]] = {
    **{name: (function, 1) for name, function in _FLOAT_1.items()},
    **{name: (function, 2) for name, function in _FLOAT_2.items()},
    **{name: (function, 3) for name, function in _FLOAT_3.items()},
}

_NUMBER_FUNCTIONS: Mapping[str, tuple[Callable[..., Number], int]] = {
    "abs": (_abs, 1),
    "clamp": (_clamp, 3),
    "max": (_max, 2),
    "min": (_min, 2),
    "sign": (_sign, 1),
}


def _first_leading_bit(bits: int, is_signed: bool) -> int:
    if is_signed and bits >> 31:
        bits ^= 0xFFFFFFFF
    return bits.bit_length() - 1


_BIT_FUNCTIONS: Mapping[str, Callable[[int, bool], int]] = {
    "countLeadingZeros": lambda bits, _: 32 - bits.bit_length(),
    "countOneBits": lambda bits, _: bits.bit_count(),
    "countTrailingZeros": lambda bits, _: (bits & -bits).bit_length() - 1 if bits else 32,
    "firstLeadingBit": _first_leading_bit,
    "firstTrailingBit": lambda bits, _: (bits & -bits).bit_length() - 1,
    "reverseBits": lambda bits, _: int(f"{bits:032b}"[::-1], 2),
}


def _all(arguments: Sequence[Constant]) -> Constant | None:
    if len(arguments) != 1 or arguments[0].scalar != "bool":
        return None
    return Constant("bool", (all(arguments[0].components),))


def _any(arguments: Sequence[Constant]) -> Constant | None:
    if len(arguments) != 1 or arguments[0].scalar != "bool":
        return None
    return Constant("bool", (any(arguments[0].components),))


def _select(arguments: Sequence[Constant]) -> Constant | None:
    if len(arguments) != 3 or arguments[2].scalar != "bool":
        return None
    unified = _common(arguments[:2])
    condition = arguments[2].components
    if unified is None or len(condition) not in (1, len(unified[0].components)):
        return None
    conditions = condition * len(unified[0].components) if len(condition) == 1 else condition
    picked = zip(unified[0].components, unified[1].components, conditions, strict=True)
    return Constant(unified[0].scalar, tuple(yes if is_true else no for no, yes, is_true in picked))


def _dot(arguments: Sequence[Constant]) -> Constant | None:
    if len(arguments) != 2 or arguments[0].is_scalar:
        return None
    products = binary("*", arguments[0], arguments[1])
    if products is None or len(products.components) != len(arguments[0].components):
        return None
    total: Number = 0
    for product in products.components:
        total = finish(total + product, products.scalar)
    return Constant(products.scalar, (total,))


_SPECIAL: Mapping[str, Callable[[Sequence[Constant]], Constant | None]] = {"all": _all, "any": _any, "select": _select, "dot": _dot}
