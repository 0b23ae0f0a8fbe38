"""A wgpu device for programs that live long: weights stay on it, pipelines and bind groups are made once, dispatches run again and again.

Where `device` runs one job and forgets it, this keeps everything. Beside `device` the only file that imports wgpu, and like it loaded only
in a process of its own: what makes wgpu end the process ends that one.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import msgspec
import wgpu
from wgpu.backends.wgpu_native.extras import set_instance_extras

from pixel_core.engines.base import AdapterInfo
from pixel_core.engines.driver_hint import driver_hint
from pixel_core.engines.native_backends import NATIVE_BACKENDS
from pixel_core.errors import DeviceFailed, EngineUnavailable

_STORAGE = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.COPY_SRC
_UNIFORM = wgpu.BufferUsage.UNIFORM
_TEXTURE = wgpu.TextureUsage.STORAGE_BINDING | wgpu.TextureUsage.TEXTURE_BINDING | wgpu.TextureUsage.COPY_DST | wgpu.TextureUsage.COPY_SRC

_WANTED_FEATURES = frozenset({"subgroup"})

TEXEL_BYTES = 16
"""Of `rgba32uint`."""

_UPLOAD_BYTES = 1 << 26
"""What is handed to the driver at once: it copies it to a place of its own, so that a whole atlas would need its memory twice."""

Contents: TypeAlias = Any
"""Anything with the buffer protocol, contiguous, such as a numpy array or a slice of a mapped file. It is read and not kept."""


class ProgramBuffer(msgspec.Struct, frozen=True, kw_only=True):
    """A buffer on the device. Two of them are equal only if they are one.

    Attributes:
        handle: wgpu's.
        size: In bytes.
        serial: Tells it from all others of its device.
        is_uniform: Whether it can stand behind `var<uniform>` too.
    """

    handle: Any
    size: int
    serial: int
    is_uniform: bool


class BufferRange(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a buffer, as what a binding holds.

    Attributes:
        buffer: The whole.
        offset: In bytes; a multiple of the adapter's alignment (256 is one everywhere).
        size: In bytes.
    """

    buffer: ProgramBuffer
    offset: int
    size: int


class ProgramTexture(msgspec.Struct, frozen=True, kw_only=True):
    """An `rgba32uint` texture on the device.

    Attributes:
        handle: wgpu's.
        view: What bindings hold.
        width: In texels.
        height: In texels.
        serial: Tells it from all others of its device.
    """

    handle: Any
    view: Any
    width: int
    height: int
    serial: int


Resource: TypeAlias = ProgramBuffer | BufferRange | ProgramTexture


class ProgramPipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled entry point.

    Attributes:
        handle: wgpu's.
        layout: Of its group 0.
        entry_point: Its name.
        serial: Tells it from all others of its device.
    """

    handle: Any
    layout: Any
    entry_point: str
    serial: int


class ProgramDispatch(msgspec.Struct, frozen=True, kw_only=True):
    """One dispatch, ready to be recorded any number of times.

    Attributes:
        pipeline: What runs.
        group: Its bind group.
        workgroups: In x, y and z.
    """

    pipeline: ProgramPipeline
    group: Any
    workgroups: tuple[int, int, int]


def open_program_device() -> ProgramDevice:
    """Open the best adapter of this machine for a long-lived program.

    Raises:
        EngineUnavailable: No adapter, or none that gives a device.
    """
    # llvmpipe wakes a thread for each part of a dispatch, and on two CPUs two short parts end up on one of them: with twice as many threads
    # as CPUs, decoding took 0.7 of the time.
    os.environ.setdefault("LP_NUM_THREADS", str(2 * (os.cpu_count() or 1)))
    if sys.platform in NATIVE_BACKENDS:
        # As in `device`: the choice is made once per process, and a second engine is content with it.
        with contextlib.suppress(RuntimeError):
            set_instance_extras(backends=NATIVE_BACKENDS[sys.platform])
    try:
        adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
        device = adapter.request_device_sync(required_features=sorted(_WANTED_FEATURES & {str(one) for one in adapter.features}))
    except (RuntimeError, wgpu.GPUError, OSError) as problem:
        raise EngineUnavailable(f"no adapter to run a model on: {_last_line(problem)}", hint=driver_hint()) from problem
    return ProgramDevice(adapter, device)


class ProgramDevice:
    """Holds what a program needs on one device, and runs it. Not for use by several threads at once.

    Every method may raise `DeviceFailed`.

    Args:
        adapter: From wgpu.
        device: Of that adapter.
    """

    def __init__(self, adapter: wgpu.GPUAdapter, device: wgpu.GPUDevice) -> None:
        self._adapter = adapter
        self._device = device
        self._limits = {name: int(value) for name, value in device.limits.items()}
        self._serial = 0
        self._written = 0
        self._modules: dict[str, wgpu.GPUShaderModule] = {}
        self._pipelines: dict[tuple[object, ...], ProgramPipeline] = {}
        self._groups: dict[tuple[object, ...], Any] = {}
        self._held: list[Any] = []

    @property
    def info(self) -> AdapterInfo:
        """What the program runs on."""
        info = self._adapter.info
        return AdapterInfo(
            engine="device",
            name=info["device"],
            backend=info["backend_type"],
            driver=info["description"],
            is_software=info["adapter_type"] == "CPU",
        )

    @property
    def real(self) -> ProgramDevice:
        """What computes: itself, and of a stand-in the device that it stands in for."""
        return self

    def limit(self, name: str) -> int:
        """A WebGPU limit in force, by wgpu's name of it: `max-texture-dimension-2d`, `max-storage-buffer-binding-size`."""
        return self._limits[name]

    def has(self, feature: str) -> bool:
        """Whether an optional feature is switched on, by wgpu's name of it: `subgroup`."""
        return feature in self._device.features

    def create_buffer(self, size: int, *, is_uniform: bool = False) -> ProgramBuffer:
        """A storage buffer of zeros.

        Args:
            size: In bytes; rounded up to a multiple of 16.
            is_uniform: Whether `var<uniform>` can read it as well.
        """
        size = max(16, -(-size // 16) * 16)
        limit = self._limits["max-storage-buffer-binding-size"]
        if size > limit:
            raise DeviceFailed("refused", f"a buffer of {size:,} bytes is over this adapter's limit of {limit:,} for a binding")
        with self._told():
            handle = self._device.create_buffer(size=size, usage=_STORAGE | (_UNIFORM if is_uniform else 0))
        self._held.append(handle)
        return ProgramBuffer(handle=handle, size=size, serial=self._next(), is_uniform=is_uniform)

    def write_buffer(self, buffer: ProgramBuffer, contents: Contents, offset: int = 0) -> None:
        """Copy bytes into a buffer, before whatever is submitted later."""
        view = memoryview(contents).cast("B")
        with self._told():
            for start in range(0, len(view), _UPLOAD_BYTES):
                part = view[start : start + _UPLOAD_BYTES]
                self._device.queue.write_buffer(buffer.handle, offset + start, part)
                self._hand_over(len(part))

    def read_buffer(self, buffer: ProgramBuffer, size: int, offset: int = 0) -> memoryview:
        """Bytes of a buffer, once everything submitted is done."""
        with self._told():
            return memoryview(cast("Any", self._device.queue.read_buffer(buffer.handle, offset, size)))

    def create_texture(self, width: int, height: int) -> ProgramTexture:
        """An `rgba32uint` texture of zeros; whoever needs a larger one than the adapter has takes several."""
        limit = self._limits["max-texture-dimension-2d"]
        if not (0 < width <= limit and 0 < height <= limit):
            raise DeviceFailed("refused", f"a texture of {width:,} × {height:,} texels is over this adapter's limit of {limit:,} on a side")
        with self._told():
            handle = self._device.create_texture(size=(width, height, 1), format="rgba32uint", usage=_TEXTURE, dimension="2d")
            view = handle.create_view()
        self._held.append(handle)
        return ProgramTexture(handle=handle, view=view, width=width, height=height, serial=self._next())

    def write_texture(self, texture: ProgramTexture, texels: Contents, *, width: int, height: int, x: int = 0, y: int = 0) -> None:
        """Copy rows of texels into a rectangle of a texture.

        Args:
            texture: The target.
            texels: `width * height * 16` bytes, row by row.
            width: Of the rectangle.
            height: Of the rectangle.
            x: Its left edge.
            y: Its upper edge.
        """
        view = memoryview(texels).cast("B")
        pitch = width * TEXEL_BYTES
        assert len(view) == pitch * height
        rows = max(1, _UPLOAD_BYTES // pitch)
        with self._told():
            for start in range(0, height, rows):
                count = min(rows, height - start)
                target = {"texture": texture.handle, "mip_level": 0, "origin": (x, y + start, 0)}
                layout = {"offset": 0, "bytes_per_row": pitch, "rows_per_image": count}
                self._device.queue.write_texture(target, view[start * pitch : (start + count) * pitch], layout, (width, count, 1))
                self._hand_over(count * pitch)

    def _hand_over(self, written: int) -> None:
        # wgpu keeps a copy of what is written until something is submitted: a model would need its memory twice.
        self._written += written
        if self._written >= _UPLOAD_BYTES:
            self._device.queue.submit([])
            self._written = 0

    def compile(self, source: str, entry_point: str, constants: Mapping[str, float] | None = None) -> ProgramPipeline:
        """A pipeline; the same one for the same arguments.

        Args:
            source: WGSL. All its bindings are in group 0.
            entry_point: Of the source.
            constants: Values of overrides by name.
        """
        chosen = dict(constants or {})
        key = (source, entry_point, tuple(sorted(chosen.items())))
        if key not in self._pipelines:
            with self._told():
                if source not in self._modules:
                    self._modules[source] = self._device.create_shader_module(code=source)
                compute = {"module": self._modules[source], "entry_point": entry_point, "constants": chosen}
                handle = self._device.create_compute_pipeline(layout="auto", compute=compute)
                layout = handle.get_bind_group_layout(0)
            self._pipelines[key] = ProgramPipeline(handle=handle, layout=layout, entry_point=entry_point, serial=self._next())
        return self._pipelines[key]

    def dispatch(self, pipeline: ProgramPipeline, bindings: Mapping[int, Resource], workgroups: tuple[int, int, int]) -> ProgramDispatch:
        """A dispatch with its bind group; the group is made once for a pipeline and what it binds.

        Args:
            pipeline: What runs.
            bindings: What stands behind each `@binding` that the entry point uses.
            workgroups: In x, y and z.
        """
        limit = self._limits["max-compute-workgroups-per-dimension"]
        if max(workgroups) > limit:
            raise DeviceFailed("refused", f"a dispatch of {max(workgroups):,} workgroups is over this adapter's limit of {limit:,}")
        key = (pipeline.serial, *((number, _identity(one)) for number, one in sorted(bindings.items())))
        if key not in self._groups:
            entries = [{"binding": number, "resource": _entry(one)} for number, one in sorted(bindings.items())]
            with self._told():
                self._groups[key] = self._device.create_bind_group(layout=pipeline.layout, entries=entries)
        return ProgramDispatch(pipeline=pipeline, group=self._groups[key], workgroups=workgroups)

    def run(self, dispatches: Sequence[ProgramDispatch]) -> None:
        """Record dispatches in one compute pass and submit it. Does not wait; each sees what those before it wrote."""
        with self._told():
            encoder = self._device.create_command_encoder()
            compute = encoder.begin_compute_pass()
            pipeline = group = None
            for one in dispatches:
                if one.pipeline is not pipeline:
                    pipeline = one.pipeline
                    compute.set_pipeline(pipeline.handle)
                if one.group is not group:
                    group = one.group
                    compute.set_bind_group(0, group)
                compute.dispatch_workgroups(*one.workgroups)
            compute.end()
            self._device.queue.submit([encoder.finish()])

    def free(self, *resources: ProgramBuffer | ProgramTexture) -> None:
        """Give memory back before the end; what is dispatched later must not bind these."""
        for one in resources:
            self._held.remove(one.handle)
            one.handle.destroy()

    def close(self) -> None:
        """Free everything at once."""
        self._groups.clear()
        self._pipelines.clear()
        self._modules.clear()
        for one in self._held:
            one.destroy()
        self._held.clear()
        self._device.destroy()

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except (wgpu.GPUError, RuntimeError, MemoryError) as problem:
            raise _failure(problem) from problem


def _identity(resource: Resource) -> tuple[int, int, int]:
    if isinstance(resource, BufferRange):
        return resource.buffer.serial, resource.offset, resource.size
    return resource.serial, 0, 0


def _entry(resource: Resource) -> object:
    if isinstance(resource, ProgramTexture):
        return resource.view
    if isinstance(resource, BufferRange):
        return {"buffer": resource.buffer.handle, "offset": resource.offset, "size": resource.size}
    return {"buffer": resource.handle, "offset": 0, "size": resource.size}


def _failure(problem: Exception) -> DeviceFailed:
    text = str(problem)
    reason: Literal["device_lost", "out_of_memory", "refused"] = "refused"
    message = f"the device refused what it was asked: {_last_line(problem)}"
    if "device is lost" in text.lower() or "device lost" in text.lower():
        reason, message = "device_lost", "the device was lost"
    elif isinstance(problem, (wgpu.GPUOutOfMemoryError, MemoryError)) or "not enough memory" in text.lower():
        reason, message = "out_of_memory", "the device has not enough memory"
    return DeviceFailed(reason, message)


def _last_line(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1] if lines else type(problem).__name__
