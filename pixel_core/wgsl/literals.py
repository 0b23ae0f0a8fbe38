"""The value of a numeric literal, by the rules of the WGSL specification, section "Numeric Literals"."""

from __future__ import annotations

import re
import struct
from functools import lru_cache

import msgspec

_DECIMAL = re.compile(
    r"(?P<whole>[0-9]*)(?P<fraction>\.[0-9]*)?(?P<exponent>[eE][+-]?[0-9]+)?(?P<suffix>[iufh]?)",
)
_HEXADECIMAL = re.compile(
    r"0[xX](?P<whole>[0-9a-fA-F]*)(?P<fraction>\.[0-9a-fA-F]*)?(?P<exponent>[pP][+-]?[0-9]+)?(?P<suffix>[iufh]?)",
)

_INTEGER_LIMITS = {"": 2**63 - 1, "i": 2**31 - 1, "u": 2**32 - 1}
_INTEGER_TYPES = {"": "the 64 bits of an abstract integer", "i": "`i32`", "u": "`u32`"}
_FLOAT_TYPES = {"": "a 64-bit float", "f": "`f32`", "h": "`f16`"}
# The little-endian formats check the range; the native ones overflow to infinity.
_FLOAT_FORMATS = {"": "<d", "f": "<f", "h": "<e"}
# Significant bits, exponent of the largest power of two, exponent of the smallest subnormal.
_FLOAT_LIMITS = {"": (53, 1023, -1074), "f": (24, 127, -149), "h": (11, 15, -24)}
_EXPONENT_DIGITS = 9
_INTEGER_DIGITS = 40


class Number(msgspec.Struct, frozen=True):
    """A numeric literal that was read.

    Attributes:
        value: int for integer literals, else the nearest double.
        suffix: `""`, `i`, `u`, `f` or `h`.
        problem: Why it is not a valid literal, a clause that starts with the literal in backticks; None for a valid one.
    """

    value: int | float
    suffix: str
    problem: str | None = None


@lru_cache(maxsize=4096)
def read_number(text: str) -> Number:
    """Read a numeric literal, in time linear in its length; never raises."""
    hexadecimal = text[:2] in ("0x", "0X")
    match = (_HEXADECIMAL if hexadecimal else _DECIMAL).fullmatch(text)
    if match is None:
        return Number(0, "", _malformed(text))
    whole, fraction, exponent, suffix = match["whole"], match["fraction"], match["exponent"], match["suffix"]
    if not whole and fraction in (None, "."):
        return Number(0, suffix, f"`{_short(text)}` has no digits")
    is_float = fraction is not None or exponent is not None or suffix in ("f", "h")
    if suffix in ("i", "u") and is_float:
        return Number(0, suffix, f"`{_short(text)}` mixes a fraction or exponent with the integer suffix `{suffix}`")
    if fraction is None and exponent is None and not hexadecimal and len(whole) > 1 and whole[0] == "0":
        return Number(0, suffix, f"`{_short(text)}` has a leading zero")
    if not is_float:
        return _read_integer(text, whole, suffix, 16 if hexadecimal else 10)
    if hexadecimal:
        if suffix and exponent is None:
            return Number(0.0, suffix, f"`{_short(text)}` needs an exponent such as `p0` before its suffix `{suffix}`")
        return _read_hexadecimal_float(text, whole, fraction or ".", exponent or "p0", suffix)
    return _read_decimal_float(text, suffix)


def _read_integer(text: str, digits: str, suffix: str, base: int) -> Number:
    digits = digits.lstrip("0") or "0"
    limit = _INTEGER_LIMITS[suffix]
    value = int(digits, base) if len(digits) <= _INTEGER_DIGITS else limit + 1
    if value > limit:
        return Number(limit, suffix, f"`{_short(text)}` does not fit {_INTEGER_TYPES[suffix]} (at most {limit})")
    return Number(value, suffix)


def _read_decimal_float(text: str, suffix: str) -> Number:
    value = float(text.rstrip("fh"))
    try:
        struct.pack(_FLOAT_FORMATS[suffix], value)
    except OverflowError:
        value = float("inf")
    if value == float("inf"):
        return Number(0.0, suffix, f"`{_short(text)}` is too large for {_FLOAT_TYPES[suffix]}")
    return Number(value, suffix)


def _read_hexadecimal_float(text: str, whole: str, fraction: str, exponent: str, suffix: str) -> Number:
    fraction = fraction[1:]
    mantissa = int(whole + fraction, 16)
    if mantissa == 0:
        return Number(0.0, suffix)
    sign = -1 if exponent[1] == "-" else 1
    magnitude = exponent[1:].lstrip("+-").lstrip("0") or "0"
    # An exponent of ten digits is out of range whatever the mantissa of a text that fits into memory.
    scale = sign * (int(magnitude) if len(magnitude) <= _EXPONENT_DIGITS else 10**_EXPONENT_DIGITS) - 4 * len(fraction)
    trailing_zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa >>= trailing_zeros
    scale += trailing_zeros
    bits, largest, smallest = _FLOAT_LIMITS[suffix]
    if scale + mantissa.bit_length() - 1 > largest:
        return Number(0.0, suffix, f"`{_short(text)}` is too large for {_FLOAT_TYPES[suffix]}")
    if mantissa.bit_length() > bits or scale < smallest:
        return Number(0.0, suffix, f"`{_short(text)}` is not exactly representable in {_FLOAT_TYPES[suffix]}")
    return Number(mantissa * 2.0**scale if scale >= -1000 else mantissa * 2.0**-1000 * 2.0 ** (scale + 1000), suffix)


def _malformed(text: str) -> str:
    if text[-1] in "eEpP+-":
        return f"`{_short(text)}` lacks the digits of its exponent"
    return f"`{_short(text)}` is not a number"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
