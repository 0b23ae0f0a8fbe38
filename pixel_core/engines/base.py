"""What executes WGSL: the job it is given and the answers it may give. A refusal and a crash are answers, not exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, Union

import msgspec

from pixel_core.processes.exits import ChildExit

EngineExit = ChildExit
"""The process that held the engine ended or was killed."""


class AdapterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What ran a kernel.

    Attributes:
        engine: `device` or `interpreter`.
        name: Adapter name, such as `llvmpipe (LLVM 15.0.6, 256 bits)`.
        backend: `Vulkan`, `Metal`, `D3D12`.
        driver: Driver and version.
        is_software: Whether it runs on the CPU.
        quirks: Canaries that failed: `loop_cap`, `workgroup_memory_not_zeroed`.
    """

    engine: str
    name: str
    backend: str
    driver: str
    is_software: bool
    quirks: tuple[str, ...] = ()


class TextureView(msgspec.Struct, frozen=True, kw_only=True):
    """How one binding sees a texture.

    Attributes:
        dimension: `1d`, `2d`, `2d-array` or `3d`.
        access: `sampled`, or of a storage texture `read`, `write` or `read_write`.
        sample_type: Of a sampled texture: `float`, `unfilterable-float`, `sint` or `uint`.
    """

    dimension: str
    access: str
    sample_type: str = ""


class BindingJob(msgspec.Struct, frozen=True, kw_only=True):
    """One binding of one dispatch.

    Attributes:
        group: Of `@group`.
        binding: Of `@binding`.
        buffer: Which buffer, texture or sampler stands behind it.
        writable: Whether the shader declares it so.
        view: How the shader sees a texture; None for buffers and samplers.
    """

    group: int
    binding: int
    buffer: str
    writable: bool = False
    view: TextureView | None = None


class DispatchJob(msgspec.Struct, frozen=True, kw_only=True):
    """One dispatch: entry point, pipeline constants by name, workgroups, bindings.

    With `indirect`, a storage buffer and the place of the first of three u32 in it, the workgroups stand there when it runs.
    `immediates` is the content of the entry point's `var<immediate>`; WGSL allows one.
    """

    entry_point: str
    constants: Mapping[str, float]
    workgroups: tuple[int, int, int]
    bindings: tuple[BindingJob, ...]
    indirect: tuple[str, int] | None = None
    immediates: bytes = b""


class BufferJob(msgspec.Struct, frozen=True, kw_only=True):
    """One buffer: its initial bytes, whether it is a uniform, and whether it is read back."""

    initial: bytes | memoryview
    is_uniform: bool = False
    read_back: bool = False


class TextureJob(msgspec.Struct, frozen=True, kw_only=True):
    """One texture.

    Attributes:
        format: Texel format.
        texel_bytes: Size of one texel.
        dimension: `1d`, `2d` or `3d`; an array of layers is `2d`.
        extent: Width, height, and depth or layers, in texels.
        has_layers: Whether the last of them counts layers, which every level has in full.
        levels: Mip levels.
        initial: Texels of all levels, the largest first, rows and layers one after the other without gaps.
        read_back: Whether all levels come back, in the same order.
    """

    format: str
    texel_bytes: int
    dimension: str
    extent: tuple[int, int, int]
    has_layers: bool
    levels: int
    initial: bytes
    read_back: bool = False


class SamplerJob(msgspec.Struct, frozen=True, kw_only=True):
    """A sampler: `nearest` or `linear` for minification and magnification, the nearest level, and address modes along u, v and w."""

    filter: str
    address: tuple[str, ...]


class KernelJob(msgspec.Struct, frozen=True, kw_only=True):
    """Dispatches that run in order over a set of buffers, textures and samplers, whose names differ."""

    source: str
    buffers: Mapping[str, BufferJob]
    dispatches: tuple[DispatchJob, ...]
    textures: Mapping[str, TextureJob] = msgspec.field(default_factory=dict["str", "TextureJob"])
    samplers: Mapping[str, SamplerJob] = msgspec.field(default_factory=dict["str", "SamplerJob"])


class LoopCut(msgspec.Struct, frozen=True, kw_only=True):
    """A loop that the adapter ended before its exit was taken: line and column of the loop, from 1."""

    line: int
    column: int


class KernelRun(msgspec.Struct, frozen=True, kw_only=True):
    """A job that ran to its end.

    Attributes:
        buffers: Content of each buffer and texture that was to be read back, after the last dispatch.
        broken_guards: Buffers around which the guard bytes changed.
        device_s: Wall seconds from submission to the last byte read.
        cpu_s: CPU seconds of all threads of the process meanwhile: on a software adapter, the kernel itself.
    """

    buffers: Mapping[str, bytes]
    broken_guards: tuple[str, ...]
    device_s: float
    cpu_s: float = 0.0


class CompileFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The engine refused the shader or its pipeline.

    Attributes:
        stage: `module` or `pipeline`.
        message: The compiler's own sentence.
        line: Line from 1, 0 when the compiler gave none.
        column: Column in code points from 1, 0 when it gave none.
        detail: The compiler's whole text.
        entry_point: The entry point whose pipeline was refused; empty for a module.
    """

    stage: str
    message: str
    line: int
    column: int
    detail: str
    entry_point: str = ""


class RunFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The job compiled and did not run to its end: `out_of_memory`, `validation`, `device_lost` or `cancelled`."""

    reason: str
    message: str


Answer = Union[tuple[KernelRun, ...], CompileFailure, RunFailure]
"""One run per job, or the first thing that kept one from running."""


class TimedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """How long a job took, as seconds of one run of it: uploads and downloads are not part of it.

    Attributes:
        runs: How many were timed.
        wall_s: From submission until the device was idle.
        cpu_s: CPU seconds of all threads of the process meanwhile: on a software adapter, the kernel itself.
        device_s: Between the device's own timestamps around the dispatches; None on a device without `timestamp-query`.
    """

    runs: int
    wall_s: float
    cpu_s: float
    device_s: float | None


TimingAnswer = Union[TimedRuns, CompileFailure, RunFailure]
"""Times, or what kept the job from running."""


class Engine(Protocol):
    """Runs kernels."""

    @property
    def info(self) -> AdapterInfo:
        """What this engine runs on."""
        ...

    @property
    def limits(self) -> Mapping[str, int]:
        """WebGPU limits by their names in the specification's words (`max-storage-buffer-binding-size`)."""
        ...

    @property
    def features(self) -> frozenset[str]:
        """Optional features that are switched on (`shader-f16`)."""
        ...

    def run(self, jobs: Sequence[KernelJob], is_cancelled: Callable[[], bool] = ...) -> Answer:
        """Run jobs that do not depend on each other. Never raises for anything a shader or a size can cause.

        Args:
            jobs: Repeats of one kernel with other contents, as a rule; running them together costs little more than running one.
            is_cancelled: Asked between submissions.
        """
        ...

    def time(self, job: KernelJob, runs: int, restored: frozenset[str]) -> TimingAnswer:
        """Run a job many times and say how long one run took. Never raises for anything a shader or a size can cause.

        Args:
            job: What is timed. Nothing of it is read back.
            runs: How many times; in one submission, unless something is restored in between.
            restored: Buffers and textures that get their content anew before each run, outside of what is timed.
        """
        ...

    def refusal(self, source: str) -> CompileFailure | None:
        """Compile a shader without running it: why it is refused, or None. Never raises for what a text may hold."""
        ...

    def find_loop_cut(self, job: KernelJob) -> LoopCut | None:
        """Run a job again with every loop watched; the first loop that was ended before its exit was taken."""
        ...
