"""Expressions: their shape, and which operators may stand side by side."""

from __future__ import annotations

import pytest

from pixel_core.wgsl.syntax import (
    Binary,
    BooleanLiteral,
    Call,
    Expression,
    Identifier,
    Index,
    Member,
    NumberLiteral,
    Parenthesized,
    Unary,
    VariableDeclaration,
)
from wgsl_testing import annotate, parse_text, split_cases, strip_notes


def shape(expression: Expression | None) -> str:
    """An expression with brackets around every operation, parentheses of the source written as `{ }`."""
    match expression:
        case NumberLiteral():
            return f"{expression.value}{expression.suffix}"
        case BooleanLiteral():
            return str(expression.value).lower()
        case Identifier(name=name, template_arguments=None):
            return name.text
        case Identifier(name=name, template_arguments=list(arguments)):
            return f"{name.text}<{', '.join(map(shape, arguments))}>"
        case Call(callee=callee, arguments=arguments):
            return f"{shape(callee)}({', '.join(map(shape, arguments))})"
        case Index(base=base, index=index):
            return f"{shape(base)}[{shape(index)}]"
        case Member(base=base, member=member):
            return f"{shape(base)}.{member.text}"
        case Unary(operator=operator, operand=operand):
            return f"({operator}{shape(operand)})"
        case Binary(operator=operator, left=left, right=right):
            return f"({shape(left)} {operator} {shape(right)})"
        case Parenthesized(inner=inner):
            return f"{{{shape(inner)}}}"
        case _:
            return f"?{type(expression).__name__}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c", "((a / b) % c)"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("a < b && c > d", "((a < b) && (c > d))"),
        ("a || b || c", "((a || b) || c)"),
        ("a && b && c == d", "((a && b) && (c == d))"),
        ("a | b | c", "((a | b) | c)"),
        ("(a | b) & c", "({(a | b)} & c)"),
        ("a << 1u", "(a << 1u)"),
        ("a << 1u < b", "((a << 1u) < b)"),
        ("-a * -b", "((-a) * (-b))"),
        ("- -a", "(-(-a))"),
        ("!a && !b", "((!a) && (!b))"),
        ("~a & b", "((~a) & b)"),
        ("*p + 1", "((*p) + 1)"),
        ("&a[0]", "(&a[0])"),
        ("-a.x[1].y", "(-a.x[1].y)"),
        ("f(a, b,)[1]", "f(a, b)[1]"),
        ("vec4<f32>(1.0, a.xyz)", "vec4<f32>(1.0, a.xyz)"),
        ("array<vec2<f32>, 4 + 1>()", "array<vec2<f32>, (4 + 1)>()"),
        ("bitcast<u32>(x) >> 1u", "(bitcast<u32>(x) >> 1u)"),
        ("a<b", "(a < b)"),
        ("a<b && c>d", "((a < b) && (c > d))"),
        ("f(a<b, c>d)", "f(a<b, c>, d)"),
        ("f(a < b, c > (d))", "f(a<b, c>(d))"),
        ("f((a < b), c > d)", "f({(a < b)}, (c > d))"),
        ("a[b < c]", "a[(b < c)]"),
        ("a<b>=c", "a<b>"),
        ("a >= b", "(a >= b)"),
        ("vec2<vec2<f32>>(1)", "vec2<vec2<f32>>(1)"),
        ("array<i32, (4 >> 1)>(1)", "array<i32, {(4 >> 1)}>(1)"),
        ("true != false", "(true != false)"),
        ("0x1.8p3 + .5f", "(12.0 + 0.5f)"),
    ],
)
def test_shape(text: str, expected: str) -> None:
    (declaration,) = [node for node in parse_text(f"const x = {text};").declarations if isinstance(node, VariableDeclaration)]
    assert shape(declaration.initializer) == expected


MIXED = r"""
const a = b && c || d;
          ^^^^^^ PX108 `&&` next to `||` needs parentheses
---
const a = b || c && d;
               ^^^^^^ PX108 `&&` next to `||` needs parentheses
---
const a = b & c | d;
          ^^^^^ PX108 `&` next to `|` needs parentheses
---
const a = b & c == d;
              ^^^^^^ PX108 `==` next to `&` needs parentheses
---
const a = b ^ c + d;
              ^^^^^ PX108 `+` next to `^` needs parentheses
---
const a = b << c + d;
               ^^^^^ PX108 `+` next to `<<` needs parentheses
---
const a = b >> 1u << 2u;
          ^^^^^^^ PX108 `>>` next to `<<` needs parentheses
---
const a = b < c < d;
          ^^^^^ PX108 comparisons cannot be chained
---
const a = b == c == d;
          ^^^^^^ PX108 comparisons cannot be chained
---
const a = b + c & d;
          ^^^^^ PX108 `+` next to `&` needs parentheses
---
const a = b && c & d;
               ^^^^^ PX108 `&` next to `&&` needs parentheses
---
const a = !b && c || d;
          ^^^^^^^ PX108 `&&` next to `||` needs parentheses
"""


@pytest.mark.parametrize("expected", split_cases(MIXED))
def test_mixed(expected: str) -> None:
    assert annotate(strip_notes(expected)) == expected


@pytest.mark.parametrize("expected", split_cases(MIXED))
def test_the_fix_of_mixed_operators_makes_them_valid(expected: str) -> None:
    text = strip_notes(expected)
    (finding,) = parse_text(text).findings
    assert finding.fix is not None
    span = finding.fix.span
    assert parse_text(text[: span.start] + finding.fix.new_text + text[span.end :]).findings == []
