"""Names and scopes. Each snippet carries its findings: `«place»` in the text, `CODE message | hint` beside it."""

from __future__ import annotations

import pytest

from pixel_core.wgsl.syntax import FunctionDeclaration, Identifier, VariableDeclaration
from pixel_core.wgsl.walk import walk
from pixel_testing.marked_wgsl import assert_clean, assert_findings, check_text

UNKNOWN = [
    ("fn f() { let a = «bar»; }", "PX130 unknown name `bar`"),
    ("var<private> a: «floot»;", "PX130 unknown type `floot`"),
    ("fn f(total: f32) -> f32 { return «totl»; }", "PX130 unknown name `totl` | did you mean `total`?"),
    ("fn f() { «workgroupBarier»(); }", "PX130 unknown function `workgroupBarier` | did you mean `workgroupBarrier`?"),
    ("fn f(x: f32) -> f32 { return «lerp»(x, 1.0, 0.5); }", "PX130 unknown function `lerp` | WGSL's name for it is `mix`"),
    ("var<private> v: «float4»;", "PX130 unknown type `float4` | WGSL's name for it is `vec4f`"),
    ("fn f() -> u32 { return «threadIdx».x; }", "PX130 unknown name `threadIdx` | WGSL's name for it is `@builtin(local_invocation_id)`"),
    ("const N = 4; fn f() { let a = «n»; }", "PX130 unknown name `n` | did you mean `N`?"),
    ("struct Size { m: u32 } fn f(s: «size») {}", "PX130 unknown type `size` | did you mean `Size`?"),
    ("var<private> a: array<f32, «N»>;", "PX130 unknown name `N`"),
    ("@compute @workgroup_size(«WG») fn main() {}", "PX130 unknown name `WG`"),
    ("const_assert «limit» > 4;", "PX130 unknown name `limit`"),
    ("fn f() { var a = 1; a = «é»; }", "PX130 unknown name `é`"),
    ("fn f() { if («go») {} }", "PX130 unknown name `go`"),
    ("fn f() { switch («s») { default {} } }", "PX130 unknown name `s`"),
    ("fn f() { switch (1) { case «A»: {} default {} } }", "PX130 unknown name `A`"),
    ("fn f() { let p = 1; { «q» = 2; } }", "PX130 unknown name `q`"),
]


@pytest.mark.parametrize(("source", "finding"), UNKNOWN)
def test_unknown_names(source: str, finding: str) -> None:
    assert_findings(source, finding)


OUT_OF_SCOPE = [
    ("fn f() { let b = «a»; let a = 1; }", "PX131 `a` is used before its declaration | move the declaration up"),
    ("fn f() { let a = «a»; }", "PX131 `a` is not in scope here"),
    ("fn f() { { let a = 1; } let b = «a»; }", "PX131 `a` is not in scope here | declare it before the block"),
    ("fn f() { for (var i = 0; i < 4; i++) {} let b = «i»; }", "PX131 `i` is not in scope here"),
    ("fn f() { for (var i = 0; i < «n»; i++) { let n = 4; } }", "PX131 `n` is used before its declaration"),
    ("fn f() { switch (1) { case 1: { let a = 1; } default: { let b = «a»; } } }", "PX131 `a` is not in scope here"),
    ("fn f() { while («k» < 4) { var k = 0; k++; } }", "PX131 `k` is used before its declaration"),
    ("fn f() { if (true) { let a = 1; } else { let b = «a»; } }", "PX131 `a` is not in scope here"),
]


@pytest.mark.parametrize(("source", "finding"), OUT_OF_SCOPE)
def test_names_out_of_scope(source: str, finding: str) -> None:
    assert_findings(source, finding)


DUPLICATES = [
    "fn f() { let a = 1; let «a» = 2; }",
    "fn f(a: u32) { let «a» = 2; }",
    "fn f(a: u32, «a»: f32) {}",
    "const a = 1; fn «a»() {}",
    "struct a { x: u32 } alias «a» = u32;",
    "struct S { a: u32, «a»: f32 }",
    "fn f() { loop { let a = 1; let «a» = 1; break; } }",
    "fn f() { switch (1) { default { var a = 1; var «a» = 2; } } }",
]


