"""A structure declaration, with its attributes, as a type with offsets."""

from __future__ import annotations

from pixel_core.wgsl.attributes import attribute_of, integer_of
from pixel_core.wgsl.layout import MemberDraft, describe, has_runtime_array, is_plain, lay_out, size_of
from pixel_core.wgsl.resolve_types import MAX_BYTES, MAX_NESTING, TypeResolution, is_override_sized, nesting_of, resolve_type
from pixel_core.wgsl.syntax import StructDeclaration, StructMember
from pixel_core.wgsl.types import Array, Struct, Type

_MAX_SIZE = 1 << 32


def lay_out_struct(declaration: StructDeclaration, resolution: TypeResolution) -> Struct | None:
    """The type of a structure; the structures of its members must be resolved before.

    Returns:
        None when a member's type is not known. What is wrong is reported (PX150-PX153).
    """
    drafts: list[MemberDraft] = []
    for member in declaration.members:
        type_ = resolve_type(member.type, resolution)
        if is_override_sized(member.type, resolution):
            message = f"the member `{member.name.text}` cannot be an array sized by an override"
            resolution.evaluation.collector.error("PX151", member.type, message, hint="use a `const` for its size")
        if type_ is not None and _may_be_member(declaration, member, type_, resolution):
            drafts.append(_draft(member, type_, resolution))
    if not 0 < len(drafts) == len(declaration.members):
        return None
    nesting = 1 + max(nesting_of(draft.type, resolution) for draft in drafts)
    if nesting > MAX_NESTING:
        message = f"arrays and structures are nested more than {MAX_NESTING} levels deep"
        resolution.evaluation.collector.error("PX151", declaration.name, message)
        return None
    struct = lay_out(declaration.name.text, drafts)
    if struct.size > MAX_BYTES:
        message = f"the structure `{struct.name}` is larger than 4 GiB"
        resolution.evaluation.collector.error("PX151", declaration.name, message)
        return None
    resolution.nesting[struct.name] = nesting
    return struct


def _may_be_member(declaration: StructDeclaration, member: StructMember, type_: Type, resolution: TypeResolution) -> bool:
    collector = resolution.evaluation.collector
    if not is_plain(type_):
        message = f"the member `{member.name.text}` cannot be of type `{describe(type_)}`"
        collector.error("PX151", member.type, message, hint="pass it as a parameter, or use the module-scope variable")
        return False
    if has_runtime_array(type_):
        if not isinstance(type_, Array):
            message = f"the member `{member.name.text}` holds a structure that ends in a runtime-sized array"
            collector.error("PX152", member.type, message, hint="only the outermost structure of a buffer may end in one")
            return False
        if member is not declaration.members[-1]:
            message = f"the runtime-sized array `{member.name.text}` must be the last member of `{declaration.name.text}`"
            collector.error("PX152", member.type, message, hint="move it to the end, or give it an element count")
            return False
    return True


def _draft(member: StructMember, type_: Type, resolution: TypeResolution) -> MemberDraft:
    evaluation = resolution.evaluation
    align = size = None
    align_attribute = attribute_of(member.attributes, "align")
    if align_attribute is not None and align_attribute.arguments:
        align = integer_of(align_attribute, evaluation, minimum=1, maximum=_MAX_SIZE)
        if align is not None and align & (align - 1):
            evaluation.collector.error("PX153", align_attribute, f"`@align({align})` is not a power of two")
            align = None
    size_attribute = attribute_of(member.attributes, "size")
    if size_attribute is not None and size_attribute.arguments:
        size = integer_of(size_attribute, evaluation, minimum=1, maximum=_MAX_SIZE)
        natural = size_of(type_)
        if size is not None and has_runtime_array(type_):
            evaluation.collector.error("PX153", size_attribute, "`@size` needs a type of known size, and this array is runtime-sized")
            size = None
        elif size is not None and size < natural:
            evaluation.collector.error("PX153", size_attribute, f"`@size({size})` is below the {natural} bytes of `{describe(type_)}`")
            size = None
    return MemberDraft(name=member.name.text, type=type_, align=align, size=size)
