"""The expression language of contracts: parsed once into a small tree, evaluated by `symbols` (exact) and `evaluate` (arrays).

The syntax is Python's, restricted to a whitelist: an expression can name things and compute, and can do nothing else. The text is
hostile until shown otherwise, so three gates stand in a row: one pass over the tokens (length, alphabet, words, brackets), Python's
own parser on what is left, and a conversion that knows only the nodes of `expression_nodes` and bounds their depth.
"""

from __future__ import annotations

import ast
import keyword
import re
from fractions import Fraction
from itertools import pairwise

from pixel_core.findings import Span
from pixel_core.kernels.expression_nodes import (
    BinaryOperation,
    Comparison,
    Conditional,
    Expression,
    ExpressionProblem,
    FunctionCall,
    NameUse,
    Node,
    Number,
    Sequence,
    Slice,
    Subscript,
    UnaryOperation,
)

__all__ = [
    "MAX_BRACKETS",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_EXPONENT",
    "MAX_LENGTH",
    "BinaryOperation",
    "Comparison",
    "Conditional",
    "Expression",
    "ExpressionProblem",
    "FunctionCall",
    "NameUse",
    "Node",
    "Number",
    "Sequence",
    "Slice",
    "Subscript",
    "UnaryOperation",
    "parse_expression",
]

MAX_LENGTH = 4_000
MAX_BRACKETS = 64
MAX_DEPTH = 100
MAX_DIGITS = 100
MAX_EXPONENT = 308


