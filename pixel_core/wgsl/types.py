"""WGSL types as values, with the memory layout of the specification (section "Memory Layout").

Sizes, alignments, offsets and strides are in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Scalar:
    """`bool`, `i32`, `u32`, `f32` or `f16`."""

    name: str


@dataclass(frozen=True, slots=True)
class Vector:
    """`vecN<T>`."""

    size: int
    component: Scalar


@dataclass(frozen=True, slots=True)
class Matrix:
    """`matCxR<T>`: `columns` column vectors of `rows` components."""

    columns: int
    rows: int
    component: Scalar


@dataclass(frozen=True, slots=True)
class Atomic:
    """`atomic<i32>` or `atomic<u32>`."""

    component: Scalar


@dataclass(frozen=True, slots=True)
class Array:
    """`array<element, count>`; `count` is None for a runtime-sized array."""

    element: Type
    count: int | None


@dataclass(frozen=True, slots=True)
class StructField:
    """One member of a structure with its place in memory."""

    name: str
    type: Type
    offset: int
    align: int
    size: int


@dataclass(frozen=True, slots=True)
class Struct:
    """A structure. `size` counts a trailing runtime-sized array as one element, as the minimum binding size does."""

    name: str
    fields: tuple[StructField, ...]
    align: int
    size: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """`ptr<address_space, type, access>`."""

    address_space: str
    type: Type
    access: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A texture or sampler type, as written: `texture_2d<f32>`, `sampler`."""

    name: str
    arguments: tuple[str, ...] = ()


Type = Union[Scalar, Vector, Matrix, Atomic, Array, Struct, Pointer, Resource]
