from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import wgpu

from pixel_core.engines.base import BindingJob, BufferJob, CompileFailure, DispatchJob, KernelJob, KernelRun, RunFailure
from pixel_core.engines.device import DeviceEngine, open_device_engine
from pixel_core.engines.guards import GUARD_BYTES

pytestmark = pytest.mark.device


@pytest.fixture(scope="module")
def engine() -> Iterator[DeviceEngine]:
    return open_device_engine()


STORAGE = "@group(0) @binding(0) var<storage, read_write> a: array<u32>;\n"
COMPUTE = "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) "


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def unpack(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data))


def dispatch(
    entry_point: str = "main", x: int = 1, y: int = 1, z: int = 1, constants: Mapping[str, float] | None = None, **bindings: str
) -> DispatchJob:
    """Bindings as `a="0.0 rw"`: group, binding, and whether writable."""
    made: list[BindingJob] = []
    for name, text in bindings.items():
        place, _, access = text.partition(" ")
        group, _, number = place.partition(".")
        made.append(BindingJob(group=int(group), binding=int(number), buffer=name, writable=access == "rw"))
    return DispatchJob(entry_point=entry_point, constants=constants or {}, workgroups=(x, y, z), bindings=tuple(made))


def job(source: str, buffers: Mapping[str, bytes], *dispatches: DispatchJob, uniforms: Mapping[str, bytes] | None = None) -> KernelJob:
    storage = {name: BufferJob(initial=content, read_back=True) for name, content in buffers.items()}
    uniform = {name: BufferJob(initial=content, is_uniform=True) for name, content in (uniforms or {}).items()}
    return KernelJob(source=source, buffers={**storage, **uniform}, dispatches=dispatches or (dispatch(a="0.0 rw"),))


def run(engine: DeviceEngine, what: KernelJob) -> KernelRun:
    answer = engine.run((what,))
    assert isinstance(answer, tuple), answer
    return answer[0]


def check(engine: DeviceEngine, what: KernelJob, expected: Mapping[str, list[int]]) -> None:
    result = run(engine, what)
    assert {name: unpack(content) for name, content in result.buffers.items()} == expected
    assert result.broken_guards == ()


def test_a_kernel_reads_a_uniform_and_writes_a_buffer(engine: DeviceEngine) -> None:
    source = (
        "struct P { k: u32, }\n@group(0) @binding(1) var<uniform> p: P;\n@group(1) @binding(3) var<storage, read> b: array<u32>;\n"
        + STORAGE
        + COMPUTE
        + "{ a[id.x] = b[id.x] * p.k; }"
    )
    what = job(
        source,
        {"a": bytes(12), "b": words(1, 2, 3)},
        dispatch(x=3, a="0.0 rw", p="0.1", b="1.3"),
        uniforms={"p": words(10)},
    )
    check(engine, what, {"a": [10, 20, 30], "b": [1, 2, 3]})
    check(engine, what, {"a": [10, 20, 30], "b": [1, 2, 3]})


def test_groups_need_not_start_at_zero(engine: DeviceEngine) -> None:
    source = "@group(2) @binding(0) var<storage, read_write> a: array<u32>;\n" + COMPUTE + "{ a[0] += 1; }"
    check(engine, job(source, {"a": words(5)}, dispatch(a="2.0 rw")), {"a": [6]})


def test_dispatches_run_in_order_and_share_buffers(engine: DeviceEngine) -> None:
    source = (
        STORAGE
        + "@group(0) @binding(1) var<storage, read> b: array<u32>;\noverride K: u32;\n"
        + "@compute @workgroup_size(1) fn add() { a[0] += K; }\n@compute @workgroup_size(1) fn copy() { a[0] = b[0]; }\n"
    )
    dispatches = (
        dispatch("add", a="0.0 rw", constants={"K": 2}),
        dispatch("add", a="0.0 rw", constants={"K": 3}),
        DispatchJob(
            entry_point="copy",
            constants={},
            workgroups=(1, 1, 1),
            bindings=(BindingJob(group=0, binding=0, buffer="c", writable=True), BindingJob(group=0, binding=1, buffer="a")),
        ),
    )
    check(engine, job(source, {"a": words(1), "c": words(0)}, *dispatches), {"a": [6], "c": [6]})


