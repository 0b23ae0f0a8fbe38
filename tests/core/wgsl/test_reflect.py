"""What a shader offers to its host."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import analyse
from pixel_core.wgsl.layout import describe
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import interface_of, reflect
from pixel_testing.marked_wgsl import assert_clean, assert_findings, check_text

KERNEL = """
enable f16;
override TILE: u32 = 8;
@id(7) override SCALE = 1.5;
override COUNT: i32;
override HALF = TILE / 2;
const LANES = 4;
struct Size { m: u32, n: u32, scale: vec3f }
struct Body { pos: vec3f, mass: f32 }
struct Cloud { count: atomic<u32>, bodies: array<Body> }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> cloud: Cloud;
@group(1) @binding(0) var image: texture_storage_2d<rgba8unorm, write>;
@group(1) @binding(1) var image_sampler: sampler;
var<workgroup> tile: array<array<f32, 3>, TILE * TILE>;
var<workgroup> flag: bool;
var<private> seed: u32;

fn load(i: u32) -> f32 { return a[i] * f32(SCALE); }
fn share(i: u32) { tile[i][0] = load(i); }

@compute @workgroup_size(TILE, HALF)
fn gather(@builtin(local_invocation_index) i: u32) { share(i); cloud.bodies[i].mass = f32(size.m); }

@compute @workgroup_size(64)
fn clear() { atomicStore(&cloud.count, 0u); flag = true; }

