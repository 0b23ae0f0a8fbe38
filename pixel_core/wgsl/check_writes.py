"""What may be written: variables, not values (PX170)."""

from __future__ import annotations

from collections.abc import Mapping

from pixel_core.wgsl import builtins
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.syntax import (
    Assignment,
    Call,
    Expression,
    Identifier,
    Increment,
    Index,
    Member,
    Node,
    Parameter,
    Parenthesized,
    Unary,
    VariableDeclaration,
)
from pixel_core.wgsl.variables import ModuleVariable

_MAX_DEPTH = 300

_Variables = Mapping[VariableDeclaration, ModuleVariable]


def check_write(node: Node, names: Names, variables: _Variables, collector: Collector) -> None:
    """Check one node: an assignment, an increment, or a call that writes through its first argument."""
    if isinstance(node, (Assignment, Increment)):
        if node.target is not None:
            _check_target(node.target, names, variables, collector)
    elif isinstance(node, Call) and node.arguments:
        name = names.predeclared(node.callee)
        if name in builtins.TEXTURE_WRITES:
            _check_texture(node.arguments[0], names, variables, collector)
        elif name in builtins.ATOMIC_WRITES:
            pointer = node.arguments[0]
            if isinstance(pointer, Unary) and pointer.operator == "&":
                _check_target(pointer.operand, names, variables, collector)


def _check_target(target: Expression, names: Names, variables: _Variables, collector: Collector) -> None:
    root, steps = _root(target)
    if not isinstance(root, Identifier):
        return
    declared = names.declared(root)
    name = root.name.text
    if isinstance(declared, VariableDeclaration) and declared.keyword == "var":
        variable = variables.get(declared)
        if variable is not None and variable.access == "read" and variable.address_space:
            hint = (
                "declare it as `var<storage, read_write>`" if variable.address_space == "storage" else "write to a storage buffer instead"
            )
            label = collector.label(declared.name, f"declared in the address space `{variable.address_space}`, read-only")
            collector.error("PX170", target, f"`{name}` is read-only", hint=hint, labels=(label,))
    elif isinstance(declared, VariableDeclaration):
        # With a pointer in a `let`, `p.x = …` and `*p = …` write what it points to.
        if steps == 0 or declared.keyword != "let" or _is_surely_a_value(declared.initializer, names):
            label = collector.label(declared.name, "declared here")
            article = "an" if declared.keyword == "override" else "a"
            hint = "declare it with `var`" if declared.keyword == "let" else "copy it into a `var`"
            collector.error(
                "PX170", target, f"`{name}` is {article} `{declared.keyword}` and cannot be changed", hint=hint, labels=(label,)
            )
    elif isinstance(declared, Parameter) and not _is_pointer_type(declared.type, names):
        label = collector.label(declared.name, "declared here")
        hint = f"copy it: `var {name}_ = {name};`, or take a `ptr<function, …>`"
        collector.error("PX170", target, f"`{name}` is a parameter and cannot be changed", hint=hint, labels=(label,))


def _root(expression: Expression) -> tuple[Expression, int]:
    """The expression that a reference starts from, and the number of steps (index, member, dereference) to it."""
    steps = 0
    for _ in range(_MAX_DEPTH):
        if isinstance(expression, Parenthesized):
            expression = expression.inner
        elif isinstance(expression, (Index, Member)):
            expression, steps = expression.base, steps + 1
        elif isinstance(expression, Unary) and expression.operator in "*&":
            expression, steps = expression.operand, steps + 1
        else:
            break
    return expression, steps


def _is_surely_a_value(initializer: Expression | None, names: Names) -> bool:
    """Whether a `let` holds no pointer: it is initialized with a literal, an operation, or a call of something predeclared."""
    while isinstance(initializer, Parenthesized):
        initializer = initializer.inner
    if isinstance(initializer, Unary):
        return initializer.operator not in "&*"
    if isinstance(initializer, Identifier):
        declared = names.declared(initializer)
        if isinstance(declared, Parameter):
            return not _is_pointer_type(declared.type, names)
        return isinstance(declared, VariableDeclaration) and declared.keyword != "let"
    return True


def _is_pointer_type(expression: Expression, names: Names) -> bool:
    """Whether a type as written may be a pointer; aliases may."""
    return names.predeclared(expression) == "ptr" or (names.declared(expression) is not None and names.predeclared(expression) is None)


def _check_texture(texture: Expression, names: Names, variables: _Variables, collector: Collector) -> None:
    declared = names.declared(texture)
    variable = variables.get(declared) if isinstance(declared, VariableDeclaration) else None
    if variable is not None and variable.address_space == "handle" and variable.access == "read":
        hint = "give the texture the access mode `write` or `read_write`"
        collector.error("PX170", texture, f"the texture `{variable.name}` is read-only", hint=hint)
