"""Stands in for a device and computes nothing: it remembers which dispatches a program made, and what was bound."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pixel_core.engines.device_program import (
    BufferRange,
    Contents,
    ProgramBuffer,
    ProgramDevice,
    ProgramDispatch,
    ProgramPipeline,
    ProgramTexture,
    Resource,
)
from pixel_core.kernels.observed_dispatch import ObservedBinding, ObservedDispatch

if TYPE_CHECKING:
    from pixel_core.engines.base import AdapterInfo
    from pixel_core.inference.model_kernels import ModelKernel

_REMEMBERED_BYTES = 256
"""Buffers up to this size are settings, whose contents matter; larger ones are numbers."""

_Key = tuple[object, ...]


class ObservingDevice(ProgramDevice):
    """Fulfils `ProgramDevice` without a device.

    Args:
        real: Its limits are those of this one, which nothing else is asked of.
    """

    def __init__(self, real: ProgramDevice) -> None:
        self._real = real
        self._count = 0
        self._runs = 0
        self._writes: dict[int, list[tuple[int, bytes]]] = {}
        self._programs: dict[tuple[int, ...], tuple[_Key, ...]] = {}
        self._kept: list[Sequence[ProgramDispatch]] = []
        self._seen: dict[_Key, tuple[int, int]] = {}
        self._followers: dict[_Key, set[_Key]] = {}
        self._made: dict[_Key, ProgramDispatch] = {}

    @property
    def real(self) -> ProgramDevice:
        """The real one."""
        return self._real

    @property
    def info(self) -> AdapterInfo:
        """As the real one's."""
        return self._real.info

    def limit(self, name: str) -> int:
        """As the real one's."""
        return self._real.limit(name)

    def has(self, feature: str) -> bool:
        """As the real one."""
        return self._real.has(feature)

    def create_buffer(self, size: int, *, is_uniform: bool = False) -> ProgramBuffer:
        """A buffer that only has a size."""
        size = max(16, -(-size // 16) * 16)
        return ProgramBuffer(handle=None, size=size, serial=self._next(), is_uniform=is_uniform)

    def write_buffer(self, buffer: ProgramBuffer, contents: Contents, offset: int = 0) -> None:
        """Remember what stands in a small buffer from now on."""
        if buffer.size > _REMEMBERED_BYTES:
            return
        data = bytes(memoryview(contents).cast("B"))
        writes = self._writes.setdefault(buffer.serial, [])
        before = writes[-1][1] if writes else bytes(buffer.size)
        if writes and writes[-1][0] == self._runs:
            writes.pop()
        writes.append((self._runs, before[:offset] + data + before[offset + len(data) :]))

    def read_buffer(self, buffer: ProgramBuffer, size: int, offset: int = 0) -> memoryview:  # noqa: ARG002 -- there is nothing to read
        """Zeros."""
        return memoryview(bytes(size))

    def create_texture(self, width: int, height: int) -> ProgramTexture:
        """A texture that only has sides."""
        return ProgramTexture(handle=None, view=None, width=width, height=height, serial=self._next())

    def write_texture(self, texture: ProgramTexture, texels: Contents, *, width: int, height: int, x: int = 0, y: int = 0) -> None:
        """Nothing."""

    def compile(self, source: str, entry_point: str, constants: Mapping[str, float] | None = None) -> ProgramPipeline:
        """What would be compiled."""
        key = (source, entry_point, tuple(sorted((constants or {}).items())))
        return ProgramPipeline(handle=key, layout=None, entry_point=entry_point, serial=0)

    def dispatch(self, pipeline: ProgramPipeline, bindings: Mapping[int, Resource], workgroups: tuple[int, int, int]) -> ProgramDispatch:
        """What would be dispatched."""
        return ProgramDispatch(pipeline=pipeline, group=tuple(sorted(bindings.items())), workgroups=workgroups)

    def run(self, dispatches: Sequence[ProgramDispatch]) -> None:
        """Remember that these ran one after the other."""
        program = tuple(map(id, dispatches))
        if program not in self._programs:
            # An address is a name only for as long as what lies there is kept.
            self._kept.append(dispatches)
            self._programs[program] = self._keys(dispatches)
        for key in self._programs[program]:
            first, _ = self._seen.get(key, (self._runs, self._runs))
            self._seen[key] = (first, self._runs)
        self._runs += 1

    def close(self) -> None:
        """Close the real one."""
        self._real.close()

    def observed(self, kernels: Iterable[ModelKernel]) -> tuple[ObservedDispatch, ...]:
        """Every different dispatch that ran; those that differ in nothing but where their buffers lie are one.

        Args:
            kernels: All that were compiled.
        """
        compiled = {(kernel.source, kernel.entry_point): kernel for kernel in kernels}
        merged: dict[_Key, tuple[ProgramDispatch, int, int]] = {}
        names: dict[_Key, _Key] = {}
        for key, (first, last) in self._seen.items():
            dispatch = self._made[key]
            name = names[key] = self._likeness(dispatch)
            like, earlier, later = merged.get(name, (dispatch, first, last))
            merged[name] = (like, min(earlier, first), max(later, last))
        numbers = {name: number for number, name in enumerate(merged)}
        followers: dict[_Key, set[int]] = {}
        for key, others in self._followers.items():
            followers.setdefault(names[key], set()).update(numbers[names[other]] for other in others)
        return tuple(
            self._observed(compiled, dispatch, (first, last), tuple(sorted(followers.get(name, ()))))
            for name, (dispatch, first, last) in merged.items()
        )

    def _keys(self, dispatches: Sequence[ProgramDispatch]) -> tuple[_Key, ...]:
        keys: list[_Key] = []
        for one in dispatches:
            resources = tuple((number, *_place(resource)) for number, resource in one.group)
            keys.append((one.pipeline.handle, one.workgroups, resources))
            self._made.setdefault(keys[-1], one)
        for before, after in itertools.pairwise(keys):
            self._followers.setdefault(before, set()).add(after)
        return tuple(dict.fromkeys(keys))

    def _likeness(self, dispatch: ProgramDispatch) -> _Key:
        bound: list[object] = []
        for number, resource in dispatch.group:
            writes = [] if isinstance(resource, ProgramTexture) else self._writes.get(_place(resource)[0], [])
            # What is written again and again says when a dispatch ran, not which one it is.
            bound.append((number, _shape(resource), writes[0][1] if len(writes) == 1 else b""))
        return (dispatch.pipeline.handle, dispatch.workgroups, tuple(bound))

    def _observed(
        self, compiled: Mapping[tuple[str, str], ModelKernel], dispatch: ProgramDispatch, runs: tuple[int, int], followers: tuple[int, ...]
    ) -> ObservedDispatch:
        source, entry, constants = dispatch.pipeline.handle
        kernel = compiled[source, entry]
        names = {number: name for name, number in kernel.bindings.items()}
        return ObservedDispatch(
            shader=str(kernel.path),
            entry=entry,
            macros=kernel.macros,
            constants=dict(constants),
            workgroups=dispatch.workgroups,
            bindings={names[number]: self._binding(resource, runs) for number, resource in dispatch.group},
            followers=followers,
        )

    def _binding(self, resource: Resource, runs: tuple[int, int]) -> ObservedBinding:
        if isinstance(resource, ProgramTexture):
            return ObservedBinding(extent=(resource.height, resource.width))
        serial, offset, size = _place(resource)
        writes = self._writes.get(serial, [])
        times = [time for time, _ in writes]
        # Before its first write a buffer is zero, and no program runs then.
        contents = [writes[max(bisect_right(times, run) - 1, 0)][1][offset : offset + size] for run in runs] if writes else []
        return ObservedBinding(size=size, contents=tuple(contents))

    def _next(self) -> int:
        self._count += 1
        return self._count


def _place(resource: Resource) -> tuple[int, int, int]:
    if isinstance(resource, BufferRange):
        return resource.buffer.serial, resource.offset, resource.size
    return resource.serial, 0, 0 if isinstance(resource, ProgramTexture) else resource.size


def _shape(resource: Resource) -> tuple[int, ...]:
    return (resource.height, resource.width) if isinstance(resource, ProgramTexture) else (_place(resource)[2],)
