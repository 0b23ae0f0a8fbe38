"""Rewriting shaders: zeroed workgroup memory, watched loops. The tests marked `device` run the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixel_core.engines.instrument import WatchedShader, watch_loops, zero_workgroup_memory
from pixel_core.engines.strip_enables import strip_enables
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module, analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import interface_of
from pixel_testing.marked_wgsl import check_text

SHADERS = sorted((Path(__file__).parents[3] / "shaders").glob("*.wgsl"))


def module_of(text: str) -> Module:
    return analyse(parse(SourceText(Path("k.wgsl"), text)))


def zeroed(text: str) -> str:
    return zero_workgroup_memory(module_of(text))


def watched(text: str) -> WatchedShader:
    return watch_loops(module_of(text), group=3, binding=5)


# ---------------------------------------------------------------- text


def test_zeroing_adds_a_call_a_parameter_and_a_function() -> None:
    text = "var<workgroup> w: array<u32, 256>;\n@compute @workgroup_size(8, 4)\nfn main() {\n    w[0] = 1u;\n}\n"
    assert zeroed(text) == (
        "var<workgroup> w: array<u32, 256>;\n@compute @workgroup_size(8, 4)\n"
        "fn main(@builtin(local_invocation_index) zeroed_index: u32) { zeroed_0(zeroed_index); workgroupBarrier();\n    w[0] = 1u;\n}\n"
        "\nfn zeroed_0(zeroed_i: u32) { for (var zeroed_k1 = zeroed_i; zeroed_k1 < u32(256); zeroed_k1 += u32(8) * u32(4))"
        " { w[zeroed_k1] = u32(); } }\n"
    )


INDICES = [
    ("@builtin(local_invocation_index) lane: u32", "zeroed_0(lane)"),
    ("@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) lane: u32", "zeroed_0(lane)"),
    ("input: Input", "zeroed_0(input.lane)"),
    ("input: Alias", "zeroed_0(input.lane)"),
    ("@builtin(workgroup_id) g: vec3u", "zeroed_0(zeroed_index)"),
]


@pytest.mark.parametrize(("parameters", "call"), INDICES)
def test_an_index_that_is_there_is_used(parameters: str, call: str) -> None:
    text = (
        "struct Input { @builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) lane: u32 } alias Alias = Input;"
        f"var<workgroup> w: u32; @compute @workgroup_size(8) fn main({parameters}) {{ w = 1u; }}"
    )
    result = zeroed(text)
    assert call in result
    assert check_text(result).findings == ()
    assert result.count("@builtin(local_invocation_index)") == text.count("@builtin(local_invocation_index)") + ("zeroed_index" in call)


TYPES = [
    ("f32", "if (zeroed_i == 0u) { w = f32(); } "),
    ("mat2x2<f32>", "if (zeroed_i == 0u) { w = mat2x2<f32>(); } "),
    ("atomic<i32>", "if (zeroed_i == 0u) { atomicStore(&w, i32(0)); } "),
    ("array<vec2u, N * 2>", "for (var zeroed_k1 = zeroed_i; zeroed_k1 < u32(N * 2); zeroed_k1 += u32(N)) { w[zeroed_k1] = vec2u(); } "),
    ("Plain", "if (zeroed_i == 0u) { w = Plain(); } "),
    (
        "array<atomic<u32>, 4>",
        "for (var zeroed_k1 = zeroed_i; zeroed_k1 < u32(4); zeroed_k1 += u32(N)) { atomicStore(&w[zeroed_k1], u32(0)); } ",
    ),
    (
        "Mixed",
        (
            "if (zeroed_i == 0u) { w.a = vec3f(); for (var zeroed_k1 = 0u; zeroed_k1 < u32(2); zeroed_k1++)"
            " { atomicStore(&w.b[zeroed_k1], u32(0)); } } "
        ),
    ),
    ("Grid", "for (var zeroed_k1 = zeroed_i; zeroed_k1 < u32(3); zeroed_k1 += u32(N)) { w[zeroed_k1] = array<f32, 3>(); } "),
]


@pytest.mark.parametrize(("written", "statements"), TYPES)
def test_every_kind_of_type_is_zeroed(written: str, statements: str) -> None:
    text = (
        "override N = 4; struct Plain { a: f32, b: bool } struct Mixed { a: vec3f, b: array<atomic<u32>, 2> } alias Row = array<f32, 3>;"
        f"alias Grid = array<array<f32, 3>, 3>; var<workgroup> w: {written};"
        "@compute @workgroup_size(N) fn main() { use_it(); } fn use_it() { let p = &w; }"
    )
    result = zeroed(text)
    assert f"fn zeroed_0(zeroed_i: u32) {{ {statements}}}" in result
    assert check_text(result).findings == ()


UNCHANGED_BY_ZEROING = [
    "@compute @workgroup_size(1) fn main() {}",
    "var<workgroup> w: u32; @compute @workgroup_size(1) fn main() {}",
    "var<workgroup> w: u32; fn helper() { w = 1u; }",
    "var<workgroup> w: u32; @compute @workgroup_size(1) fn main( { w = 1u; }",
    "var<private> w: u32; @compute @workgroup_size(1) fn main() { w = 1u; }",
]


@pytest.mark.parametrize("text", UNCHANGED_BY_ZEROING)
def test_nothing_to_zero(text: str) -> None:
    assert zeroed(text) == text


def test_each_entry_point_zeroes_what_it_uses() -> None:
    result = zeroed(
        "var<workgroup> a: u32; var<workgroup> b: u32;"
        "@compute @workgroup_size(1) fn f() { a = 1u; } @compute @workgroup_size(2) fn g() { b = 1u; }"
    )
    assert "fn zeroed_0(zeroed_i: u32) { if (zeroed_i == 0u) { a = u32(); } }" in result
    assert "fn zeroed_1(zeroed_i: u32) { if (zeroed_i == 0u) { b = u32(); } }" in result


def test_names_do_not_clash() -> None:
    text = (
        "var<workgroup> zeroed_0: u32; @compute @workgroup_size(1) fn main() {"
        " let zeroed2x = 1; zeroed_0 = 1u; for (var watched_1 = 0; watched_1 < 4; ) { watched_1++; } }"
    )
    result = zeroed(text)
    assert "zeroed3x_0(zeroed3x_index)" in result
    assert "var watched2x_1 = false;" in watched(result).source
    assert check_text(watched(result).source).findings == ()


LOOPS = [
    (
        "while (n < 4) { n++; }",
        "{ var watched_1 = false; loop { if (!( (n < 4))) { watched_1 = true; break; } { n++; } }RECORD }",
    ),
    (
        "loop { if (n > 4) { break; } n++; }",
        "{ var watched_1 = false; loop { if (n > 4) { watched_1 = true; break; } n++; }RECORD }",
    ),
    (
        "loop { n++; continuing { n += 2; break if n > 9; } }",
        "{ var watched_1 = false; loop { n++; continuing { n += 2; watched_1 = (   n > 9); break if (watched_1); } }RECORD }",
    ),
    (
        "for (var i = 0; i < 4; i++) { n += i; }",
        (
            "{  var i = 0; var watched_1 = false; loop { if (!( i < 4)) { watched_1 = true; break; } "
            "    { n += i; } continuing { i ++; } }RECORD }"
        ),
    ),
    (
        "for (;;) { break; }",
        "{  ; var watched_1 = false; loop {    { watched_1 = true; break; } }RECORD }",
    ),
    (
        "loop { switch (n) { case 1: { break; } default: { return; } } }",
        "{ var watched_1 = false; loop { switch (n) { case 1: { break; } default: { return; } } }RECORD }",
    ),
]
_RECORD = " if (!watched_1) { if (watched_cut == 0u) { watched_cut = 1u; } }"


@pytest.mark.parametrize(("loop", "expected"), LOOPS)
def test_loops(loop: str, expected: str) -> None:
    text = "@compute @workgroup_size(1) fn main() { var n = 0; %s }"
    result = watched(text % loop)
    assert (
        result.source == text % expected.replace("RECORD", _RECORD) + "\n@group(3) @binding(5) var<storage, read_write> watched_cut: u32;\n"
    )
    assert [finding.message for finding in check_text(result.source).findings] == []


def test_loops_are_numbered_in_order_with_their_places_in_the_original() -> None:
    text = (
        "fn helper() {\n  for (var i = 0;\n       i < 4; // up\n       i++) { while (true) { break; } }\n}\n"
        "@compute @workgroup_size(1) fn main() {\n  helper();\n  loop { break; }\n}\n"
    )
    result = watched(text)
    assert result.loops == ((2, 3), (4, 15), (8, 3))
    lines = result.source.splitlines()
    assert [index for index, line in enumerate(lines, start=1) if "loop {" in line] == [2, 4, 8]
    assert check_text(result.source).findings == ()


def test_only_functions_of_compute_entry_points_are_watched() -> None:
    text = "fn idle() { loop { break; } } @fragment fn draw() { loop { break; } }"
    assert watched(text) == WatchedShader(source=text, loops=(), entries=frozenset(), binding=5)


def entries_with_the_extra_buffer(source: str) -> set[str]:
    """Told from the rewritten text."""
    return {entry.name for entry in interface_of(module_of(source)).entry_points if any("watched" in name for name in entry.bindings)}


def test_the_entry_points_that_reach_a_loop_are_told() -> None:
    text = (
        "fn deep() { while (true) { break; } } fn middle() { deep(); } fn none() {}"
        "@compute @workgroup_size(1) fn far() { middle(); } @compute @workgroup_size(1) fn near() { loop { break; } }"
        "@compute @workgroup_size(1) fn straight() { none(); } @fragment fn draw() { deep(); }"
    )
    assert watched(text).entries == {"far", "near"}
    assert entries_with_the_extra_buffer(watched(text).source) == {"far", "near", "draw"}


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_the_shipped_kernels_stay_valid_and_keep_their_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert watched(text).entries == entries_with_the_extra_buffer(watched(text).source)
    result = zeroed(watched(text).source)
    assert [finding for finding in check_text(result).findings if finding.severity == 1] == []
    changed = [after for before, after in zip(text.splitlines(), result.splitlines(), strict=False) if before != after]
    assert [line for line in changed if "watched" not in line and "zeroed" not in line] == []


# ---------------------------------------------------------------- on the adapter


class _Adapter:
    """Runs one entry point over one storage buffer of u32, and the buffer of the loop watch."""

    def __init__(self) -> None:
        import wgpu

        self.usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC
        self.device: Any = wgpu.gpu.request_adapter_sync().request_device_sync(required_features=["subgroup"])

    def run(self, source: str, words: int, workgroups: int, *, is_watched: bool = False) -> tuple[list[int], int]:
        module = self.device.create_shader_module(code=source)
        pipeline = self.device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
        buffer = self.device.create_buffer(size=4 * words, usage=self.usage)
        cut = self.device.create_buffer(size=4, usage=self.usage)
        encoder = self.device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        compute.set_pipeline(pipeline)
        bound = {0: (0, buffer), **({3: (5, cut)} if is_watched else {})}
        for group in range(max(bound) + 1):  # with the empty ones between
            members = [bound[group]] if group in bound else []
            entries = [{"binding": binding, "resource": {"buffer": one, "offset": 0, "size": one.size}} for binding, one in members]
            compute.set_bind_group(group, self.device.create_bind_group(layout=pipeline.get_bind_group_layout(group), entries=entries))
        compute.dispatch_workgroups(workgroups)
        compute.end()
        self.device.queue.submit([encoder.finish()])
        return list(memoryview(self.device.queue.read_buffer(buffer)).cast("I")), memoryview(self.device.queue.read_buffer(cut)).cast("I")[
            0
        ]


@pytest.fixture(scope="module")
def adapter() -> _Adapter:
    return _Adapter()


_OUT = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n"

LONG_LOOPS = [
    "while (n < 100000u) { n++; }",
    "for (var i = 0u; i < 100000u; i++) { n++; }",
    "loop { n++; if (n == 100000u) { break; } }",
    "loop { n++; continuing { break if n == 100000u; } }",
    "loop { n++; if (n == 100000u) { out[0] = n; return; } }",
]


@pytest.mark.device
@pytest.mark.parametrize("loop", LONG_LOOPS)
def test_a_loop_that_the_adapter_cuts_is_found(adapter: _Adapter, loop: str) -> None:
    text = (
        _OUT
        + "@compute @workgroup_size(8) fn main() {\n  for (var i = 0u; i < 9u; i++) { out[1] += i; }\n"
        + f"  var n = 0u;\n  {loop}\n  out[0] = n;\n}}"
    )
    result = watched(text)
    (count, *_), cut = adapter.run(result.source, 64, 1, is_watched=True)
    # An adapter that keeps its promise counts to the end; then there is nothing to find.
    assert (cut and result.loops[cut - 1]) == ((5, 3) if count != 100000 else 0)


@pytest.mark.device
def test_watching_changes_no_result_and_finds_nothing_in_short_loops(adapter: _Adapter) -> None:
    text = (
        _OUT
        + """
    fn sum(n: u32) -> u32 {
        var s = 0u;
        for (var i = 0u; // three
             i < n; /* and */ i += 1u) { if (i % 3u == 0u) { continue; } s += i; }
        return s;
    }
    fn first(limit: u32) -> u32 {
        for (var i = 0u; ; i++) { if (i * i > limit) { return i; } }
        return 0u;
    }
    @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
        var a = sum(id.x * 3u) + first(id.x);
        var k = 0u;
        while (k < 20u) { k++; if (k == 5u) { continue; } if (k > id.x) { break; } a += k; }
        loop {
            if (a > 1000u) { break; }
            switch (a % 3u) { case 0u: { a += 7u; break; } case 1u: { a += 2u; } default: { a += 1u; continue; } }
            continuing { a += 1u; break if a > 900u; }
        }
        for (;;) { a++; if (a % 17u == 0u) { break; } }
        for (var i = 0u; i < 4u; i++) { for (var j = 0u; j < 4u; j++) { if (j == i) { break; } a += i * j; } }
        for (var i = 0u; i < 0u; i++) { a = 0u; }
        let i = a;
        loop { a += 3u; if (a > 5000u + i) { out[id.x] = a; return; } continuing { a += 1u; } }
        out[id.x] = 7u;
    }
    """
    )
    plain, _ = adapter.run(text, 64, 8)
    again, cut = adapter.run(watched(text).source, 64, 8, is_watched=True)
    assert (again, cut) == (plain, 0)
    assert 0 not in plain


@pytest.mark.device
def test_workgroup_memory_is_zero_when_the_entry_point_starts(adapter: _Adapter) -> None:
    text = (
        _OUT
        + """
    override WIDTH = 64u;
    struct Cell { a: vec3f, b: array<atomic<u32>, 5>, c: bool }
    var<workgroup> words: array<u32, 256>;
    var<workgroup> cells: array<Cell, 3>;
    var<workgroup> pairs: array<vec2u, WIDTH * 2>;
    var<workgroup> matrix: mat3x3<f32>;
    var<workgroup> count: atomic<i32>;
    @compute @workgroup_size(WIDTH)
    fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
        let i = lane.x;
        var found = 0u;
        for (var k = i; k < 256u; k += WIDTH) { found += u32(words[k] != 0u); words[k] = 0xDEADBEEFu + out[0]; }
        for (var k = i; k < 128u; k += WIDTH) { found += u32(any(pairs[k] != vec2u())); pairs[k] = vec2u(1u, k + out[0]); }
        if (i < 3u) {
            for (var k = 0; k < 5; k++) { found += u32(atomicLoad(&cells[i].b[k]) != 0u); atomicStore(&cells[i].b[k], 5u + out[0]); }
            found += u32(cells[i].c) + u32(any(cells[i].a != vec3f()));
            cells[i].c = out[0] == 0u;
            cells[i].a.x = 4.0 + f32(out[0]);
        }
        if (i == 0u) { found += u32(matrix[1].y != 0.0) + u32(atomicLoad(&count) != 0); matrix[1].y = 3.0; atomicStore(&count, 4); }
        workgroupBarrier();
        out[1u + group.x * WIDTH + i] = found;
    }
    """
    )
    found, _ = adapter.run(zeroed(text), 1 + 64 * 64, 64)
    assert sum(found) == 0
    both, cut = adapter.run(zeroed(watched(text).source), 1 + 64 * 64, 64, is_watched=True)
    assert (sum(both), cut) == (0, 0)


@pytest.mark.device
@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_the_compiler_takes_the_rewritten_kernels(adapter: _Adapter, path: Path) -> None:
    source = zeroed(watched(path.read_text(encoding="utf-8")).source)
    source = strip_enables(parse(SourceText(path, source)))
    assert adapter.device.create_shader_module(code=source) is not None
