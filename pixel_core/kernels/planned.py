"""A case in numbers, as data: sizes, bindings, parameters and dispatches, before anything is drawn or run. `plan` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

import msgspec

from pixel_core.engines.base import SamplerJob
from pixel_core.findings import Finding
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.input_sources import InputSource
from pixel_core.kernels.provided_file import ProvidedFile
from pixel_core.wgsl.texel_formats import TexelFormat
from pixel_core.wgsl.types import Type

ParameterValue = Union[int, float, bool, tuple["ParameterValue", ...], Mapping[str, "ParameterValue"]]


class TexturePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a buffer of a case a texture.

    Attributes:
        format: Its texel format.
        dimension: `1d`, `2d`, `2d-array` or `3d`: how every variable sees it.
        axes: Of the largest level, outermost first, without the channels.
        levels: Mip levels.
    """

    format: TexelFormat
    dimension: str
    axes: tuple[int, ...]
    levels: int

    def level_axes(self, level: int) -> tuple[int, ...]:
        """The axes of one level: each is halved, rounded down, at least 1; layers are not."""
        layers = self.axes[: self.dimension == "2d-array"]
        return (*layers, *(max(length >> level, 1) for length in self.axes[len(layers) :]))


class BufferPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One buffer, or one texture, which differs from it only in how its bytes lie.

    Attributes:
        name: The contract's name for it: the shader variable, or a key of `buffers`.
        role: Final role, inferred or stated (see `contract.ROLES`).
        type: Store type in the shader, or `array<scalar>` for a key of `buffers`.
        shapes: Logical parts: `""` → axes for a plain array; field name → axes for structures. In scalars, components innermost.
        codec: Packed format, or None.
        size_bytes: Size of the binding.
        slack_bytes: How many of them lie behind the content: the kernel may read them, and nothing may depend on what it finds.
        texture: What makes it a texture; its parts are `""` for the largest level, `mip1`, `mip2`, … for the others, each ending with an
            axis of channels.
        is_uniform: Whether it is bound as a uniform, which nothing can write.
    """

    name: str
    role: str
    type: Type
    shapes: Mapping[str, tuple[int, ...]]
    codec: str | None
    size_bytes: int
    slack_bytes: int = 0
    texture: TexturePlan | None = None
    is_uniform: bool = False

    @property
    def has_python_codec(self) -> bool:
        """Whether only the user's Python knows what its bytes mean."""
        return self.codec is not None and ":" in self.codec


class BindingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one `@group @binding` of one dispatch holds: a storage buffer or texture by name, a uniform's value, or a sampler.

    `var<immediate>` has a value as a uniform has, and -1 for group and binding.
    """

    group: int
    binding: int
    variable: str
    buffer: str | None
    uniform_type: Type | None
    uniform_value: ParameterValue | None
    sampler: SamplerJob | None = None


class DispatchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One dispatch.

    Attributes:
        entry: Entry point.
        workgroups: x, y, z; none where `indirect` says it.
        workgroup_size: x, y, z.
        overrides: Pipeline constants by name, only those the entry uses.
        bindings: Only those the entry uses.
        indirect: Buffer that holds the workgroups when the dispatch runs, and the place of the first in it, in u32.
    """

    entry: str
    workgroups: tuple[int, int, int]
    workgroup_size: tuple[int, int, int]
    overrides: Mapping[str, int | float | bool]
    bindings: tuple[BindingPlan, ...]
    indirect: tuple[str, int] | None = None


class PlannedSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the content of one input comes from that is not drawn.

    Attributes:
        source: The file or function.
        above: Inputs (`x` or `p.pos`) that stand above it in the contract: a function can have them.
    """

    source: InputSource
    above: tuple[str, ...]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One set of sizes and inputs, planned.

    Attributes:
        name: As written, or built from dims (`M=65 N=33 K=20`); unique in its contract.
        derived: Whether the tool added it.
        symbols: Value of every dim, let and override, exact ints where they are whole.
        seed: Seeds every input together with the buffer's name.
        buffers: Storage buffers and textures by name, in binding order.
        dispatches: In order, repeats unrolled.
        inputs: Buffer (or `buffer.field`) → how it is drawn (the contract's, this case's, or the default).
        sources: Likewise, of those that come from a file or a function, in the order of the contract.
        files: Buffer (or `buffer.field`) → what a source or a codec in Python has left; empty until the case is to run.
        invocations: Over all dispatches.
        size_bytes: Of all buffers.
    """

    name: str
    derived: bool
    symbols: Mapping[str, int | float]
    seed: int
    buffers: tuple[BufferPlan, ...]
    dispatches: tuple[DispatchPlan, ...]
    inputs: Mapping[str, Expression]
    sources: Mapping[str, PlannedSource] = msgspec.field(default_factory=dict[str, PlannedSource])
    files: Mapping[str, ProvidedFile] = msgspec.field(default_factory=dict[str, ProvidedFile])
    invocations: int
    size_bytes: int

    def buffer(self, name: str) -> BufferPlan:
        """The buffer of that name. Raises KeyError."""
        for buffer in self.buffers:
            if buffer.name == name:
                return buffer
        raise KeyError(name)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All cases of a contract that could be planned, and PX3xx findings for what could not.

    Attributes:
        contract: What was planned.
        outputs: Buffers, or `buffer.field`, that are compared with a truth.
        cases: Given ones, then derived ones.
        findings: PX3xx.
        constrained: Outputs of which only invariants speak.
    """

    contract: KernelContract
    outputs: tuple[str, ...]
    cases: tuple[Case, ...]
    findings: tuple[Finding, ...]
    constrained: tuple[str, ...] = ()
