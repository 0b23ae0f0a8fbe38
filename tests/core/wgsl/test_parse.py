"""Valid WGSL parses without findings; trees have exact spans; broken texts give trees too."""

from __future__ import annotations

import pytest

from pixel_core.wgsl.syntax import (
    Assignment,
    DeclarationStatement,
    DiagnosticDirective,
    EnableDirective,
    For,
    FunctionDeclaration,
    If,
    Increment,
    Loop,
    Node,
    Return,
    StructDeclaration,
    Switch,
    SyntaxTree,
    VariableDeclaration,
)
from pixel_core.wgsl.walk import children, walk
from wgsl_testing import annotate, parse_text, split_cases

VALID = r"""
;
---
const a = 1; const b: i32 = 2;
---
override a: f32; @id(7) override b = 2.0;
---
alias t = vec4<f32>; alias u = t;
---
const_assert 1 < 2; const_assert(true);
---
enable f16, subgroups,; requires pointer_composite_access; diagnostic(off, a.b,); diagnostic(info, derivative_uniformity);
---
var<private> a: f32 = 1.0; var<workgroup> b: array<u32, 64>;
---
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
---
@group(0) @binding(1) var<storage,> a: array<f32,>;
---
@group(0) @binding(2) var t: texture_2d<f32>; @group(0) @binding(3) var s: sampler;
---
var<immediate> a: u32;
---
struct S { @size(16) a: f32, @align(16) b: array<atomic<u32>, 4>, } struct T { a: S };
---
@compute @workgroup_size(8, 8, 1) fn main(@builtin(global_invocation_id) id: vec3<u32>,) { }
---
@vertex fn v(@location(0) @interpolate(flat, either) a: u32) -> @builtin(position) @invariant vec4f { return vec4f(); }
---
@fragment fn f() -> @location(0) vec4<f32> { discard; return vec4<f32>(1); }
---
@must_use fn f(a: ptr<function, array<i32, 4>>) -> i32 { return (*a)[0]; }
---
@diagnostic(off, derivative_uniformity) fn f() { }
---
fn f() { var a = array(1, 2, 3,); var b: array<f32, N * 2 + 1>; let c: i32 = 1; const d = 2; const_assert d > 1; }
---
fn f() { _ = x; a = 1; a += 1; a -= 1; a *= 1; a /= 1; a %= 1; a &= 1; a |= 1; a ^= 1; a <<= 1u; a >>= 1u; }
---
fn f() { a++; a.b[0]--; (*p)++; *p = 1; (a) = 1; *&a = 2; &*a = 1; a.b.c[1].d = 2; }
---
fn f() { g(); g(1, 2,); vec2<f32>(1.0); }
---
fn f() { ; ; { } { ; } }
---
fn f() { if a { } else if (b) { } else { } }
---
fn f() { loop { if a { break; } continue; continuing { a = b; break if a > b; } } }
---
fn f() { loop { break; continuing { } } }
---
fn f() { for (var i = 0; i < 4; i++) { } for (; ; ) { break; } for (i = 0; a; g()) { continue; } for (g(); a; _ = b) { } }
---
fn f() { while a { break; } while (a) { loop { break; } } }
---
fn f() { switch x { case 1: { } case 2, 3, { break; } case 4, default { } } }
---
fn f() { switch (x) { default { } case A + 1: { } } switch x { case default { } } }
---
fn f() { @diagnostic(off, a.b) { } @diagnostic(off, a) if a { } @diagnostic(off, a) loop @diagnostic(off, a) { break; } }
---
fn f() { switch a @diagnostic(off, a) { default @diagnostic(off, a) { } } for (;;) @diagnostic(off, a) { break; } }
---
fn f() @diagnostic(off, a) { if a @diagnostic(off, a) { } else @diagnostic(off, a) { } }
---
fn f() -> i32 { if a { return 1; } else { return 2; } }
---
fn f() -> i32 { loop { return 1; } }
---
fn f() -> i32 { switch a { case 1: { return 1; } default: { return 2; } } }
---
fn f() -> i32 { return 1; let unreachable = 2; }
---
fn f() { loop { continuing { loop { break; } switch a { default: { break; } } break if true; } } }
---
const Δ = 1; fn 変数(été: f32) { }
---
const a = 0x1.8p3; const b = 1e5; const c = .5f; const d = 0xffu; const e = 1.;
---
// comment
/* a /* nested */ b */ const a = 1; // end
---
const a = b < c; const d = array<vec2<i32>, (3 > 2)>(); const e = f(a < b, c > (d));
---
fn f() { let x = a >= b; var t: vec2<f32>=vec2<f32>(1); a[i < j] = 1; if a < b && c > d { } }
---
const a = b & (c | d); const e = (a && b) || c; const g = (x >> 1u) << 2u;
---
@compute @workgroup_size(N / 2, M) fn f() { } override N = 4;
"""


@pytest.mark.parametrize("text", split_cases(VALID))
def test_valid(text: str) -> None:
    assert annotate(text) == text


def body_of(tree: SyntaxTree) -> list[Node]:
    """The statements of the first function."""
    function = next(node for node in tree.declarations if isinstance(node, FunctionDeclaration))
    assert function.body is not None
    return list(function.body.statements)


def texts(text: str, node_type: type[Node]) -> list[str]:
    """The source texts of all nodes of a type."""
    return [text[node.start : node.end] for node in walk(parse_text(text)) if type(node) is node_type]


