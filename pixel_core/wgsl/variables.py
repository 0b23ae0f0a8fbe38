"""Module-scope variables: address space, access mode, binding and type."""

from __future__ import annotations

from dataclasses import dataclass

from pixel_core.wgsl import builtins
from pixel_core.wgsl.attributes import attribute_of, integer_of
from pixel_core.wgsl.constants import Stage, stage_of
from pixel_core.wgsl.layout import align_of, complain_about_space, complain_about_uniform, parts_of
from pixel_core.wgsl.resolve_types import TypeResolution, is_override_sized, resolve_type
from pixel_core.wgsl.syntax import Expression, VariableDeclaration
from pixel_core.wgsl.types import Resource, Struct, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleVariable:
    """A `var` at module scope.

    Attributes:
        address_space: `private`, `workgroup`, `storage`, `uniform`, `immediate` or `handle`.
        access: `read`, `write` or `read_write`.
        group: Of `@group`; None where it has none or its value is not known.
        binding: Of `@binding`; likewise.
        type: None when not known; of an array sized by an override, not known before the overrides are.
    """

    declaration: VariableDeclaration
    address_space: str
    access: str
    group: int | None
    binding: int | None
    type: Type | None

    @property
    def name(self) -> str:
        """Its identifier."""
        return self.declaration.name.text

    @property
    def is_resource(self) -> bool:
        """Whether the host binds something to it."""
        return self.address_space not in ("private", "workgroup")


_BOUND = ("storage", "uniform", "handle")


def read_variable(declaration: VariableDeclaration, resolution: TypeResolution) -> ModuleVariable:
    """Read a module-scope `var` and report what is wrong with it (PX142, PX151, PX154, PX160, PX166, PX167)."""
    collector = resolution.evaluation.collector
    written = _space_and_access(declaration, resolution)
    type_ = resolve_type(declaration.type, resolution) if declaration.type is not None else None
    space, access = written if written is not None else ("", "read")
    if isinstance(type_, Resource) and space in ("handle", ""):
        space = "handle"
        access = type_.arguments[1] if type_.name in builtins.STORAGE_TEXTURES else "read"
    elif written is not None and space == "handle" and type_ is not None:
        message = f"`{declaration.name.text}` needs an address space"
        collector.error("PX166", declaration.name, message, hint="write `var<private>`, `var<workgroup>`, `var<storage>` or `var<uniform>`")
    elif space and type_ is not None:
        _check_type(declaration, type_, space, resolution)
    if declaration.type is not None and space != "workgroup" and is_override_sized(declaration.type, resolution):
        message = f"`{declaration.name.text}` cannot be an array sized by an override"
        collector.error("PX151", declaration.type, message, hint="only a `var<workgroup>` can; use a `const` for its size")
    _check_initializer(declaration, space, resolution)
    group, binding = _binding(declaration, space, resolution)
    return ModuleVariable(declaration=declaration, address_space=space, access=access, group=group, binding=binding, type=type_)


def _space_and_access(declaration: VariableDeclaration, resolution: TypeResolution) -> tuple[str, str] | None:
    """Address space and access mode as written; None when they are wrong, which is reported."""
    arguments = declaration.template_arguments
    if arguments is None:
        return "handle", "read"
    names, collector = resolution.evaluation.names, resolution.evaluation.collector
    source = collector.source.text

    def text(node: Expression) -> str:
        return source[node.start : node.end]

    if not 1 <= len(arguments) <= 2:
        collector.error("PX166", declaration.name, "`var<…>` takes an address space and an access mode")
        return None
    space = names.predeclared(arguments[0])
    if space not in builtins.ADDRESS_SPACES:
        collector.error("PX166", arguments[0], f"`{text(arguments[0])}` is no address space", hint=_SPACE_HINT)
        return None
    if space == "function":
        message = "the address space `function` is for variables inside functions"
        collector.error("PX166", arguments[0], message, hint="write `var<private>` for a variable that each invocation has for itself")
        return None
    space = "immediate" if space == "push_constant" else space
    access = "read" if space in ("storage", "uniform", "immediate") else "read_write"
    if len(arguments) == 2:
        access_name = names.predeclared(arguments[1])
        if access_name not in builtins.ACCESS_MODES:
            collector.error("PX166", arguments[1], f"`{text(arguments[1])}` is no access mode", hint="`read` or `read_write`")
            return None
        if space != "storage":
            message = f"a variable in the address space `{space}` has no access mode of its own"
            collector.error("PX166", arguments[1], message, hint=f"write `var<{space}>`")
            return None
        if access_name == "write":
            message = "storage buffers can be `read` or `read_write`, not `write`"
            collector.error("PX166", arguments[1], message, hint="write `var<storage, read_write>`")
            return None
        access = access_name
    return space, access


