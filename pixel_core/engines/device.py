"""The engine that runs kernels on a wgpu adapter: a GPU, or a software driver on a machine without one.

The only file that imports wgpu. Whatever wgpu raises becomes a value here; what makes wgpu end the process (an invalid submission) is
refused by `job_checks` before it gets there, and ends the child process at worst.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import wgpu
from msgspec.structs import replace
from wgpu.backends.wgpu_native import lib, lib_version_info
from wgpu.backends.wgpu_native.extras import set_instance_extras

from pixel_core import __version__
from pixel_core.engines.base import (
    AdapterInfo,
    Answer,
    CompileFailure,
    DispatchJob,
    KernelJob,
    KernelRun,
    LoopCut,
    RunFailure,
    TimingAnswer,
)
from pixel_core.engines.bind_groups import CompiledPipeline
from pixel_core.engines.bounded_cache import BoundedCache
from pixel_core.engines.buffer_pool import Allocation, BufferPool
from pixel_core.engines.canaries import LOOP_CAP, WORKGROUP_MEMORY_NOT_ZEROED, cached_quirks, keep_quirks, run_canaries
from pixel_core.engines.driver_hint import driver_hint
from pixel_core.engines.explicit_layouts import LayoutEntry, explicit_layouts
from pixel_core.engines.find_loop_cut import find_loop_cut, watch_every_loop
from pixel_core.engines.guards import storage_region, uniform_region
from pixel_core.engines.instrument import WatchedShader, zero_workgroup_memory
from pixel_core.engines.job_checks import check_job
from pixel_core.engines.naga_message import read_naga_message
from pixel_core.engines.native_backends import NATIVE_BACKENDS
from pixel_core.engines.read_back import plan_copies, read_back, writable_buffers
from pixel_core.engines.record_dispatch import record_dispatch
from pixel_core.engines.strip_enables import STRIPPED_EXTENSIONS, strip_enables
from pixel_core.engines.submissions import submit_and_wait
from pixel_core.engines.textures import PlacedTextures
from pixel_core.engines.time_runs import TIMESTAMP_QUERY, time_runs
from pixel_core.engines.write_content import write_content
from pixel_core.errors import EngineUnavailable
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module, analyse
from pixel_core.wgsl.parse import parse

_WANTED_FEATURES = frozenset({"shader-f16", "subgroup", "subgroup-barrier", "immediates", TIMESTAMP_QUERY})
_STORAGE = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.INDIRECT | wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.COPY_SRC
_UNIFORM = wgpu.BufferUsage.UNIFORM | wgpu.BufferUsage.COPY_DST

_KEPT_MODULES = 32
_KEPT_PIPELINES = 32
"""On lavapipe a pipeline that ran holds half a mebibyte of compiled code, and an edited kernel never comes back to an old one."""
_POOL_BYTES = 1 << 28
_TOGETHER_BYTES = 1 << 27
_CHUNK_DISPATCHES = 256
_CHUNK_WORKGROUPS = 1 << 17


def open_device_engine(cache_folder: Path | None = None, analyser: Callable[[str], Module] | None = None) -> DeviceEngine:
    """Open the best adapter of this machine.

    Args:
        cache_folder: Where the findings about adapters are kept between processes; None keeps nothing.
        analyser: Gives the module of a source, for the counter-measures; a caller who has it at hand saves a parse.

    Raises:
        EngineUnavailable: No adapter, or none that gives a device.
    """
    if sys.platform in NATIVE_BACKENDS:
        # Loading the OpenGL drivers as well would cost a quarter of a second, for adapters that nobody wants to compute on.
        # The choice is made once per process; a second engine is content with it.
        with contextlib.suppress(RuntimeError):
            set_instance_extras(backends=NATIVE_BACKENDS[sys.platform])
    try:
        adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
        engine = DeviceEngine(adapter, analyser or analyse_text)
    except (RuntimeError, wgpu.GPUError, OSError) as problem:
        raise EngineUnavailable(f"no adapter to run kernels on: {_last_line(problem)}", hint=driver_hint()) from problem
    engine.look_for_quirks(None if cache_folder is None else cache_folder / "adapters.json")
    return engine


_BufferAllocation = Allocation[wgpu.GPUBuffer]


class DeviceEngine:
    """Runs kernels on one adapter. Not for use by several threads at once.

    Args:
        adapter: From wgpu.
        analyser: See `open_device_engine`.
    """

    def __init__(self, adapter: wgpu.GPUAdapter, analyser: Callable[[str], Module]) -> None:
        self._adapter = adapter
        self._analyse = analyser
        self._quirks: tuple[str, ...] = ()
        self._modules: BoundedCache[str, wgpu.GPUShaderModule | CompileFailure] = BoundedCache(_KEPT_MODULES)
        self._pipelines: BoundedCache[tuple[object, ...], CompiledPipeline | CompileFailure] = BoundedCache(_KEPT_PIPELINES)
        self._watched: BoundedCache[str, WatchedShader] = BoundedCache(_KEPT_MODULES)
        self._pool: BufferPool[wgpu.GPUBuffer] = BufferPool(self._create_buffer, lambda buffer: buffer.destroy(), _POOL_BYTES)
        self._device: wgpu.GPUDevice | None = self._open_device()
        self._limits = {name: int(value) for name, value in self._device.limits.items()}
        self._features = frozenset(str(feature) for feature in self._device.features)

    @property
    def info(self) -> AdapterInfo:
        """What this engine runs on."""
        info = self._adapter.info
        return AdapterInfo(
            engine="device",
            name=info["device"],
            backend=info["backend_type"],
            driver=info["description"],
            is_software=info["adapter_type"] == "CPU",
            quirks=self._quirks,
        )

    @property
    def limits(self) -> Mapping[str, int]:
        """WebGPU limits in force: the adapter's own."""
        return self._limits

    @property
    def features(self) -> frozenset[str]:
        """Optional features that are switched on."""
        return self._features

    def look_for_quirks(self, file: Path | None) -> None:
        """Run the canaries, or take from a file what they said in an earlier process with the same adapter, driver and versions."""
        info = self._adapter.info
        parts = (info["device"], info["backend_type"], info["description"], *versions().values(), __version__)
        key = " | ".join(str(part) for part in parts)
        known = None if file is None else cached_quirks(file, key)
        self._quirks = run_canaries(self.run) if known is None else known
        if file is not None and known is None:
            keep_quirks(file, key, self._quirks)

    def run(self, jobs: Sequence[KernelJob], is_cancelled: Callable[[], bool] = lambda: False) -> Answer:
        """Run jobs that do not depend on each other: one submission and one mapping for all of them where they are small."""
        for job in jobs:
            refused = check_job(job, self._limits)
            if refused is not None:
                return refused
        contents = (one.initial for job in jobs for held in (job.buffers, job.textures) for one in held.values())
        if len(jobs) > 1 and sum(map(len, contents)) > _TOGETHER_BYTES:
            return self._run_apart(jobs, is_cancelled)
        try:
            return self._run(jobs, is_cancelled)
        except (wgpu.GPUError, RuntimeError, MemoryError) as problem:
            return self._failure(problem)

    def time(self, job: KernelJob, runs: int, restored: frozenset[str]) -> TimingAnswer:
        """Run a job many times and say how long one run took: in one submission, unless buffers are restored in between."""
        refused = check_job(job, self._limits)
        if refused is not None:
            return refused
        taken: list[_BufferAllocation] = []
        textures: list[PlacedTextures] = []
        try:
            device = self._device or self._open_device()
            self._device = device
            pipelines = self._compiled(device, (job,))
            if isinstance(pipelines, CompileFailure):
                return pipelines
            placed = self._place(device, job, {}, taken)
            textures.append(PlacedTextures(device, job))

            def record(compute: wgpu.GPUComputePassEncoder) -> None:
                for dispatch, pipeline in zip(job.dispatches, pipelines[0], strict=True):
                    record_dispatch(device, compute, dispatch, pipeline, placed, textures[0])

            def restore() -> None:
                for name in sorted(restored):
                    if name in job.textures:
                        textures[0].restore(name)
                    else:
                        write_content(device.queue, placed[name], job.buffers[name].initial)

            return time_runs(device, record, restore if restored else None, runs, _timestamp_period_ns(device))
        except (wgpu.GPUError, RuntimeError, MemoryError) as problem:
            return self._failure(problem)
        finally:
            for one in textures:
                one.destroy()
            self._pool.give_back(taken)

    def refusal(self, source: str) -> CompileFailure | None:
        """Compile a shader without running it: why naga refuses it, or None. Never raises for what a text may hold."""
        try:
            device = self._device or self._open_device()
            self._device = device
            module = self._modules.get_or_make(source, lambda: self._compile(device, source))
        except (wgpu.GPUError, RuntimeError, MemoryError) as problem:
            failure = self._failure(problem)
            return CompileFailure(stage="module", message=failure.message, line=0, column=0, detail=failure.message)
        return module if isinstance(module, CompileFailure) else None

    def find_loop_cut(self, job: KernelJob) -> LoopCut | None:
        """Run a job again with every loop watched, on an adapter that ends loops; None on any other."""
        if LOOP_CAP not in self._quirks:
            return None
        watched = self._watched.get_or_make(job.source, lambda: watch_every_loop(self._analyse(job.source)))
        return find_loop_cut(job, watched, self.run)

    def _run_apart(self, jobs: Sequence[KernelJob], is_cancelled: Callable[[], bool]) -> Answer:
        runs: list[KernelRun] = []
        for job in jobs:
            answer = self.run((job,), is_cancelled)
            if not isinstance(answer, tuple):
                return answer
            runs += answer
        return tuple(runs)

    def _run(self, jobs: Sequence[KernelJob], is_cancelled: Callable[[], bool]) -> Answer:
        device = self._device or self._open_device()
        self._device = device
        pipelines = self._compiled(device, jobs)
        if isinstance(pipelines, CompileFailure):
            return pipelines
        shared: dict[int, _BufferAllocation] = {}
        taken: list[_BufferAllocation] = []
        textures: list[PlacedTextures] = []
        try:
            placed = [self._place(device, job, shared, taken) for job in jobs]
            textures += [PlacedTextures(device, job) for job in jobs]
            started, started_cpu = time.perf_counter(), time.process_time()
            encoder = self._encode(device, jobs, pipelines, placed, textures, is_cancelled)
            if encoder is None:
                return RunFailure(reason="cancelled", message="the run was cancelled")
            for one in textures:
                one.encode_reads(encoder)
            received = read_back(device, encoder, list(plan_copies(jobs, placed)), len(jobs))
            for contents, one in zip(received, textures, strict=True):
                contents.contents.update(one.contents())
            device_s = (time.perf_counter() - started) / len(jobs)
            cpu_s = (time.process_time() - started_cpu) / len(jobs)
        finally:
            self._pool.give_back(taken)
            for one in textures:
                one.destroy()
        return tuple(
            KernelRun(buffers=one.contents, broken_guards=tuple(one.broken_guards), device_s=device_s, cpu_s=cpu_s) for one in received
        )

    def _compiled(self, device: wgpu.GPUDevice, jobs: Sequence[KernelJob]) -> list[list[CompiledPipeline]] | CompileFailure:
        """The pipelines of every job's dispatches, or the first refusal."""
        pipelines: list[list[CompiledPipeline]] = []
        for job in jobs:
            compiled = [self._pipeline(device, job, dispatch) for dispatch in job.dispatches]
            refused = next((one for one in compiled if isinstance(one, CompileFailure)), None)
            if refused is not None:
                return refused
            pipelines.append([one for one in compiled if isinstance(one, CompiledPipeline)])
        return pipelines

    def _pipeline(self, device: wgpu.GPUDevice, job: KernelJob, dispatch: DispatchJob) -> CompiledPipeline | CompileFailure:
        source = job.source
        module = self._modules.get_or_make(source, lambda: self._compile(device, source))
        if isinstance(module, CompileFailure):
            return module
        # wgpu-native 29 leaves no room for immediate data in automatic layouts; and they take every sampled texture of floats for
        # filterable, which 32-bit floats are not.
        is_explicit = dispatch.immediates or any(one.view or one.buffer in job.samplers for one in dispatch.bindings)
        entries = explicit_layouts(job, dispatch, wgpu.ShaderStage.COMPUTE) if is_explicit else None
        key = (source, dispatch.entry_point, tuple(sorted(dispatch.constants.items())), repr(entries))
        return self._pipelines.get_or_make(key, lambda: _compile_pipeline(device, module, dispatch, entries))

    def _compile(self, device: wgpu.GPUDevice, source: str) -> wgpu.GPUShaderModule | CompileFailure:
        # A cheap look first: most shaders have no such directive, and finding out costs a parse.
        has_directive = any(name in source for name in STRIPPED_EXTENSIONS)
        module = _compile_module(device, strip_enables(self._analyse(source).tree) if has_directive else source)
        if isinstance(module, CompileFailure) or WORKGROUP_MEMORY_NOT_ZEROED not in self._quirks:
            return module
        # The user's own text went first, so that what naga says about it is about it.
        rewritten = zero_workgroup_memory(self._analyse(source))
        if rewritten == source:
            return module
        zeroed = _compile_module(device, strip_enables(analyse_text(rewritten).tree) if has_directive else rewritten)
        if isinstance(zeroed, CompileFailure):
            return replace(
                zeroed, message=f"{zeroed.message} (after zeroing workgroup memory, which this adapter leaves undone)", line=0, column=0
            )
        return zeroed

    def _place(
        self, device: wgpu.GPUDevice, job: KernelJob, shared: dict[int, _BufferAllocation], taken: list[_BufferAllocation]
    ) -> dict[str, _BufferAllocation]:
        """Put a job's buffers on the device; a content that no dispatch may write is there once for all jobs."""
        writable = writable_buffers(job)
        placed: dict[str, _BufferAllocation] = {}
        for name, buffer in job.buffers.items():
            allocation = shared.get(id(buffer.initial)) if name not in writable else None
            if allocation is None or allocation.is_uniform != buffer.is_uniform:
                region = uniform_region(len(buffer.initial)) if buffer.is_uniform else storage_region(len(buffer.initial))
                allocation = self._pool.take(region, is_uniform=buffer.is_uniform)
                taken.append(allocation)
                write_content(device.queue, allocation, buffer.initial)
                if name not in writable:
                    shared[id(buffer.initial)] = allocation
            placed[name] = allocation
        return placed

    def _create_buffer(self, size: int, is_uniform: bool) -> wgpu.GPUBuffer:
        assert self._device is not None
        return self._device.create_buffer(size=size, usage=_UNIFORM if is_uniform else _STORAGE)

    def _encode(
        self,
        device: wgpu.GPUDevice,
        jobs: Sequence[KernelJob],
        pipelines: Sequence[Sequence[CompiledPipeline]],
        placed: Sequence[Mapping[str, _BufferAllocation]],
        textures: Sequence[PlacedTextures],
        is_cancelled: Callable[[], bool],
    ) -> wgpu.GPUCommandEncoder | None:
        """Record every dispatch. Long lists are submitted in chunks, so that they can be cancelled; None when they were."""
        encoder = device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        dispatches = workgroups = 0
        for job, compiled, allocations, resources in zip(jobs, pipelines, placed, textures, strict=True):
            for dispatch, pipeline in zip(job.dispatches, compiled, strict=True):
                x, y, z = dispatch.workgroups
                size = x * y * z if dispatch.indirect is None else _CHUNK_WORKGROUPS
                dispatches, workgroups = dispatches + 1, workgroups + size
                if dispatches > _CHUNK_DISPATCHES or (dispatches > 1 and workgroups > _CHUNK_WORKGROUPS):
                    compute.end()
                    submit_and_wait(device, encoder)
                    if is_cancelled():
                        return None
                    encoder = device.create_command_encoder()
                    compute = encoder.begin_compute_pass()
                    dispatches, workgroups = 1, size
                record_dispatch(device, compute, dispatch, pipeline, allocations, resources)
        compute.end()
        return encoder

    def _open_device(self) -> wgpu.GPUDevice:
        features = sorted(_WANTED_FEATURES & {str(feature) for feature in self._adapter.features})
        # Without limits of ours, wgpu-py asks for all that the adapter has.
        return self._adapter.request_device_sync(required_features=features)

    def _failure(self, problem: Exception) -> RunFailure:
        text = str(problem)
        if "device is lost" in text.lower() or "device lost" in text.lower():
            self._forget_device()
            return RunFailure(reason="device_lost", message="the device was lost; the next run opens it again")
        if isinstance(problem, (wgpu.GPUOutOfMemoryError, MemoryError)) or "not enough memory" in text.lower():
            self._pool.clear()
            return RunFailure(reason="out_of_memory", message=_last_line(problem))
        return RunFailure(reason="validation", message=_last_line(problem))

    def _forget_device(self) -> None:
        self._device = None
        self._modules.clear()
        self._pipelines.clear()
        self._pool.clear()