def parse_expression(text: str, span: Span | None = None) -> Expression:
    """Parse one expression.

    Args:
        text: The expression, one line.
        span: Where `text` stands in the contract's file.

    Raises:
        ExpressionProblem: It is not in the language, too long, or too deep.
    """
    _check_tokens(text)
    # Leading blanks would be an indentation error; offsets are put right afterwards.
    stripped = text.lstrip(" \t")
    lead = len(text) - len(stripped)
    try:
        body = ast.parse(stripped, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _unreadable(text, lead, error) from None
    return Expression(text=text, tree=_Conversion(text, lead).convert(body, 1), span=span)


# ---------------------------------------------------------------- first gate: tokens

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)
    |(?P<number>(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?))
    |(?P<name>[^\W\d]\w*)
    |(?P<operator>\*\*|//|<<|>>|<=|>=|==|!=|&&|\|\||:=|\.\.\.|->|[-+*/%@&|^~<>=(),.:\[\]])
    """,
    re.VERBOSE,
)
_CLOSING = {"(": ")", "[": "]"}
_WORDS = frozenset({"and", "or", "not", "if", "else", "None", "True", "False"})
_REFUSED_OPERATORS = {
    "&&": "write `and`",
    "||": "write `or`",
    ":=": "name a subexpression in `define` or `let`",
    "...": "write `:` for each axis",
    "->": None,
}
_REFUSED_CHARACTERS = {
    '"': ("a text in quotes", "an expression has numbers and names only"),
    "'": ("a text in quotes", "an expression has numbers and names only"),
    "`": ("a backtick", None),
    "{": ("a brace", "write lists as `(a, b)` or `[a, b]`"),
    "}": ("a brace", "write lists as `(a, b)` or `[a, b]`"),
    "!": ("`!`", "write `not`"),
    "?": ("`?`", "write `a if condition else b`"),
    "#": ("a comment", "put comments after the closing quote"),
    ";": ("`;`", "an expression is one value"),
    "\\": ("a backslash", None),
    "\n": ("a line break", "write the expression on one line, or name its parts in `define`"),
    "\r": ("a line break", "write the expression on one line, or name its parts in `define`"),
    "\0": ("a NUL character", None),
}
_REFUSED_WORDS = {
    "lambda": "a function cannot be made in an expression; name subexpressions in `define`",
    "for": "there are no comprehensions; array functions work on whole arrays",
    "in": 'a variable of this name can be given another one: `bind = { in = "source" }`',
    "is": "compare with `==`",
}


def _check_tokens(text: str) -> None:
    """Refuse what is too long, outside the alphabet, not a word of the language, or not balanced."""
    if len(text) > MAX_LENGTH:
        raise ExpressionProblem(
            f"the expression has {len(text):,} characters; at most {MAX_LENGTH:,} are read", None, "name its parts in `define` or `let`"
        )
    if not text.strip(" \t"):
        raise ExpressionProblem("the expression is empty", None, "write a number or a formula")
    brackets: list[tuple[str, int]] = []
    position = 0
    previous, last = "", Span(0, 0)
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _refused_character(text, position)
        lexeme, start, position = match.group(), position, match.end()
        kind = str(match.lastgroup)
        span = Span(start, position)
        if kind == "number":
            _check_number(lexeme, span, following=text[position : position + 1])
        elif kind == "name":
            _check_name(lexeme, span)
        elif lexeme in _REFUSED_OPERATORS:
            raise ExpressionProblem(f"`{lexeme}` is not part of the expression language", span, _REFUSED_OPERATORS[lexeme])
        elif lexeme in _CLOSING:
            brackets.append((lexeme, start))
            if len(brackets) > MAX_BRACKETS:
                raise ExpressionProblem(
                    f"more than {MAX_BRACKETS} brackets inside each other", span, "name the inner parts in `define` or `let`"
                )
        elif lexeme in ")]":
            if not brackets or _CLOSING[brackets[-1][0]] != lexeme:
                raise ExpressionProblem(f"`{lexeme}` closes no bracket", span)
            brackets.pop()
        elif lexeme == "=" and not (previous == "name" and brackets and brackets[-1][0] == "("):
            raise ExpressionProblem("`=` does not compare", span, "compare with `==`")
        if kind != "blank":
            previous, last = kind, span
    if brackets:
        bracket, start = brackets[-1]
        raise ExpressionProblem(f"`{bracket}` is never closed", Span(start, start + 1))
    ending = text[last.start : last.end]
    if (previous == "operator" and ending not in ")],") or ending in {"and", "or", "not", "if", "else"}:
        raise ExpressionProblem(f"the expression breaks off after `{ending}`", last, "a value is missing at the end")


def _refused_character(text: str, position: int) -> ExpressionProblem:
    character = text[position]
    span = Span(position, position + 1)
    if character in _REFUSED_CHARACTERS:
        what, hint = _REFUSED_CHARACTERS[character]
        return ExpressionProblem(f"{what} is not part of the expression language", span, hint)
    return ExpressionProblem(f"the character U+{ord(character):04X} is not part of the expression language", span)


def _check_number(token: str, span: Span, *, following: str) -> None:
    if following and (following.isalnum() or following == "_"):
        hint = "numbers have no suffix here" if following in "iufhj" else "leave a blank between a number and a name"
        raise ExpressionProblem(f"`{token}` is followed directly by `{following}`", Span(span.start, span.end + 1), hint)
    if sum(character.isalnum() for character in token) > MAX_DIGITS:
        raise ExpressionProblem(f"a number of {len(token):,} characters; at most {MAX_DIGITS} digits are read", span)
    mantissa, mark, exponent = token.lower().partition("e")
    if mark and not mantissa.startswith("0x") and abs(int(exponent)) > MAX_EXPONENT:
        raise ExpressionProblem(f"`{token}` is outside the range of numbers (1e-{MAX_EXPONENT} to 1e{MAX_EXPONENT})", span)


def _check_name(token: str, span: Span) -> None:
    if token.startswith("__"):
        raise ExpressionProblem(f"`{token}` starts with two underscores; no name of a shader does", span)
    if keyword.iskeyword(token) and token not in _WORDS:
        raise ExpressionProblem(f"`{token}` is not part of the expression language", span, _REFUSED_WORDS.get(token))


def _unreadable(text: str, lead: int, error: BaseException) -> ExpressionProblem:
    if not isinstance(error, SyntaxError) or error.offset is None:
        return ExpressionProblem("the expression is nested too deeply", None, "name its parts in `define` or `let`")
    start = min(lead + max(error.offset - 1, 0), len(text) - 1)
    match = _TOKEN.match(text, start)
    end = match.end() if match else start + 1
    return ExpressionProblem(f"`{text[start:end].strip()}` is not expected here", Span(start, end))


# ---------------------------------------------------------------- third gate: the whitelist of nodes

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not"}
_COMPARISON: dict[type[ast.cmpop], str] = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ExpressionProblem(f"more than {MAX_DEPTH} operations inside each other", None, "name the inner parts in `define` or `let`")


class _Conversion:
    """Turns Python's nodes into ours; anything it has no rule for is refused."""

    def __init__(self, text: str, lead: int) -> None:
        self._text = text
        self._lead = lead
        body = text[lead:]
        # ast counts columns in UTF-8 bytes: byte offset → code point, needed only where a character takes more than one byte.
        self._columns: list[int] | None = None
        if not body.isascii():
            self._columns = [index for index, character in enumerate(body) for _ in character.encode()] + [len(body)]

    def convert(self, node: ast.expr, depth: int) -> Node:
        span = self._span(node)
        if depth > MAX_DEPTH:
            raise ExpressionProblem(
                f"more than {MAX_DEPTH} operations inside each other", None, "name the inner parts in `define` or `let`"
            )
        deeper = depth + 1
        match node:
            case ast.Constant():
                return self._constant(node, span)
            case ast.Name():
                return NameUse(name=self._name(span), span=span)
            case ast.Attribute():
                return self._dotted(node, span)
            case ast.UnaryOp():
                return UnaryOperation(operator=_UNARY[type(node.op)], operand=self.convert(node.operand, deeper), span=span)
            case ast.BinOp():
                left, right = self.convert(node.left, deeper), self.convert(node.right, deeper)
                return BinaryOperation(operator=_BINARY[type(node.op)], left=left, right=right, span=span)
            case ast.BoolOp():
                operator = "and" if isinstance(node.op, ast.And) else "or"
                return self._chain(operator, [self.convert(value, deeper) for value in node.values], depth)
            case ast.Compare():
                return self._comparison(node, span, deeper)
            case ast.IfExp():
                then, condition = self.convert(node.body, deeper), self.convert(node.test, deeper)
                return Conditional(condition=condition, then=then, otherwise=self.convert(node.orelse, deeper), span=span)
            case ast.Call():
                return self._call(node, span, deeper)
            case ast.Subscript():
                return self._subscript(node, span, deeper)
            case ast.Tuple() | ast.List():
                if not node.elts:
                    raise ExpressionProblem("an empty list says nothing", span)
                return Sequence(items=tuple(self.convert(item, deeper) for item in node.elts), span=span)
            case ast.Starred():
                raise ExpressionProblem("`*` before a value (unpacking) is not part of the expression language", span)
            case _:
                raise ExpressionProblem(f"`{self._text[span.start : span.end]}` is not part of the expression language", span)

    def _span(self, node: ast.expr | ast.keyword) -> Span:
        start, end = node.col_offset, node.end_col_offset or node.col_offset
        if self._columns is not None:
            start, end = self._columns[start], self._columns[end]
        return Span(self._lead + start, self._lead + end)

    def _name(self, span: Span) -> str:
        # The text itself: ast normalises identifiers (NFKC), WGSL does not.
        name = self._text[span.start : span.end]
        return name.lower() if name in {"True", "False"} else name

    def _constant(self, node: ast.Constant, span: Span) -> Node:
        text = self._text[span.start : span.end]
        if isinstance(node.value, bool):
            return NameUse(name=self._name(span), span=span)
        if node.value is None:
            raise ExpressionProblem("`None` means a new axis and stands only inside `[ ]`", span, "write `x[:, None]`")
        digits = text.replace("_", "")
        if digits[:2].lower() in {"0x", "0b", "0o"}:
            return Number(value=Fraction(int(digits, 0)), is_float=False, span=span)
        return Number(value=Fraction(digits), is_float=isinstance(node.value, float), span=span)

    def _dotted(self, node: ast.Attribute, span: Span) -> NameUse:
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            base = base.value
        if not isinstance(base, ast.Name):
            hint = "write `transpose(…)`" if node.attr == "T" else "a dot only names a field: `p.pos`"
            raise ExpressionProblem(f"`.{node.attr}` stands after something that is not a name", span, hint)
        first = self._span(base)
        members = [member.strip() for member in self._text[first.end : span.end].split(".")]
        return NameUse(name=".".join((self._name(first), *members[1:])), span=span)

    def _chain(self, operator: str, values: list[Node], depth: int) -> Node:
        _check_depth(depth + len(values))
        result = values[0]
        for value in values[1:]:
            result = BinaryOperation(operator=operator, left=result, right=value, span=Span(result.span.start, value.span.end))
        return result

    def _comparison(self, node: ast.Compare, span: Span, depth: int) -> Node:
        values = [self.convert(value, depth) for value in (node.left, *node.comparators)]
        if len(values) == 2:
            return Comparison(operator=_COMPARISON[type(node.ops[0])], left=values[0], right=values[1], span=span)
        links: list[Node] = [
            Comparison(operator=_COMPARISON[type(operator)], left=left, right=right, span=Span(left.span.start, right.span.end))
            for operator, (left, right) in zip(node.ops, pairwise(values), strict=True)
        ]
        return self._chain("and", links, depth)

    def _call(self, node: ast.Call, span: Span, depth: int) -> FunctionCall:
        callee = self._span(node.func)
        if isinstance(node.func, ast.Attribute):
            first = self._text[callee.start : callee.end].partition(".")[0]
            inner = "…" if first in {"np", "numpy", "math", "jnp", "torch"} else first
            raise ExpressionProblem(
                f"`{self._text[callee.start : callee.end]}` is a method; only plain functions are called",
                callee,
                f"write `{node.func.attr}({inner})`",
            )
        if not isinstance(node.func, ast.Name):
            raise ExpressionProblem("only a function by its name can be called", callee, "multiply with `*`")
        keywords: list[tuple[str, Node]] = []
        for item in node.keywords:
            if item.arg is None:
                raise ExpressionProblem("`**` before an argument (unpacking) is not part of the expression language", self._span(item))
            keywords.append((item.arg, self.convert(item.value, depth)))
        arguments = tuple(self.convert(argument, depth) for argument in node.args)
        return FunctionCall(function=self._name(callee), arguments=arguments, keywords=tuple(keywords), span=span)

    def _subscript(self, node: ast.Subscript, span: Span, depth: int) -> Subscript:
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return Subscript(base=self.convert(node.value, depth), indices=tuple(self._index(item, depth) for item in items), span=span)

    def _index(self, node: ast.expr, depth: int) -> Node | Slice | None:
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        if not isinstance(node, ast.Slice):
            return self.convert(node, depth)
        start, stop, step = (None if part is None else self.convert(part, depth) for part in (node.lower, node.upper, node.step))
        return Slice(start=start, stop=stop, step=step, span=self._span(node))
