"""What a sampler reads from an image, with the error that devices may make.

A device computes the place of a sample in fixed point: it may snap to one of `2 ** subTexelPrecisionBits` divisions of a texel. Vulkan
promises 4 bits (section "Limits", table "Required Limits"), which makes the bound; Direct3D 11 and 12 promise 8
(`D3D12_SUBTEXEL_FRACTIONAL_BIT_COUNT`), as does Vulkan's Roadmap 2022 profile, and devices as they are have 8, which makes the spread.
A place that is off by δ of a texel is worth δ times the difference of the texels there, to first order.

How exactly the weighted mean itself is computed, no specification says. Devices keep the precision of the format and no more: llvmpipe
filters 8-bit texels in 8 bits, mobile GPUs 16-bit floats as such. So the result is rounded to the format once more.
Source: Vulkan, sections "Texel Coordinate Systems", "Wrapping Operation" and "Texel Filtering"; WebGPU, `GPUSamplerDescriptor`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.engines.base import SamplerJob
from pixel_core.kernels.bounded import F16, F32, Argument, Array, Bounded, Floats, broadcast_shape, check_size, settled
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.wgsl.texel_formats import TexelFormat

PROMISED_BITS = 4
"""Of the place within a texel that every Vulkan device has."""

USUAL_BITS = 8
"""What devices as they are have."""

_SIDES = {1: "u", 2: "u, v", 3: "u, v, w"}


class TexelValue(Bounded, frozen=True, kw_only=True):
    """The content of a texture, moved at most: its format is the precision of a filter."""

    texel_format: TexelFormat


class SamplerValue(Bounded, frozen=True, kw_only=True):
    """A sampler where an expression names one: a number that means nothing, with settings."""

    settings: SamplerJob


def sampler_value(settings: SamplerJob) -> SamplerValue:
    """A sampler as a value of an expression."""
    return SamplerValue(value=np.asarray(0, dtype=np.int64), kind="int", settings=settings)


def sample(image: Argument, sampler: Argument, *coordinates: Argument) -> Bounded:
    """The texels of an image at normalised coordinates, as `textureSampleLevel` reads them.

    Args:
        image: `[W, C]`, `[H, W, C]` or `[D, H, W, C]`: one level, one layer.
        sampler: A sampler of the shader.
        coordinates: u along W, v along H, w along D, where 0 to 1 spans the image; their shapes are broadcast.

    Returns:
        An array of the coordinates' shape with an axis of channels.

    Raises:
        ExpressionProblem: Arguments of another kind or rank, or a coordinate that is not finite.
    """
    if not isinstance(sampler, SamplerValue):
        raise ExpressionProblem("the second argument of `sample` is a sampler", None, "name the shader's: `sample(image, s, u, v)`")
    if not isinstance(image, Bounded) or not image.is_float:
        raise ExpressionProblem("only floats are sampled", None, "index the array of a texture of integers")
    if image.value.ndim != len(coordinates) + 1 or not image.value.size:
        count = "1 coordinate" if len(coordinates) == 1 else f"{len(coordinates)} coordinates"
        sides = _SIDES.get(image.value.ndim - 1)
        hint = (
            f"an image with {image.value.ndim} axes takes {sides}" if sides else "an image is [H, W, C]: index its layers or levels first"
        )
        raise ExpressionProblem(f"`sample` has {count} for an image with {image.value.ndim} axes", None, hint)
    places = [_finite(one) for one in coordinates]
    shape = broadcast_shape(*(one.shape for one in places))
    check_size((*shape, image.shape[-1]))
    modes = sampler.settings.address[: len(places)]
    # Coordinates come innermost axis first, axes outermost first.
    axes = [_Axis(place, length, mode, shape) for place, length, mode in zip(places, image.shape[-2::-1], modes, strict=True)][::-1]
    read = _linear if sampler.settings.filter == "linear" else _nearest
    return read(image, axes)


def _finite(coordinate: Argument) -> Bounded:
    if not isinstance(coordinate, Bounded) or coordinate.kind == "bool" or not np.isfinite(coordinate.value).all():
        raise ExpressionProblem("a coordinate of `sample` is an array of finite numbers")
    return coordinate


class _Axis:
    """One axis of an image and the places along it, in texels.

    Attributes:
        length: Of the axis.
        places: Distance from the axis' beginning.
        bound: Greatest error of the places, without what the filter adds.
        spread: Usual error.
    """

    def __init__(self, coordinate: Bounded, length: int, mode: str, shape: tuple[int, ...]) -> None:
        self.length = length
        value = coordinate.value.astype(np.float64)
        self.places: Floats = np.broadcast_to(value * length, shape)
        rounding = np.abs(value) * length
        self.bound: Floats = np.broadcast_to(coordinate.bound * length + rounding * F32.ulp, shape)
        self.spread: Floats = np.broadcast_to(coordinate.spread * length + rounding * F32.nearest, shape)
        self._wrap = _WRAPS[mode]

    def texel(self, index: Floats) -> NDArray[np.int64]:
        """The texel that stands for an index outside or inside the image."""
        # Beyond ±2^52 nothing distinguishes neighbouring texels.
        return self._wrap(np.clip(index, -(2.0**52), 2.0**52).astype(np.int64), self.length)


def _repeat(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.mod(index, length)


def _mirror(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    inside = np.mod(index, 2 * length)
    return np.where(inside < length, inside, 2 * length - 1 - inside)


def _clamp(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.clip(index, 0, length - 1)


_WRAPS: dict[str, Callable[[NDArray[np.int64], int], NDArray[np.int64]]] = {
    "clamp-to-edge": _clamp,
    "repeat": _repeat,
    "mirror-repeat": _mirror,
}


def _pick(array: Array, axes: Sequence[_Axis], indices: Sequence[Floats]) -> NDArray[Any]:
    """Texels at one index along each axis."""
    return array if not array.ndim else array[tuple(axis.texel(index) for axis, index in zip(axes, indices, strict=True))]


def _nearest(image: Bounded, axes: Sequence[_Axis]) -> Bounded:
    """The texel that holds the place; where the place may lie in the next one, that one's difference is the error."""
    chosen = [np.floor(axis.places) for axis in axes]
    value = _pick(image.value, axes, chosen)
    bound, spread = (_pick(error, axes, chosen) for error in (image.bound, image.spread))
    doubt = np.zeros(value.shape)
    for number, axis in enumerate(axes):
        within = axis.places - chosen[number]
        for side, is_near in ((-1.0, within <= axis.bound), (1.0, within >= 1.0 - axis.bound)):
            if is_near.any():
                moved = [*chosen[:number], chosen[number] + side, *chosen[number + 1 :]]
                doubt += np.where(is_near[..., None], np.abs(_pick(image.value, axes, moved) - value), 0.0)
    return settled(value, "f32", bound + doubt, spread + doubt, varies=image.varies)


