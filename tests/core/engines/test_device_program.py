"""Programs that stay on a device: contents survive, dispatches see each other, nothing is made twice, failures are one sentence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pixel_core.engines.device_program import BufferRange, ProgramDevice, open_program_device
from pixel_core.errors import DeviceFailed

pytestmark = pytest.mark.device

ADD = """
override step: u32 = 1u;
@group(0) @binding(0) var<uniform> offset: u32;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(4)
fn add(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = y[id.x] * 2u + x[id.x] + offset + step;
}
"""

READ = """
@group(0) @binding(0) var image: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;
@compute @workgroup_size(1)
fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.y * 3u + id.x] = textureLoad(image, id.xy);
}
"""


@pytest.fixture
def device() -> Iterator[ProgramDevice]:
    opened = open_program_device()
    yield opened
    opened.close()


def words(device: ProgramDevice, buffer: object, count: int) -> list[int]:
    return np.frombuffer(device.read_buffer(buffer, 4 * count), np.uint32).tolist()


def test_each_dispatch_sees_what_those_before_it_wrote(device: ProgramDevice) -> None:
    offset, x, y = device.create_buffer(4, is_uniform=True), device.create_buffer(16), device.create_buffer(16)
    device.write_buffer(offset, np.array([100], np.uint32))
    device.write_buffer(x, np.arange(4, dtype=np.uint32))
    one = device.dispatch(device.compile(ADD, "add"), {0: offset, 1: x, 2: y}, (1, 1, 1))
    other = device.dispatch(device.compile(ADD, "add", {"step": 5}), {0: offset, 1: x, 2: y}, (1, 1, 1))
    device.run((one, other, one))
    first = [100 + i + 1 for i in range(4)]
    second = [2 * before + 100 + i + 5 for i, before in enumerate(first)]
    assert words(device, y, 4) == [2 * before + 100 + i + 1 for i, before in enumerate(second)]
    device.write_buffer(y, np.zeros(4, np.uint32))
    device.run((one,))
    assert words(device, y, 4) == first


def test_a_buffer_is_zero_at_first_and_takes_parts(device: ProgramDevice) -> None:
    buffer = device.create_buffer(20)
    assert buffer.size == 32
    device.write_buffer(buffer, np.array([7, 8], np.uint32), 8)
    assert words(device, buffer, 8) == [0, 0, 7, 8, 0, 0, 0, 0]


def test_pipelines_and_bind_groups_are_made_once(device: ProgramDevice) -> None:
    offset, x, y = device.create_buffer(4, is_uniform=True), device.create_buffer(1024), device.create_buffer(16)
    pipeline = device.compile(ADD, "add")
    assert device.compile(ADD, "add", {}) is pipeline
    assert device.compile(ADD, "add", {"step": 2}) is not pipeline
    part = BufferRange(buffer=x, offset=256, size=16)
    one, other = (device.dispatch(pipeline, {0: offset, 1: part, 2: y}, (count, 1, 1)) for count in (1, 2))
    assert one.group is other.group
    assert device.dispatch(pipeline, {0: offset, 1: x, 2: y}, (1, 1, 1)).group is not one.group


def test_a_texture_takes_rectangles(device: ProgramDevice) -> None:
    texture, y = device.create_texture(3, 4), device.create_buffer(3 * 4 * 16)
    texels = np.arange(2 * 2 * 4, dtype=np.uint32).reshape(2, 2, 4)
    device.write_texture(texture, texels, width=2, height=2, x=1, y=2)
    device.run((device.dispatch(device.compile(READ, "copy"), {0: texture, 1: y}, (3, 4, 1)),))
    expected = np.zeros((4, 3, 4), np.uint32)
    expected[2:, 1:] = texels
    assert words(device, y, 48) == expected.reshape(-1).tolist()


def test_what_is_over_a_limit_is_refused_before_the_device_is_asked(device: ProgramDevice) -> None:
    side, bound = device.limit("max-texture-dimension-2d"), device.limit("max-storage-buffer-binding-size")
    groups = device.limit("max-compute-workgroups-per-dimension")
    with pytest.raises(DeviceFailed, match=f"over this adapter's limit of {side:,} on a side"):
        device.create_texture(side + 1, 1)
    with pytest.raises(DeviceFailed, match=f"over this adapter's limit of {bound:,} for a binding"):
        device.create_buffer(bound + 1)
    buffers = {number: device.create_buffer(4, is_uniform=True) for number in range(3)}
    with pytest.raises(DeviceFailed, match=f"a dispatch of {groups + 1:,} workgroups is over") as failed:
        device.dispatch(device.compile(ADD, "add"), buffers, (1, groups + 1, 1))
    assert failed.value.reason == "refused"


def test_a_shader_that_does_not_compile_and_a_wrong_binding_are_one_sentence(device: ProgramDevice) -> None:
    with pytest.raises(DeviceFailed, match="the device refused what it was asked") as failed:
        device.compile("fn wrong( {", "wrong")
    assert failed.value.reason == "refused"
    with pytest.raises(DeviceFailed, match="the device refused what it was asked"):
        device.dispatch(device.compile(ADD, "add"), {0: device.create_buffer(4)}, (1, 1, 1))


def test_after_its_end_a_device_says_so(device: ProgramDevice) -> None:
    device.close()
    with pytest.raises(DeviceFailed):
        device.create_buffer(16)
