"""Rules about the inside of functions that need names, constants and types as written."""

from __future__ import annotations

from collections.abc import Mapping

from pixel_core.wgsl.check_declarations import check_assertion, check_constant
from pixel_core.wgsl.check_writes import check_write
from pixel_core.wgsl.constants import evaluate
from pixel_core.wgsl.entry_points import stage_of_entry
from pixel_core.wgsl.layout import complain_about_space
from pixel_core.wgsl.resolve_types import TypeResolution, is_override_sized, resolve_type
from pixel_core.wgsl.syntax import Call, ConstAssert, Expression, FunctionDeclaration, Node, Statement, VariableDeclaration
from pixel_core.wgsl.variables import ModuleVariable
from pixel_core.wgsl.walk import children, walk


def check_function(
    function: FunctionDeclaration, resolution: TypeResolution, variables: Mapping[VariableDeclaration, ModuleVariable]
) -> None:
    """Check types, constants, assertions, calls and writes inside one function."""
    for parameter in function.parameters:
        resolve_type(parameter.type, resolution)
    if function.return_type is not None:
        resolve_type(function.return_type, resolution)
    if function.body is None:
        return
    evaluation = resolution.evaluation
    for node in walk(function.body):
        if isinstance(node, Expression):
            # Most nodes are expressions and most of those no calls, so they are looked at first.
            if isinstance(node, Call):
                _check_call(node, resolution)
                check_write(node, evaluation.names, variables, evaluation.collector)
            continue
        if isinstance(node, VariableDeclaration):
            _check_local(node, resolution)
        elif isinstance(node, ConstAssert):
            check_assertion(node, evaluation)
        else:
            check_write(node, evaluation.names, variables, evaluation.collector)
        for expression in _values(node):
            evaluate(expression, evaluation)


def _values(node: Node) -> list[Expression]:
    """The expressions of a statement that are evaluated when it runs; constants inside them have their errors now."""
    if isinstance(node, VariableDeclaration):
        return [node.initializer] if node.keyword in ("var", "let") and node.initializer is not None else []
    if isinstance(node, Statement) and not isinstance(node, ConstAssert):
        return [child for child in children(node) if isinstance(child, Expression)]
    return []


def _check_local(declaration: VariableDeclaration, resolution: TypeResolution) -> None:
    if declaration.keyword == "const":
        check_constant(declaration, resolution)
        return
    if declaration.type is None:
        return
    type_ = resolve_type(declaration.type, resolution)
    if declaration.keyword != "var":
        return
    collector = resolution.evaluation.collector
    if is_override_sized(declaration.type, resolution):
        message = f"`{declaration.name.text}` cannot be an array sized by an override"
        collector.error("PX151", declaration.type, message, hint="only a `var<workgroup>` can; use a `const` for its size")
    elif type_ is not None:
        complaint = complain_about_space(type_, "function")
        if complaint is not None:
            collector.error("PX151", declaration.type, complaint)


def _check_call(call: Call, resolution: TypeResolution) -> None:
    callee = resolution.evaluation.names.declared(call.callee)
    if not isinstance(callee, FunctionDeclaration):
        return
    collector = resolution.evaluation.collector
    label = collector.label(callee.name, "declared here")
    name = callee.name.text
    if stage_of_entry(callee) is not None:
        hint = "move the shared code into a function of its own"
        collector.error("PX165", call.callee, f"`{name}` is an entry point and cannot be called", hint=hint, labels=(label,))
    expected, given = len(callee.parameters), len(call.arguments)
    if expected != given:
        plural = "" if expected == 1 else "s"
        collector.error("PX171", call, f"`{name}` takes {expected} argument{plural}, and {given} are given", labels=(label,))