_SPACE_HINT = "one of `private`, `workgroup`, `storage`, `uniform`"


def _check_type(declaration: VariableDeclaration, type_: Type, space: str, resolution: TypeResolution) -> None:
    collector = resolution.evaluation.collector
    place = declaration.type or declaration.name
    complaint = complain_about_space(type_, space)
    if complaint is not None:
        collector.error("PX151", place, complaint)
        return
    if space not in ("storage", "uniform"):
        return
    for part in parts_of(type_):
        if isinstance(part, Struct):
            for member in part.fields:
                if member.align % align_of(member.type) != 0:
                    message = f"`@align({member.align})` on `{part.name}.{member.name}` is not a multiple of {align_of(member.type)}"
                    collector.error("PX153", place, f"{message}, which the address space `{space}` needs")
                    return
    if space == "uniform" and not _has_standard_layout(resolution):
        complaint = complain_about_uniform(type_)
        if complaint is not None:
            collector.warning(
                "PX154",
                place,
                f"not every implementation takes this uniform buffer: {complaint}",
                hint="use `vec4` elements, `@align(16)` or `@size(16)`, or a storage buffer",
            )


def _has_standard_layout(resolution: TypeResolution) -> bool:
    return "uniform_buffer_standard_layout" in resolution.required


def _check_initializer(declaration: VariableDeclaration, space: str, resolution: TypeResolution) -> None:
    collector = resolution.evaluation.collector
    name = declaration.name.text
    if declaration.initializer is None:
        if declaration.type is None:
            collector.error("PX167", declaration.name, f"`{name}` needs a type or a value", hint=f"write `{name}: f32`, for example")
        return
    if space != "private":
        if space:
            message = f"`{name}` cannot have an initial value: only `var<private>` can at module scope"
            collector.error("PX167", declaration.initializer, message, hint="assign it in the entry point")
        return
    stage, culprit = stage_of(declaration.initializer, resolution.evaluation.names)
    if stage is Stage.RUNTIME:
        message = f"the initial value of `{name}` must be known before the shader runs"
        collector.error("PX142", culprit or declaration.initializer, message, hint="use a `const` or an `override`")


def _binding(declaration: VariableDeclaration, space: str, resolution: TypeResolution) -> tuple[int | None, int | None]:
    collector, name = resolution.evaluation.collector, declaration.name.text
    group = attribute_of(declaration.attributes, "group")
    binding = attribute_of(declaration.attributes, "binding")
    if space and space not in _BOUND:
        for attribute in (group, binding):
            if attribute is not None:
                message = f"`{name}` is in the address space `{space}`, to which nothing is bound"
                collector.error("PX160", attribute, message, hint=f"remove `@{attribute.name.text}`")
        return None, None
    if space and (group is None or binding is None):
        missing = "`@group` and `@binding`" if group is binding else "`@group`" if group is None else "`@binding`"
        hint = "write `@group(0) @binding(0)` before `var`"
        collector.error("PX160", declaration.name, f"`{name}` has no {missing}", hint=hint)
    return (
        integer_of(group, resolution.evaluation, maximum=0xFFFFFFFF) if group is not None else None,
        integer_of(binding, resolution.evaluation, maximum=0xFFFFFFFF) if binding is not None else None,
    )
