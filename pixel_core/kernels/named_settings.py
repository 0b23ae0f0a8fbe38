"""What a case sets besides sizes and buffers, for a reference function that asks for it."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Mapping

from pixel_core.kernels.planned import Case, ParameterValue
from pixel_core.wgsl.types import Array, Matrix, Scalar, Struct, Type, Vector


def named_settings(case: Case) -> dict[str, ParameterValue]:
    """Uniforms and overrides by name, as the shader holds them: structures as dictionaries, f32 and f16 rounded.

    What differs between the dispatches of the case is left out.
    """
    found: dict[str, ParameterValue] = {}
    differing: set[str] = set()
    for dispatch in case.dispatches:
        values: dict[str, ParameterValue] = dict(dispatch.overrides)
        for binding in dispatch.bindings:
            if binding.uniform_type is not None and binding.uniform_value is not None:
                values[binding.variable] = _held(binding.uniform_type, binding.uniform_value)
        for name, value in values.items():
            if found.setdefault(name, value) != value:
                differing.add(name)
    return {name: value for name, value in found.items() if name not in differing}


def _held(type_: Type, value: ParameterValue) -> ParameterValue:
    if isinstance(type_, Struct) and isinstance(value, Mapping):
        types = {field.name: field.type for field in type_.fields}
        return {name: _held(types[name], item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_held(_element(type_), item) for item in value)
    if isinstance(type_, Scalar) and type_.name in {"f32", "f16"} and isinstance(value, (int, float)):
        code = "<f" if type_.name == "f32" else "<e"
        with contextlib.suppress(OverflowError):  # told where the uniform is encoded
            return float(struct.unpack(code, struct.pack(code, value))[0])
    return value


def _element(type_: Type) -> Type:
    if isinstance(type_, Array):
        return type_.element
    if isinstance(type_, Matrix):
        return Vector(type_.rows, type_.component)
    return type_.component if isinstance(type_, Vector) else type_
