"""Memory layout: alignment, size, stride and offset, and what each address space may hold.

Follows the specification's sections "Alignment and Size", "Structure Member Layout", "Address Space Layout Constraints" and
"Address Spaces". All quantities are in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pixel_core.wgsl.types import Array, Atomic, Matrix, Pointer, Resource, Scalar, Struct, StructField, Type, Vector

_SCALAR_SIZES = {"f16": 2}


def align_of(type_: Type) -> int:
    """AlignOf: every address of a value of this type is a multiple of it. 1 for what has no place in memory."""
    if isinstance(type_, Scalar):
        return _SCALAR_SIZES.get(type_.name, 4)
    if isinstance(type_, Atomic):
        return 4
    if isinstance(type_, Vector):
        return align_of(type_.component) * (2 if type_.size == 2 else 4)
    if isinstance(type_, Matrix):
        return align_of(Vector(type_.rows, type_.component))
    if isinstance(type_, Array):
        return align_of(type_.element)
    return type_.align if isinstance(type_, Struct) else 1


def size_of(type_: Type) -> int:
    """SizeOf. A runtime-sized array counts as one element, as in the minimum binding size; pointers and resources as 0."""
    if isinstance(type_, Scalar):
        return _SCALAR_SIZES.get(type_.name, 4)
    if isinstance(type_, Atomic):
        return 4
    if isinstance(type_, Vector):
        return size_of(type_.component) * type_.size
    if isinstance(type_, Matrix):
        return size_of(Array(Vector(type_.rows, type_.component), type_.columns))
    if isinstance(type_, Array):
        return stride_of(type_) * (1 if type_.count is None else type_.count)
    return type_.size if isinstance(type_, Struct) else 0


def stride_of(array: Array) -> int:
    """StrideOf: bytes from one element of an array to the next."""
    return round_up(align_of(array.element), size_of(array.element))


def column_stride_of(matrix: Matrix) -> int:
    """Bytes from one column of a matrix to the next."""
    return round_up(align_of(matrix), size_of(Vector(matrix.rows, matrix.component)))


def round_up(align: int, value: int) -> int:
    """The smallest multiple of `align` that is not below `value`."""
    return -(-value // align) * align


class MemberDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A structure member before it has a place: type, and the values of `@align` and `@size` where given."""

    name: str
    type: Type
    align: int | None = None
    size: int | None = None


def lay_out(name: str, members: Sequence[MemberDraft]) -> Struct:
    """Give each member of a structure its offset."""
    fields: list[StructField] = []
    end = 0
    align = 1
    for member in members:
        member_align = member.align or align_of(member.type)
        member_size = member.size or size_of(member.type)
        offset = round_up(member_align, end)
        fields.append(StructField(member.name, member.type, offset, member_align, member_size))
        end = offset + member_size
        align = max(align, member_align)
    return Struct(name, tuple(fields), align, round_up(align, end))


def parts_of(type_: Type) -> Iterator[Type]:
    """A type and every type inside it. Repeated parts come once for each structure that has them."""
    pending: list[Type] = [type_]
    seen: set[int] = set()
    while pending:
        part = pending.pop()
        yield part
        if isinstance(part, Array):
            pending.append(part.element)
        elif isinstance(part, Struct) and id(part) not in seen:
            seen.add(id(part))
            pending.extend(member.type for member in part.fields)


def is_plain(type_: Type) -> bool:
    """Whether a type is made of scalars, vectors, matrices, atomics, arrays and structures alone."""
    return not any(isinstance(part, (Pointer, Resource)) for part in parts_of(type_))


def has_runtime_array(type_: Type) -> bool:
    """Whether the size of a type is only known when the shader runs."""
    return any(isinstance(part, Array) and part.count is None for part in parts_of(type_))


def complain_about_space(type_: Type, address_space: str) -> str | None:
    """Why a variable of this type may not be in an address space; None when it may."""
    if address_space == "handle":
        return None if isinstance(type_, Resource) else "only textures and samplers may do without an address space"
    if not is_plain(type_):
        held = "a pointer" if isinstance(type_, Pointer) else "a texture or sampler"
        return f"{held} cannot be in the address space `{address_space}`"
    if address_space != "storage" and has_runtime_array(type_):
        return f"a runtime-sized array can only be in the address space `storage`, not `{address_space}`"
    parts = list(parts_of(type_))
    if address_space not in ("storage", "workgroup") and any(isinstance(part, Atomic) for part in parts):
        return f"an atomic can only be in the address spaces `storage` and `workgroup`, not `{address_space}`"
    if address_space in ("storage", "uniform", "immediate") and any(_is_bool(part) for part in parts):
        return f"a `bool` cannot be in the address space `{address_space}`, which is shared with the host: use `u32`"
    return None


def _is_bool(part: Type) -> bool:
    scalar = part.component if isinstance(part, Vector) else part
    return isinstance(scalar, Scalar) and scalar.name == "bool"


def complain_about_uniform(type_: Type) -> str | None:
    """What breaks the 16-byte rules of uniform buffers, which hold without `uniform_buffer_standard_layout`; None when nothing."""
    for part in parts_of(type_):
        if isinstance(part, Array) and stride_of(part) % 16 != 0:
            return f"the elements of `{describe(part)}` are {stride_of(part)} bytes apart, not a multiple of 16"
        if isinstance(part, Struct):
            complaint = _complain_about_members(part)
            if complaint is not None:
                return complaint
    return None


def _complain_about_members(struct: Struct) -> str | None:
    for position, field in enumerate(struct.fields):
        if isinstance(field.type, (Array, Struct)) and field.offset % 16 != 0:
            return f"`{struct.name}.{field.name}` is at offset {field.offset}, not a multiple of 16"
        if isinstance(field.type, Struct) and position + 1 < len(struct.fields):
            following = struct.fields[position + 1]
            gap, needed = following.offset - field.offset, round_up(16, field.type.size)
            if gap < needed:
                return f"`{struct.name}.{following.name}` begins {gap} bytes after the structure `{field.name}`, which needs {needed}"
    return None


def describe(type_: Type) -> str:
    """A type as WGSL writes it."""
    if isinstance(type_, Scalar):
        return type_.name
    if isinstance(type_, Atomic):
        return f"atomic<{type_.component.name}>"
    if isinstance(type_, Vector):
        return f"vec{type_.size}<{type_.component.name}>"
    if isinstance(type_, Matrix):
        return f"mat{type_.columns}x{type_.rows}<{type_.component.name}>"
    if isinstance(type_, Array):
        count = "" if type_.count is None else f", {type_.count}"
        return f"array<{describe(type_.element)}{count}>"
    if isinstance(type_, Struct):
        return type_.name
    if isinstance(type_, Pointer):
        access = f", {type_.access}" if type_.address_space == "storage" else ""
        return f"ptr<{type_.address_space}, {describe(type_.type)}{access}>"
    return f"{type_.name}<{', '.join(type_.arguments)}>" if type_.arguments else type_.name
