"""Rules about the inside of functions that need names, constants and types as written."""

from __future__ import annotations

from pixel_core.wgsl.check_declarations import check_assertion, check_constant
from pixel_core.wgsl.layout import complain_about_space
from pixel_core.wgsl.resolve_types import TypeResolution, is_override_sized, resolve_type
from pixel_core.wgsl.syntax import ConstAssert, FunctionDeclaration, VariableDeclaration
from pixel_core.wgsl.walk import walk


def check_function(function: FunctionDeclaration, resolution: TypeResolution) -> None:
    """Check types, constants and assertions inside one function."""
    for parameter in function.parameters:
        resolve_type(parameter.type, resolution)
    if function.return_type is not None:
        resolve_type(function.return_type, resolution)
    if function.body is None:
        return
    for node in walk(function.body):
        if isinstance(node, VariableDeclaration):
            _check_local(node, resolution)
        elif isinstance(node, ConstAssert):
            check_assertion(node, resolution.evaluation)


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
