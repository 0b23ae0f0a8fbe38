"""The conditions of `#if` and `#elif`: C's integer arithmetic in 64 bits.

As in C, a name that is no macro is 0; unlike in C, and as in C++, `true` is 1. What is not evaluated may divide by zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from pixel_core.dialects.lex_macros import TRIVIA, Kind, Token

MAX_DEPTH = 64
_BITS = 64
_MASK = (1 << _BITS) - 1

_BINARY: Mapping[str, int] = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


class BadCondition(Exception):  # noqa: N818 -- becomes a finding
    """A condition that cannot be evaluated.

    Args:
        token: Where; None for its end.
        message: Why.
    """

    def __init__(self, token: Token | None, message: str) -> None:
        super().__init__(message)
        self.token = token
        self.message = message


class _Value(msgspec.Struct, frozen=True):
    number: int
    is_unsigned: bool = False


def evaluate_condition(tokens: Sequence[Token]) -> bool:
    """Evaluate a condition whose macros are expanded and whose `defined` are replaced.

    Raises:
        BadCondition: It is none.
    """
    reader = _Reader([token for token in tokens if token.kind not in TRIVIA])
    value = reader.ternary(0, is_evaluated=True)
    if reader.here is not None:
        raise BadCondition(reader.here, f"`{reader.here.text}` is not expected here")
    return value.number != 0


class _Reader:
    """Reads and evaluates at once, by precedence."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._index = 0

    @property
    def here(self) -> Token | None:
        return self._tokens[self._index] if self._index < len(self._tokens) else None

    def ternary(self, depth: int, *, is_evaluated: bool) -> _Value:
        condition = self.binary(1, depth, is_evaluated=is_evaluated)
        if self.here is None or self.here.text != "?":
            return condition
        self._deeper(depth)
        self._index += 1
        first = self.ternary(depth + 1, is_evaluated=is_evaluated and condition.number != 0)
        self._take(":")
        second = self.ternary(depth + 1, is_evaluated=is_evaluated and condition.number == 0)
        return _wrapped((first if condition.number else second).number, first.is_unsigned or second.is_unsigned)

    def binary(self, least: int, depth: int, *, is_evaluated: bool) -> _Value:
        left = self._unary(depth, is_evaluated=is_evaluated)
        while (token := self.here) is not None and _BINARY.get(token.text, 0) >= least:
            self._index += 1
            operator = token.text
            is_decided = (operator == "&&" and not left.number) or (operator == "||" and left.number != 0)
            self._deeper(depth)
            right = self.binary(_BINARY[operator] + 1, depth + 1, is_evaluated=is_evaluated and not is_decided)
            left = _apply(token, left, right, is_evaluated=is_evaluated)
        return left

    def _unary(self, depth: int, *, is_evaluated: bool) -> _Value:
        token = self.here
        if token is None:
            raise BadCondition(None, "a value is missing")
        self._deeper(depth)
        self._index += 1
        if token.text == "(":
            value = self.ternary(depth + 1, is_evaluated=is_evaluated)
            self._take(")")
            return value
        if token.text in ("!", "~", "-", "+"):
            value = self._unary(depth + 1, is_evaluated=is_evaluated)
            if token.text == "!":
                return _Value(int(not value.number))
            number = {"~": ~value.number, "-": -value.number, "+": value.number}[token.text]
            return _wrapped(number, value.is_unsigned)
        if token.kind is Kind.NUMBER:
            return _number(token)
        if token.kind is Kind.WORD:
            return _Value(int(token.text == "true"))
        raise BadCondition(token, f"`{token.text}` is not expected here")

    def _take(self, text: str) -> None:
        token = self.here
        if token is None or token.text != text:
            raise BadCondition(token, f"`{text}` is missing")
        self._index += 1

    def _deeper(self, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise BadCondition(self.here, f"the condition is nested more than {MAX_DEPTH} deep")


def _number(token: Token) -> _Value:
    text = token.text.lower().rstrip("ul")
    suffix = token.text.lower()[len(text) :]
    is_octal = len(text) > 1 and text[0] == "0" and text.isdigit()
    try:
        if len(text) > 2 * _BITS or "_" in text:
            raise ValueError
        number = int(text, 8) if is_octal else int(text, 0)
    except ValueError:
        raise BadCondition(token, f"`{token.text[:40]}` is no whole number") from None
    if number > _MASK:
        raise BadCondition(token, f"`{token.text}` needs more than {_BITS} bits")
    return _Value(number, "u" in suffix or number > _MASK >> 1)


def _wrapped(number: int, is_unsigned: bool) -> _Value:
    number &= _MASK
    if not is_unsigned and number > _MASK >> 1:
        number -= 1 << _BITS
    return _Value(number, is_unsigned)


def _apply(token: Token, left: _Value, right: _Value, *, is_evaluated: bool) -> _Value:
    operator = token.text
    if operator in ("&&", "||"):
        both = bool(left.number), bool(right.number)
        return _Value(int(all(both) if operator == "&&" else any(both)))
    if operator in ("<<", ">>"):
        # C leaves counts outside the width undefined; compilers shift everything out, and to the other side for negative ones.
        count = right.number if operator == "<<" else -right.number
        return _wrapped(left.number << min(count, _BITS) if count >= 0 else left.number >> min(-count, _BITS), left.is_unsigned)
    is_unsigned = left.is_unsigned or right.is_unsigned
    a, b = _wrapped(left.number, is_unsigned).number, _wrapped(right.number, is_unsigned).number
    if operator in _COMPARISONS:
        return _Value(int(_COMPARISONS[operator](a, b)))
    if operator in ("/", "%"):
        if b == 0:
            if is_evaluated:
                raise BadCondition(token, "division by zero")
            return _Value(0, is_unsigned)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return _wrapped(quotient if operator == "/" else a - quotient * b, is_unsigned)
    results = {"+": a + b, "-": a - b, "*": a * b, "|": a | b, "^": a ^ b, "&": a & b}
    return _wrapped(results[operator], is_unsigned)
