"""Exact arithmetic on WGSL constants: the rules of const-expressions, without a tree.

Follows the specification's sections "Arithmetic Expressions", "Bit Expressions", "Feasible Automatic Conversion" and "Floating
Point Evaluation". Abstract integers are 64-bit, abstract floats are doubles; `f32` and `f16` results are rounded to their type.
"""

from __future__ import annotations

import math
import struct
from typing import Union

import msgspec

Number = Union[int, float, bool]

ABSTRACT_INT = "abstract-int"
ABSTRACT_FLOAT = "abstract-float"

_INTEGER_RANGES = {
    "i32": (-(1 << 31), (1 << 31) - 1),
    "u32": (0, (1 << 32) - 1),
    ABSTRACT_INT: (-(1 << 63), (1 << 63) - 1),
}
_FLOATS = frozenset({"f32", "f16", ABSTRACT_FLOAT})
_LARGEST = {"f32": 3.4028234663852886e38, "f16": 65504.0, ABSTRACT_FLOAT: 1.7976931348623157e308}
_RANK = {ABSTRACT_INT: 0, ABSTRACT_FLOAT: 1}


class ConstantError(Exception):
    """An expression without a value: division by zero, overflow, a shift too far. The message is a sentence for the user."""


class Constant(msgspec.Struct, frozen=True):
    """A scalar or vector value.

    Attributes:
        scalar: Type of the components: `bool`, `i32`, `u32`, `f32`, `f16`, `abstract-int` or `abstract-float`.
        components: One number for a scalar, two to four for a vector.
    """

    scalar: str
    components: tuple[Number, ...]

    @property
    def value(self) -> Number:
        """The number of a scalar (of a vector, its first component)."""
        return self.components[0]

    @property
    def is_scalar(self) -> bool:
        """Whether this is no vector."""
        return len(self.components) == 1


def is_integer(scalar: str) -> bool:
    """Whether a scalar type counts."""
    return scalar in _INTEGER_RANGES


def is_float(scalar: str) -> bool:
    """Whether a scalar type measures."""
    return scalar in _FLOATS


def concrete(constant: Constant) -> Constant:
    """An abstract value as `i32` or `f32`, as a declaration without a type gives it."""
    if constant.scalar == ABSTRACT_INT:
        return convert(constant, "i32")
    return convert(constant, "f32") if constant.scalar == ABSTRACT_FLOAT else constant


def unify(left: Constant, right: Constant) -> tuple[Constant, Constant] | None:
    """Both operands in their common type; None where there is none (a type error)."""
    if left.scalar == right.scalar:
        return left, right
    if left.scalar in _RANK and _RANK[left.scalar] < _RANK.get(right.scalar, 2):
        target = right.scalar
        return (convert(left, target), right) if _may_become(left.scalar, target) else None
    if right.scalar in _RANK:
        target = left.scalar
        return (left, convert(right, target)) if _may_become(right.scalar, target) else None
    return None


def _may_become(source: str, target: str) -> bool:
    return is_float(target) or (source == ABSTRACT_INT and is_integer(target))


def converts_to(constant: Constant, target: str) -> bool:
    """Whether a value of one scalar type may stand where another is declared."""
    return constant.scalar == target or (constant.scalar in _RANK and target not in _RANK and _may_become(constant.scalar, target))


def convert(constant: Constant, target: str) -> Constant:
    """Automatic conversion of a value to a scalar type.

    Raises:
        ConstantError: The type cannot represent it.
    """
    return Constant(target, tuple(represent(value, target) for value in constant.components))


def represent(value: Number, target: str) -> Number:
    """A number in a scalar type, rounded where that type rounds.

    Raises:
        ConstantError: It is outside the range of the type.
    """
    if target in _INTEGER_RANGES:
        low, high = _INTEGER_RANGES[target]
        if isinstance(value, float) and (not math.isfinite(value) or not value.is_integer()):
            raise ConstantError(f"{value} is no value of `{target}`")
        number = int(value)
        if not low <= number <= high:
            raise ConstantError(_overflow(number, target))
        return number
    if target in _FLOATS:
        return _round(value, target)
    return bool(value)


def construct(constant: Constant, target: str) -> Constant:
    """Explicit conversion, as in `u32(x)`: integers are reinterpreted, floats truncated and clamped.

    Raises:
        ConstantError: An abstract value, or a float result, is outside the range of the type.
    """
    if target == "bool":
        return Constant("bool", tuple(bool(value) for value in constant.components))
    if constant.scalar in _RANK and not (constant.scalar == ABSTRACT_FLOAT and is_integer(target)):
        return convert(constant, target)
    return Constant(target, tuple(_cast(value, target) for value in constant.components))


def _cast(value: Number, target: str) -> Number:
    if target in _FLOATS:
        return _round(value, target)
    low, high = _INTEGER_RANGES[target]
    if isinstance(value, float):
        return min(max(math.trunc(value), low), high)
    return _wrap(int(value), target)


