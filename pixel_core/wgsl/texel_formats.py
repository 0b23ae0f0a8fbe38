"""Texel formats: what one texel of a texture holds, and in which bits. Knows no numpy.

Source: WebGPU, section "Texture Format Capabilities" (gpuweb.github.io/gpuweb/#texture-format-caps); WGSL, section "Texel Formats".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from pixel_core.wgsl.types import Resource, Type

_CHANNELS = {"r": 1, "rg": 2, "rgba": 4}
_ENCODINGS = ("8unorm", "8snorm", "8uint", "8sint", "16uint", "16sint", "16float", "32uint", "32sint", "32float")


class TexelFormat(msgspec.Struct, frozen=True, kw_only=True):
    """One texel format.

    Attributes:
        name: As in WGSL and WebGPU: `rgba8unorm`.
        channels: 1, 2 or 4.
        bits: Of one channel.
        encoding: `unorm` (0 to 1), `snorm` (-1 to 1), `float`, `uint` or `sint`.
    """

    name: str
    channels: int
    bits: int
    encoding: str

    @property
    def size_bytes(self) -> int:
        """Of one texel."""
        return self.channels * self.bits // 8

    @property
    def scalar(self) -> str:
        """What a shader reads and writes: `f32`, `u32` or `i32`."""
        return {"uint": "u32", "sint": "i32"}.get(self.encoding, "f32")

    @property
    def is_normalised(self) -> bool:
        """Whether whole numbers stand for a range of fractions."""
        return self.encoding in {"unorm", "snorm"}

    @property
    def is_filterable(self) -> bool:
        """Whether every WebGPU device can filter it; 32-bit floats only with the optional feature `float32-filterable`."""
        return self.is_normalised or (self.encoding == "float" and self.bits == 16)

    @property
    def steps(self) -> int:
        """Of a normalised format: how many steps lie between 0 and 1."""
        return (1 << (self.bits - (self.encoding == "snorm"))) - 1

    @property
    def integer_range(self) -> tuple[int, int]:
        """Of an integer format: least and greatest value."""
        if self.encoding == "uint":
            return 0, (1 << self.bits) - 1
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1


def _format(channels: str, encoding: str) -> TexelFormat:
    digits = "".join(character for character in encoding if character.isdigit())
    return TexelFormat(name=channels + encoding, channels=_CHANNELS[channels], bits=int(digits), encoding=encoding[len(digits) :])


TEXEL_FORMATS: Mapping[str, TexelFormat] = MappingProxyType(
    {channels + encoding: _format(channels, encoding) for channels in _CHANNELS for encoding in _ENCODINGS}
)
"""The formats that a contract can fill and compare: plain channels of 8, 16 or 32 bits."""

STORAGE_FORMATS = frozenset(
    {
        *("rgba8unorm", "rgba8snorm", "rgba8uint", "rgba8sint", "rgba16uint", "rgba16sint", "rgba16float"),
        *(f"{channels}32{encoding}" for channels in _CHANNELS for encoding in ("uint", "sint", "float")),
    }
)
"""Formats of storage textures that every WebGPU device has."""

READ_WRITE_FORMATS = frozenset({"r32uint", "r32sint", "r32float"})
"""Those of them that a shader may read and write in one pass."""

TEXTURE_DIMENSIONS: Mapping[str, str] = MappingProxyType(
    {
        **{f"texture_{dimension}": dimension.replace("_", "-") for dimension in ("1d", "2d", "2d_array", "3d")},
        **{f"texture_storage_{dimension}": dimension.replace("_", "-") for dimension in ("1d", "2d", "2d_array", "3d")},
    }
)
"""Texture type → view dimension in WebGPU's words, for the types that can be filled and compared."""

SPATIAL_AXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"1d": ("x",), "2d": ("y", "x"), "2d-array": ("layer", "y", "x"), "3d": ("z", "y", "x")}
)
"""View dimension → its axes, outermost first."""


def texture_axes(dimension: str) -> tuple[str, ...]:
    """The axes of a texture's array: `y`, `x`, `channel` of a `2d` one."""
    return (*SPATIAL_AXES[dimension], "channel")


def name_channel(dimension: str, index: Sequence[int]) -> str:
    """An element of a texture's array in words of the image: `[y=3, x=7].g`."""
    *place, channel = index
    named = ", ".join(f"{axis}={at}" for axis, at in zip(SPATIAL_AXES[dimension], place, strict=True))
    return f"[{named}].{'rgba'[channel]}"


def view_dimension(type_: Type | None) -> str | None:
    """`1d`, `2d`, `2d-array` or `3d`; None for whatever is no texture of these."""
    return TEXTURE_DIMENSIONS.get(type_.name) if isinstance(type_, Resource) else None


def storage_format(type_: Type | None) -> str | None:
    """The texel format that a storage texture declares; None for sampled textures and other types."""
    return type_.arguments[0] if isinstance(type_, Resource) and type_.name.startswith("texture_storage_") else None
