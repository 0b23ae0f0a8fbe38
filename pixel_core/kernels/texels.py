"""Values of texels ⇄ the bytes of a texture, and what storing a number in a texel does to it.

Inputs are what a shader reads: f32, u32 or i32. Outputs are in what the texels keep: f16 where those hold 16-bit floats.
Source: WGSL, section "Texel Formats" (channel transfer functions); Vulkan, section "Fixed-Point Data Conversions".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import F16, F32, Bounded, from_input, held_as, settled
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.planned import TexturePlan
from pixel_core.kernels.sample_texture import TexelValue
from pixel_core.wgsl.texel_formats import TexelFormat

Parts = Mapping[str, NDArray[Any]]

_OWN_VALUE = 2.0**-10
"""A truth that lies within this share of a step of a texel's own value was moved and not computed; it comes back as it is."""


def texel_dtype(texel_format: TexelFormat) -> np.dtype[Any]:
    """What one channel is in memory."""
    kind = {"unorm": "u", "uint": "u", "snorm": "i", "sint": "i", "float": "f"}[texel_format.encoding]
    return np.dtype(f"<{kind}{texel_format.bits // 8}")


def stored_scalar(texel_format: TexelFormat) -> str:
    """The WGSL scalar in which outputs are judged: `f16` for 16-bit floats, else what a shader writes."""
    return "f16" if texel_format.encoding == "float" and texel_format.bits == 16 else texel_format.scalar


