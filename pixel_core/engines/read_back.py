"""Which ranges come back from the device, and what they say. Sizes are in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from pixel_core.engines.base import KernelJob
from pixel_core.engines.buffer_pool import Allocation
from pixel_core.engines.guards import GUARD, GUARD_BYTES

Buffer = TypeVar("Buffer")

_STAGING_BYTES = 1 << 28
_ALIGNMENT = 8


class Copy(msgspec.Struct, Generic[Buffer], frozen=True):
    """One buffer with its bands on its way back.

    Attributes:
        job: Number of the job.
        name: The job's name for the buffer.
        source: The device's handle.
        size: Both bands and the binding.
        content_size: Of the content, which may be shorter than the binding.
        is_wanted: Whether the content is wanted, or the bands alone.
    """

    job: int
    name: str
    source: Buffer
    size: int
    content_size: int
    is_wanted: bool

    @property
    def staging_size(self) -> int:
        """Size in the staging buffer, whose ranges are aligned."""
        return (self.size + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT


class Received(msgspec.Struct):
    """What came back of one job."""

    contents: dict[str, bytes] = msgspec.field(default_factory=dict)
    broken_guards: list[str] = msgspec.field(default_factory=list)

    def take(self, copy: Copy[Buffer], data: memoryview) -> None:
        """Look at the bands of a range and keep its content."""
        if bytes(data[:GUARD_BYTES]) != GUARD or bytes(data[copy.size - GUARD_BYTES : copy.size]) != GUARD:
            self.broken_guards.append(copy.name)
        if copy.is_wanted:
            self.contents[copy.name] = bytes(data[GUARD_BYTES : GUARD_BYTES + copy.content_size])


def read_back(device: Any, encoder: Any, copies: Sequence[Copy[Any]], jobs: int) -> list[Received]:
    """Submit, and fetch every range through one staging buffer (several only when they are huge).

    Args:
        device: wgpu's, which only `device` knows.
        encoder: What was recorded so far.
        copies: From `plan_copies`.
        jobs: How many jobs they belong to.
    """
    received = [Received() for _ in range(jobs)]
    for number, portion in enumerate(split_copies(copies)):
        if number > 0:
            encoder = device.create_command_encoder()
        staging = device.create_buffer(size=max(sum(copy.staging_size for copy in portion), 8), usage="MAP_READ | COPY_DST")
        offset = 0
        for copy in portion:
            encoder.copy_buffer_to_buffer(copy.source, 0, staging, offset, copy.size)
            offset += copy.staging_size
        device.queue.submit([encoder.finish()])
        # READ_NOSYNC spares the empty submission that wgpu-py makes before a mapping; ours has just been made.
        staging.map_async("READ_NOSYNC").sync_wait()
        # wgpu-py calls it ArrayLike; it is a memoryview on the mapped memory.
        mapped = cast("memoryview", staging.read_mapped(copy=False))
        offset = 0
        for copy in portion:
            received[copy.job].take(copy, mapped[offset : offset + copy.size])
            offset += copy.staging_size
        staging.unmap()
        staging.destroy()
    return received


def plan_copies(jobs: Sequence[KernelJob], placed: Sequence[Mapping[str, Allocation[Buffer]]]) -> Iterator[Copy[Buffer]]:
    """One copy for each buffer that is wanted, and for each that a dispatch could write, because of its bands."""
    for number, (job, allocations) in enumerate(zip(jobs, placed, strict=True)):
        writable = writable_buffers(job)
        for name, buffer in job.buffers.items():
            if not buffer.is_uniform and (buffer.read_back or name in writable):
                allocation = allocations[name]
                yield Copy(number, name, allocation.buffer, allocation.region.guarded_size, len(buffer.initial), buffer.read_back)


def split_copies(copies: Sequence[Copy[Buffer]]) -> Iterator[list[Copy[Buffer]]]:
    """At least one portion, each of the size of a staging buffer at most, except that a huge range stays whole."""
    portion: list[Copy[Buffer]] = []
    size = 0
    for copy in copies:
        if portion and size + copy.staging_size > _STAGING_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(copy)
        size += copy.staging_size
    yield portion


def writable_buffers(job: KernelJob) -> set[str]:
    """Buffers that at least one dispatch binds as writable."""
    return {binding.buffer for dispatch in job.dispatches for binding in dispatch.bindings if binding.writable}
