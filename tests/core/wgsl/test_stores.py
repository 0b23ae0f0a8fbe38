"""Where a variable is written. Each snippet marks the stores to `out` that its entry point `main` reaches."""

from __future__ import annotations

import pytest

from pixel_core.wgsl.stores import Store, find_stores
from pixel_testing.marked_wgsl import check_text

_PRELUDE = """
struct Body { pos: vec3f, mass: f32, inner: Inner }
struct Inner { x: array<f32, 4> }
@group(0) @binding(0) var<storage, read_write> other: array<u32>;
alias Q = ptr<storage, u32, read_write>;
"""
_OUT = "@group(0) @binding(1) var<storage, read_write> out: array<u32>;"


def stores(body: str, declaration: str = _OUT) -> tuple[str, list[Store]]:
    text = _PRELUDE + declaration + body
    checked = check_text(text)
    entry = checked.interface.entry_point("main")
    assert entry is not None
    return text, find_stores(checked.tree, checked.module.names, "out", entry.function)


def assert_stores(marked: str, declaration: str | None = None) -> None:
    expected = [piece.split("»")[0] for piece in marked.split("«")[1:]]
    body = marked.replace("«", "").replace("»", "").replace("MAIN", "@compute @workgroup_size(1) fn main()")
    if "fn main" not in body:
        body = f"@compute @workgroup_size(1) fn main() {{ {body} }}"
    text, found = stores(body) if declaration is None else stores(body, declaration)
    assert [text[store.span.start : store.span.end] for store in found] == expected


STATEMENTS = [
    "«out[0] = 1u»;",
    "«out[0] += 1u»;",
    "«out[0]++»;",
    "«(out)[0] = 1u» ;",
    "other[0] = out[0];",
    "_ = out[0];",
    "let v = out[0]; var w = v; w = 2u;",
    "if (out[0] > 1u) { «out[1] = 1u»; } else { «out[2] = 2u»; }",
    "for (var i = 0u; i < 4u; i++) { «out[i] = i»; }",
    "for (var i = 0u; i < 4u; «out[i]++») { i++; }",
    "loop { «out[0] = 1u»; continuing { «out[1] = 1u»; break if true; } }",
    "while (true) { «out[0] = 1u»; break; }",
    "switch (1) { case 1: { «out[0] = 1u»; } default: {} }",
    "{ { «out[0] = 1u»; } }",
    "let p = &out[3]; «*p = 1u»;",
    "let p = &out; «(*p)[2] = 1u»; «p[3] = 1u»;",
    "let p = &out; let q = p; let r = &(*q)[1]; «*r = 1u»;",
    "let p = &other[0]; *p = out[0];",
    "var out = array<u32, 2>(); out[0] = 1u;",
    "{ let out = 3u; } «out[0] = 1u»;",
    "«out[0]\n  = 1u»  ;",
]


@pytest.mark.parametrize("marked", STATEMENTS)
def test_statements(marked: str) -> None:
    assert_stores(marked)


CALLS = [
    "fn put() { «out[0] = 1u»; } @compute @workgroup_size(1) fn main() { put(); }",
    "fn put() { out[0] = 1u; } @compute @workgroup_size(1) fn main() {}",
    "fn a() { b(); } fn b() { «out[0] = 1u»; } @compute @workgroup_size(1) fn main() { _ = other[0]; a(); b(); }",
    "fn put(p: ptr<storage, u32, read_write>) { «*p = 1u»; } @compute @workgroup_size(1) fn main() { put(&out[0]); }",
    "fn put(p: ptr<storage, u32, read_write>) { *p = 1u; } @compute @workgroup_size(1) fn main() { put(&other[0]); }",
    "alias P = ptr<storage, u32, read_write>; fn put(a: P, b: P) { *a = 1u; «*b = 2u»; } MAIN { put(&other[0], &out[0]); }",
    "alias P = ptr<storage, array<u32>, read_write>; fn a(p: P) { b(&p[1]); } fn b(q: Q) { «*q = 1u»; } MAIN { a(&out); }",
    "fn put(i: u32) -> u32 { «out[i] = 1u»; return i; } @compute @workgroup_size(1) fn main() { other[put(0u)] = put(1u); }",
    "fn put() -> bool { «out[0] = 1u»; return true; } @compute @workgroup_size(1) fn main() { if (put()) {} }",
    "fn f() { g(); } fn g() { f(); «out[0] = 1u»; } @compute @workgroup_size(1) fn main() { f(); }",
]


