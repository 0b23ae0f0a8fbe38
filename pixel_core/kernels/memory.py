"""Logical arrays ⇄ bytes of a buffer, by WGSL's memory layout.

A buffer is seen through *parts*: `""` for a plain array, a field path (`pos`, `inner.x`) for structures. A part is a strided view of
the bytes, so padding (a `vec3`'s fourth word, gaps between members) costs nothing and no element is touched one by one.
Source: WGSL, section "Alignment and Size" and "Structure Layout Rules".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Union

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels import codecs
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.planned import ParameterValue
from pixel_core.wgsl.layout import column_stride_of, size_of, stride_of
from pixel_core.wgsl.types import Array, Atomic, Matrix, Scalar, Struct, Type, Vector

Parts = Mapping[str, NDArray[Any]]

DTYPES: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {name: np.dtype(code) for name, code in (("f32", "<f4"), ("f16", "<f2"), ("i32", "<i4"), ("u32", "<u4"))}
)
"""Host-shareable scalars and what numpy calls them; `bool` is not host-shareable."""

POISONS = (0x7FC17FC1, 0x71497149)
"""Words for memory that nobody has written. Each half is the same, so that an f16 shows it too: the first is NaN as f32 and as f16,
the second large and finite (9.97e29 as f32, 10,824 as f16)."""

SCRATCH_POISONS = (0x7FC57FC5, 0x71557155)
"""The same for scratch, with words of its own: an output that holds one of these was written, with what the kernel read there."""


class _Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the scalars of one part are: byte offset, counts and strides outermost first; a count of None is runtime-sized."""

    scalar: str
    offset: int
    counts: tuple[int | None, ...]
    strides: tuple[int, ...]


def encode_buffer(
    store: Type, shapes: Mapping[str, tuple[int, ...]], codec: str | None, parts: Parts, *, size_bytes: int | None = None
) -> bytes:
    """The bytes of a buffer; what no part covers (padding, missing parts) is zero.

    Args:
        store: Store type of the variable.
        shapes: Logical shape of every part, in scalars.
        codec: Packed format of the only part, or None.
        parts: Values by part; shape and dtype as `shapes` and `type` say.
        size_bytes: Size of the result; None for just what the shapes need, padded to four bytes.
    """
    if codec is not None:
        packed = codecs.encode(codec, parts[""]) if "" in parts else bytes(codecs.packed_size(codec, shapes[""]))
        return _resized(packed, size_bytes)
    data = np.zeros(buffer_size(store, shapes, None) if size_bytes is None else size_bytes, dtype=np.uint8)
    for part, values in parts.items():
        _write(data, _layout(store, part), values.reshape(shapes[part]))
    return data.tobytes()


def decode_buffer(
    store: Type, shapes: Mapping[str, tuple[int, ...]], codec: str | None, data: bytes | memoryview
) -> dict[str, NDArray[Any]]:
    """The parts of a buffer, each a new array of its logical shape and the dtype of its scalar (f32 for a codec)."""
    if codec is not None:
        return {"": codecs.decode(codec, data, shapes[""])}
    array = np.frombuffer(data, dtype=np.uint8)
    return {part: _read(array, _layout(store, part), shape) for part, shape in shapes.items()}


def buffer_size(store: Type, shapes: Mapping[str, tuple[int, ...]], codec: str | None) -> int:
    """Bytes that these logical shapes need, padded to four."""
    if codec is not None:
        return codecs.packed_size(codec, shapes[""])
    size = 0 if _is_runtime_sized(store) else size_of(store)
    for part, shape in shapes.items():
        layout = _layout(store, part)
        if layout.counts and layout.counts[0] is None:
            # A runtime-sized array is outermost or the last member, so its elements end the buffer.
            element_start = layout.offset - _offset_in_element(store, part)
            size = max(size, element_start + _rows(layout, shape) * layout.strides[0])
    return size + -size % 4


def part_scalar(store: Type, part: str) -> str:
    """Scalar of one part: `f32`, `f16`, `i32` or `u32`."""
    return _layout(store, part).scalar


