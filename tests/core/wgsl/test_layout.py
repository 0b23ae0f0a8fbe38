"""Memory layout, against the tables and examples of the WGSL specification."""

from __future__ import annotations

import pytest

from pixel_core.wgsl.layout import align_of, describe, size_of, stride_of
from pixel_core.wgsl.types import Array, Struct
from pixel_testing.marked_wgsl import assert_clean, assert_findings, check_text

SIZES = [
    ("f32", 4, 4),
    ("i32", 4, 4),
    ("u32", 4, 4),
    ("f16", 2, 2),
    ("bool", 4, 4),
    ("atomic<u32>", 4, 4),
    ("vec2<f32>", 8, 8),
    ("vec3<f32>", 16, 12),
    ("vec4<f32>", 16, 16),
    ("vec2<f16>", 4, 4),
    ("vec3<f16>", 8, 6),
    ("vec4<f16>", 8, 8),
    ("mat2x2<f32>", 8, 16),
    ("mat2x3<f32>", 16, 32),
    ("mat2x4<f32>", 16, 32),
    ("mat3x2<f32>", 8, 24),
    ("mat3x3<f32>", 16, 48),
    ("mat3x4<f32>", 16, 48),
    ("mat4x2<f32>", 8, 32),
    ("mat4x3<f32>", 16, 64),
    ("mat4x4<f32>", 16, 64),
    ("mat2x3<f16>", 8, 16),
    ("mat3x3<f16>", 8, 24),
    ("mat4x2<f16>", 4, 16),
    ("array<f32, 4>", 4, 16),
    ("array<vec3<f32>, 4>", 16, 64),
    ("array<vec3<f16>, 3>", 8, 24),
    ("array<mat3x3<f32>, 2>", 16, 96),
    ("array<array<vec2<f32>, 3>, 5>", 8, 120),
]


@pytest.mark.parametrize(("written", "align", "size"), SIZES)
def test_align_and_size(written: str, align: int, size: int) -> None:
    checked = check_text(f"enable f16; struct S {{ a: {written} }}")
    struct = checked.interface.structs["S"]
    assert isinstance(struct, Struct)
    field = struct.fields[0]
    assert (align_of(field.type), size_of(field.type), describe(field.type)) == (align, size, written)
    assert checked.findings == ()


STRUCTS = [
    ("a: f32, b: vec3f, c: f32", "a@0 b@16 c@28", 16, 32),
    ("a: vec3f, b: vec3f", "a@0 b@16", 16, 32),
    ("a: f32, b: f32, c: vec2f", "a@0 b@4 c@8", 8, 16),
    ("a: f16, b: f16, c: f32", "a@0 b@2 c@4", 4, 8),
    ("a: vec3h, b: f16", "a@0 b@6", 8, 8),
    ("a: u32, @align(16) b: u32", "a@0 b@16", 16, 32),
    ("a: u32, @size(16) b: u32, c: u32", "a@0 b@4 c@20", 4, 24),
    ("@align(16) @size(32) a: u32, c: u32", "a@0 c@32", 16, 48),
    ("a: u32, b: array<vec4f>", "a@0 b@16", 16, 32),
    ("a: u32, b: array<f32>", "a@0 b@4", 4, 8),
    ("a: vec2u, b: array<vec3f>", "a@0 b@16", 16, 32),
    ("a: mat3x3f, b: f32", "a@0 b@48", 16, 64),
    ("a: f32, b: Inner, c: f32", "a@0 b@8 c@24", 8, 32),
    ("a: f32, b: array<Inner, 2>, c: f32", "a@0 b@8 c@40", 8, 48),
    ("a: atomic<u32>, b: array<atomic<i32>, 3>", "a@0 b@4", 4, 16),
    ("@size(2 * HALF) a: u32, @align(HALF) b: u32", "a@0 b@16", 8, 24),
]


@pytest.mark.parametrize(("members", "offsets", "align", "size"), STRUCTS)
def test_structures(members: str, offsets: str, align: int, size: int) -> None:
    checked = check_text(f"enable f16; const HALF = 8; struct Inner {{ p: vec2f, q: f32 }} struct S {{ {members} }}")
    struct = checked.interface.structs["S"]
    assert isinstance(struct, Struct)
    assert " ".join(f"{field.name}@{field.offset}" for field in struct.fields) == offsets
    assert (struct.align, struct.size) == (align, size)
    assert checked.findings == ()


