"""What expressions mean, which ones are refused, and where the refusal points."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.findings import Span
from pixel_core.kernels.expressions import (
    BinaryOperation,
    Comparison,
    Conditional,
    ExpressionProblem,
    FunctionCall,
    NameUse,
    Node,
    Number,
    Sequence,
    Slice,
    Subscript,
    UnaryOperation,
    parse_expression,
)


def show(node: Node | Slice | None) -> str:
    """The tree as an S-expression."""
    match node:
        case None:
            return "new"
        case Number():
            return f"{node.value}{'f' if node.is_float else ''}"
        case NameUse():
            return node.name
        case UnaryOperation():
            return f"({node.operator} {show(node.operand)})"
        case BinaryOperation() | Comparison():
            return f"({node.operator} {show(node.left)} {show(node.right)})"
        case Conditional():
            return f"(if {show(node.condition)} {show(node.then)} {show(node.otherwise)})"
        case FunctionCall():
            parts = [node.function, *map(show, node.arguments), *(f"{name}={show(value)}" for name, value in node.keywords)]
            return f"({' '.join(parts)})"
        case Slice():
            return ":".join("" if part is None else show(part) for part in (node.start, node.stop, node.step))
        case Subscript():
            return f"{show(node.base)}[{', '.join(map(show, node.indices))}]"
        case Sequence():
            return f"<{' '.join(map(show, node.items))}>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M", "M"),
        ("a @ b", "(@ a b)"),
        ("a + b * c", "(+ a (* b c))"),
        ("-x ** 2", "(- (** x 2))"),
        ("2 * M // N % K", "(% (// (* 2 M) N) K)"),
        ("a << 1 | b & ~c ^ d >> 2", "(| (<< a 1) (^ (& b (~ c)) (>> d 2)))"),
        ("not a and b or c", "(or (and (not a) b) c)"),
        ("a or b or c", "(or (or a b) c)"),
        ("1 <= n < 65536", "(and (<= 1 n) (< n 65536))"),
        ("n if n > 0 else 1", "(if (> n 0) n 1)"),
        ("max(x, axis=1, keepdims=True)", "(max x axis=1 keepdims=true)"),
        ("x[:, None]", "x[::, new]"),
        ("x[1:n:2, -1]", "x[1:n:2, (- 1)]"),
        ("reshape(x, (M, N))", "(reshape x <M N>)"),
        ("stack([a, b])", "(stack <a b>)"),
        ("workgroup_size.x", "workgroup_size.x"),
        ("old . keys", "old.keys"),
        ("  M ", "M"),
        ("µ + grün.länge", "(+ µ grün.länge)"),
        ("(inf)", "inf"),
    ],
)
def test_reads(text: str, expected: str) -> None:
    assert show(parse_expression(text).tree) == expected


@pytest.mark.parametrize(
    ("text", "value", "is_float"),
    [
        ("0.1", Fraction(1, 10), True),
        ("1e-5", Fraction(1, 100_000), True),
        ("1.", Fraction(1), True),
        (".5", Fraction(1, 2), True),
        ("16", Fraction(16), False),
        ("1_000", Fraction(1000), False),
        ("0xFFFF_FFFF", Fraction(2**32 - 1), False),
        ("0b101", Fraction(5), False),
        ("340282346638528859811704183484516925440.0", Fraction(340282346638528859811704183484516925440), True),
    ],
)
def test_literals_are_exact(text: str, value: Fraction, is_float: bool) -> None:
    tree = parse_expression(text).tree
    assert isinstance(tree, Number)
    assert (tree.value, tree.is_float) == (value, is_float)


def test_spans_count_code_points_of_the_whole_text() -> None:
    text = "  grün + µ * länge"
    tree = parse_expression(text).tree
    assert isinstance(tree, BinaryOperation)
    assert isinstance(tree.right, BinaryOperation)
    pieces = [text[node.span.start : node.span.end] for node in (tree, tree.left, tree.right, tree.right.right)]
    assert pieces == ["grün + µ * länge", "grün", "µ * länge", "länge"]


def test_keeps_where_it_stands() -> None:
    assert parse_expression("a", Span(7, 8)).span == Span(7, 8)


def check_refused(text: str, message: str) -> ExpressionProblem:
    with pytest.raises(ExpressionProblem) as caught:
        parse_expression(text)
    assert caught.value.message == message
    return caught.value


@pytest.mark.parametrize(
    ("text", "marked", "message", "hint"),
    [
        ("", None, "the expression is empty", "write a number or a formula"),
        ("__import__('os')", "__import__", "`__import__` starts with two underscores; no name of a shader does", None),
        ("a.__class__", "__class__", "`__class__` starts with two underscores; no name of a shader does", None),
        ("open('f')", "'", "a text in quotes is not part of the expression language", "an expression has numbers and names only"),
        ('f"{x}"', '"', "a text in quotes is not part of the expression language", "an expression has numbers and names only"),
        (
            "lambda x: x",
            "lambda",
            "`lambda` is not part of the expression language",
            "a function cannot be made in an expression; name subexpressions in `define`",
        ),
        (
            "[x for x in a]",
            "for",
            "`for` is not part of the expression language",
            "there are no comprehensions; array functions work on whole arrays",
        ),
        (
            "a + in",
            "in",
            "`in` is not part of the expression language",
            'a variable of this name can be given another one: `bind = { in = "source" }`',
        ),
        ("a is b", "is", "`is` is not part of the expression language", "compare with `==`"),
        ("await x", "await", "`await` is not part of the expression language", None),
        ("(a := 1)", ":=", "`:=` is not part of the expression language", "name a subexpression in `define` or `let`"),
        ("a && b", "&&", "`&&` is not part of the expression language", "write `and`"),
        ("a = b", "=", "`=` does not compare", "compare with `==`"),
        ("!a", "!", "`!` is not part of the expression language", "write `not`"),
        ("a ? b : c", "?", "`?` is not part of the expression language", "write `a if condition else b`"),
        ("{1: 2}", "{", "a brace is not part of the expression language", "write lists as `(a, b)` or `[a, b]`"),
        ("a\0b", "\0", "a NUL character is not part of the expression language", None),
        (
            "a +\nb",
            "\n",
            "a line break is not part of the expression language",
            "write the expression on one line, or name its parts in `define`",
        ),
        ("a · b", "·", "the character U+00B7 is not part of the expression language", None),
        ("x[...]", "...", "`...` is not part of the expression language", "write `:` for each axis"),
        ("f(*x)", "*x", "`*` before a value (unpacking) is not part of the expression language", None),
        ("f(**x)", "**x", "`**` before an argument (unpacking) is not part of the expression language", None),
        ("np.exp(x)", "np.exp", "`np.exp` is a method; only plain functions are called", "write `exp(…)`"),
        ("a.sum()", "a.sum", "`a.sum` is a method; only plain functions are called", "write `sum(a)`"),
        ("(a + b).T", "(a + b).T", "`.T` stands after something that is not a name", "write `transpose(…)`"),
        ("(a + b).b", "(a + b).b", "`.b` stands after something that is not a name", "a dot only names a field: `p.pos`"),
        ("a.b().c", "a.b().c", "`.c` stands after something that is not a name", "a dot only names a field: `p.pos`"),
        ("2(M)", "2", "only a function by its name can be called", "multiply with `*`"),
        ("None", "None", "`None` means a new axis and stands only inside `[ ]`", "write `x[:, None]`"),
        ("()", "()", "an empty list says nothing", None),
        ("(a", "(", "`(` is never closed", None),
        ("a)", ")", "`)` closes no bracket", None),
        ("f(a]", "]", "`]` closes no bracket", None),
        ("a +", "+", "the expression breaks off after `+`", "a value is missing at the end"),
        ("a b", "b", "`b` is not expected here", None),
        ("ä * * b", "*", "`*` is not expected here", None),
        ("1.0f", "1.0f", "`1.0` is followed directly by `f`", "numbers have no suffix here"),
        ("2j", "2j", "`2` is followed directly by `j`", "numbers have no suffix here"),
        ("16x", "16x", "`16` is followed directly by `x`", "leave a blank between a number and a name"),
        ("1e400", "1e400", "`1e400` is outside the range of numbers (1e-308 to 1e308)", None),
        ("1e99999999999", "1e99999999999", "`1e99999999999` is outside the range of numbers (1e-308 to 1e308)", None),
    ],
)
def test_refuses_and_points(text: str, marked: str | None, message: str, hint: str | None) -> None:
    problem = check_refused(text, message)
    assert (None if problem.span is None else text[problem.span.start : problem.span.end]) == marked
    assert problem.hint == hint


TOO_DEEP = "more than 100 operations inside each other"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 4_001, "the expression has 4,001 characters; at most 4,000 are read"),
        ("(" * 65 + "a" + ")" * 65, "more than 64 brackets inside each other"),
        ("[" * 3_999, "more than 64 brackets inside each other"),
        ("9" * 101, "a number of 101 characters; at most 100 digits are read"),
        ("+".join("a" * 200), TOO_DEEP),
        ("**".join("a" * 200), TOO_DEEP),
        (" and ".join("a" * 200), TOO_DEEP),
        ("<".join("a" * 200), TOO_DEEP),
        ("-" * 150 + "a", TOO_DEEP),
        ("not " * 150 + "a", TOO_DEEP),
        ("a" + "[0]" * 150, TOO_DEEP),
        ("a if b else " * 150 + "c", TOO_DEEP),
    ],
)
def test_bounds_size_and_depth(text: str, message: str) -> None:
    check_refused(text, message)


@pytest.mark.parametrize(
    "text", ["-" * 3_999 + "a", "not " * 999 + "a", "**".join("a" * 1_300), "a if b else " * 330 + "c", "a" + "[0]" * 1_300]
)
def test_depths_that_stop_python_itself_are_refused(text: str) -> None:
    with pytest.raises(ExpressionProblem):
        parse_expression(text)


@given(st.text(max_size=60) | st.text(alphabet="ab1.e+-*/%@()[],:<>=! \tünot", max_size=60))
def test_any_text_is_read_or_refused_inside_itself(text: str) -> None:
    try:
        span = parse_expression(text).tree.span
    except ExpressionProblem as problem:
        span = problem.span or Span(0, len(text))
    assert 0 <= span.start <= span.end <= len(text)