def negate(operand: Constant) -> Constant:
    """`-operand`."""
    return Constant(operand.scalar, tuple(finish(-value, operand.scalar) for value in operand.components))


def complement(operand: Constant) -> Constant:
    """`~operand`."""
    return Constant(operand.scalar, tuple(finish(~int(value), operand.scalar) for value in operand.components))


def binary(operator: str, left: Constant, right: Constant) -> Constant | None:
    """`left operator right` for every operator except `&&` and `||`; None for operands that do not fit together.

    Raises:
        ConstantError: The operation has no value.
    """
    size = max(len(left.components), len(right.components))
    if len({len(left.components), len(right.components), 1}) > 2:
        return None
    if operator in ("<<", ">>"):
        scalar = left.scalar
        if not is_integer(scalar) or right.scalar not in ("u32", ABSTRACT_INT):
            return None
    else:
        unified = unify(left, right)
        if unified is None:
            return None
        left, right = unified
        scalar = left.scalar
    lefts = left.components * (size if left.is_scalar else 1)
    rights = right.components * (size if right.is_scalar else 1)
    results = [_operate(operator, scalar, a, b) for a, b in zip(lefts, rights, strict=True)]
    if any(result is None for result in results):
        return None
    return Constant("bool" if operator in _COMPARISONS else scalar, tuple(result for result in results if result is not None))


_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def _operate(operator: str, scalar: str, left: Number, right: Number) -> Number | None:
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    if scalar == "bool":
        if operator == "&":
            return bool(left) and bool(right)
        return bool(left) or bool(right) if operator == "|" else None
    if operator in _COMPARISONS:
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]
    if operator in ("+", "-", "*"):
        result = left + right if operator == "+" else left - right if operator == "-" else left * right
        return finish(result, scalar)
    if operator in ("/", "%"):
        return _divide(operator, scalar, left, right)
    if not is_integer(scalar):
        return None
    a, b = int(left), int(right)
    if operator == "<<":
        return _shift_left(scalar, a, b)
    if operator == ">>":
        _check_shift(scalar, b)
        return a >> min(b, 64)
    return {"&": a & b, "|": a | b, "^": a ^ b}.get(operator)


def finish(result: Number, scalar: str) -> Number:
    """A mathematical result in its type: `i32` and `u32` wrap, the others may not overflow.

    Raises:
        ConstantError: An abstract integer or a float overflows.
    """
    if scalar in ("i32", "u32"):
        return _wrap(int(result), scalar)
    return represent(result, scalar)


def _divide(operator: str, scalar: str, left: Number, right: Number) -> Number:
    if right == 0:
        raise ConstantError("division by zero" if operator == "/" else "remainder of a division by zero")
    if not is_integer(scalar):
        return _round(left / right if operator == "/" else math.fmod(left, right), scalar)
    a, b = int(left), int(right)
    if b == -1 and a == _INTEGER_RANGES[scalar][0]:
        raise ConstantError(_overflow(-a, scalar))
    # WGSL truncates towards zero, Python's `//` floors.
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return quotient if operator == "/" else a - quotient * b


def _check_shift(scalar: str, amount: int) -> None:
    if amount < 0:
        raise ConstantError(f"a shift by the negative amount {amount}")
    if scalar != ABSTRACT_INT and amount >= 32:
        raise ConstantError(f"a shift by {amount} bits, but `{scalar}` has 32")


def _shift_left(scalar: str, value: int, amount: int) -> int:
    _check_shift(scalar, amount)
    low, high = _INTEGER_RANGES[scalar]
    if value == 0:
        return 0
    result = value << amount if amount < 64 else None
    if result is None or not low <= result <= high:
        raise ConstantError(f"{value} << {amount} shifts bits out of `{scalar}`")
    return result


def _wrap(value: int, scalar: str) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if scalar == "i32" and value >> 31 else value


def _round(value: Number, scalar: str) -> float:
    try:
        number = float(value)
        if scalar == "f32":
            number = float(struct.unpack("<f", struct.pack("<f", number))[0])
        elif scalar == "f16":
            number = float(struct.unpack("<e", struct.pack("<e", number))[0])
    except OverflowError:
        raise ConstantError(_overflow(value, scalar)) from None
    if not math.isfinite(number):
        raise ConstantError(
            _overflow(value, scalar) if not (isinstance(value, float) and math.isnan(value)) else "the result is not a number"
        )
    return number


def _overflow(value: Number, scalar: str) -> str:
    if scalar in _INTEGER_RANGES:
        low, high = _INTEGER_RANGES[scalar]
        return f"{value} is outside `{scalar}` ({low} … {high})"
    return f"the value overflows `{scalar}` (largest {_LARGEST[scalar]:.6g})"
