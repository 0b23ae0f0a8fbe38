"""A buffer's content on its way to the device, between its guard bands."""

from __future__ import annotations

from typing import Any

from pixel_core.engines.buffer_pool import Allocation
from pixel_core.engines.guards import GUARD, with_guards

_ONE_WRITE_BYTES = 1 << 20


def write_content(queue: Any, allocation: Allocation[Any], content: bytes | memoryview) -> None:
    """Queue the writing of a content; it happens before the next submission.

    Args:
        queue: wgpu's, which only `device` knows.
        allocation: Where to.
        content: At most as long as the allocation's region; what lies behind it becomes zero.
    """
    buffer, region = allocation.buffer, allocation.region
    if allocation.is_uniform:
        queue.write_buffer(buffer, 0, b"".join((content, bytes(region.size - len(content)))))
    elif len(content) <= _ONE_WRITE_BYTES:
        queue.write_buffer(buffer, 0, with_guards(content, region))
    else:
        # Joining a large content with its bands would copy it once more.
        whole = len(content) // 4 * 4
        queue.write_buffer(buffer, 0, GUARD)
        queue.write_buffer(buffer, region.offset, content, 0, whole)
        queue.write_buffer(buffer, region.offset + whole, b"".join((content[whole:], bytes(region.size - len(content)), GUARD)))
