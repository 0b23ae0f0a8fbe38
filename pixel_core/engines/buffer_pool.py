"""Buffers of a device, used again by size class. Knows no wgpu: the device says how a buffer is made and destroyed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from pixel_core.engines.guards import Region

Buffer = TypeVar("Buffer")


class Allocation(msgspec.Struct, Generic[Buffer], frozen=True):
    """A buffer of the device.

    Attributes:
        buffer: The device's handle.
        region: Where the content lies in it.
        serial: Never used for two buffers, so that a cached bind group cannot mean another one.
        is_uniform: A uniform buffer, or else a storage buffer.
    """

    buffer: Buffer
    region: Region
    serial: int
    is_uniform: bool


class BufferPool(Generic[Buffer]):
    """Keeps buffers that were given back.

    Args:
        create: Makes a buffer of a size in bytes, uniform or not. What it raises is passed on.
        destroy: Frees one at once.
        capacity_bytes: Total size of the buffers that are kept.
    """

    def __init__(self, create: Callable[[int, bool], Buffer], destroy: Callable[[Buffer], object], capacity_bytes: int) -> None:
        self._create = create
        self._destroy = destroy
        self._capacity_bytes = capacity_bytes
        self._free: dict[tuple[int, bool], list[tuple[Buffer, int]]] = {}
        self._free_bytes = 0
        self._last_serial = 0

    def take(self, region: Region, *, is_uniform: bool) -> Allocation[Buffer]:
        """A buffer for a region; its content is undefined."""
        free = self._free.get((region.allocation, is_uniform))
        if free:
            buffer, serial = free.pop()
            self._free_bytes -= region.allocation
            return Allocation(buffer, region, serial, is_uniform)
        self._last_serial += 1
        return Allocation(self._create(region.allocation, is_uniform), region, self._last_serial, is_uniform)

    def give_back(self, taken: Sequence[Allocation[Buffer]]) -> None:
        """Keep buffers for later."""
        # In reverse, so that the next run of the same kernel finds each buffer in its old place and its bind groups in their cache.
        for allocation in reversed(taken):
            size = allocation.region.allocation
            if self._free_bytes + size > self._capacity_bytes:
                self._destroy(allocation.buffer)
                continue
            self._free.setdefault((size, allocation.is_uniform), []).append((allocation.buffer, allocation.serial))
            self._free_bytes += size

    def clear(self) -> None:
        """Destroy every buffer that is kept."""
        for free in self._free.values():
            for buffer, _ in free:
                self._destroy(buffer)
        self._free.clear()
        self._free_bytes = 0