def versions() -> Mapping[str, str]:
    """Versions of what runs the kernels."""
    return {"wgpu": importlib.metadata.version("wgpu"), "wgpu-native": ".".join(str(part) for part in lib_version_info)}


def analyse_text(source: str) -> Module:
    """The module of a source of no known path."""
    return analyse(parse(SourceText(Path("shader.wgsl"), source)))


def _compile_module(device: wgpu.GPUDevice, source: str) -> wgpu.GPUShaderModule | CompileFailure:
    end = source.find("\0")
    if end >= 0:
        # It would end the text for wgpu-native, and half a shader might compile.
        line = source.count("\n", 0, end) + 1
        message = "the source has a null character (U+0000)"
        return CompileFailure(stage="module", message=message, line=line, column=end - source.rfind("\n", 0, end), detail=message)
    try:
        return device.create_shader_module(code=source)
    except wgpu.GPUValidationError as problem:
        if "device is lost" in str(problem):
            raise
        return read_naga_message(str(problem), stage="module")


def _compile_pipeline(
    device: wgpu.GPUDevice, module: wgpu.GPUShaderModule, dispatch: DispatchJob, entries: list[list[LayoutEntry]] | None
) -> CompiledPipeline | CompileFailure:
    compute = {"module": module, "entry_point": dispatch.entry_point, "constants": dict(dispatch.constants)}
    try:
        if entries is None:
            return CompiledPipeline(device.create_compute_pipeline(layout="auto", compute=compute))
        groups = [device.create_bind_group_layout(entries=group) for group in entries]
        # wgpu-py 0.31, the last for Python 3.10, has no such argument.
        immediates: dict[str, Any] = {"immediate_size": len(dispatch.immediates)} if dispatch.immediates else {}
        layout = device.create_pipeline_layout(bind_group_layouts=groups, **immediates)
        return CompiledPipeline(device.create_compute_pipeline(layout=layout, compute=compute), layouts=dict(enumerate(groups)))
    except (wgpu.GPUValidationError, wgpu.GPUPipelineError, wgpu.GPUInternalError) as problem:
        if "device is lost" in str(problem):
            raise
        return read_naga_message(str(problem), stage="pipeline", entry_point=dispatch.entry_point)


def _timestamp_period_ns(device: wgpu.GPUDevice) -> float | None:
    """Nanoseconds of one tick of the device's timestamps: wgpu-native leaves ticks in a query set, where WebGPU has nanoseconds."""
    if TIMESTAMP_QUERY not in {str(feature) for feature in device.features}:
        return None
    # wgpu-py 0.32 has no name for it.
    return float(cast("Any", lib).wgpuQueueGetTimestampPeriod(cast("Any", device.queue)._internal))  # noqa: SLF001


def _last_line(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1] if lines else type(problem).__name__
