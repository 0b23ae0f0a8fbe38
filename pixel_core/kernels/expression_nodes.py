"""The nodes of the expression language of contracts, as data; `expressions` parses, `symbols` (exact) and `evaluate` (arrays) compute."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Union

import msgspec

from pixel_core.findings import Span


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A literal; exact (`0.1` is one tenth). `is_float` tells `1.0` from `1`."""

    value: Fraction
    is_float: bool
    span: Span


class NameUse(msgspec.Struct, frozen=True, kw_only=True):
    """A plain name or one with a single dot: `M`, `workgroup_size.x`, `old.keys`, `p.pos`; also the constants `inf nan pi true false`."""

    name: str
    span: Span


class UnaryOperation(msgspec.Struct, frozen=True, kw_only=True):
    """`-`, `+`, `~` or `not`."""

    operator: str
    operand: Node
    span: Span


class BinaryOperation(msgspec.Struct, frozen=True, kw_only=True):
    """`+ - * / // % ** @ << >> & | ^`, `and`, `or`."""

    operator: str
    left: Node
    right: Node
    span: Span


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison `== != < <= > >=` (chains are joined with `and`)."""

    operator: str
    left: Node
    right: Node
    span: Span


class Conditional(msgspec.Struct, frozen=True, kw_only=True):
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    span: Span


class FunctionCall(msgspec.Struct, frozen=True, kw_only=True):
    """`function(arguments, keyword=value)`."""

    function: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...]
    span: Span


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """`start:stop:step` inside brackets."""

    start: Node | None
    stop: Node | None
    step: Node | None
    span: Span


class Subscript(msgspec.Struct, frozen=True, kw_only=True):
    """`base[indices]`; an index of None is a new axis, `Ellipsis` is not offered."""

    base: Node
    indices: tuple[Node | Slice | None, ...]
    span: Span


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """`(a, b)` or `[a, b]`: shapes, axes and choices."""

    items: tuple[Node, ...]
    span: Span


Node = Union[Number, NameUse, UnaryOperation, BinaryOperation, Comparison, Conditional, FunctionCall, Subscript, Sequence]


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed expression.

    Attributes:
        text: As written.
        tree: Its tree; spans inside count from the start of `text`.
        span: Where `text` stands in the contract's file (code points); None for one made by the program.
    """

    text: str
    tree: Node
    span: Span | None

    def locate(self, part: Span | None) -> Span | None:
        """Where a part of `text` stands in the file; all of it where the file spells the text differently (TOML escapes)."""
        return locate_part(self.text, self.span, part)

    def used_names(self) -> list[NameUse]:
        """Every name that is used, in order."""
        return [node for node in walk_nodes(self.tree) if isinstance(node, NameUse)]


def locate_part(text: str, span: Span | None, part: Span | None) -> Span | None:
    """Where a part of a text stands in the file that holds the text at `span`."""
    if span is None or part is None or span.end - span.start != len(text):
        return span
    return Span(span.start + part.start, span.start + part.end)


def walk_nodes(tree: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    pending: list[Node | Slice | None] = [tree]
    while pending:
        node = pending.pop()
        if node is None:
            continue
        if not isinstance(node, Slice):
            yield node
        pending.extend(reversed(_children(node)))


def _children(node: Node | Slice) -> tuple[Node | Slice | None, ...]:
    match node:
        case UnaryOperation():
            return (node.operand,)
        case BinaryOperation() | Comparison():
            return (node.left, node.right)
        case Conditional():
            return (node.then, node.condition, node.otherwise)
        case FunctionCall():
            return (*node.arguments, *(value for _, value in node.keywords))
        case Slice():
            return (node.start, node.stop, node.step)
        case Subscript():
            return (node.base, *node.indices)
        case Sequence():
            return node.items
        case _:
            return ()


class ExpressionProblem(Exception):  # noqa: N818 -- a user's mistake, not an error of ours
    """An expression that is refused or cannot be evaluated: a user's mistake, turned into a PX3xx finding by the caller.

    Attributes:
        message: One sentence.
        span: The part of the expression's text that is wrong, or None for all of it.
        hint: What to write instead.
    """

    def __init__(self, message: str, span: Span | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