def test_jobs_that_run_together_do_not_meet(engine: DeviceEngine) -> None:
    source = STORAGE + "@group(0) @binding(1) var<storage, read> b: array<u32>;\n" + COMPUTE + "{ a[0] += b[0]; }"
    content = words(40)
    jobs = [job(source, {"a": words(start), "b": content}, dispatch(a="0.0 rw", b="0.1")) for start in (1, 2, 3)]
    answer = engine.run(jobs)
    assert isinstance(answer, tuple)
    assert [unpack(one.buffers["a"]) for one in answer] == [[41], [42], [43]]


def test_large_jobs_run_one_after_the_other(engine: DeviceEngine) -> None:
    size = 80 << 20
    source = STORAGE + COMPUTE + f"{{ a[0] += 1; a[{size // 4 - 1}] += 2; }}"
    answer = engine.run([job(source, {"a": bytes(size)}), job(source, {"a": bytes(size)})])
    assert isinstance(answer, tuple)
    for one in answer:
        assert (one.buffers["a"][:4], one.buffers["a"][-4:], len(one.buffers["a"])) == (words(1), words(2), size)
        assert one.broken_guards == ()


def test_a_long_list_of_dispatches_can_be_cancelled(engine: DeviceEngine) -> None:
    what = job(STORAGE + COMPUTE + "{ a[0] += 1; }", {"a": words(0)}, *([dispatch(a="0.0 rw")] * 1000))
    check(engine, what, {"a": [1000]})
    assert engine.run((what,), lambda: True) == RunFailure(reason="cancelled", message="the run was cancelled")
    check(engine, what, {"a": [1000]})


