"""WGSL types as values, with the memory layout of the specification (section "Memory Layout").

Sizes, alignments, offsets and strides are in bytes.
"""

from __future__ import annotations

from typing import Union

import msgspec


class Scalar(msgspec.Struct, frozen=True):
    """`bool`, `i32`, `u32`, `f32` or `f16`."""

    name: str


class Vector(msgspec.Struct, frozen=True):
    """`vecN<T>`."""

    size: int
    component: Scalar


class Matrix(msgspec.Struct, frozen=True):
    """`matCxR<T>`: `columns` column vectors of `rows` components."""

    columns: int
    rows: int
    component: Scalar


class Atomic(msgspec.Struct, frozen=True):
    """`atomic<i32>` or `atomic<u32>`."""

    component: Scalar


class Array(msgspec.Struct, frozen=True):
    """`array<element, count>`; `count` is None for a runtime-sized array."""

    element: Type
    count: int | None


class StructField(msgspec.Struct, frozen=True):
    """One member of a structure with its place in memory."""

    name: str
    type: Type
    offset: int
    align: int
    size: int


class Struct(msgspec.Struct, frozen=True):
    """A structure. `size` counts a trailing runtime-sized array as one element, as the minimum binding size does."""

    name: str
    fields: tuple[StructField, ...]
    align: int
    size: int


class Pointer(msgspec.Struct, frozen=True):
    """`ptr<address_space, type, access>`."""

    address_space: str
    type: Type
    access: str


class Resource(msgspec.Struct, frozen=True):
    """A texture or sampler type, as written: `texture_2d<f32>`, `sampler`."""

    name: str
    arguments: tuple[str, ...] = ()


Type = Union[Scalar, Vector, Matrix, Atomic, Array, Struct, Pointer, Resource]