@pytest.mark.parametrize("source", DUPLICATES)
def test_duplicates(source: str) -> None:
    assert_findings(source, "PX132 `a` is declared twice in one scope | rename one of them")


def test_a_duplicate_points_at_the_first_declaration() -> None:
    finding = check_text("const a = 1;\nconst a = 2;").findings[0]
    assert [(label.message, label.location.span.start) for label in finding.labels if label.location.span] == [("first declared here", 6)]


CYCLES = [
    ("fn f(n: u32) -> u32 { return «f»(n - 1u); }", "PX133 the function `f` calls itself: `f` → `f`"),
    ("fn f() { «g»(); } fn g() { f(); }", "PX133 the function `f` calls itself: `f` → `g` → `f`"),
    ("fn a() { «b»(); } fn b() { c(); a(); } fn c() { b(); }", "PX133 the function `a` calls itself: `a` → `b` → `a`"),
    ("const a = «b»; const b = a;", "PX133 `a` is declared by means of itself: `a` → `b` → `a`"),
    ("struct S { next: «S» }", "PX133 `S` is declared by means of itself: `S` → `S`"),
    ("alias A = array<«B», 4>; struct B { a: A }", "PX133 `A` is declared by means of itself: `A` → `B` → `A`"),
    ("override o = «p»; override p = o + 1;", "PX133 `o` is declared by means of itself: `o` → `p` → `o`"),
    ("const n = array<u32, «n»>(1, 2)[0];", "PX133 `n` is declared by means of itself: `n` → `n`"),
    ("struct S { @size(«n») a: u32 } const n = S(4).a;", "PX133 `S` is declared by means of itself: `S` → `n` → `S`"),
]


@pytest.mark.parametrize(("source", "finding"), CYCLES)
def test_cycles(source: str, finding: str) -> None:
    assert_findings(source, finding)


def test_every_step_of_a_cycle_has_its_label() -> None:
    source = "fn f() { g(); }\nfn g() { h(); }\nfn h() { f(); }"
    finding = check_text(source).findings[0]
    found = [(label.message, source[label.location.span.start :][:1]) for label in finding.labels if label.location.span]
    assert found == [("calls `h`", "h"), ("calls `f`", "f")]


WRONG_KIND = [
    ("fn f() { let v = «vec3f»; }", "PX134 `vec3f` is a type, but a value is needed here | write `vec3f(…)` to make a value of it"),
    ("fn g() {} fn f() { let v = «g»; }", "PX134 `g` is a function, but a value is needed here | write `g(…)` to call it"),
    ("fn f() { let v = «max»; }", "PX134 `max` is a built-in function, but a value is needed here"),
    ("const n = 4; var<private> a: «n»;", "PX134 `n` is a `const`, but a type is needed here"),
    ("fn f() { var n = 4; «n»(); }", "PX134 `n` is a `var`, but a function or a type is needed here"),
    ("fn f(n: u32) { _ = «n»(1); }", "PX134 `n` is a parameter, but a function or a type is needed here"),
    (
        "fn f() { let v = «read_write»; }",
        "PX134 `read_write` is the name of an address space, access mode or texel format, but a value is needed here",
    ),
    ("var<private> a: «clamp»;", "PX134 `clamp` is a built-in function, but a type is needed here"),
    (
        "const read = 1; @group(0) @binding(0) var<storage, «read»> a: u32;",
        "PX134 `read` means a declaration of this file, but an access mode is needed here",
    ),
]


@pytest.mark.parametrize(("source", "finding"), WRONG_KIND)
def test_names_of_the_wrong_kind(source: str, finding: str) -> None:
    assert_findings(source, finding)