@pytest.mark.parametrize("size", [0, 1, 4, 5, 1020, 1024, 1 << 20, (1 << 20) + 4, 3 << 20])
def test_any_size_comes_back_as_it_was(engine: DeviceEngine, size: int) -> None:
    content = (b"\x01\x02\x03\x04\x05\x06\x07" * (size // 7 + 1))[:size]
    result = run(engine, job(STORAGE + COMPUTE + "{ if (id.x > 9) { a[0] = 1; } }", {"a": content}))
    assert result.buffers["a"] == content
    assert result.broken_guards == ()


def test_the_binding_has_the_size_of_the_content(engine: DeviceEngine) -> None:
    check(engine, job(STORAGE + COMPUTE + "{ a[0] = arrayLength(&a); }", {"a": bytes(40)}), {"a": [10, *[0] * 9]})


def test_what_a_kernel_writes_past_the_end_changes_no_guard_here(engine: DeviceEngine) -> None:
    source = STORAGE + COMPUTE + "{ a[arrayLength(&a) + id.x] = 7u; }"
    result = run(engine, job(source, {"a": bytes(4)}, dispatch(x=GUARD_BYTES, a="0.0 rw")))
    # Robust buffer access of this adapter drops or clamps the stores; on one without it the guard says so.
    assert result.broken_guards == ()


def check_refused(engine: DeviceEngine, source: str, stage: str, message: str, line: int, column: int) -> None:
    answer = engine.run((job(source, {"a": bytes(16)}),))
    assert isinstance(answer, CompileFailure)
    assert (answer.stage, answer.message, answer.line, answer.column) == (stage, message, line, column)


def test_a_shader_that_is_refused_is_an_answer(engine: DeviceEngine) -> None:
    check_refused(engine, STORAGE + COMPUTE + "{ /*😀é*/ let y = x; }", "module", "no definition in scope for identifier: `x`", 2, 100)
    check_refused(engine, "const a = 1;\n// \0\n", "module", "the source has a null character (U+0000)", 2, 4)
    check_refused(engine, "", "pipeline", "Unable to find entry point 'main'", 0, 0)
    check_refused(
        engine,
        STORAGE + "fn f() { g(); }\nfn g() { f(); }\n" + COMPUTE + "{ f(); a[0] = 1; }",
        "module",
        "declaration of `f` is cyclic",
        2,
        4,
    )


def test_a_pipeline_that_is_refused_names_its_entry_point(engine: DeviceEngine) -> None:
    answer = engine.run((job("override N: u32;\n" + STORAGE + COMPUTE + "{ a[0] = N; }", {"a": bytes(4)}),))
    assert isinstance(answer, CompileFailure)
    assert (answer.stage, answer.entry_point) == ("pipeline", "main")
    assert answer.message == "Pipeline constant error: Missing value for pipeline-overridable constant with identifier string: 'N'"


def check_failure(engine: DeviceEngine, what: KernelJob, reason: str, message: str) -> None:
    """The job fails so, and the engine is still of use."""
    assert engine.run((what,)) == RunFailure(reason=reason, message=message)
    check(engine, job(STORAGE + COMPUTE + "{ a[0] = 3; }", {"a": words(0)}), {"a": [3]})


def test_what_webgpu_forbids_is_an_answer(engine: DeviceEngine) -> None:
    source = STORAGE + "@group(0) @binding(1) var<storage, read_write> b: array<u32>;\n" + COMPUTE + "{ a[0] = b[0]; }"
    check_failure(
        engine,
        job(source, {"a": bytes(4)}, dispatch(x=70_000, a="0.0 rw")),
        "validation",
        "`main` is dispatched over 70,000 workgroups in x; the limit is 65,535 per dimension",
    )
    twice = (BindingJob(group=0, binding=0, buffer="a", writable=True), BindingJob(group=0, binding=1, buffer="a", writable=True))
    check_failure(
        engine,
        job(source, {"a": bytes(4)}, DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=twice)),
        "validation",
        "`main` binds `a` twice as writable, at @group(0) @binding(0) and @group(0) @binding(1)",
    )
    big = engine.limits["max-storage-buffer-binding-size"] + 4
    check_failure(
        engine,
        job(source, {"a": memoryview(bytes(big))}, dispatch(a="0.0 rw")),  # type: ignore[dict-item]
        "validation",
        f"`a` holds {big:,} bytes; this adapter binds storage buffers of at most {big - 4:,}",
    )


def test_what_wgpu_refuses_is_an_answer(engine: DeviceEngine) -> None:
    source = STORAGE + "@group(0) @binding(1) var<storage, read> b: array<u32>;\n" + COMPUTE + "{ a[0] = b[0]; }"
    answer = engine.run((job(source, {"a": bytes(4)}, dispatch(a="0.0 rw")),))
    assert isinstance(answer, RunFailure)
    assert answer.reason == "validation"
    answer = engine.run((job(source, {"a": bytes(4), "b": bytes(4)}, dispatch(a="0.0 rw", b="0.7")),))
    assert isinstance(answer, RunFailure)
    assert answer.reason == "validation"


def test_a_lost_device_is_opened_again(engine: DeviceEngine) -> None:
    what = job(STORAGE + COMPUTE + "{ a[0] = 3; }", {"a": words(0)})
    check(engine, what, {"a": [3]})
    assert engine._device is not None
    engine._device.destroy()
    check_failure(engine, what, "device_lost", "the device was lost; the next run opens it again")


def test_an_endless_loop_ends(engine: DeviceEngine) -> None:
    if not engine.info.is_software:
        pytest.skip("a GPU would be reset")
    answer = engine.run((job(STORAGE + COMPUTE + "{ while (true) { a[0] += 1; } }", {"a": words(0)}),))
    assert isinstance(answer, tuple)


def test_the_adapter_is_reported(engine: DeviceEngine) -> None:
    assert engine.info.engine == "device"
    assert engine.info.name
    assert engine.limits["max-compute-invocations-per-workgroup"] >= 256
    assert engine.features <= {"shader-f16", "subgroup", "subgroup-barrier", "immediates", "timestamp-query"}


def test_the_quirks_of_this_adapter_are_found_and_kept(engine: DeviceEngine, tmp_path: Path) -> None:
    other = open_device_engine(tmp_path)
    assert other.info.quirks == engine.info.quirks
    text = (tmp_path / "adapters.json").read_text()
    assert engine.info.name in text
    (tmp_path / "adapters.json").write_text(text.replace("loop_cap", "ignored"))
    assert open_device_engine(tmp_path).info.quirks == tuple(quirk for quirk in engine.info.quirks if quirk != "loop_cap")


def test_llvmpipe_has_the_two_quirks_we_know(engine: DeviceEngine) -> None:
    if not engine.info.name.startswith("llvmpipe (LLVM 15"):
        pytest.skip("another adapter")
    assert engine.info.quirks == ("loop_cap", "workgroup_memory_not_zeroed")


def test_workgroup_memory_is_zero_whatever_the_adapter_does(engine: DeviceEngine) -> None:
    source = (
        STORAGE + "var<workgroup> w: array<u32, 64>;\n"
        "@compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) id: vec3<u32>) {\n"
        "    for (var k = i; k < 64u; k += 16u) { a[id.x] |= w[k]; w[k] = 7u; }\n}\n"
    )
    check(engine, job(source, {"a": bytes(64)}, dispatch(x=16, a="0.0 rw")), {"a": [0] * 16})


LOOPS = (
    STORAGE
    + "@group(0) @binding(1) var<storage, read> n: array<u32>;\n"
    + COMPUTE
    + "{\n    for (var i = 0u; i < n[0]; i++) { a[0] += 1u; }\n"
    + "    while (true) {\n        if (a[1] >= n[1]) { break; }\n        a[1] += 1u;\n    }\n}\n"
    + "@compute @workgroup_size(1) fn straight() { a[2] += 1u; }\n"
)


def check_cut(engine: DeviceEngine, first: int, second: int, place: tuple[int, int] | None) -> None:
    both = (dispatch(a="0.0 rw", n="0.1"), dispatch("straight", a="0.0 rw"))
    cut = engine.find_loop_cut(job(LOOPS, {"a": bytes(12), "n": words(first, second)}, *both))
    assert (None if cut is None else (cut.line, cut.column)) == place


def test_a_loop_that_the_adapter_ended_is_found(engine: DeviceEngine) -> None:
    if "loop_cap" not in engine.info.quirks:
        pytest.skip("this adapter lets loops run")
    check_cut(engine, 1000, 2000, None)
    check_cut(engine, 100_000, 10, (4, 5))
    check_cut(engine, 10, 100_000, (5, 5))
    check_cut(engine, 40_000, 40_000, (5, 5))


def test_a_shader_without_loops_has_no_cut(engine: DeviceEngine) -> None:
    assert engine.find_loop_cut(job(STORAGE + COMPUTE + "{ a[0] = 1u; }", {"a": bytes(4)})) is None


def native_objects() -> dict[str, int]:
    """What wgpu-native itself holds, whoever holds it."""
    counts: dict[str, dict[str, int]] = wgpu.diagnostics.wgpu_native_counts.get_dict()
    return {kind: counts[kind]["count"] for kind in ("ShaderModule", "ComputePipeline", "BindGroup", "Buffer")}


def test_a_kernel_that_is_edited_for_long_leaves_nothing_behind() -> None:
    edited = open_device_engine()

    def edit(number: int) -> None:
        check(edited, job(f"{STORAGE}{COMPUTE}{{ a[0] = {number}u; }}", {"a": words(0)}), {"a": [number]})

    for number in range(70):
        edit(number)
    before = native_objects()
    for number in range(70, 140):
        edit(number)
    assert native_objects() == before
