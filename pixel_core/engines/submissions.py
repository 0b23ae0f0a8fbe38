"""Handing recorded work to the device and waiting for its end."""

from __future__ import annotations

from typing import Any


def submit_and_wait(device: Any, encoder: Any) -> None:
    """Submit what was recorded, and wait until the device has done it.

    Args:
        device: wgpu's, which only `device` knows.
        encoder: Ends here.
    """
    wait_for(device, *finish_with_fence(device, encoder))


def finish_with_fence(device: Any, encoder: Any) -> tuple[Any, Any]:
    """End the recording with the clearing of a buffer, by which `wait_for` knows that everything before it is done.

    Returns:
        The command buffer and that buffer.
    """
    # A mapping waits for the submissions that touch its buffer. (`queue.on_submitted_work_done` of wgpu-py 0.32 raises a TypeError.)
    fence = device.create_buffer(size=8, usage="MAP_READ | COPY_DST")
    encoder.clear_buffer(fence)
    return encoder.finish(), fence


def wait_for(device: Any, commands: Any, fence: Any) -> None:
    """Submit what `finish_with_fence` ended, and wait for it."""
    device.queue.submit([commands])
    # READ_NOSYNC spares the empty submission that wgpu-py makes before a mapping; ours has just been made.
    fence.map_async("READ_NOSYNC").sync_wait()
    fence.destroy()
