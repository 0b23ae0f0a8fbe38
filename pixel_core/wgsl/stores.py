"""Where a shader writes a module-scope variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Union

import msgspec

from pixel_core.findings import Span
from pixel_core.wgsl import builtins
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Assignment,
    Call,
    CallStatement,
    DeclarationStatement,
    Expression,
    For,
    FunctionDeclaration,
    Identifier,
    If,
    Increment,
    Index,
    Loop,
    Member,
    Node,
    Parameter,
    Parenthesized,
    Return,
    StructDeclaration,
    Switch,
    SyntaxTree,
    Unary,
    VariableDeclaration,
    While,
)
from pixel_core.wgsl.walk import walk


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One place that writes a variable.

    Attributes:
        span: The statement, without its semicolon; inside the head of a loop or `if`, the expression.
        field: The structure member that is written (`pos` in `p[i].pos = …`); None when it is the whole variable or element.
        function: Name of the function that contains it.
    """

    span: Span
    field: str | None
    function: str


class _Part(msgspec.Struct, frozen=True):
    """A part of the variable that a reference or pointer means; `is_struct` while members are structure members, not swizzles."""

    field: str | None
    is_struct: bool


_Pointers = Mapping[Union[VariableDeclaration, Parameter], _Part]
"""The `let`s and parameters of a function that point into the variable."""

_MAX_CONTEXTS = 500
_MAX_DEPTH = 64


def find_stores(tree: SyntaxTree, names: Names, variable: str, entry: FunctionDeclaration) -> list[Store]:
    """Find every statement that writes a variable, in an entry point and the functions that it calls.

    Follows pointers through `let` and through parameters; knows assignments, `++`, atomics and texture stores.

    Args:
        tree: The module.
        names: Of the same tree.
        variable: Name of a module-scope `var`.
        entry: Where execution starts.

    Returns:
        The stores by position, each once; empty when there is no such variable.
    """
    target = names.module.get(variable)
    if not isinstance(target, VariableDeclaration):
        return []
    search = _Search(tree, names, target)
    search.run(entry)
    return sorted(search.stores.values(), key=lambda store: store.span.start)