def _linear(image: Bounded, axes: Sequence[_Axis]) -> Bounded:
    """The mean of the texels around the place, weighted by nearness."""
    base = [np.floor(axis.places - 0.5) for axis in axes]
    share = [axis.places - 0.5 - first for axis, first in zip(axes, base, strict=True)]
    corners = list(product((0.0, 1.0), repeat=len(axes)))
    value, bound, spread, largest = (np.zeros((*base[0].shape, image.shape[-1])) for _ in range(4))
    for corner in corners:
        weight = math.prod((part if side else 1.0 - part for side, part in zip(corner, share, strict=True)), start=np.ones(base[0].shape))
        indices = [first + side for first, side in zip(base, corner, strict=True)]
        texels = _pick(image.value, axes, indices)
        value += weight[..., None] * texels
        bound += weight[..., None] * _pick(image.bound, axes, indices)
        spread += weight[..., None] * _pick(image.spread, axes, indices)
        largest = np.maximum(largest, np.abs(texels))
    for number, axis in enumerate(axes):
        off = (2.0**-PROMISED_BITS + axis.bound, 2.0**-USUAL_BITS / math.sqrt(12) + axis.spread)
        slope = _slope(image.value, axes, base, share[number], number, off[0])
        lost = np.where(off[0] < 1.0, 0.0, np.inf)[..., None]
        bound += off[0][..., None] * slope + lost
        spread += off[1][..., None] * slope + lost
    own = _rounding(image)
    operations = 2.0 * len(corners)
    bound += operations * F32.ulp * largest + own[0] * (1.0 if own[2] else largest)
    spread += operations * F32.nearest * largest + own[1] * (1.0 if own[2] else largest)
    return settled(value, "f32", bound, spread, varies=image.varies)


def _rounding(image: Bounded) -> tuple[float, float, bool]:
    """What rounding to the precision of a format may add, at most and usually, and whether that is absolute or relative."""
    texel_format = image.texel_format if isinstance(image, TexelValue) else None
    if texel_format is not None and texel_format.is_normalised:
        step = 1.0 / texel_format.steps
        return step, step / math.sqrt(12), True
    is_half = image.kind == "f16" or (texel_format is not None and texel_format.bits == 16)
    return (F16.ulp, F16.nearest, False) if is_half else (0.0, 0.0, False)


def _slope(image: Array, axes: Sequence[_Axis], base: Sequence[Floats], share: Floats, number: int, off: Floats) -> Floats:
    """The greatest difference of two neighbours along one axis between which the place may lie."""
    steepest = np.zeros((*share.shape, image.shape[-1]))
    reachable = ((-1.0, share <= off), (0.0, np.ones(share.shape, dtype=np.bool_)), (1.0, share >= 1.0 - off))
    others = list(product((0.0, 1.0), repeat=len(axes) - 1))
    for start, is_reachable in reachable:
        if not is_reachable.any():
            continue
        for corner in others:
            sides = [*corner[:number], start, *corner[number:]]
            low = [first + side for first, side in zip(base, sides, strict=True)]
            high = [*low[:number], low[number] + 1.0, *low[number + 1 :]]
            difference = np.abs(_pick(image, axes, high) - _pick(image, axes, low))
            steepest = np.maximum(steepest, np.where(is_reachable[..., None], difference, 0.0))
    return steepest
