"""Guard bands: known bytes before and after every buffer, which no kernel may change. Offsets and sizes are in bytes."""

from __future__ import annotations

import hashlib

import msgspec

GUARD_BYTES = 256
"""Browsers bind at multiples of 256; so a band of that size keeps the content where they would have it."""

GUARD = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(GUARD_BYTES // 32))
"""Bytes that no kernel writes by chance: not a constant, not a poison pattern, no word twice."""

_SMALLEST_CLASS = 1024
_MIB = 1 << 20


class Region(msgspec.Struct, frozen=True):
    """Where a buffer's content lies inside its allocation.

    Attributes:
        offset: Start of the content.
        size: Size of the binding.
        allocation: Size of the allocation, a size class, so that it can be used again.
    """

    offset: int
    size: int
    allocation: int

    @property
    def guarded_size(self) -> int:
        """Both bands and the content."""
        return self.size + 2 * GUARD_BYTES


def storage_region(content_bytes: int) -> Region:
    """The region of a storage buffer. WebGPU binds no empty range, so an empty buffer gets the 16 bytes of the largest vector."""
    size = max((content_bytes + 3) // 4 * 4, 16 if content_bytes == 0 else 4)
    return Region(GUARD_BYTES, size, _size_class(size + 2 * GUARD_BYTES))


def uniform_region(content_bytes: int) -> Region:
    """The region of a uniform buffer: read-only, so without bands."""
    size = max((content_bytes + 15) // 16 * 16, 16)
    return Region(0, size, _size_class(size))


def with_guards(content: bytes | memoryview, region: Region) -> bytes:
    """Band, content (filled with zeros to the size of the binding), band."""
    return b"".join((GUARD, content, bytes(region.size - len(content)), GUARD))


def _size_class(size: int) -> int:
    if size > _MIB:
        return (size + _MIB - 1) // _MIB * _MIB
    return max(1 << (size - 1).bit_length(), _SMALLEST_CLASS)