def poison(size: int, word: int) -> bytes:
    """That many bytes of one of `POISONS` or `SCRATCH_POISONS`."""
    return (word.to_bytes(4, "little") * (-(-size // 4)))[:size]


# ---------------------------------------------------------------- uniforms


def encode_uniform(store: Type, value: ParameterValue) -> bytes:
    """The bytes of a uniform; fields that `value` leaves out are zero.

    Args:
        store: Store type of the variable.
        value: A scalar, a tuple (vector, matrix in memory order, array) or a mapping by field.

    Raises:
        ExpressionProblem: A number that the field's type cannot hold, or a value of the wrong kind.
    """
    data = bytearray(size_of(store))
    _write_uniform(memoryview(data), store, value, "")
    return bytes(data)


def _write_uniform(data: memoryview, store: Type, value: ParameterValue, path: str) -> None:
    # Depth is that of the WGSL type, which the shader's compiler limits; planning has resolved it already.
    match store:
        case Struct():
            if not isinstance(value, Mapping):
                raise ExpressionProblem(f"`{path or store.name}` is a structure", None, "give its fields: `{ field = value }`")
            fields = {field.name: field for field in store.fields}
            for name, item in value.items():
                if name not in fields:
                    raise ExpressionProblem(f"`{store.name}` has no field `{name}`", None, f"its fields are {', '.join(fields)}")
                _write_uniform(data[fields[name].offset :], fields[name].type, item, f"{path}.{name}" if path else name)
        case Array() | Vector() | Matrix():
            count, stride, element = _elements(store)
            items = value if isinstance(value, tuple) else None
            if items is not None and isinstance(store, Matrix) and len(items) == store.columns * store.rows:
                items = tuple(items[column * store.rows : (column + 1) * store.rows] for column in range(store.columns))
            if items is None or (count is not None and len(items) > count):
                raise ExpressionProblem(f"`{path}` needs a list of {'' if count is None else count} values")
            for index, item in enumerate(items):
                _write_uniform(data[index * stride :], element, item, f"{path}[{index}]")
        case Atomic():
            _write_uniform(data, store.component, value, path)
        case Scalar():
            if not isinstance(value, (bool, int, float)):
                raise ExpressionProblem(f"`{path}` is one {store.name}, not a list or a table")
            packed = encode_scalar(store.name, value, path)
            data[: len(packed)] = packed
        case _:
            raise ExpressionProblem(f"`{path}` cannot be filled by a parameter")


def encode_scalar(scalar: str, value: bool | int | float, name: str) -> bytes:
    """One number in its WGSL type.

    Raises:
        ExpressionProblem: The type cannot hold it.
    """
    what = f"`{name}`" if name else "the value"
    if scalar in {"f32", "f16"}:
        with np.errstate(over="ignore"):
            rounded = np.asarray(float(value)).astype(DTYPES[scalar])
        if np.isinf(rounded) and not np.isinf(float(value)):
            raise ExpressionProblem(f"{what} = {value} is too large for {scalar}")
        return rounded.tobytes()
    if not math.isfinite(value) or int(value) != value:
        raise ExpressionProblem(f"{what} = {value} is not a whole number, and its type is {scalar}")
    info = np.iinfo(DTYPES[scalar])
    if not info.min <= value <= info.max:
        raise ExpressionProblem(f"{what} = {int(value):,} does not fit {scalar}", None, f"{scalar} holds {info.min:,} to {info.max:,}")
    return int(value).to_bytes(4, "little", signed=scalar == "i32")


# ---------------------------------------------------------------- layout

_HasElements = Union[Array, Vector, Matrix]


def _elements(store: _HasElements) -> tuple[int | None, int, Type]:
    """Count, byte stride and type of what a composite repeats."""
    if isinstance(store, Vector):
        return store.size, size_of(store.component), store.component
    if isinstance(store, Matrix):
        return store.columns, column_stride_of(store), Vector(store.rows, store.component)
    return store.count, stride_of(store), store.element


def _is_runtime_sized(store: Type) -> bool:
    return isinstance(store, Array) and store.count is None


def _layout(store: Type, part: str) -> _Layout:
    """Walk from the store type down to the scalars of a part.

    Raises:
        ExpressionProblem: The type has no such part.
    """
    names = part.split(".") if part else []
    offset = 0
    counts: list[int | None] = []
    strides: list[int] = []
    while not isinstance(store, Scalar):
        match store:
            case Struct():
                field = next((field for field in store.fields if names and field.name == names[0]), None)
                if field is None:
                    raise ExpressionProblem(
                        f"`{store.name}` has no field `{part}`", None, f"its fields are {', '.join(f.name for f in store.fields)}"
                    )
                names = names[1:]
                offset += field.offset
                store = field.type
            case Array() | Vector() | Matrix():
                count, stride, store = _elements(store)
                counts.append(count)
                strides.append(stride)
            case Atomic():
                store = store.component
            case _:
                raise ExpressionProblem("pointers and textures have no bytes that a contract could fill")
    if names:
        raise ExpressionProblem(f"`{part}` names a field of something that is not a structure")
    return _Layout(scalar=store.name, offset=offset, counts=tuple(counts), strides=tuple(strides))


def _offset_in_element(store: Type, part: str) -> int:
    """Byte offset of a part inside one element of the runtime-sized array that holds it."""
    names = part.split(".") if part else []
    inside = False
    offset = 0
    while isinstance(store, (Struct, Array)):
        if isinstance(store, Array):
            inside = True
            store = store.element
            continue
        field = next(field for field in store.fields if field.name == names[0])
        names = names[1:]
        offset += field.offset if inside else 0
        store = field.type
    return offset


def _rows(layout: _Layout, shape: tuple[int, ...]) -> int:
    """How many outermost elements hold that many scalars."""
    inner = math.prod(count or 0 for count in layout.counts[1:])
    return -(-math.prod(shape) // inner) if inner else 0


def _view(data: NDArray[np.uint8], layout: _Layout, shape: tuple[int, ...]) -> NDArray[Any]:
    """The elements that hold a logical shape, as a strided view: `[rows, …]`."""
    dtype = DTYPES[layout.scalar]
    if not layout.counts:
        return np.ndarray((), dtype, data, layout.offset)
    rows = _rows(layout, shape)
    return np.ndarray((rows, *(count or 0 for count in layout.counts[1:])), dtype, data, layout.offset, layout.strides)


def _write(data: NDArray[np.uint8], layout: _Layout, values: NDArray[Any]) -> None:
    view = _view(data, layout, values.shape)
    if view.size == values.size:
        view[...] = values.reshape(view.shape)
        return
    # The logical end lies inside the last element (5 scalars in two vec4): what is left over stays zero.
    flat = np.zeros(view.size, dtype=view.dtype)
    flat[: values.size] = values.reshape(-1)
    view[...] = flat.reshape(view.shape)


def _read(data: NDArray[np.uint8], layout: _Layout, shape: tuple[int, ...]) -> NDArray[Any]:
    flat = _view(data, layout, shape).reshape(-1)[: math.prod(shape)]
    return np.array(flat, copy=True).reshape(shape)


def _resized(data: bytes, size: int | None) -> bytes:
    return data if size is None else data[:size].ljust(size, b"\0")
