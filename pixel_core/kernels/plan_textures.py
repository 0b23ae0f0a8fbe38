"""Formats, sizes and levels of a case's textures, and the settings of its samplers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import prod

from pixel_core.engines.base import SamplerJob
from pixel_core.kernels.buffer_uses import BufferUse
from pixel_core.kernels.contract import ADDRESS_MODES, FILTERS, KernelContract, SamplerContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key
from pixel_core.kernels.planned import BufferPlan, TexturePlan
from pixel_core.kernels.symbols import SymbolValue, evaluate_whole
from pixel_core.wgsl.sampling import Pair
from pixel_core.wgsl.texel_formats import SPATIAL_AXES, TEXEL_FORMATS, TexelFormat, storage_format, view_dimension
from pixel_core.wgsl.types import Resource

_DEFAULT_FORMATS = {"f32": "rgba32float", "u32": "rgba32uint", "i32": "rgba32sint"}
_FILTERED_FORMAT = "rgba16float"
_MAX_LENGTH = 1 << 24
"""Of one axis, in texels: no device comes near it, and longer ones need not be counted."""


def sampler_of(contract: KernelContract, name: str) -> SamplerJob:
    """The settings of a sampler; where the contract has none, those of WebGPU: nearest, clamped to the edge."""
    stated = contract.samplers.get(name)
    if stated is None:
        return SamplerJob(filter=FILTERS[0], address=(ADDRESS_MODES[0],) * 3)
    return SamplerJob(filter=stated.filter, address=stated.address)


def filtered_textures(pairs: Iterable[Pair], samplers: Mapping[str, SamplerContract]) -> set[str]:
    """The variables that are sampled through a linear filter."""
    return {texture for texture, sampler in pairs if sampler in samplers and samplers[sampler].filter == "linear"}


def choose_format(contract: KernelContract, use: BufferUse, filtered: Collection[str]) -> TexelFormat | None:
    """The texel format of a texture: the shader's, the contract's, or a default of its type.

    The defaults hold any value of the type: 32 bits a channel. A texture that is filtered has 16-bit floats, since devices need not
    filter more.

    Args:
        contract: Its `textures`.
        use: A texture.
        filtered: Variables that are sampled through a linear filter.

    Returns:
        None for a format that is not supported.
    """
    declared = next((name for name in (storage_format(one.type) for one in use.variables) if name is not None), None)
    stated = contract.textures[use.name].format if use.name in contract.textures else None
    if declared or stated:
        return TEXEL_FORMATS.get(declared or stated or "")
    scalar = use.type.arguments[0] if isinstance(use.type, Resource) else "f32"
    is_filtered = any(one.name in filtered for one in use.variables)
    return TEXEL_FORMATS[_FILTERED_FORMAT if is_filtered else _DEFAULT_FORMATS[scalar]]


def plan_texture(
    contract: KernelContract, use: BufferUse, role: str, texel_format: TexelFormat, case: str, symbols: Mapping[str, SymbolValue]
) -> BufferPlan:
    """Size and levels of one texture in one case.

    Raises:
        PlanProblem: A size that is missing, cannot be computed, or does not fit the type.
    """
    dimension = view_dimension(use.type)
    assert dimension is not None
    assert use.type is not None
    axes = _axes(contract, use, dimension, case, symbols)
    plan = TexturePlan(format=texel_format, dimension=dimension, axes=axes, levels=_levels(contract, use, dimension, axes, case, symbols))
    shapes = {f"mip{level}" if level else "": (*plan.level_axes(level), texel_format.channels) for level in range(plan.levels)}
    size = sum(prod(plan.level_axes(level)) for level in range(plan.levels)) * texel_format.size_bytes
    return BufferPlan(name=use.name, role=role, type=use.type, shapes=shapes, codec=None, size_bytes=size, texture=plan)


def _axes(contract: KernelContract, use: BufferUse, dimension: str, case: str, symbols: Mapping[str, SymbolValue]) -> tuple[int, ...]:
    wanted = SPATIAL_AXES[dimension]
    stated = contract.textures.get(use.name)
    example = " ".join({"x": "W", "y": "H", "z": "D", "layer": "L"}[axis] for axis in wanted)
    if stated is None or not stated.size:
        hint = f'give it, outermost axis first: textures = {{ {use.name} = {{ size = "{example}" }} }}'
        key = f"key@textures.{use.name}" if stated is not None else "key@textures"
        raise PlanProblem(at_key(contract, "PX322", key, f"the texture `{use.name}` has no size", hint))
    if len(stated.size) != len(wanted):
        message = f"`{use.name}` is a {dimension} texture with {_count(len(wanted), 'axis')}, and its size has {len(stated.size)}"
        hint = f'outermost first, without the channels: size = "{example}"'
        raise PlanProblem(at_key(contract, "PX323", f"textures.{use.name}.size", message, hint))
    sizes: list[int] = []
    for axis in stated.size:
        sizes.append(_whole(contract, axis, case, symbols))
        if not 1 <= sizes[-1] <= _MAX_LENGTH:
            hint = "exclude the case in `where`" if sizes[-1] == 0 else None
            problem = ExpressionProblem(f"`{use.name}` would be {sizes[-1]:,} texels long", None, hint)
            raise PlanProblem(at_expression(contract, "PX323", axis, problem, case))
    return tuple(sizes)


def _levels(
    contract: KernelContract, use: BufferUse, dimension: str, axes: tuple[int, ...], case: str, symbols: Mapping[str, SymbolValue]
) -> int:
    mips = contract.textures[use.name].mips
    if mips is None:
        return 1
    levels = _whole(contract, mips, case, symbols)
    most = 1 if dimension == "1d" else max(axes[dimension == "2d-array" :]).bit_length()
    if not 1 <= levels <= most:
        message = f"`{use.name}` would have {_count(levels, 'level')}, and its size allows 1 to {most}"
        hint = (
            "1d textures have no further levels"
            if dimension == "1d"
            else "each level is half the one before; exclude smaller sizes in `where`"
        )
        raise PlanProblem(at_expression(contract, "PX323", mips, ExpressionProblem(message, None, hint), case))
    return levels


def _whole(contract: KernelContract, expression: Expression, case: str, symbols: Mapping[str, SymbolValue]) -> int:
    try:
        return evaluate_whole(expression, symbols)
    except ExpressionProblem as problem:
        raise PlanProblem(at_expression(contract, "PX325", expression, problem, case)) from None


def _count(number: int, what: str) -> str:
    plural = {"axis": "axes", "level": "levels"}[what]
    return f"1 {what}" if number == 1 else f"{number:,} {plural}"
