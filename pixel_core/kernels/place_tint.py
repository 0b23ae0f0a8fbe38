"""Where an error of Tint belongs: its own place, made exact where Tint points at a keyword, an operator or a whole declaration. Pure."""

from __future__ import annotations

from bisect import bisect_right

from pixel_core.engines.compilers import CompilerMessage
from pixel_core.findings import Span
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Assignment,
    Attribute,
    ConstAssert,
    FunctionDeclaration,
    Node,
    Return,
    StructDeclaration,
    TokenKind,
    VariableDeclaration,
)
from pixel_core.wgsl.walk import walk

_NAME = ("redeclaration", "a compute shader must", "resource variables require")
_VALUE = ("cannot initialize", "var of address space")
_TYPE = ("'uniform' storage requires",)


def place_tint(message: CompilerMessage, loaded: LoadedShader) -> Span | None:
    """The exact place of a message; None when Tint gives none (limits, resources that clash)."""
    if message.start < 0:
        return None
    if message.message.startswith("cyclic dependency") and message.labels:
        return Span(message.labels[0].start, message.labels[0].end)
    for node in walk(loaded.tree):
        if node.start <= message.start < node.end:
            span = _part(node, message)
            if span is not None:
                return span
    return Span(message.start, message.end)


def _part(node: Node, message: CompilerMessage) -> Span | None:
    """The part of a node that a message means, when it is this node that the message is about."""
    text = message.message
    if isinstance(node, Attribute) and node.name.start == message.start:
        return node.span
    if isinstance(node, ConstAssert) and text.startswith("const assertion failed"):
        return node.condition.span
    if isinstance(node, Return) and node.value is not None and text.startswith("return statement type") and node.start == message.start:
        return node.value.span
    if isinstance(node, Assignment) and node.target is not None and node.target.end <= message.start < node.value.start:
        return node.target.span if text.startswith("cannot store") else node.value.span
    if isinstance(node, VariableDeclaration):
        return _part_of_variable(node, message)
    if isinstance(node, (FunctionDeclaration, StructDeclaration, AliasDeclaration)) and text.startswith(_NAME):
        return node.name.span if message.start < node.name.start else None
    return None


def _part_of_variable(node: VariableDeclaration, message: CompilerMessage) -> Span | None:
    text = message.message
    if node.initializer is not None and text.startswith(_VALUE) and message.start <= node.name.start:
        return node.initializer.span
    if node.type is not None and text.startswith(_TYPE):
        return node.type.span
    return node.name.span if text.startswith(_NAME) and message.start <= node.name.start else None


def token_span(loaded: LoadedShader, span: Span) -> Span:
    """A span that is at least one token long: the token at a point, or the last one before it where none begins there."""
    if span.end > span.start:
        return span
    tokens = [token for token in loaded.tree.tokens if token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT, TokenKind.END)]
    index = bisect_right([token.start for token in tokens], span.start) - 1
    if index < 0:
        return Span(span.start, min(span.start + 1, len(loaded.wgsl.text)))
    return Span(tokens[index].start, tokens[index].end)