@fragment fn draw() -> @location(0) vec4f { textureStore(image, vec2u(0), vec4f()); return vec4f(); }
"""


def test_entry_points() -> None:
    interface = check_text(KERNEL).interface
    assert interface.findings == ()
    gather, clear, draw = interface.entry_points
    assert (gather.name, gather.stage, gather.workgroup_size) == ("gather", "compute", (8, 4, 1))
    assert (clear.name, clear.stage, clear.workgroup_size) == ("clear", "compute", (64, 1, 1))
    assert (draw.name, draw.stage, draw.workgroup_size) == ("draw", "fragment", None)


def test_what_an_entry_point_uses_through_calls() -> None:
    gather, clear, draw = check_text(KERNEL).interface.entry_points
    assert gather.bindings == {"a", "cloud", "size"}
    assert gather.overrides == {"TILE", "HALF", "SCALE"}
    assert gather.workgroup_variables == {"tile"}
    assert gather.workgroup_bytes == 64 * 12
    assert (clear.bindings, clear.overrides, clear.workgroup_variables, clear.workgroup_bytes) == ({"cloud"}, set(), {"flag"}, 16)
    assert draw.bindings == {"image"}


def test_bindings() -> None:
    found = [
        (b.name, b.group, b.binding, b.address_space, b.access, describe(b.type) if b.type else None)
        for b in check_text(KERNEL).interface.bindings
    ]
    assert found == [
        ("size", 0, 0, "uniform", "read", "Size"),
        ("a", 0, 1, "storage", "read", "array<f32>"),
        ("cloud", 0, 2, "storage", "read_write", "Cloud"),
        ("image", 1, 0, "handle", "write", "texture_storage_2d<rgba8unorm, write>"),
        ("image_sampler", 1, 1, "handle", "read", "sampler"),
    ]


def test_overrides_constants_and_enables() -> None:
    interface = check_text(KERNEL).interface
    found = [(o.name, o.id, o.type.name if o.type else None, o.value, o.has_default) for o in interface.overrides]
    assert found == [
        ("TILE", None, "u32", 8, True),
        ("SCALE", 7, "f32", 1.5, True),
        ("COUNT", None, "i32", None, False),
        ("HALF", None, "u32", 4, True),
    ]
    assert interface.constants == {"LANES": 4}
    assert interface.enables == {"f16"}


def test_spans_are_those_of_the_names() -> None:
    interface = check_text(KERNEL).interface
    spans = [item.span for item in (*interface.entry_points, *interface.bindings, *interface.overrides)]
    assert [KERNEL[span.start : span.end] for span in spans] == [
        "gather", "clear", "draw", "size", "a", "cloud", "image", "image_sampler", "TILE", "SCALE", "COUNT", "HALF",
    ]  # fmt: skip


def test_given_overrides_reach_sizes_and_memory() -> None:
    module = analyse(parse(SourceText(Path("k.wgsl"), KERNEL)))
    for tile in (8, 16, 32):
        interface = interface_of(module, {"TILE": tile})
        gather = interface.entry_points[0]
        assert gather.workgroup_size == (tile, tile // 2, 1)
        assert gather.workgroup_bytes == tile * tile * 12
        assert interface.findings == ()
    assert interface_of(module, {"SCALE": 0.1}).overrides[1].value == 0.10000000149011612


GIVEN = [
    ({"TILE": 0}, "PX163 the workgroup size must be at least 1, and this is 0", "TILE"),
    ({"TILE": -4}, "PX140 override `TILE` is given a value that it cannot hold: -4 is outside `u32` (0 … 4294967295)", "8"),
    ({"TILE": 2.5}, "PX140 override `TILE` is given a value that it cannot hold: 2.5 is no value of `u32`", "8"),
    ({"TILE": 1}, "PX163 the workgroup size must be at least 1, and this is 0", "HALF"),
]


@pytest.mark.parametrize(("overrides", "finding", "place"), GIVEN)
def test_given_overrides_that_do_not_fit(overrides: dict[str, float], finding: str, place: str) -> None:
    found = reflect(parse(SourceText(Path("k.wgsl"), KERNEL)), overrides).findings
    texts = [
        (f"{one.code} {one.message}", KERNEL[one.location.span.start : one.location.span.end])
        for one in found
        if one.location.span is not None
    ]
    assert (finding, place) in texts


def test_an_override_without_a_value_leaves_sizes_open() -> None:
    source = "override N: u32; var<workgroup> w: array<f32, N>; @compute @workgroup_size(N) fn f() { w[0] = 1.0; }"
    entry = check_text(source).interface.entry_points[0]
    assert (entry.workgroup_size, entry.workgroup_bytes) == (None, None)
    assert_clean(source)


def test_a_member_of_a_broken_module_is_still_reflected() -> None:
    interface = check_text(
        "@group(0) @binding(0) var<storage> a: array<f32>;\nfn broken( {\n@compute @workgroup_size(4) fn f() { _ = a[0]; }"
    ).interface
    assert [entry.name for entry in interface.entry_points] == ["f"]
    assert interface.entry_points[0].bindings == {"a"}


MISTAKES = [
    (
        "@group(0) @binding(0) var<storage> a: u32; @group(0) @binding(0) var<storage> «b»: u32; @fragment fn f() { _ = a; _ = b; }",
        "PX161 `b` and `a` are both `@group(0) @binding(0)`, and `f` uses both | give one of them a free binding number",
    ),
    ("@group(«-1») @binding(0) var<storage> a: u32;", "PX162 the value of `@group` must be from 0 to 4294967295, and this is -1"),
    ("@group(0) @binding(«1.0») var<storage> a: u32;", "PX162 the value of `@binding` must be an integer"),
    ("@compute @workgroup_size(«0») fn f() {}", "PX163 the workgroup size must be at least 1, and this is 0"),
    ("@compute @workgroup_size(8, «8.0») fn f() {}", "PX163 the workgroup size must be an `i32` or `u32`"),
    ("@compute «@workgroup_size(8i, 8u)» fn f() {}", "PX163 `@workgroup_size` mixes `i32` and `u32`"),
    ("@id(1) override a = 1; «@id(1)» override b = 2;", "PX162 two overrides have the id 1"),
    ("@id(«70000») override a = 1;", "PX162 the value of `@id` must be from 0 to 65535, and this is 70000"),
    ("override a: «vec2u»;", "PX167 an override must be a scalar, and `a` is `vec2<u32>`"),
    (
        "@compute @workgroup_size(1) fn f(@builtin(global_invocation_id) id: «vec2u») {}",
        "PX165 `@builtin(global_invocation_id)` is `vec3<u32>`, and `id` is declared as `vec2<u32>` | declare it as `vec3<u32>`",
    ),
    (
        "@compute @workgroup_size(1) fn f(«n: u32») {}",
        "PX165 `n` of a compute entry point has no `@builtin`",
    ),
    (
        "struct I { «@builtin(vertex_index)» i: u32 } @compute @workgroup_size(1) fn f(i: I) {}",
        "PX165 `vertex_index` is not a built-in input of the compute stage | it is a vertex input",
    ),
    (
        "@compute @workgroup_size(1) fn f() {} @compute @workgroup_size(1) fn g() { «f»(); }",
        "PX165 `f` is an entry point and cannot be called | move the shared code into a function of its own",
    ),
    (
        "@fragment fn f(@location(1) a: f32, «@location(1)» b: f32) {}",
        "PX165 location 1 is used twice",
    ),
    ("fn g(a: u32) {} fn f() { «g(1u, 2u)»; }", "PX171 `g` takes 1 argument, and 2 are given"),
    ("fn g() {} fn f() { «g(1u)»; }", "PX171 `g` takes 0 arguments, and 1 are given"),
    ("var<private> a: «f16»;", "PX135 `f16` needs `enable f16;` | write it before all declarations"),
    ("fn f() -> u32 { return «subgroupAdd»(1u); }", "PX135 `subgroupAdd` needs `enable subgroups;` in browsers"),
]


@pytest.mark.parametrize(("source", "finding"), MISTAKES)
def test_mistakes(source: str, finding: str) -> None:
    assert_findings(source, finding)


WRITES = [
    (
        "@group(0) @binding(0) var<storage> a: array<f32>; fn f() { «a[0]» = 1.0; }",
        "PX170 `a` is read-only | declare it as `var<storage, read_write>`",
    ),
    ("@group(0) @binding(0) var<uniform> a: vec4f; fn f() { «a.x» += 1.0; }", "PX170 `a` is read-only | write to a storage buffer instead"),
    ("fn f() { let a = 1; «a» = 2; }", "PX170 `a` is a `let` and cannot be changed | declare it with `var`"),
    ("fn f() { let a = vec2(1, 2); «a.x» = 2; }", "PX170 `a` is a `let` and cannot be changed | declare it with `var`"),
    ("fn f() { const a = 1; «a»++; }", "PX170 `a` is a `const` and cannot be changed | copy it into a `var`"),
    ("override a = 1; fn f() { «a» = 2; }", "PX170 `a` is an `override` and cannot be changed"),
    (
        "fn f(n: u32) { «n» -= 1u; }",
        "PX170 `n` is a parameter and cannot be changed | copy it: `var n_ = n;`, or take a `ptr<function, …>`",
    ),
    (
        "@group(0) @binding(0) var t: texture_storage_2d<r32uint, read>; fn f() { textureStore(«t», vec2u(), vec4u()); }",
        "PX170 the texture `t` is read-only",
    ),
]


@pytest.mark.parametrize(("source", "finding"), WRITES)
def test_writes_to_what_cannot_be_written(source: str, finding: str) -> None:
    assert_findings(source, finding)


WRITABLE = [
    "fn f(p: ptr<function, u32>) { *p = 1u; }",
    "struct S { x: u32 } fn f(p: ptr<function, S>) { p.x = 1u; (*p).x++; }",
    "fn f() { var a = vec2(1, 2); let p = &a; let q = p; p.x = 3; (*q)[1] = 4; }",
    "alias P = ptr<function, u32>; fn f(p: P) { *p = 1u; }",
    "@group(0) @binding(0) var<storage, read_write> a: array<atomic<u32>>; fn f() { atomicAdd(&a[0], 1u); }",
    "var<workgroup> w: u32; fn f() { w = 1u; }",
    "@group(0) @binding(0) var<storage, read_write> a: u32; @group(0) @binding(0) var<uniform> b: u32; fn g() { a = b; }",
]


@pytest.mark.parametrize("source", WRITABLE)
def test_what_can_be_written(source: str) -> None:
    assert_clean(source)


def test_findings_stand_in_order_and_syntax_comes_with_them() -> None:
    findings = check_text("fn f() { let a = ; }\nfn g() { b = 1; }\nconst c = 1 / 0;").findings
    positions = [finding.location.span.start for finding in findings if finding.location.span]
    assert positions == sorted(positions)
    assert [finding.code for finding in findings][1:] == ["PX130", "PX140"]
