"""Atomics that are read or written as if they were plain variables. naga takes that; WGSL does not allow it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pixel_core.findings import Span
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Assignment,
    Expression,
    Identifier,
    Index,
    Member,
    Node,
    Parameter,
    Parenthesized,
    StructDeclaration,
    Unary,
    VariableDeclaration,
)
from pixel_core.wgsl.walk import children, walk

_COMPOUND = {"=": "atomicStore", "+=": "atomicAdd", "-=": "atomicSub", "&=": "atomicAnd", "|=": "atomicOr", "^=": "atomicXor"}
_MAX_DEPTH = 64


class PlainAtomic(msgspec.Struct, frozen=True, kw_only=True):
    """One plain access.

    Attributes:
        span: Of the whole statement for a write (without its `;`), of the expression for a read.
        subject: The atomic as it is written.
        writes: Whether it is written.
        function: The built-in function that does it.
        replacement: What to write instead of the span; empty when no single function does the same.
    """

    span: Span
    subject: str
    writes: bool
    function: str
    replacement: str


def find_plain_atomics(loaded: LoadedShader) -> Iterator[PlainAtomic]:
    """Every plain access, in source order of the outermost statement."""
    if "atomic" not in loaded.wgsl.text:
        return
    text = loaded.wgsl.text
    for node in walk(loaded.tree):
        if isinstance(node, Assignment) and node.target is not None and _is_atomic(node.target, loaded):
            subject, value = text[node.target.start : node.target.end], text[node.value.start : node.value.end]
            function = _COMPOUND.get(node.operator, "")
            replacement = f"{function}(&{subject}, {value})" if function else ""
            span = Span(node.start, node.value.end)
            yield PlainAtomic(span=span, subject=subject, writes=True, function=function or "atomicStore", replacement=replacement)
        for child in children(node):
            if isinstance(child, Expression) and _is_read(child, node) and _is_atomic(child, loaded):
                subject = text[child.start : child.end]
                function = "atomicLoad"
                yield PlainAtomic(span=child.span, subject=subject, writes=False, function=function, replacement=f"{function}(&{subject})")


def _is_read(child: Expression, parent: Node) -> bool:
    """Whether the value of an expression is taken where it stands, not a part of it or its address."""
    if isinstance(parent, Unary):
        return parent.operator != "&"
    if isinstance(parent, (Parenthesized, Member)):
        return False
    if isinstance(parent, Index):
        return child is parent.index
    return not (isinstance(parent, Assignment) and child is parent.target)


def _is_atomic(expression: Expression, loaded: LoadedShader) -> bool:
    type_ = _type_of(expression, loaded, _MAX_DEPTH)
    return type_ is not None and loaded.names.predeclared(type_) == "atomic"


def _type_of(expression: Expression, loaded: LoadedShader, depth: int) -> Expression | None:
    """The type of a reference as it is written where its variable is declared; None for what is no reference."""
    if depth == 0:
        return None
    if isinstance(expression, Parenthesized):
        return _type_of(expression.inner, loaded, depth - 1)
    if isinstance(expression, Identifier):
        declared = loaded.names.declared(expression)
        if isinstance(declared, Parameter) or (isinstance(declared, VariableDeclaration) and declared.keyword == "var"):
            return _below_aliases(declared.type, loaded)
        return None
    if isinstance(expression, Index):
        return _element(_type_of(expression.base, loaded, depth - 1), "array", 0, loaded)
    if isinstance(expression, Unary) and expression.operator == "*":
        return _element(_type_of(expression.operand, loaded, depth - 1), "ptr", 1, loaded)
    if isinstance(expression, Member):
        base = _type_of(expression.base, loaded, depth - 1)
        struct = loaded.names.declared(base) if base is not None else None
        if isinstance(struct, StructDeclaration):
            member = next((one for one in struct.members if one.name.text == expression.member.text), None)
            return _below_aliases(member.type, loaded) if member is not None else None
    return None


def _element(type_: Expression | None, template: str, number: int, loaded: LoadedShader) -> Expression | None:
    if not isinstance(type_, Identifier) or loaded.names.predeclared(type_) != template:
        return None
    arguments = type_.template_arguments or []
    return _below_aliases(arguments[number], loaded) if number < len(arguments) else None


def _below_aliases(type_: Expression | None, loaded: LoadedShader) -> Expression | None:
    for _ in range(_MAX_DEPTH):
        declared = loaded.names.declared(type_) if type_ is not None else None
        if not isinstance(declared, AliasDeclaration):
            break
        type_ = declared.type
    return type_
