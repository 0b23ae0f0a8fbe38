"""Kernels with one mistake each, to find out what a contract notices. Made along the tree; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pixel_core.findings import Span
from pixel_core.wgsl.syntax import (
    Assignment,
    Binary,
    CallStatement,
    For,
    FunctionDeclaration,
    Identifier,
    If,
    Index,
    Node,
    NumberLiteral,
    SyntaxTree,
)
from pixel_core.wgsl.walk import walk

_OPERATORS: Final = {
    "<": ("boundary", "<="),
    "<=": ("boundary", "<"),
    ">": ("boundary", ">="),
    ">=": ("boundary", ">"),
    "==": ("condition", "!="),
    "!=": ("condition", "=="),
    "&&": ("condition", "||"),
    "||": ("condition", "&&"),
    "+": ("operator", "-"),
    "-": ("operator", "+"),
    "*": ("operator", "+"),
    "/": ("operator", "*"),
    "%": ("operator", "/"),
    "&": ("operator", "|"),
    "|": ("operator", "&"),
    "<<": ("operator", ">>"),
    ">>": ("operator", "<<"),
}
_BARRIERS: Final = frozenset({"workgroupBarrier", "storageBarrier"})


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """A shader with one mistake in it.

    Attributes:
        kind: `boundary`, `condition`, `operator`, `constant`, `index`, `scale` or `barrier`.
        line: Where it is, from 1.
        change: What was changed, such as `` `<` becomes `<=` ``.
        text: The whole shader.
    """

    kind: str
    line: int
    change: str
    text: str


def mutate(tree: SyntaxTree) -> Iterator[Mutant]:
    """Every mutant of a shader's function bodies, in source order. Some do not compile, and some are the same kernel in other words.

    Args:
        tree: Of a shader without syntax errors.
    """
    text = tree.source.text
    for function in tree.declarations:
        if isinstance(function, FunctionDeclaration) and function.body is not None:
            for node in walk(function.body):
                for kind, span, new in _mutations(node, tree):
                    old = text[span.start : span.end]
                    line = tree.source.position(span.start)[0]
                    change = f"`{_short(old)}` becomes `{_short(new)}`" if new else f"`{_short(old)}` is left out"
                    yield Mutant(kind=kind, line=line, change=change, text=text[: span.start] + new + text[span.end :])


def _mutations(node: Node, tree: SyntaxTree) -> Iterator[tuple[str, Span, str]]:
    text = tree.source.text
    if isinstance(node, Binary) and node.operator in _OPERATORS:
        kind, operator = _OPERATORS[node.operator]
        place = text.find(node.operator, node.left.end, node.right.start)
        if place >= 0:
            yield kind, Span(place, place + len(node.operator)), operator
    elif isinstance(node, NumberLiteral):
        yield "constant", node.span, _other_number(node)
    elif isinstance(node, Index):
        index = text[node.index.start : node.index.end]
        yield "index", node.index.span, f"({index}) + 1"
    elif isinstance(node, (If, For)) and node.condition is not None:
        if isinstance(node, If):
            yield "boundary", node.condition.span, "(true)"
    elif isinstance(node, Assignment) and node.target is not None and node.operator == "=" and not isinstance(node.target, Identifier):
        value = text[node.value.start : node.value.end]
        # A hundredth: far more than rounding, and what a tolerance that is too loose lets pass.
        yield "scale", node.value.span, f"({value}) * 1.01"
    elif isinstance(node, CallStatement) and node.call.callee.name.text in _BARRIERS:
        yield "barrier", node.span, ""


def _other_number(node: NumberLiteral) -> str:
    if isinstance(node.value, int):
        return f"{node.value + 1}{node.suffix}"
    return f"{node.value * 1.5 + 0.5!r}{node.suffix}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"