def test_the_specification_example_of_nested_structures() -> None:
    # WGSL specification, "Structure Member Layout".
    source = """
    struct A { u: f32, v: f32, w: vec2<f32>, x: f32 }
    struct B { a: vec2<f32>, b: vec3<f32>, c: f32, d: f32, e: A, f: vec3<f32>, g: array<A, 3>, h: i32 }
    """
    structs = check_text(source).interface.structs
    (a, b) = structs["A"], structs["B"]
    assert isinstance(a, Struct)
    assert isinstance(b, Struct)
    assert ([field.offset for field in a.fields], a.size, a.align) == ([0, 4, 8, 16], 24, 8)
    assert ([field.offset for field in b.fields], b.size, b.align) == ([0, 16, 28, 32, 40, 64, 80, 152], 160, 16)


def test_the_stride_is_not_the_size() -> None:
    binding = check_text("@group(0) @binding(0) var<storage> a: array<vec3f>;").interface.bindings[0]
    assert isinstance(binding.type, Array)
    assert (stride_of(binding.type), size_of(binding.type), binding.type.count) == (16, 16, None)


MISTAKES = [
    ("struct S { a: array<«f32x»> }", "PX130 unknown name `f32x`"),
    ("struct S { a: «vec3» }", "PX150 `vec3` needs the type of its components here"),
    (
        "struct S { a: vec3<«S2»> } struct S2 { x: u32 }",
        "PX150 `vec3` cannot be made of `S2` | its components can be `bool`, `i32`, `u32`, `f32`, `f16`",
    ),
    ("struct S { a: mat2x2<«i32»> }", "PX150 `mat2x2` cannot be made of `i32` | its components can be `f32`, `f16`"),
    ("struct S { a: atomic<«f32»> }", "PX150 `atomic` cannot be made of `f32` | its components can be `i32`, `u32`"),
    ("struct S { a: «f32<u32>» }", "PX150 `f32` takes no template arguments"),
    ("struct S { a: array<f32, «0»> }", "PX155 the element count of an array must be at least 1, and this is 0"),
    ("struct S { a: array<f32, «2 - 4»> }", "PX155 the element count of an array must be at least 1, and this is -2"),
    ("struct S { a: array<f32, «1.5»> }", "PX155 the element count of an array must be an `i32` or `u32`"),
    (
        "struct S { a: «array<f32>», b: u32 }",
        "PX152 the runtime-sized array `a` must be the last member of `S` | move it to the end, or give it an element count",
    ),
    ("struct S { a: «T» } struct T { b: array<f32> }", "PX152 the member `a` holds a structure that ends in a runtime-sized array"),
    ("struct S { a: array<«array<f32>», 4> }", "PX152 an array cannot hold `array<f32>`, whose size is not known"),
    ("struct S { a: «sampler» }", "PX151 the member `a` cannot be of type `sampler`"),
    ("struct S { a: «ptr<function, f32>» }", "PX151 the member `a` cannot be of type `ptr<function, f32>`"),
    ("struct S { «@align(12)» a: u32 }", "PX153 `@align(12)` is not a power of two"),
    ("struct S { @align(«0») a: u32 }", "PX162 the value of `@align` must be from 1 to 4294967296, and this is 0"),
    ("struct S { «@size(8)» a: vec4f }", "PX153 `@size(8)` is below the 16 bytes of `vec4<f32>`"),
    ("struct S { «@size(64)» a: array<f32> }", "PX153 `@size` needs a type of known size, and this array is runtime-sized"),
    ("override n = 4; struct S { a: «array<f32, n>» }", "PX151 the member `a` cannot be an array sized by an override"),
    ("var<private> a: «array<vec4f, 1000000000>»;", "PX155 an array of 1,000,000,000 elements of `vec4<f32>` is larger than 4 GiB"),
    (
        "struct A { @size(4000000000) a: u32 } struct «B» { a: A, b: A }",
        "PX151 the structure `B` is larger than 4 GiB",
    ),
    ("alias P = ptr<«stack», f32>;", "PX130 unknown name `stack`"),
    ("alias P = ptr<«read», f32>;", "PX150 `read` is no address space"),
    ("alias P = ptr<function, f32, «read»>;", "PX150 a pointer to the address space `function` has no access mode of its own"),
    ("alias P = ptr<uniform, «array<f32>»>;", "PX151 a runtime-sized array can only be in the address space `storage`, not `uniform`"),
    ("alias T = texture_2d<«bool»>;", "PX150 `texture_2d` cannot sample `bool`"),
    ("alias T = texture_storage_2d<«read», write>;", "PX150 `read` is no texel format"),
    ("alias T = «texture_2d»;", "PX150 `texture_2d` needs a sampled type"),
]