CLEAN = [
    "fn f() { g(); } fn g() {}",
    "const a = b; const b = 1;",
    "fn f(a: u32) { { let a = 1; } }",
    "fn f() { let a = 1; { let a = a; } }",
    "const a = 1; fn f() { let a = a; }",
    "fn f() { for (var i = 0; i < 4; i++) { let i = 1; } for (var i = 0; i < 4; i++) {} }",
    "fn f() { loop { let a = 1; continuing { let b = a; break if b > 0; } } }",
    "fn f() { switch (1) { case 0, 1: { let a = 1; } default: { let a = 2; } } }",
    "fn vec3(x: f32) -> f32 { return x; } fn f() { let v = vec3(1.0); }",
    "fn max(a: f32, b: f32) -> f32 { return a; } fn f() -> f32 { return max(1.0, 2.0); }",
    "const position = 1; @vertex fn f() -> @builtin(position) vec4f { return vec4f(); }",
    "@fragment fn f(@location(0) @interpolate(flat, either) x: u32) {}",
    "@diagnostic(off, derivative_uniformity) fn f() {}",
    "struct f { f: u32 } fn g(f: f) -> u32 { return f.f; }",
    "fn f() { let unused = 1; }",
    "enable subgroups; fn f() { _ = quadSwapX(1u) + dot4U8Packed(1u, 2u); }",
    "var<workgroup> a: atomic<u32>; fn f() { atomicStoreMax(&a, 1u); }",
]


@pytest.mark.parametrize("source", CLEAN)
def test_names_that_are_right(source: str) -> None:
    assert_clean(source)


def test_uses_lead_to_their_declarations() -> None:
    checked = check_text("const a = 1; fn f(b: u32) { let a = a; let c = a + i32(b) + abs(-1); }")
    names = checked.module.names
    kinds = [
        (node.name.text, type(names.uses[node]).__name__, getattr(names.uses[node], "keyword", None))
        for node in walk(checked.tree)
        if isinstance(node, Identifier)
    ]
    assert kinds == [
        ("u32", "Predeclared", None),
        ("a", "VariableDeclaration", "const"),
        ("a", "VariableDeclaration", "let"),
        ("i32", "Predeclared", None),
        ("b", "Parameter", None),
        ("abs", "Predeclared", None),
    ]


def test_declarations_stand_after_what_they_need() -> None:
    checked = check_text("fn f() { g(); } fn g() -> T { return n; } alias T = u32; const n = m; const m = 1;")
    order = [node.name.text for node in checked.module.names.order if isinstance(node, (FunctionDeclaration, VariableDeclaration))]
    assert order.index("m") < order.index("n") < order.index("g") < order.index("f")


def test_names_in_text_that_cannot_be_read_are_not_called_unknown() -> None:
    findings = check_text("struct S { a u32 }\nfn f(s: S) -> f32 { return total; }\nconst total 4.0;").findings
    assert {finding.code for finding in findings} & {"PX130", "PX131"} == set()


def test_a_thousand_unknown_names_are_all_reported() -> None:
    source = "fn f() {\n" + "".join(f"_ = nothing{i};\n" for i in range(1000)) + "}"
    assert sum(finding.code == "PX130" for finding in check_text(source).findings) == 1000


def test_a_long_chain_of_declarations_is_no_problem() -> None:
    source = "const c0 = 1;\n" + "".join(f"const c{i} = c{i - 1} + 1;\n" for i in range(1, 3000))
    checked = check_text(source)
    assert checked.findings == ()
    assert checked.interface.constants["c2999"] == 3000


def test_a_thousand_entry_points_over_a_thousand_variables() -> None:
    source = "".join(f"@group(0) @binding({i}) var<storage> b{i}: array<f32>;\n" for i in range(1000))
    source += "fn all_of_them() {" + "".join(f"_ = b{i}[0];" for i in range(1000)) + "}\n"
    source += "".join(f"@compute @workgroup_size(1) fn m{i}() {{ all_of_them(); }}\n" for i in range(1000))
    checked = check_text(source)
    assert checked.findings == ()
    assert {len(entry.bindings) for entry in checked.interface.entry_points} == {1000}


def test_members_of_a_cycle_reach_what_any_of_them_needs() -> None:
    checked = check_text(
        "var<private> a: u32; var<workgroup> b: u32; fn f() { g(); a = 1u; } fn g() { f(); b = 1u; }"
        "@compute @workgroup_size(1) fn m() { g(); }"
    )
    assert [node.name.text for node in checked.module.used[checked.module.entries[0]]] == ["a", "b"]


def test_a_long_cycle_is_named_in_short() -> None:
    source = "".join(f"fn f{i}() {{ f{(i + 1) % 2000}(); }}\n" for i in range(2000))
    (finding,) = check_text(source).findings
    assert finding.message == "the function `f0` calls itself: `f0` → `f1` → `f2` → `f3` → `f4` → `f5` → `f6` → `f7` → `f8` → …"
