"""Rules about what an entry point receives and returns (PX165)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pixel_core.wgsl import builtins
from pixel_core.wgsl.attributes import attribute_of, integer_of
from pixel_core.wgsl.entry_points import stage_of_entry
from pixel_core.wgsl.extensions import BUILTIN_VALUES
from pixel_core.wgsl.layout import describe, is_plain
from pixel_core.wgsl.resolve_types import TypeResolution, resolve_type
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Attribute,
    Expression,
    FunctionDeclaration,
    Identifier,
    Node,
    StructDeclaration,
    StructMember,
)
from pixel_core.wgsl.types import Array, Scalar, Struct, Type, Vector


class _Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One value that crosses the border of an entry point: a parameter, a return value, or a member of either."""

    name: str
    attributes: Sequence[Attribute]
    type: Expression
    place: Node


def check_interface(function: FunctionDeclaration, resolution: TypeResolution) -> None:
    """Check the parameters and the return value of an entry point; does nothing for other functions."""
    stage = stage_of_entry(function)
    if stage is None:
        return
    used: dict[str, _Slot] = {}
    for parameter in function.parameters:
        slot = _Slot(name=parameter.name.text, attributes=parameter.attributes, type=parameter.type, place=parameter)
        for inner in _slots(slot, resolution):
            _check_slot(inner, stage, "in", resolution)
            _check_repetition(inner, used, resolution)
    if function.return_type is not None and stage != "compute":
        slot = _Slot(name="the return value", attributes=function.return_attributes, type=function.return_type, place=function.return_type)
        slots = _slots(slot, resolution)
        used = {}
        for inner in slots:
            _check_slot(inner, stage, "out", resolution)
            if attribute_of(inner.attributes, "blend_src") is None:
                _check_repetition(inner, used, resolution)
        _check_position(function, stage, slots, resolution)


def _slots(slot: _Slot, resolution: TypeResolution) -> list[_Slot]:
    """The members of a structure; anything else as it is."""
    struct = _struct_of(slot.type, resolution)
    if struct is None or attribute_of(slot.attributes, "builtin") is not None or attribute_of(slot.attributes, "location") is not None:
        return [slot]
    return [_Slot(name=member.name.text, attributes=member.attributes, type=member.type, place=member) for member in struct.members]


def _struct_of(expression: Expression, resolution: TypeResolution) -> StructDeclaration | None:
    names = resolution.evaluation.names
    declared = names.declared(expression)
    while isinstance(declared, AliasDeclaration) and declared not in names.cyclic:
        declared = names.declared(declared.type)
    return declared if isinstance(declared, StructDeclaration) else None


def _check_slot(slot: _Slot, stage: str, direction: str, resolution: TypeResolution) -> None:
    collector = resolution.evaluation.collector
    builtin = attribute_of(slot.attributes, "builtin")
    location = attribute_of(slot.attributes, "location")
    type_ = resolve_type(slot.type, resolution)
    if builtin is not None:
        _check_builtin(slot, builtin, stage, direction, type_, resolution)
    elif stage == "compute":
        if location is None or isinstance(slot.place, StructMember):
            hint = "it can be a built-in value such as `@builtin(global_invocation_id)`; pass numbers in a uniform or storage buffer"
            collector.error("PX165", slot.place, f"`{slot.name}` of a compute entry point has no `@builtin`", hint=hint)
    elif location is None:
        hint = "give it `@location(0)`, or a built-in value"
        collector.error("PX165", slot.place, f"`{slot.name}` of the {stage} entry point has neither `@builtin` nor `@location`", hint=hint)
    elif type_ is not None and not _is_numeric(type_):
        if is_plain(type_) or not isinstance(slot.place, StructMember):
            message = f"`{slot.name}` has a `@location`, and `{describe(type_)}` cannot have one"
            collector.error("PX165", slot.type, message, hint="only numbers and vectors of numbers can")
    elif type_ is not None and _is_integral(type_) and not _is_flat(slot) and (stage, direction) in (("fragment", "in"), ("vertex", "out")):
        message = f"`{slot.name}` is an integer, which cannot be interpolated"
        collector.error("PX165", slot.place, message, hint="add `@interpolate(flat)`")