@pytest.mark.parametrize(("source", "finding"), MISTAKES)
def test_mistakes(source: str, finding: str) -> None:
    assert_findings(source, finding)


SPACES = [
    (
        "@group(0) @binding(0) var<storage> a: «array<bool>»;",
        "PX151 a `bool` cannot be in the address space `storage`, which is shared with the host: use `u32`",
    ),
    (
        "@group(0) @binding(0) var<uniform> a: «vec3<bool>»;",
        "PX151 a `bool` cannot be in the address space `uniform`, which is shared with the host: use `u32`",
    ),
    (
        "@group(0) @binding(0) var<uniform> a: «atomic<u32>»;",
        "PX151 an atomic can only be in the address spaces `storage` and `workgroup`, not `uniform`",
    ),
    ("var<private> a: «array<f32>»;", "PX151 a runtime-sized array can only be in the address space `storage`, not `private`"),
    ("var<workgroup> a: «array<f32>»;", "PX151 a runtime-sized array can only be in the address space `storage`, not `workgroup`"),
    ("var<private> a: «atomic<u32>»;", "PX151 an atomic can only be in the address spaces `storage` and `workgroup`, not `private`"),
    ("fn f() { var a: «array<f32>»; }", "PX151 a runtime-sized array can only be in the address space `storage`, not `function`"),
    (
        "@group(0) @binding(0) var<storage> a: «atomic<u32>»;",
        "PX151 `a` holds atomics, which a read-only buffer cannot | declare it as `var<storage, read_write>`",
    ),
    ("override n = 4; @group(0) @binding(0) var<storage> a: «array<f32, n>»;", "PX151 `a` cannot be an array sized by an override"),
    (
        "struct S { @align(4) v: vec4f } @group(0) @binding(0) var<storage> a: «S»;",
        "PX153 `@align(4)` on `S.v` is not a multiple of 16, which the address space `storage` needs",
    ),
    ("@group(0) @binding(0) var «a»: array<f32>;", "PX166 `a` needs an address space"),
]


@pytest.mark.parametrize(("source", "finding"), SPACES)
def test_what_an_address_space_cannot_hold(source: str, finding: str) -> None:
    assert_findings(source, finding)


UNIFORMS = [
    ("«array<f32, 8>»", "the elements of `array<f32, 8>` are 4 bytes apart, not a multiple of 16"),
    ("«Nested»", "`Nested.inner` is at offset 4, not a multiple of 16"),
    ("«Follows»", "`Follows.b` begins 8 bytes after the structure `a`, which needs 16"),
]


@pytest.mark.parametrize(("written", "complaint"), UNIFORMS)
def test_uniform_buffers_that_need_the_new_layout(written: str, complaint: str) -> None:
    source = (
        "struct Small { x: f32 } struct Pair { x: f32, y: f32 } struct Nested { a: f32, inner: Small } struct Follows { a: Pair, b: f32 }"
        f" @group(0) @binding(0) var<uniform> u: {written};"
    )
    assert_findings(source, f"PX154 not every implementation takes this uniform buffer: {complaint}")
    assert_clean("requires uniform_buffer_standard_layout; " + source.replace("«", "").replace("»", ""))


UNIFORMS_OF_OLD = ["array<vec4f, 8>", "array<vec3f, 8>", "mat4x4f", "struct_of_vec4"]


@pytest.mark.parametrize("written", UNIFORMS_OF_OLD)
def test_uniform_buffers_that_everyone_takes(written: str) -> None:
    assert_clean(f"struct struct_of_vec4 {{ a: vec4f, b: array<vec4f, 2>, c: f32 }} @group(0) @binding(0) var<uniform> u: {written};")


def test_deep_types_are_refused_before_anything_recurses_into_them() -> None:
    arrays = "alias A0 = u32;" + "".join(f"alias A{i} = array<A{i - 1}, 1>;" for i in range(1, 3000))
    (finding,) = check_text(arrays + "var<private> a: A2999;").findings
    assert (finding.code, finding.message) == ("PX151", "arrays and structures are nested more than 255 levels deep")
    structs = "struct S0 { a: u32 }" + "".join(f"struct S{i} {{ a: S{i - 1}, b: S{i - 1} }}" for i in range(1, 3000))
    (finding,) = check_text(structs + "var<private> s: S2999;").findings
    assert (finding.code, finding.message) == ("PX151", "the structure `S30` is larger than 4 GiB")
