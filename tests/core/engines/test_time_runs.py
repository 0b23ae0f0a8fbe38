"""What is submitted and timed: on a device that only writes down what it is told, and on a real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pixel_core.engines.base import (
    BindingJob,
    BufferJob,
    CompileFailure,
    DispatchJob,
    KernelJob,
    RunFailure,
    TextureJob,
    TextureView,
    TimedRuns,
)
from pixel_core.engines.device import DeviceEngine, open_device_engine
from pixel_core.engines.textures import PlacedTextures
from pixel_core.engines.time_runs import MAX_RUNS, time_runs


@dataclass
class Recorder:
    """Stands for device, queue, encoder, pass, buffer and promise at once, since each needs a word or two."""

    log: list[str] = field(default_factory=list)
    ticks: tuple[int, ...] = ()

    @property
    def queue(self) -> Recorder:
        return self

    def create_command_encoder(self) -> Recorder:
        return self

    def create_buffer(self, **_: Any) -> Recorder:
        return self

    def create_query_set(self, **arguments: Any) -> str:
        self.log.append(f"queries {arguments['count']}")
        return "queries"

    def begin_compute_pass(self, timestamp_writes: Any) -> Recorder:
        if timestamp_writes:
            self.log.append(f"pass {timestamp_writes['beginning_of_pass_write_index']}-{timestamp_writes['end_of_pass_write_index']}")
        return self

    def resolve_query_set(self, *arguments: Any) -> None:
        self.log.append(f"resolve {arguments[1:3]}")

    def read_buffer(self, _: Any) -> memoryview:
        return memoryview(b"".join(tick.to_bytes(8, "little") for tick in self.ticks))

    def write_buffer(self, *_: Any) -> None:
        self.log.append("write")

    def submit(self, _: Any) -> None:
        self.log.append("submit")

    def map_async(self, _: str) -> Recorder:
        return self

    def sync_wait(self) -> None:
        self.log.append("wait")

    def clear_buffer(self, _: Any) -> None: ...
    def end(self) -> None: ...
    def destroy(self) -> None: ...
    def finish(self) -> Recorder:
        return self


def test_all_runs_are_one_submission_after_the_uploads_have_arrived() -> None:
    device = Recorder()
    timed = time_runs(device, lambda _: device.log.append("run"), None, 3, None)
    assert device.log == ["run", "run", "run", "submit", "wait", "submit", "wait"]
    assert (timed.runs, timed.device_s) == (3, None)


def test_what_a_run_needs_is_restored_before_each_run_and_outside_of_its_time() -> None:
    device = Recorder()
    time_runs(device, lambda _: device.log.append("run"), lambda: device.log.append("write"), 2, None)
    assert device.log == ["write", "run", "submit", "wait", "submit", "wait"] * 2


def test_timestamps_are_ticks_around_each_pass() -> None:
    device = Recorder(ticks=(100, 160, 1000, 1020))
    timed = time_runs(device, lambda _: None, None, 2, 10.0)
    assert timed.device_s == pytest.approx(40 * 10e-9)
    assert device.log == ["queries 4", "pass 0-1", "pass 2-3", "submit", "wait", "submit", "wait", "resolve (0, 4)", "submit"]


def test_timestamps_that_jump_back_are_no_time() -> None:
    assert time_runs(Recorder(ticks=(100, 50)), lambda _: None, None, 1, 1.0).device_s is None


def test_a_query_set_has_room_for_every_run() -> None:
    device = Recorder()
    assert time_runs(device, lambda _: None, None, 10**9, None).runs == MAX_RUNS
    assert 2 * MAX_RUNS <= 4096


@pytest.fixture(scope="module")
def engine() -> DeviceEngine:
    return open_device_engine()


def a_job(body: str, *, workgroups: int = 4) -> KernelJob:
    source = f"@group(0) @binding(0) var<storage, read_write> a: array<u32>;\n@compute @workgroup_size(64) fn main() {{ {body} }}\n"
    binding = BindingJob(group=0, binding=0, buffer="a", writable=True)
    dispatch = DispatchJob(entry_point="main", constants={}, workgroups=(workgroups, 1, 1), bindings=(binding,))
    return KernelJob(source=source, buffers={"a": BufferJob(initial=bytes(64))}, dispatches=(dispatch,))


@pytest.mark.device
@pytest.mark.parametrize("restored", [frozenset[str](), frozenset({"a"})])
def test_a_real_device(engine: DeviceEngine, restored: frozenset[str]) -> None:
    timed = engine.time(a_job("for (var i = 0u; i < 1000u; i++) { a[i % 16u] += i; }"), 3, restored)
    assert isinstance(timed, TimedRuns)
    assert timed.runs == 3
    assert timed.wall_s > 0
    assert timed.cpu_s > 0
    if "timestamp-query" in engine.features:
        assert timed.device_s is not None
        assert 0 < timed.device_s <= timed.wall_s
    else:
        assert timed.device_s is None


@pytest.mark.device
def test_textures_are_restored_as_buffers_are(engine: DeviceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    restored: list[str] = []
    restore = PlacedTextures.restore

    def recorded(self: PlacedTextures, name: str) -> None:
        restored.append(name)
        restore(self, name)

    monkeypatch.setattr(PlacedTextures, "restore", recorded)
    source = """@group(0) @binding(0) var image: texture_storage_2d<r32uint, read_write>;
@compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    textureStore(image, id.xy, 2u * textureLoad(image, id.xy) + vec4(1u));
}
"""
    view = TextureView(dimension="2d", access="read_write")
    binding = BindingJob(group=0, binding=0, buffer="image", view=view, writable=True)
    dispatch = DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=(binding,))
    texture = TextureJob(
        format="r32uint", texel_bytes=4, dimension="2d", extent=(8, 8, 1), has_layers=False, levels=1, initial=bytes(256), read_back=True
    )
    job = KernelJob(source=source, buffers={}, dispatches=(dispatch,), textures={"image": texture})
    assert isinstance(engine.time(job, 3, frozenset({"image"})), TimedRuns)
    assert restored == ["image"] * 3
    assert isinstance(engine.time(job, 3, frozenset()), TimedRuns)
    assert restored == ["image"] * 3


@pytest.mark.device
def test_what_cannot_run_has_no_time(engine: DeviceEngine) -> None:
    assert isinstance(engine.time(a_job("let x = nothing;"), 1, frozenset()), CompileFailure)
    assert isinstance(engine.time(a_job("a[0] = 1u;", workgroups=70_000), 1, frozenset()), RunFailure)
