"""Module-scope variables: address space, access mode, binding and type."""

from __future__ import annotations

import msgspec

from pixel_core.wgsl import builtins
from pixel_core.wgsl.attributes import attribute_of, integer_of
from pixel_core.wgsl.constants import Stage, stage_of
from pixel_core.wgsl.layout import align_of, complain_about_space, complain_about_uniform, parts_of
from pixel_core.wgsl.resolve_types import TypeResolution, is_override_sized, resolve_type
from pixel_core.wgsl.scopes import Predeclared
from pixel_core.wgsl.syntax import Identifier, VariableDeclaration
from pixel_core.wgsl.types import Atomic, Resource, Struct, Type


class ModuleVariable(msgspec.Struct, frozen=True, kw_only=True):
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
    """Read a module-scope `var` and report what is wrong with it (PX142, PX151, PX153, PX154, PX166)."""
    collector = resolution.evaluation.collector
    written = _space_and_access(declaration, resolution)
    type_ = resolve_type(declaration.type, resolution) if declaration.type is not None else None
    space, access = written if written is not None else ("", "read")
    if isinstance(type_, Resource) and space in ("handle", ""):
        space = "handle"
        access = type_.arguments[1] if type_.name in builtins.STORAGE_TEXTURES else "read"
    elif space == "handle" and type_ is not None and _is_bound(declaration):
        message = f"`{declaration.name.text}` needs an address space"
        collector.error("PX166", declaration.name, message, hint="write `var<storage, read_write>`, `var<storage>` or `var<uniform>`")
    elif space and type_ is not None:
        _check_type(declaration, type_, space, access, resolution)
    if declaration.type is not None and space != "workgroup" and is_override_sized(declaration.type, resolution):
        message = f"`{declaration.name.text}` cannot be an array sized by an override"
        collector.error("PX151", declaration.type, message, hint="only a `var<workgroup>` can; use a `const` for its size")
    _check_initializer(declaration, space, resolution)
    group, binding = _binding(declaration, space, resolution)
    return ModuleVariable(declaration=declaration, address_space=space, access=access, group=group, binding=binding, type=type_)


def _space_and_access(declaration: VariableDeclaration, resolution: TypeResolution) -> tuple[str, str] | None:
    """Address space and access mode as written; None when they are wrong, which the syntax checks report."""
    arguments = declaration.template_arguments
    if arguments is None:
        return "handle", "read"
    names = resolution.evaluation.names
    for argument, what in zip(arguments, ("an address space", "an access mode"), strict=False):
        declared = names.declared(argument)
        if declared is not None and not isinstance(declared, Predeclared) and isinstance(argument, Identifier):
            label = resolution.evaluation.collector.label(declared.name, "declared here")
            message = f"`{argument.name.text}` means a declaration of this file, but {what} is needed here"
            resolution.evaluation.collector.error("PX134", argument, message, labels=(label,), hint="rename the declaration")
            return None
    space = names.predeclared(arguments[0]) if arguments else None
    if space is None or space not in builtins.ADDRESS_SPACES or space == "function":
        return None
    space = "immediate" if space == "push_constant" else space
    access = names.predeclared(arguments[1]) if len(arguments) == 2 else None
    if access not in builtins.ACCESS_MODES:
        access = "read" if space in ("storage", "uniform", "immediate") else "read_write"
    return space, access


def _check_type(declaration: VariableDeclaration, type_: Type, space: str, access: str, resolution: TypeResolution) -> None:
    collector = resolution.evaluation.collector
    place = declaration.type or declaration.name
    complaint = complain_about_space(type_, space)
    if complaint is not None:
        collector.error("PX151", place, complaint)
        return
    if space not in ("storage", "uniform"):
        return
    if access == "read" and any(isinstance(part, Atomic) for part in parts_of(type_)):
        message = f"`{declaration.name.text}` holds atomics, which a read-only buffer cannot"
        collector.error("PX151", place, message, hint="declare it as `var<storage, read_write>`")
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
    if declaration.initializer is None or space != "private":
        return
    collector, name = resolution.evaluation.collector, declaration.name.text
    stage, culprit = stage_of(declaration.initializer, resolution.evaluation.names)
    if stage is Stage.RUNTIME:
        message = f"the initial value of `{name}` must be known before the shader runs"
        collector.error("PX142", culprit or declaration.initializer, message, hint="use a `const` or an `override`")


def _is_bound(declaration: VariableDeclaration) -> bool:
    return all(attribute_of(declaration.attributes, name) is not None for name in ("group", "binding"))


def _binding(declaration: VariableDeclaration, space: str, resolution: TypeResolution) -> tuple[int | None, int | None]:
    if space not in _BOUND:
        return None, None
    group = attribute_of(declaration.attributes, "group")
    binding = attribute_of(declaration.attributes, "binding")
    return (
        integer_of(group, resolution.evaluation, maximum=0xFFFFFFFF) if group is not None else None,
        integer_of(binding, resolution.evaluation, maximum=0xFFFFFFFF) if binding is not None else None,
    )