def encode_texels(texture: TexturePlan, parts: Parts) -> bytes:
    """The bytes of all levels, the largest first; a level without values is zero."""
    shapes = [(*texture.level_axes(level), texture.format.channels) for level in range(texture.levels)]
    levels = (parts.get(f"mip{level}" if level else "") for level in range(texture.levels))
    return b"".join(
        bytes(math.prod(shape) * texture.format.bits // 8) if values is None else _channels(texture.format, values).tobytes()
        for shape, values in zip(shapes, levels, strict=True)
    )


def raw_levels(texture: TexturePlan, data: bytes | memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    """The channels of each level as they lie in memory: part, and array of the level's axes and channels."""
    dtype, start = texel_dtype(texture.format), 0
    for level in range(texture.levels):
        shape = (*texture.level_axes(level), texture.format.channels)
        yield f"mip{level}" if level else "", np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape)
        start += math.prod(shape) * dtype.itemsize


def decode_texels(texture: TexturePlan, data: bytes | memoryview) -> dict[str, NDArray[Any]]:
    """The values of each level: f32, f16, u32 or i32."""
    texel_format = texture.format
    if texel_format.is_normalised:
        return {part: _fractions(texel_format, raw) for part, raw in raw_levels(texture, data)}
    kept = {"uint": "<u4", "sint": "<i4"}.get(texel_format.encoding, texel_dtype(texel_format).str)
    return {part: raw.astype(kept) for part, raw in raw_levels(texture, data)}


def kept_values(texel_format: TexelFormat, values: NDArray[Any]) -> NDArray[Any]:
    """Input values as a shader reads them from texels: rounded to what the format keeps.

    Args:
        texel_format: Of the texture.
        values: In f32, u32 or i32.

    Raises:
        ExpressionProblem: A value outside of what the format holds.
    """
    if texel_format.encoding != "float":
        low, high = (-1.0 if texel_format.encoding == "snorm" else 0.0, 1.0) if texel_format.is_normalised else texel_format.integer_range
        least, greatest = (values.min(), values.max()) if values.size else (low, high)
        if not (low <= least and greatest <= high):
            worst = least if not low <= least else greatest
            hint = (
                "draw them with `uniform`, or write `clip(…)`"
                if texel_format.is_normalised
                else f"draw them with `integers({low}, {high + 1})`"
            )
            raise ExpressionProblem(f"{worst:g} does not fit {texel_format.name}, which holds {low:g} to {high:g}", None, hint)
    channels = _channels(texel_format, values)
    if texel_format.encoding == "float" and (np.isinf(channels) & np.isfinite(values)).any():
        raise ExpressionProblem(f"a value too large for {texel_format.name} (up to {F16.largest:g})")
    return _fractions(texel_format, channels) if texel_format.is_normalised else channels.astype(values.dtype)


def from_texels(texel_format: TexelFormat, values: NDArray[Any]) -> Bounded:
    """An input texture in bounded values. Turning a normalised channel into a float may round either way."""
    value = from_input(values, texel_format.scalar)
    magnitude = np.abs(value.value)
    if texel_format.is_normalised:
        inexact = (magnitude > 0) & (magnitude < 1)
        bound, spread = (np.where(inexact, magnitude * unit, 0.0) for unit in (F32.ulp, F32.nearest))
        value = settled(value.value, value.kind, bound, spread, varies=value.varies)
    elif stored_scalar(texel_format) == "f16":
        # A device may read a subnormal number as zero.
        tiny = np.where(magnitude < F16.smallest_normal, magnitude, 0.0)
        value = settled(value.value, value.kind, tiny, tiny, varies=value.varies)
    return TexelValue(
        value=value.value, kind=value.kind, bound=value.bound, spread=value.spread, varies=value.varies, texel_format=texel_format
    )


def held_by_texels(truth: Bounded, texel_format: TexelFormat) -> Bounded:
    """A truth as the texels of an output keep it.

    A normalised channel holds one of the two whole steps next to the number (Vulkan: `convertFloatToUint` "should" round to nearest and
    must give one of the two): the bound grows by a step, the spread by what rounding to nearest makes. A number that *is* a step comes
    back as it is. 16-bit floats round as f16 does.

    Args:
        truth: In f32, u32 or i32, of the output's shape.
        texel_format: Of the output.

    Raises:
        ExpressionProblem: An integer that the format cannot hold.
    """
    if texel_format.is_normalised:
        return _held_by_steps(truth, texel_format)
    if texel_format.encoding == "float":
        return held_as(truth, stored_scalar(texel_format))
    low, high = texel_format.integer_range
    if truth.value.size and not (low <= int(truth.value.min()) and int(truth.value.max()) <= high):
        worst = int(truth.value.min()) if int(truth.value.min()) < low else int(truth.value.max())
        hint = f"say what becomes of larger values: `clip(…, {low}, {high})` or `… & {high}`"
        raise ExpressionProblem(f"the expression gives {worst:,}, and {texel_format.name} holds {low:,} to {high:,}", None, hint)
    return truth


def _held_by_steps(truth: Bounded, texel_format: TexelFormat) -> Bounded:
    low = -1.0 if texel_format.encoding == "snorm" else 0.0
    value = np.clip(truth.value, low, 1.0)
    index = value * texel_format.steps
    whole = np.rint(index)
    step = 1.0 / texel_format.steps
    apart = np.abs(index - whole)
    is_own = apart + truth.bound * texel_format.steps < _OWN_VALUE
    # Reading the texel back rounds once more, to f32.
    bound = np.where(is_own, F32.ulp, (1.0 + apart) * step + truth.bound + F32.ulp)
    spread = np.where(is_own, F32.ulp, step / math.sqrt(12) + truth.spread + F32.ulp)
    return settled(whole * step, truth.kind, bound, spread, varies=truth.varies)


def _channels(texel_format: TexelFormat, values: NDArray[Any]) -> NDArray[Any]:
    dtype = texel_dtype(texel_format)
    if texel_format.is_normalised:
        return np.rint(values.astype(np.float64) * texel_format.steps).astype(dtype)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _fractions(texel_format: TexelFormat, channels: NDArray[Any]) -> NDArray[Any]:
    # The most negative number of a signed channel means -1 as well.
    return np.maximum(channels.astype(np.float64) / texel_format.steps, -1.0).astype(np.float32)
