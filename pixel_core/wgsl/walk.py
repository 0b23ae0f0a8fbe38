"""Reading a syntax tree from outside: direct children, and every node below one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pixel_core.wgsl.syntax import Node, SyntaxTree


def children(node: Node | SyntaxTree) -> list[Node]:
    """The direct children of a node in source order; of a tree, its directives and declarations."""
    found: list[Node] = []
    for name in _child_fields(type(node)):
        value: object = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, Node)]
    return found


def walk(node: Node | SyntaxTree) -> Iterator[Node]:
    """A node and every node below it, parents first, in source order; of a tree, all of its nodes.

    Iterative, so that no tree is too deep for it.
    """
    pending: list[Node] = [node] if isinstance(node, Node) else children(node)[::-1]
    while pending:
        current = pending.pop()
        yield current
        below = children(current)
        if below:
            pending += below[::-1]


@cache
def _child_fields(node_type: type[Node | SyntaxTree]) -> tuple[str, ...]:
    """The fields that can hold nodes; the field order of the classes is the source order."""
    leaves = {"start", "end", "text", "suffix", "value", "operator", "keyword", "source", "tokens", "findings", "body_start"}
    holds_expression = {"Assignment", "Return"}
    return tuple(
        name for name in node_type.__struct_fields__ if name not in leaves or (name == "value" and node_type.__name__ in holds_expression)
    )
