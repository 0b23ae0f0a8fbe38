"""Updates that get lost, which luck can hide in every run: found in the text, because an adapter that runs in order shows nothing.

A simple look, not a sanitizer. It knows one shape of mistake (`prove_barriers` another), and says nothing about the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pixel_core.kernels.examine import examine
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.wgsl.syntax import (
    Assignment,
    Block,
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
    Node,
    Return,
    Statement,
    Switch,
    VariableDeclaration,
    While,
)
from pixel_core.wgsl.walk import children, walk


def find_lost_update(loaded: LoadedShader) -> str | None:
    """An element of a buffer that all invocations read and write again, not atomically; None when this simple look finds none.

    `sum[0] = sum[0] + x[i]` in an entry point, outside of every branch that depends on which invocation it is; also by way of a variable
    that took over the element.
    """
    busy = {
        dispatch.entry
        for kernel in examine(loaded).kernels
        for case in kernel.cases
        for dispatch in case.dispatches
        if case.invocations > len(case.dispatches)
    }
    stored = {
        binding.name for binding in loaded.interface.bindings if binding.address_space == "storage" and binding.access == "read_write"
    }
    for entry in loaded.interface.entry_points:
        if entry.name in busy and entry.function.body is not None:
            own = _names_of_the_invocation(entry.function)
            copies = _copies(entry.function, stored, own)
            for statement in _unguarded(entry.function.body.statements, own):
                name = _updated(statement, stored, own, copies)
                if name is not None:
                    line = loaded.source.position(statement.start)[0]
                    return f"line {line}: every invocation reads an element of `{name}` and writes it again, so additions get lost"
    return None


def _names_of_the_invocation(function: FunctionDeclaration) -> set[str]:
    """Parameters, which are built-in values, and every local that is made from one."""
    names = {parameter.name.text for parameter in function.parameters}
    assert function.body is not None
    changed = True
    while changed:
        changed = False
        for node in walk(function.body):
            target, value = _definition(node)
            if target and target not in names and value is not None and _mentions(value, names):
                names.add(target)
                changed = True
    return names


def _definition(node: Node) -> tuple[str, Expression | None]:
    if isinstance(node, VariableDeclaration):
        return node.name.text, node.initializer
    if isinstance(node, Assignment) and isinstance(node.target, Identifier):
        return node.target.name.text, node.value
    return "", None


def _unguarded(statements: Sequence[Statement], own: set[str]) -> Iterator[Statement]:
    """The statements that every invocation reaches; after an early return that depends on the invocation, none."""
    for statement in statements:
        if isinstance(statement, (If, While, For, Switch)):
            condition = statement.selector if isinstance(statement, Switch) else statement.condition
            if condition is not None and _mentions(condition, own, outside_index=True):
                if any(isinstance(node, Return) for node in walk(statement)):
                    return
                continue
        if isinstance(statement, (If, While, For, Switch, Loop, Block)):
            for body in _blocks(statement):
                yield from _unguarded(body.statements, own)
        else:
            yield statement


def _blocks(statement: Statement) -> Iterator[Block]:
    """The blocks of a statement, those of `else if` and of `case` included; not those inside of them."""
    pending: list[Node] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, Block):
            yield node
        elif not isinstance(node, (Expression, DeclarationStatement)):
            pending += children(node)


def _copies(function: FunctionDeclaration, stored: set[str], own: set[str]) -> dict[str, set[str]]:
    """Buffer → locals that are made from an element of it that all invocations share."""
    assert function.body is not None
    copies: dict[str, set[str]] = {name: {name} for name in stored}
    for node in walk(function.body):
        target, value = _definition(node)
        if target and value is not None:
            for names in copies.values():
                its_own = (one for one in walk(value) if isinstance(one, Index) and _mentions(one.base, names))
                if _mentions(value, names) and not any(_mentions(one.index, own) for one in its_own):
                    names.add(target)
    return copies


def _updated(statement: Statement, stored: set[str], own: set[str], copies: Mapping[str, set[str]]) -> str | None:
    """The buffer of which a statement reads and writes one and the same element in all invocations."""
    if isinstance(statement, CallStatement) and statement.call.callee.name.text == "atomicStore" and len(statement.call.arguments) == 2:
        target, value = statement.call.arguments
    elif isinstance(statement, Assignment) and statement.target is not None:
        target = statement.target
        value = statement.value if statement.operator == "=" else target
    elif isinstance(statement, Increment):
        target = value = statement.target
    else:
        return None
    name = next((node.name.text for node in walk(target) if isinstance(node, Identifier) and node.name.text in stored), None)
    if name is None or _mentions(target, own) or not _mentions(value, copies[name]):
        return None
    return name


def _mentions(expression: Expression, names: set[str], *, outside_index: bool = False) -> bool:
    pending: list[Node] = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, Identifier) and node.name.text in names:
            return True
        # `x[id.x] > 0` looks at a datum, and does not choose one invocation.
        pending += [child for child in children(node) if not (outside_index and isinstance(node, Index) and child is node.index)]
    return False
