"""Variables: what `var`, `override`, `const` and `let` need according to where they stand."""

from __future__ import annotations

from collections.abc import Iterator

from pixel_core.findings import Finding
from pixel_core.source import SourceText
from pixel_core.wgsl import extensions as ext
from pixel_core.wgsl.keywords import RESERVED_WORDS
from pixel_core.wgsl.syntax import ErrorExpression, Expression, Identifier, VariableDeclaration
from pixel_core.wgsl.syntax_findings import syntax_finding
from pixel_core.wgsl.validate_attributes import validate_attributes

_BOUND_SPACES = frozenset(("storage", "uniform"))
_MODULE_SPACES = frozenset(("storage", "uniform", "workgroup", "private", "immediate"))
_ACCESS_MODES = frozenset(("read", "read_write", "write"))


def validate_module_variable(source: SourceText, declaration: VariableDeclaration) -> Iterator[Finding]:
    """Check a `var`, `const` or `override` at module scope."""
    keyword, name = declaration.keyword, declaration.name
    place = {"var": ext.MODULE_VARIABLE, "override": ext.OVERRIDE}.get(keyword, ext.MODULE_CONSTANT)
    if declaration.attributes:
        yield from validate_attributes(source, declaration.attributes, place)
    if keyword == "override" and declaration.type is None and declaration.initializer is None and name.text:
        yield syntax_finding(source, "PX119", f"`override {name.text}` needs a type or a value", name.span)
    if keyword != "var" or not name.text:
        return
    space, access = address_space(declaration)
    if space not in _MODULE_SPACES and space is not None:
        if space == "function":
            yield syntax_finding(source, "PX119", "`var<function>` is only for functions", name.span, hint="use `var<private>`")
        elif space and space not in RESERVED_WORDS:
            hint = _IMMEDIATE_HINT if space == "push_constant" else _SPACES_HINT
            yield syntax_finding(source, "PX119", f"there is no address space `{space}`", name.span, hint=hint)
        return
    yield from _validate_template(source, declaration, space, access)
    yield from _validate_value(source, declaration, space)
    yield from _validate_binding(source, declaration, space)


_SPACES_HINT = "use `storage`, `uniform`, `workgroup` or `private`"
_IMMEDIATE_HINT = (
    'WebGPU calls it `immediate`; where the file must stay as it is: `prepare = [{ define = { push_constant = "immediate" } }]`'
)


def validate_local_variable(source: SourceText, declaration: VariableDeclaration) -> Iterator[Finding]:
    """Check a `var`, `let` or `const` in a function."""
    if declaration.keyword != "var" or not declaration.name.text:
        return
    name = declaration.name
    space, access = address_space(declaration)
    if space is not None and space != "function":
        message = f"`var<{space}>` must stand at module scope" if space in _MODULE_SPACES else f"there is no address space `{space}`"
        yield syntax_finding(source, "PX119", message, name.span, hint="move it out of the function, or write `var`")
    elif access is not None:
        yield syntax_finding(source, "PX119", "a variable of a function takes no access mode", access.span, hint="write `var`")
    if declaration.type is None and declaration.initializer is None:
        yield syntax_finding(source, "PX119", f"`var {name.text}` needs a type or a value", name.span)


def address_space(declaration: VariableDeclaration) -> tuple[str | None, Expression | None]:
    """Address space (empty if it is not a name, None if there is none) and access mode of a `var`."""
    arguments = declaration.template_arguments
    if not arguments:
        return None, None
    first = arguments[0]
    space = first.name.text if isinstance(first, Identifier) and first.template_arguments is None else ""
    return space, arguments[1] if len(arguments) > 1 else None


def _validate_template(
    source: SourceText, declaration: VariableDeclaration, space: str | None, access: Expression | None
) -> Iterator[Finding]:
    arguments = declaration.template_arguments or []
    if len(arguments) > 2:
        yield syntax_finding(source, "PX119", "`var<…>` takes an address space and an access mode, no more", arguments[2].span)
        return
    if access is None or isinstance(access, ErrorExpression):
        return
    mode = access.name.text if isinstance(access, Identifier) else ""
    if mode not in _ACCESS_MODES:
        yield syntax_finding(source, "PX119", "expected an access mode: `read` or `read_write`", access.span)
    elif space != "storage":
        yield syntax_finding(source, "PX119", f"`{space}` variables take no access mode", access.span, hint=f"write `var<{space}>`")
    elif mode == "write":
        yield syntax_finding(source, "PX119", "storage buffers are `read` or `read_write`", access.span, hint="use `read_write`")


def _validate_value(source: SourceText, declaration: VariableDeclaration, space: str | None) -> Iterator[Finding]:
    name, value = declaration.name, declaration.initializer
    if space != "private" and value is not None and not isinstance(value, ErrorExpression):
        what = f"`var<{space}>`" if space else "a resource"
        hint = "the host sets it" if space != "workgroup" else "it is zero at first; assign it in the function"
        yield syntax_finding(source, "PX119", f"{what} takes no initial value", value.span, hint=hint)
    elif declaration.type is None and value is None:
        yield syntax_finding(source, "PX119", f"`var {name.text}` needs a type", name.span)


def _validate_binding(source: SourceText, declaration: VariableDeclaration, space: str | None) -> Iterator[Finding]:
    """`@group` and `@binding`: both for resources, neither for other variables."""
    numbers = {attribute.name.text: attribute for attribute in declaration.attributes if attribute.name.text in ("group", "binding")}
    name = declaration.name
    if space in _BOUND_SPACES or space is None:
        missing = [f"`@{text}`" for text in ("group", "binding") if text not in numbers]
        # Whether a variable without an address space is a resource is for the types to say, where its form does not show it.
        if missing and (space is not None or len(missing) == 1 or _is_resource(declaration.type)):
            hint = "write `@group(0) @binding(0)`"
            yield syntax_finding(source, "PX119", f"`{name.text}` is a resource and needs {' and '.join(missing)}", name.span, hint=hint)
    else:
        for attribute in numbers.values():
            yield syntax_finding(source, "PX113", f"`var<{space}>` is no resource: it has no `@{attribute.name.text}`", attribute.span)


def _is_resource(declared: Expression | None) -> bool:
    """Whether a type is a texture or sampler by its own name."""
    return isinstance(declared, Identifier) and declared.name.text.startswith(("texture_", "sampler"))