@pytest.mark.parametrize("marked", CALLS)
def test_calls(marked: str) -> None:
    assert_stores(marked)


_ATOMICS = "@group(0) @binding(1) var<storage, read_write> out: array<atomic<u32>>;"
ATOMICS = [
    "«atomicStore(&out[0], 1u)»;",
    "«atomicAdd(&out[0], 1u)»;",
    "«let old = atomicMax(&out[0], 1u)»;",
    "«other[0] = atomicExchange(&out[0], 1u)»;",
    "if («atomicCompareExchangeWeak(&out[0], 1u, 2u).exchanged») {}",
    "while («atomicSub(&out[0], 1u) > 4u») {}",
    "loop { continuing { break if «atomicOr(&out[0], 1u) == 1u»; } }",
    "switch («atomicAnd(&out[0], 1u)») { default {} }",
    "let p = &out[2]; «atomicXor(p, 1u)»;",
    "other[0] = atomicLoad(&out[0]);",
]


@pytest.mark.parametrize("marked", ATOMICS)
def test_atomics(marked: str) -> None:
    assert_stores(marked, _ATOMICS)


_TEXTURE = "@group(0) @binding(1) var out: texture_storage_2d<r32uint, write>;"
TEXTURES = [
    "«textureStore(out, vec2u(), vec4u())»;",
    "_ = textureDimensions(out);",
    "alias T = texture_storage_2d<r32uint, write>; fn put(t: T) { «textureStore(t, vec2u(), vec4u())»; } MAIN { put(out); }",
]


@pytest.mark.parametrize("marked", TEXTURES)
def test_textures(marked: str) -> None:
    assert_stores(marked, _TEXTURE)


_BODIES = "@group(0) @binding(1) var<storage, read_write> out: array<Body>;"
FIELDS = [
    ("out[0].pos = vec3f();", "pos"),
    ("out[0].pos.x = 1.0;", "pos"),
    ("out[0].inner.x[2] = 1.0;", "inner"),
    ("out[0] = out[1];", None),
    ("let p = &out[0]; p.mass = 1.0;", "mass"),
    ("let p = &out[0].pos; (*p).y = 1.0;", "pos"),
    ("let p = &out[0].pos; p.z = 1.0;", "pos"),
]


@pytest.mark.parametrize(("body", "field"), FIELDS)
def test_fields(body: str, field: str | None) -> None:
    _, found = stores(f"@compute @workgroup_size(1) fn main() {{ {body} }}", _BODIES)
    assert [store.field for store in found] == [field]


def test_a_swizzle_is_no_field() -> None:
    _, found = stores(
        "@compute @workgroup_size(1) fn main() { out.x = 1.0; }", "@group(0) @binding(1) var<storage, read_write> out: vec4f;"
    )
    assert [(store.field, store.function) for store in found] == [(None, "main")]


def test_fields_through_an_alias_and_the_function_that_stores() -> None:
    declaration = "alias Bodies = array<Body, 4>; @group(0) @binding(1) var<storage, read_write> out: Bodies;"
    _, found = stores(
        "fn put(p: ptr<storage, Body, read_write>) { p.mass = 1.0; } @compute @workgroup_size(1) fn main() { put(&out[1]); }", declaration
    )
    assert [(store.field, store.function) for store in found] == [("mass", "put")]


def test_a_name_that_is_no_variable_has_no_stores() -> None:
    checked = check_text("const out = 1; @compute @workgroup_size(1) fn main() {}")
    entry = checked.interface.entry_points[0].function
    assert find_stores(checked.tree, checked.module.names, "out", entry) == []
    assert find_stores(checked.tree, checked.module.names, "missing", entry) == []
