"""How many invocations talk to each other directly on a device."""

from __future__ import annotations

import struct

from pixel_core.engines.device_program import ProgramDevice

_PROBE = """\
@group(0) @binding(0) var<storage, read_write> seen: u32;

@compute @workgroup_size(WIDTH)
fn probe(@builtin(subgroup_size) size: u32, @builtin(local_invocation_index) index: u32) {
    if (index == 0u) {
        seen = size;
    }
}
"""


def subgroup_size(device: ProgramDevice, width: int) -> int:
    """Invocations of a subgroup in workgroups of `width`, as a kernel sees it; 0 where the device has no subgroups.

    Adapters name a range (4 to 128 on lavapipe, which has 8), and what a kernel gets is known only to the kernel.
    """
    if not device.has("subgroup"):
        return 0
    seen = device.create_buffer(4)
    pipeline = device.compile(_PROBE.replace("WIDTH", f"{width}u"), "probe")
    device.run([device.dispatch(pipeline, {0: seen}, (1, 1, 1))])
    (size,) = struct.unpack("<I", device.read_buffer(seen, 4))
    return size
