"""Bytes of buffers and uniforms, against layouts worked out by hand from the specification."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_core.kernels.expressions import ExpressionProblem
from pixel_core.kernels.memory import (
    POISONS,
    SCRATCH_POISONS,
    buffer_size,
    decode_buffer,
    encode_buffer,
    encode_uniform,
    part_scalar,
    poison,
)
from pixel_core.wgsl.layout import MemberDraft, lay_out
from pixel_core.wgsl.types import Array, Atomic, Matrix, Scalar, Type, Vector

F32, F16, I32, U32 = (Scalar(name) for name in ("f32", "f16", "i32", "u32"))


def words(data: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def check_layout(type_: Type, parts: Mapping[str, Any], expected: list[float]) -> None:
    """Encode f32 parts, compare the words, and read the parts back."""
    arrays = {part: np.asarray(values, dtype=np.float32) for part, values in parts.items()}
    shapes = {part: values.shape for part, values in arrays.items()}
    data = encode_buffer(type_, shapes, None, arrays)
    assert words(data) == expected
    back = decode_buffer(type_, shapes, None, data)
    assert {part: values.tolist() for part, values in back.items()} == {part: values.tolist() for part, values in arrays.items()}


def test_plain_arrays_are_row_major() -> None:
    check_layout(Array(F32, None), {"": [[1, 2, 3], [4, 5, 6]]}, [1, 2, 3, 4, 5, 6])


def test_a_vec3_takes_four_words() -> None:
    check_layout(Array(Vector(3, F32), None), {"": [[1, 2, 3], [4, 5, 6]]}, [1, 2, 3, 0, 4, 5, 6, 0])


def test_a_vec4_array_may_end_inside_its_last_element() -> None:
    check_layout(Array(Vector(4, F32), None), {"": [1, 2, 3, 4, 5]}, [1, 2, 3, 4, 5, 0, 0, 0])


def test_columns_of_a_mat3x3_are_padded() -> None:
    check_layout(Array(Matrix(3, 3, F32), None), {"": [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]}, [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0])


def test_fields_of_an_array_of_structures_interleave() -> None:
    particle = lay_out("Particle", [MemberDraft(name="position", type=Vector(3, F32)), MemberDraft(name="mass", type=F32)])
    check_layout(Array(particle, None), {"position": [[1, 2, 3], [5, 6, 7]], "mass": [4, 8]}, [1, 2, 3, 4, 5, 6, 7, 8])


def test_a_runtime_sized_array_follows_a_head() -> None:
    type_ = lay_out("Stack", [MemberDraft(name="scale", type=F32), MemberDraft(name="items", type=Array(Vector(2, F32), None))])
    check_layout(type_, {"scale": 9, "items": [[1, 2], [3, 4]]}, [9, 0, 1, 2, 3, 4])


def test_fields_of_inner_structures_have_dotted_names() -> None:
    inner = lay_out("Inner", [MemberDraft(name="x", type=F32), MemberDraft(name="y", type=Vector(2, F32))])
    outer = lay_out("Outer", [MemberDraft(name="head", type=F32), MemberDraft(name="rows", type=Array(inner, None))])
    check_layout(outer, {"head": 7, "rows.x": [1, 2], "rows.y": [[3, 4], [5, 6]]}, [7, 0, 1, 0, 3, 4, 2, 0, 5, 6])


def test_parts_keep_the_scalar_of_the_type() -> None:
    type_ = lay_out(
        "Mixed", [MemberDraft(name="n", type=Atomic(U32)), MemberDraft(name="h", type=Array(F16, 3)), MemberDraft(name="i", type=I32)]
    )
    shapes = {"n": (), "h": (3,), "i": ()}
    parts = {"n": np.uint32(2**32 - 1), "h": np.array([1, 2, 3], np.float16), "i": np.int32(-5)}
    data = encode_buffer(type_, shapes, None, {part: np.asarray(value) for part, value in parts.items()})
    assert data == struct.pack("<I3e2xi", 2**32 - 1, 1, 2, 3, -5)
    assert [part_scalar(type_, part) for part in shapes] == ["u32", "f16", "i32"]
    back = decode_buffer(type_, shapes, None, data)
    assert {part: value.dtype.name for part, value in back.items()} == {"n": "uint32", "h": "float16", "i": "int32"}


def test_the_rest_of_a_larger_binding_is_zero() -> None:
    data = encode_buffer(Array(F32, None), {"": (2,)}, None, {"": np.ones(2, np.float32)}, size_bytes=16)
    assert words(data) == [1, 1, 0, 0]


def test_an_odd_number_of_f16_is_padded_to_a_word() -> None:
    assert buffer_size(Array(F16, None), {"": (3,)}, None) == 8


def test_codecs_go_through() -> None:
    values = np.linspace(-8, 7, 32, dtype=np.float32)
    data = encode_buffer(Array(U32, None), {"": (32,)}, "q8_0", {"": values}, size_bytes=36)
    assert len(data) == 36
    assert np.allclose(decode_buffer(Array(U32, None), {"": (32,)}, "q8_0", data)[""], values, atol=0.04)


def test_a_field_that_does_not_exist_is_named() -> None:
    particle = lay_out("Particle", [MemberDraft(name="mass", type=F32)])
    with pytest.raises(ExpressionProblem, match=r"^`Particle` has no field `weight`$") as caught:
        buffer_size(Array(particle, None), {"weight": (3,)}, None)
    assert caught.value.hint == "its fields are mass"


@pytest.mark.parametrize("scalar", ["f32", "f16", "u32", "i32"])
def test_poison_is_recognised_in_every_type(scalar: str) -> None:
    dtype = {"f32": "<f4", "f16": "<f2", "u32": "<u4", "i32": "<i4"}[scalar]
    for words in (POISONS, SCRATCH_POISONS):
        check_poison([np.frombuffer(poison(8, word), dtype) for word in words], scalar)
    assert poison(6, POISONS[0]) == POISONS[0].to_bytes(4, "little") + POISONS[0].to_bytes(4, "little")[:2]
    assert not set(POISONS) & set(SCRATCH_POISONS)


def check_poison(values: list[np.ndarray], scalar: str) -> None:
    assert all((value == value[0]).all() or np.isnan(value).all() for value in values)
    if scalar.startswith("f"):
        assert np.isnan(values[0]).all()
        assert (values[1] > 1e4).all()
        assert np.isfinite(values[1]).all()


# ---------------------------------------------------------------- uniforms


def test_a_uniform_structure_mixes_types_and_padding() -> None:
    type_ = lay_out(
        "Size",
        [
            MemberDraft(name="m", type=U32),
            MemberDraft(name="offset", type=I32),
            MemberDraft(name="eps", type=F32),
            MemberDraft(name="half", type=F16),
            MemberDraft(name="light", type=Vector(3, F32)),
            MemberDraft(name="last", type=F32),
            MemberDraft(name="pair", type=Array(Vector(4, U32), 2)),
        ],
    )
    value = {"m": 3, "offset": -1, "eps": 0.5, "half": 1.5, "light": (1, 2, 3), "last": 4, "pair": ((1, 2, 3, 4), (5, 6, 7, 8))}
    assert encode_uniform(type_, value) == struct.pack("<IifexxffffIIIIIIII", 3, -1, 0.5, 1.5, 1, 2, 3, 4, *range(1, 9))


def test_fields_left_out_are_zero() -> None:
    type_ = lay_out("Size", [MemberDraft(name="m", type=U32), MemberDraft(name="pad", type=U32)])
    assert encode_uniform(type_, {"m": 7}) == struct.pack("<II", 7, 0)


def test_a_matrix_may_be_one_list_in_memory_order() -> None:
    nested, flat = ((1, 2, 3), (4, 5, 6)), (1, 2, 3, 4, 5, 6)
    assert (
        encode_uniform(Matrix(2, 3, F32), nested) == encode_uniform(Matrix(2, 3, F32), flat) == struct.pack("<8f", 1, 2, 3, 0, 4, 5, 6, 0)
    )


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (U32, -1, "the value = -1 does not fit u32"),
        (I32, 2**31, "the value = 2,147,483,648 does not fit i32"),
        (U32, 1.5, "the value = 1.5 is not a whole number, and its type is u32"),
        (I32, float("nan"), "the value = nan is not a whole number, and its type is i32"),
        (F16, 70000, "the value = 70000 is too large for f16"),
        (F32, 1e39, "the value = 1e+39 is too large for f32"),
        (Vector(2, F32), (1, 2, 3), "`` needs a list of 2 values"),
        (F32, (1, 2), "`` is one f32, not a list or a table"),
    ],
)
def test_values_that_do_not_fit_are_refused(type_: Type, value: Any, message: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        encode_uniform(type_, value)
    assert caught.value.message == message


# ---------------------------------------------------------------- any layout

SCALARS = st.sampled_from([F32, I32, U32, F16])
PLAIN = st.one_of(
    SCALARS,
    st.builds(Vector, st.integers(2, 4), SCALARS),
    st.builds(Matrix, st.integers(2, 4), st.integers(2, 4), st.sampled_from([F32, F16])),
)
MEMBERS = st.lists(st.one_of(PLAIN, st.builds(Array, PLAIN, st.integers(1, 3))), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(types=MEMBERS, count=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_any_array_of_structures_survives_a_round_trip(types: list[Type], count: int, seed: int) -> None:
    struct_ = lay_out("S", [MemberDraft(name=f"m{number}", type=type_) for number, type_ in enumerate(types)])
    type_ = Array(struct_, None)
    generator = np.random.default_rng(seed)
    parts: dict[str, np.ndarray] = {}
    for number, member in enumerate(types):
        scalar = part_scalar(type_, f"m{number}")
        shape: tuple[int, ...] = (count,)
        while not isinstance(member, Scalar):
            if isinstance(member, Array):
                shape, member = (*shape, member.count or 1), member.element
            elif isinstance(member, Matrix):
                shape, member = (*shape, member.columns, member.rows), member.component
            elif isinstance(member, Vector):
                shape, member = (*shape, member.size), member.component
        parts[f"m{number}"] = generator.integers(0, 1000, shape).astype({"f32": "f4", "f16": "f2", "u32": "u4", "i32": "i4"}[scalar])
    shapes = {part: values.shape for part, values in parts.items()}
    data = encode_buffer(type_, shapes, None, parts)
    assert len(data) == count * struct_.size + -(count * struct_.size) % 4
    assert all(np.array_equal(values, parts[part]) for part, values in decode_buffer(type_, shapes, None, data).items())