def _check_builtin(slot: _Slot, attribute: Attribute, stage: str, direction: str, type_: Type | None, resolution: TypeResolution) -> None:
    argument = attribute.arguments[0] if attribute.arguments else None
    name = argument.name.text if isinstance(argument, Identifier) else ""
    collector = resolution.evaluation.collector
    uses = BUILTIN_VALUES.get(name)
    if uses is not None and f"{stage} {direction}put" not in uses:
        # For the parameters and the result themselves the syntax checks say so.
        if isinstance(slot.place, StructMember):
            hint = "it is a " + " and a ".join(sorted(uses))
            collector.error("PX165", attribute, f"`{name}` is not a built-in {direction}put of the {stage} stage", hint=hint)
        return
    if type_ is None:
        return
    if name == "clip_distances":
        fits = isinstance(type_, Array) and type_.element == Scalar("f32") and type_.count is not None and type_.count <= 8
        if not fits:
            message = f"`@builtin(clip_distances)` is an array of 1 to 8 `f32`, and `{slot.name}` is declared as `{describe(type_)}`"
            collector.error("PX165", slot.type, message)
        return
    expected = builtins.BUILTIN_VALUE_TYPES.get(name)
    if expected is not None and (isinstance(type_, Struct) or describe(type_) != expected):
        message = f"`@builtin({name})` is `{expected}`, and `{slot.name}` is declared as `{describe(type_)}`"
        collector.error("PX165", slot.type, message, hint=f"declare it as `{expected}`")


def _is_numeric(type_: Type) -> bool:
    scalar = type_.component if isinstance(type_, Vector) else type_
    return isinstance(scalar, Scalar) and scalar.name != "bool"


def _is_integral(type_: Type) -> bool:
    scalar = type_.component if isinstance(type_, Vector) else type_
    return isinstance(scalar, Scalar) and scalar.name in ("i32", "u32")


def _is_flat(slot: _Slot) -> bool:
    interpolate = attribute_of(slot.attributes, "interpolate")
    argument = interpolate.arguments[0] if interpolate is not None and interpolate.arguments else None
    return isinstance(argument, Identifier) and argument.name.text == "flat"


def _check_repetition(slot: _Slot, used: dict[str, _Slot], resolution: TypeResolution) -> None:
    """A location or built-in value comes once among all inputs, and once among all outputs."""
    attribute = attribute_of(slot.attributes, "location") or attribute_of(slot.attributes, "builtin")
    if attribute is None or not attribute.arguments:
        return
    if attribute.name.text == "location":
        number = integer_of(attribute, resolution.evaluation)
        what = f"location {number}" if number is not None else None
    else:
        argument = attribute.arguments[0]
        what = f"`@builtin({argument.name.text})`" if isinstance(argument, Identifier) else None
    earlier = used.setdefault(what, slot) if what is not None else slot
    if earlier is not slot:
        label = resolution.evaluation.collector.label(earlier.place, "first used here")
        resolution.evaluation.collector.error("PX165", attribute, f"{what} is used twice", labels=(label,))


def _check_position(function: FunctionDeclaration, stage: str, slots: list[_Slot], resolution: TypeResolution) -> None:
    if stage != "vertex":
        return
    for slot in slots:
        builtin = attribute_of(slot.attributes, "builtin")
        argument = builtin.arguments[0] if builtin is not None and builtin.arguments else None
        if isinstance(argument, Identifier) and argument.name.text == "position":
            return
    message = f"the vertex entry point `{function.name.text}` does not return `@builtin(position)`"
    resolution.evaluation.collector.error("PX165", function.name, message)
