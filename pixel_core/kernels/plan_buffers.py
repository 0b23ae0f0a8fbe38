"""Shapes and sizes of a case's storage buffers, by the layout rules of WGSL."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from pixel_core.kernels.buffer_uses import BufferUse, element_struct
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key
from pixel_core.kernels.planned import BufferPlan
from pixel_core.kernels.symbols import SymbolValue, evaluate_whole
from pixel_core.wgsl.layout import describe, parts_of, round_up, size_of, stride_of
from pixel_core.wgsl.types import Array, Atomic, Matrix, Scalar, Struct, Type, Vector

CODEC_BLOCKS: Mapping[str, tuple[int, int]] = {
    "f16x2": (2, 4),
    "f32": (1, 4),
    "q4_0": (32, 18),
    "q8_0": (32, 34),
    "u8x4": (4, 4),
    "unorm8x4": (4, 4),
}
"""Codec → values and bytes of a block (ggml-common.h: `block_q4_0`, `block_q8_0`; WGSL: `pack2x16float`)."""

MAX_BUFFER_BYTES = (1 << 31) - 4
"""No device binds more."""

MAX_SLACK_BYTES = 1 << 16
"""A kernel that reads further behind its buffer does not round up, it is lost."""

Axes = tuple[int, ...]


def plan_buffer(contract: KernelContract, use: BufferUse, role: str, case: str, symbols: Mapping[str, SymbolValue]) -> BufferPlan:
    """Shapes and size of one buffer in one case.

    Raises:
        PlanProblem: A missing shape, one that cannot be computed, or one that contradicts the type.
    """
    stated = _stated_shapes(contract, use, case, symbols)
    if use.type is None:
        raise PlanProblem(at_key(contract, "PX333", f"key@shapes.{use.name}", f"the type of `{use.name}` could not be worked out"))
    codec = contract.codecs.get(use.name)
    if codec is not None:
        if use.name in contract.python_codecs and use.name in contract.valid:
            message = f"`{use.name}` is packed by a codec in Python, which knows no part of it; all of it is compared"
            raise PlanProblem(at_key(contract, "PX304", f"key@valid.{use.name}", message, "leave it out"))
        shapes, size = _packed(contract, use, codec, stated, case)
    else:
        shapes, size = _plain(contract, use, use.type, stated, case)
    if size > MAX_BUFFER_BYTES:
        message = f"`{use.name}` has {size:,} bytes; a binding has at most {MAX_BUFFER_BYTES:,} (case {case})"
        raise PlanProblem(at_key(contract, "PX328", _shape_key(contract, use.name, ""), message, "use a smaller size"))
    for variable in use.variables:
        _check_other_type(contract, use, variable.type, size)
    slack = 0
    if use.name in contract.slack:
        slack = 4 * _whole(contract, contract.slack[use.name], case, symbols)
        if slack > MAX_SLACK_BYTES:
            message = f"`{use.name}` has {slack:,} bytes of slack; at most {MAX_SLACK_BYTES:,} are allowed (case {case})"
            raise PlanProblem(at_key(contract, "PX328", f"slack.{use.name}", message, "slack counts words of 4 bytes"))
    return BufferPlan(name=use.name, role=role, type=use.type, shapes=shapes, codec=codec, size_bytes=size + slack, slack_bytes=slack)


def fits_memory(buffer: BufferPlan, size: int) -> bool:
    """Whether so many bytes are the content of a buffer; what is smaller than a word may leave the last one open."""
    content = buffer.size_bytes - buffer.slack_bytes
    is_small = buffer.codec is not None or Scalar("f16") in parts_of(buffer.type)
    return content - size in (range(4) if is_small else range(1))


def _whole(contract: KernelContract, expression: Expression, case: str, symbols: Mapping[str, SymbolValue]) -> int:
    try:
        return evaluate_whole(expression, symbols)
    except ExpressionProblem as problem:
        raise PlanProblem(at_expression(contract, "PX325", expression, problem, case)) from None


def _shape_key(contract: KernelContract, name: str, field: str) -> str:
    full = f"{name}.{field}" if field else name
    for key in (f"shapes.{full}", f"shapes.{name}", f"buffers.{name}"):
        if key in contract.key_spans:
            return key
    return "shapes"


def _stated_shapes(contract: KernelContract, use: BufferUse, case: str, symbols: Mapping[str, SymbolValue]) -> dict[str, Axes]:
    """The shapes that the contract gives, by field (`""` for the buffer itself)."""
    written: dict[str, tuple[Expression, ...]] = {}
    if use.name in contract.buffers:
        written[""] = contract.buffers[use.name].shape
    for key, axes in contract.shapes.items():
        name, _, field = key.partition(".")
        if name == use.name:
            written[field] = axes
    shapes: dict[str, Axes] = {}
    for field, axes in written.items():
        sizes: list[int] = []
        for axis in axes:
            sizes.append(_whole(contract, axis, case, symbols))
            if sizes[-1] == 0:
                empty = ExpressionProblem(
                    f"`{use.name}` would be empty: `{axis.text}` is 0",
                    None,
                    "WebGPU binds no empty buffers; exclude the case in `where`, or round up: max(1, …)",
                )
                raise PlanProblem(at_expression(contract, "PX323", axis, empty, case))
        shapes[field] = tuple(sizes)
    return shapes


# ---------------------------------------------------------------- packed buffers


def _packed(contract: KernelContract, use: BufferUse, codec: str, stated: Mapping[str, Axes], case: str) -> tuple[dict[str, Axes], int]:
    shape = stated.get("")
    if shape is None:
        raise _missing(contract, use, "", f"count the values, not the bytes of {codec}")
    words = ({"u32"}, {"i32"}) if codec == "f32" else ({"u32"},)
    if not (isinstance(use.type, Array) and use.type.count is None and _scalar_names(use.type.element) in words):
        message = f"`{use.name}` has the codec {codec}, and its type is {describe(use.type) if use.type else 'unknown'}"
        raise PlanProblem(at_key(contract, "PX323", f"codecs.{use.name}", message, "packed values are read from `array<u32>`"))
    in_python = contract.python_codecs.get(use.name)
    values, size = CODEC_BLOCKS[codec] if in_python is None else (in_python.values, in_python.bytes)
    last = shape[-1] if shape else 1
    if last % values:
        message = f"`{use.name}` has a last axis of {last:,}, and {codec} packs {values} values into a block (case {case})"
        hint = f'say so in `where`: where = ["… % {values} == 0"]'
        raise PlanProblem(at_key(contract, "PX323", _shape_key(contract, use.name, ""), message, hint))
    return {"": shape}, round_up(stride_of(use.type), prod(shape) // values * size)


def _scalar_names(type_: Type) -> set[str]:
    if isinstance(type_, (Vector, Matrix, Atomic)):
        return {type_.component.name}
    return {type_.name} if isinstance(type_, Scalar) else set()


# ---------------------------------------------------------------- plain buffers and structures


def _plain(contract: KernelContract, use: BufferUse, type_: Type, stated: Mapping[str, Axes], case: str) -> tuple[dict[str, Axes], int]:
    struct = element_struct(type_)
    if struct is None:
        shape, size = _array(contract, use, type_, stated.get(""), "", case)
        return {"": shape}, round_up(4, size)
    if isinstance(type_, Array):
        return _structures(contract, use, type_, struct, stated, case)
    shapes: dict[str, Axes] = {}
    size = size_of(struct)
    for member in struct.fields:
        inner = element_struct(member.type)
        if inner is not None:
            size = max(size, _inner_structure(contract, use, member.name, member.type, stated, shapes) + member.offset)
            continue
        shape, bytes_ = _array(contract, use, member.type, stated.get(member.name), member.name, case)
        shapes[member.name] = shape
        size = max(size, member.offset + bytes_)
    return shapes, round_up(4, size)


def _inner_structure(
    contract: KernelContract, use: BufferUse, field: str, type_: Type, stated: Mapping[str, Axes], shapes: dict[str, Axes]
) -> int:
    """A member that is a structure or an array of them; the contract gives only its number of elements, where the type does not."""
    struct = element_struct(type_)
    assert struct is not None
    axes: Axes = ()
    if isinstance(type_, Array):
        given = stated.get(field)
        if type_.count is None and given is None:
            raise _missing(contract, use, field, f'count its elements: shapes = {{ "{use.name}.{field}" = "n" }}')
        axes = given if given is not None and type_.count is None else (type_.count or 1,)
    _add_leaves(struct, field, axes, shapes)
    return prod(axes) * stride_of(type_) if isinstance(type_, Array) else size_of(struct)


def _add_leaves(struct: Struct, prefix: str, axes: Axes, shapes: dict[str, Axes]) -> None:
    for member in struct.fields:
        path = f"{prefix}.{member.name}" if prefix else member.name
        inner = element_struct(member.type)
        count = (member.type.count or 1,) if isinstance(member.type, Array) else ()
        if inner is None:
            shapes[path] = axes + _fixed_axes(member.type)
        else:
            _add_leaves(inner, path, axes + count, shapes)


def _structures(
    contract: KernelContract, use: BufferUse, type_: Array, struct: Struct, stated: Mapping[str, Axes], case: str
) -> tuple[dict[str, Axes], int]:
    """An array of structures: its number of elements from the shape of the buffer or of any of its fields."""
    counts: dict[str, int] = {}
    leaves: dict[str, Axes] = {}
    _add_leaves(struct, "", (), leaves)
    if "" in stated:
        counts[""] = prod(stated[""])
    for field, axes in leaves.items():
        if field in stated:
            total, each = prod(stated[field]), prod(axes)
            if total % each:
                raise _divides_not(contract, use, field, total, each, case)
            counts[field] = total // each
    if type_.count is not None:
        counts.setdefault("", type_.count)
    if not counts:
        raise _missing(contract, use, "", f'give its number of elements: shapes = {{ {use.name} = "n" }}')
    (first, count), *others = counts.items()
    for field, other in others:
        if other != count:
            names = [f"`{use.name}.{one}`" if one else f"`{use.name}`" for one in (first, field)]
            message = f"{names[0]} has {count:,} elements and {names[1]} has {other:,} (case {case})"
            raise PlanProblem(at_key(contract, "PX323", _shape_key(contract, use.name, field), message))
    outer = stated.get("", (count,))
    return {field: stated.get(field, outer + axes) for field, axes in leaves.items()}, count * stride_of(type_)


def _array(contract: KernelContract, use: BufferUse, type_: Type, stated: Axes | None, field: str, case: str) -> tuple[Axes, int]:
    """Logical axes and bytes of a part without structures."""
    if not (isinstance(type_, Array) and type_.count is None):
        fixed = _fixed_axes(type_)
        if stated is not None and prod(stated) != prod(fixed):
            name = f"{use.name}.{field}" if field else use.name
            message = f"`{name}` is {_count(prod(stated))}, and {describe(type_)} holds {prod(fixed):,} (case {case})"
            raise PlanProblem(at_key(contract, "PX323", _shape_key(contract, use.name, field), message))
        return (fixed if stated is None else stated), size_of(type_)
    if stated is None:
        raise _missing(contract, use, field, 'give its axes, outermost first: shapes = { … = "n" }')
    each = prod(_fixed_axes(type_.element))
    total = prod(stated)
    if total % each:
        raise _divides_not(contract, use, field, total, each, case)
    return stated, total // each * stride_of(type_)


def _fixed_axes(type_: Type) -> Axes:
    """Axes of a type of fixed size, outermost first; a matrix is columns × rows as it lies in memory."""
    if isinstance(type_, Vector):
        return (type_.size,)
    if isinstance(type_, Matrix):
        return (type_.columns, type_.rows)
    if isinstance(type_, Array):
        return (type_.count or 1, *_fixed_axes(type_.element))
    return ()


def _check_other_type(contract: KernelContract, use: BufferUse, type_: Type | None, size: int) -> None:
    """A buffer that other passes see under another type must have whole elements of it."""
    if isinstance(type_, Array) and type_.count is None and use.type != type_ and size % stride_of(type_):
        message = f"`{use.name}` has {size:,} bytes, and a pass reads it as {describe(type_)}"
        raise PlanProblem(
            at_key(contract, "PX323", _shape_key(contract, use.name, ""), message, f"make it a multiple of {stride_of(type_)} bytes")
        )
    if type_ is not None and size < size_of(type_):
        message = f"`{use.name}` has {size:,} bytes, and {describe(type_)} needs at least {size_of(type_):,}"
        raise PlanProblem(at_key(contract, "PX323", _shape_key(contract, use.name, ""), message))


def _divides_not(contract: KernelContract, use: BufferUse, field: str, total: int, each: int, case: str) -> PlanProblem:
    name = f"{use.name}.{field}" if field else use.name
    struct = element_struct(use.type)
    member = next((one.type for one in struct.fields if one.name == field), use.type) if struct else use.type
    element = member.element if isinstance(member, Array) else member
    what = describe(element) if element is not None else "an element"
    message = f"`{name}` is {_count(total)}, not a multiple of the {each} of {what} (case {case})"
    axis = f'shapes count scalars: give the {each} an axis of their own, "… {each}"'
    hint = f'{axis}, or say which sizes are allowed: where = ["… % {each} == 0"]'
    return PlanProblem(at_key(contract, "PX323", _shape_key(contract, use.name, field), message, hint))


def _missing(contract: KernelContract, use: BufferUse, field: str, hint: str) -> PlanProblem:
    name = f"{use.name}.{field}" if field else use.name
    return PlanProblem(at_key(contract, "PX322", "key@shapes", f"`{name}` has no shape", hint))


def _count(total: int) -> str:
    return "1 scalar" if total == 1 else f"{total:,} scalars"