class _Search:
    def __init__(self, tree: SyntaxTree, names: Names, target: VariableDeclaration) -> None:
        self.stores: dict[Span, Store] = {}
        self._text = tree.source.text
        self._names = names
        self._target = target
        self._whole = _Part(None, _is_struct(target.type, names))

    def run(self, entry: FunctionDeclaration) -> None:
        start: tuple[FunctionDeclaration, frozenset[tuple[Parameter, _Part]]] = (entry, frozenset())
        pending, seen = [start], {start}
        while pending:
            function, bound = pending.pop()
            for callee, passed in self._read_function(function, dict(bound)):
                context = (callee, passed)
                if context not in seen and len(seen) < _MAX_CONTEXTS:
                    seen.add(context)
                    pending.append(context)

    def _read_function(
        self, function: FunctionDeclaration, bound: Mapping[Parameter, _Part]
    ) -> Iterator[tuple[FunctionDeclaration, frozenset[tuple[Parameter, _Part]]]]:
        """Record the stores of one function; yields the calls it makes, with the parameters that then point into the variable."""
        pointers: dict[VariableDeclaration | Parameter, _Part] = {**bound}
        for statement in walk(function.body) if function.body is not None else ():
            if isinstance(statement, DeclarationStatement) and statement.declaration.initializer is not None:
                part = self._pointed(statement.declaration.initializer, pointers)
                if part is not None:
                    pointers[statement.declaration] = part
            if isinstance(statement, (Assignment, Increment)) and statement.target is not None:
                part = self._part(statement.target, pointers)
                if part is not None:
                    self._record(statement, part, function)
            for place, expression in _own_expressions(statement):
                while isinstance(place, Parenthesized):
                    place = place.inner
                for node in walk(expression):
                    if isinstance(node, Call):
                        yield from self._read_call(node, place, pointers, function)

    def _read_call(
        self, call: Call, place: Node, pointers: _Pointers, function: FunctionDeclaration
    ) -> Iterator[tuple[FunctionDeclaration, frozenset[tuple[Parameter, _Part]]]]:
        callee = self._names.declared(call.callee)
        if isinstance(callee, FunctionDeclaration):
            passed: list[tuple[Parameter, _Part]] = []
            for parameter, argument in zip(callee.parameters, call.arguments, strict=False):
                part = self._pointed(argument, pointers) or self._texture(argument, pointers)
                if part is not None:
                    passed.append((parameter, part))
            yield callee, frozenset(passed)
            return
        name = self._names.predeclared(call.callee)
        if not call.arguments:
            return
        part = None
        if name in builtins.ATOMIC_WRITES:
            part = self._pointed(call.arguments[0], pointers)
        elif name in builtins.TEXTURE_WRITES:
            part = self._texture(call.arguments[0], pointers)
        if part is not None:
            self._record(place, part, function)

    def _record(self, place: Node, part: _Part, function: FunctionDeclaration) -> None:
        end = place.end
        while end > place.start and (self._text[end - 1] == ";" or self._text[end - 1].isspace()):
            end -= 1
        span = Span(place.start, end)
        self.stores.setdefault(span, Store(span=span, field=part.field, function=function.name.text))

    # ------------------------------------------------------------ what an expression means

    def _part(self, expression: Expression, pointers: _Pointers) -> _Part | None:
        """The part of the variable that a reference expression means (`out[i].x`, `*p`, `p[i]`), or None."""
        steps: list[Expression] = []
        for _ in range(_MAX_DEPTH):
            steps.append(expression)
            if isinstance(expression, Parenthesized):
                expression = expression.inner
            elif isinstance(expression, (Index, Member)):
                expression = expression.base
            elif isinstance(expression, Unary) and expression.operator in "*&":
                expression = expression.operand
            else:
                break
        if not isinstance(expression, Identifier):
            return None
        declared = self._names.declared(expression)
        part = self._whole if declared is self._target else None
        if isinstance(declared, (VariableDeclaration, Parameter)) and part is None:
            part = pointers.get(declared)
        for step in reversed(steps):
            if part is not None and isinstance(step, Member) and part.is_struct:
                part = _Part(step.member.text, is_struct=False)
        return part

    def _pointed(self, expression: Expression, pointers: _Pointers) -> _Part | None:
        """The part of the variable that a pointer expression points to (`&out[i]`, `p`), or None."""
        while isinstance(expression, Parenthesized):
            expression = expression.inner
        if isinstance(expression, Unary) and expression.operator == "&":
            return self._part(expression.operand, pointers)
        if isinstance(expression, Identifier):
            declared = self._names.declared(expression)
            return pointers.get(declared) if isinstance(declared, (VariableDeclaration, Parameter)) else None
        return None

    def _texture(self, expression: Expression, pointers: _Pointers) -> _Part | None:
        """The variable itself, handed on by name as textures are."""
        if (
            isinstance(expression, Identifier)
            and self._names.declared(expression) is self._target
            and self._target.template_arguments is None
        ):
            return self._whole
        return self._pointed(expression, pointers)


def _is_struct(expression: Expression | None, names: Names) -> bool:
    """Whether a type, below its aliases and arrays, is a structure."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(expression, Identifier):
            return False
        declared = names.declared(expression)
        if isinstance(declared, StructDeclaration):
            return True
        if isinstance(declared, AliasDeclaration):
            expression = declared.type
        elif names.predeclared(expression) == "array" and expression.template_arguments:
            expression = expression.template_arguments[0]
        else:
            return False
    return False


def _own_expressions(node: Node) -> Iterator[tuple[Node, Expression]]:
    """The expressions of a statement itself, each with the place that stands for it in a finding."""
    if isinstance(node, Assignment):
        if node.target is not None:
            yield node, node.target
        yield node, node.value
    elif isinstance(node, Increment):
        yield node, node.target
    elif isinstance(node, CallStatement):
        yield node, node.call
    elif isinstance(node, DeclarationStatement):
        if node.declaration.initializer is not None:
            yield node, node.declaration.initializer
    elif isinstance(node, Return):
        if node.value is not None:
            yield node, node.value
    elif isinstance(node, (If, While)):
        yield node.condition, node.condition
    elif isinstance(node, Switch):
        yield node.selector, node.selector
    elif isinstance(node, For):
        if node.condition is not None:
            yield node.condition, node.condition
    elif isinstance(node, Loop) and node.continuing is not None and node.continuing.break_if is not None:
        yield node.continuing.break_if, node.continuing.break_if
