"""Exact values of size expressions, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.kernels.expressions import ExpressionProblem, parse_expression
from pixel_core.kernels.symbols import evaluate_symbol, evaluate_whole

SYMBOLS = {"M": 65, "N": 33, "K": 20, "TILE": 16, "eps": 0.5, "wide": True, "workgroup_size.x": 64}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M * N * K", 42_900),
        ("M / TILE", Fraction(65, 16)),
        ("K / 4 * 4", 20),
        ("ceil(M / TILE)", 5),
        ("floor(-M / TILE)", -5),
        ("-M // TILE", -5),
        ("-M % TILE", 15),
        ("round(5 / 2)", 2),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("eps * 2", 1),
        ("2 ** 10 - 1", 1_023),
        ("2 ** -2", Fraction(1, 4)),
        ("(-1) ** 10000001", -1),
        ("0 ** 0", 1),
        ("4 ** 0.5", 2),
        ("1 << 7 | 3 & ~1 ^ 1", 131),
        ("M if wide else N", 65),
        ("1 <= N < TILE", False),
        ("N > 1 and not wide or true", True),
        ("(N > 1) * 2", 2),
        ("max(M, N, 100)", 100),
        ("min(M / 2, N)", Fraction(65, 2)),
        ("abs(N - M)", 32),
        ("gcd(M, 26)", 13),
        ("lcm(M, 26)", 130),
        ("bits(255)", 8),
        ("isqrt(M)", 8),
        ("is_power_of_two(TILE)", True),
        ("is_power_of_two(0)", False),
        ("sqrt(TILE)", 4),
        ("1 / sqrt(64)", Fraction(1, 8)),
        ("sqrt(2)", Fraction(math.sqrt(2))),
        ("log2(TILE)", 4),
        ("log2(1 / 8)", -3),
        ("ceil(log2(M))", 7),
        ("ceil(log2(2 ** 60 + 1))", 61),
        ("floor(log2(2 ** 60 - 1))", 59),
        ("exp(0)", 1),
        ("log(1)", 0),
        ("ceil(M / workgroup_size.x)", 2),
        ("2 * pi", Fraction(2 * math.pi)),
    ],
)
def test_values(text: str, expected: int | Fraction | bool) -> None:
    value = evaluate_symbol(parse_expression(text), SYMBOLS)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("1 + Q", "Q", "unknown name `Q`"),
        ("M / (N - 33)", "M / (N - 33)", "division by zero"),
        ("M % 0", "M % 0", "division by zero"),
        ("0 ** -1", "0 ** -1", "division by zero"),
        ("9 ** 9 ** 9", "9 ** 9 ** 9", "9 to the power 387,420,489 is too large; values go up to 2**128"),
        ("2 ** 129", "2 ** 129", "the value is larger than 2**128"),
        ("(1 / 3) ** 99999", "(1 / 3) ** 99999", "1/3 to the power 99,999 is too large; values go up to 2**128"),
        ("1 << 999", "999", "a shift by 999; shifts go from 0 to 128"),
        ("1 << -1", "-1", "a shift by -1; shifts go from 0 to 128"),
        ("(1 << 100) * (1 << 100)", "(1 << 100) * (1 << 100)", "the value is larger than 2**128"),
        ("exp(1000)", "exp(1000)", "the value is out of range"),
        ("sqrt(-1)", "sqrt(-1)", "the square root of a negative number is not real"),
        ("(-2) ** 0.5", "(-2) ** 0.5", "a fractional power of a negative number is not real"),
        ("log2(0)", "log2(0)", "the logarithm of 0 does not exist"),
        ("gcd(M / 2, 4)", "M / 2", "`gcd` needs whole numbers; this is 65/2"),
        ("M @ N", "M @ N", "`@` multiplies matrices; a number is needed here"),
        ("(M, N)", "(M, N)", "lists and indexing belong to arrays; a number is needed here"),
        ("M[0]", "M[0]", "lists and indexing belong to arrays; a number is needed here"),
        ("normal(0, 1)", "normal(0, 1)", "`normal` is not a function of numbers"),
        ("max(M, axis=1)", "max(M, axis=1)", "`max` of numbers takes no keywords"),
        ("ceil(M, N)", "ceil(M, N)", "`ceil(x)` is called with 2 arguments"),
        ("inf + 1", "inf", "`inf` stands only alone or in array expressions"),
    ],
)
def test_refusals_point_at_the_part(text: str, marked: str, message: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        evaluate_symbol(parse_expression(text), SYMBOLS)
    assert caught.value.message == message
    span = caught.value.span
    assert span is not None
    assert text[span.start : span.end] == marked


@pytest.mark.parametrize(
    ("name", "hint"), [("TILES", "did you mean `TILE`?"), ("x", "known here: M, N, K, TILE, eps, wide, workgroup_size.x")]
)
def test_unknown_names_come_with_a_guess(name: str, hint: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        evaluate_symbol(parse_expression(name), SYMBOLS)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("M / 16", "`M / 16` is 65/16; a whole number is needed here", "write `ceil(M / 16)`"),
        ("N > 1", "`N > 1` is a condition; a whole number is needed here", None),
        ("N - M", "`N - M` is -32; it must be at least 0", None),
    ],
)
def test_counts_must_be_whole(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        evaluate_whole(parse_expression(text), SYMBOLS)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@given(a=st.integers(-1000, 1000), b=st.integers(1, 1000), c=st.fractions(max_denominator=50).filter(bool))
def test_agrees_with_fractions(a: int, b: int, c: Fraction) -> None:
    symbols = {"a": a, "b": b, "c": c}
    assert evaluate_symbol(parse_expression("(a + c) * b - a / b"), symbols) == (a + c) * b - Fraction(a, b)
    assert evaluate_symbol(parse_expression("a // c + a % c"), symbols) == a // c + a % c


@given(st.integers(1, 2**100))
def test_logarithms_round_to_the_right_side(n: int) -> None:
    symbols = {"n": n}
    assert evaluate_symbol(parse_expression("ceil(log2(n))"), symbols) == (n - 1).bit_length()
    assert evaluate_symbol(parse_expression("floor(log2(n)) + 1"), symbols) == n.bit_length()
    assert evaluate_symbol(parse_expression("bits(n)"), symbols) == n.bit_length()