@pytest.mark.parametrize(
    ("text", "node_type", "expected"),
    [
        ("fn f() { a[i] = b + c ; }", Assignment, ["a[i] = b + c ;"]),
        ("fn f() { let x = 1 ; }", DeclarationStatement, ["let x = 1 ;"]),
        ("fn f() { let x = 1 ; }", VariableDeclaration, ["let x = 1"]),
        ("@id(1) override x : f32 ;", VariableDeclaration, ["@id(1) override x : f32 ;"]),
        ("fn f() { for (var i = 0; i < 4; i++) { } }", Increment, ["i++"]),
        ("fn f() { return  1 ; }", Return, ["return  1 ;"]),
        ("@must_use fn f() -> i32 { return 1; } ;", FunctionDeclaration, ["@must_use fn f() -> i32 { return 1; }"]),
        ("struct S { a: f32 } ;", StructDeclaration, ["struct S { a: f32 }"]),
        ("fn f() { @diagnostic(off, a) if a { } else if b { } }", If, ["@diagnostic(off, a) if a { } else if b { }", "if b { }"]),
        ("enable f16 ; // x", EnableDirective, ["enable f16 ;"]),
        ("diagnostic ( off , a . b , ) ;", DiagnosticDirective, ["diagnostic ( off , a . b , ) ;"]),
    ],
)
def test_spans(text: str, node_type: type[Node], expected: list[str]) -> None:
    assert texts(text, node_type) == expected


def test_a_phony_assignment_has_no_target() -> None:
    (statement,) = body_of(parse_text("fn f() { _ = x; }"))
    assert isinstance(statement, Assignment)
    assert (statement.target, statement.operator) == (None, "=")


def test_continuing_is_kept_apart_from_the_body() -> None:
    (loop,) = body_of(parse_text("fn f() { loop { a = 1; continuing { b = 2; break if c; } } }"))
    assert isinstance(loop, Loop)
    assert loop.continuing is not None
    assert (len(loop.body.statements), len(loop.continuing.body.statements)) == (1, 1)
    assert loop.continuing.break_if is not None


def test_default_is_none_among_the_selectors() -> None:
    (switch,) = body_of(parse_text("fn f() { switch a { case 1, default { } } }"))
    assert isinstance(switch, Switch)
    (clause,) = switch.clauses
    assert [selector is None for selector in clause.selectors] == [False, True]


def test_parts_of_a_for_may_be_missing() -> None:
    (loop,) = body_of(parse_text("fn f() { for (;;) { break; } }"))
    assert isinstance(loop, For)
    assert (loop.initializer, loop.condition, loop.update) == (None, None, None)


def test_a_diagnostic_rule_keeps_its_dot() -> None:
    (directive,) = parse_text("diagnostic(off, chromium.unreachable_code);").directives
    assert isinstance(directive, DiagnosticDirective)
    assert (directive.severity.text, directive.rule) == ("off", "chromium.unreachable_code")


def test_walk_gives_every_node_in_source_order() -> None:
    tree = parse_text("@id(1) override a: f32 = b.c; fn f(x: i32) -> i32 { for (var i = 0; i < x; i++) { g(i)[0].y = -1; } return 2; }")
    starts = [node.start for node in walk(tree)]
    assert starts == sorted(starts)
    assert {type(node).__name__ for node in walk(tree)} >= {"Attribute", "Name", "Parameter", "For", "Index", "Unary", "NumberLiteral"}
    assert list(children(tree)) == tree.declarations


def test_the_fix_of_a_missing_semicolon_inserts_it() -> None:
    text = "fn f() {\n    a = 1 // note\n    b = 2;\n}"
    (finding,) = parse_text(text).findings
    assert finding.fix is not None
    assert (finding.fix.title, finding.fix.span.start, finding.fix.new_text) == ("insert `;`", text.index(" // note"), ";")


def test_a_missing_brace_is_placed_by_the_indentation() -> None:
    expected = """
fn f() {
    for (var i = 0; i < 4; i++) {
        if i > 2 {
            a = 1;
                  | PX106 expected `}` to close the block that starts in line 4
    }
    b = 1;
}
fn g() { }"""
    assert annotate("\n".join(line for line in expected.split("\n") if "PX106" not in line)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("const a = " + "(" * 100_000, "nested more than 160 levels deep"),
        ("const a = " + "f(" * 100_000, "nested more than 160 levels deep"),
        ("const a = " + "a[" * 100_000, "nested more than 160 levels deep"),
        ("const a: " + "array<" * 100_000, "a template list needs at least one argument"),
        ("const a = " + "- " * 100_000 + "1;", "more than 256 operators in one expression"),
        ("const a = 1" + " + 1" * 100_000 + ";", "more than 256 operators in one expression"),
        ("const a = b" + ".c" * 100_000 + ";", "more than 256 operators in one expression"),
        ("fn f() " + "{" * 100_000, "nested more than 160 levels deep"),
        ("fn f() { " + "if a { " * 50_000, "nested more than 160 levels deep"),
        ("fn f() { if a { } " + "else if a { }" * 50_000 + "}", "nested more than 160 levels deep"),
        ("/*" * 100_000, "this comment is never closed: 100000 × `*/`: comments nest missing"),
        ("<" * 1_000_000, "expected a declaration (`fn`, `var`, `const`, `override`, `struct`, `alias`), found `<<`"),
        ("@a(" * 50_000, "expected an expression, found `@`"),
    ],
    ids=[
        "parentheses",
        "calls",
        "indexes",
        "templates",
        "minus",
        "plus",
        "members",
        "blocks",
        "if",
        "else",
        "comments",
        "less",
        "attributes",
    ],
)
def test_bottomless_texts_end_in_few_findings(text: str, message: str) -> None:
    findings = parse_text(text).findings
    assert message in [finding.message for finding in findings]
    assert len(findings) <= 3
