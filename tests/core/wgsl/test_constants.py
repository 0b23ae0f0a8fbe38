"""Values of constant expressions."""

from __future__ import annotations

import pytest

from pixel_testing.marked_wgsl import assert_clean, assert_findings, check_text

VALUES = [
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("-7 % 3", -1),
    ("7.0 / 2", 3.5),
    ("-7.5 % 2.0", -1.5),
    ("5 & 3", 1),
    ("5 | 3", 7),
    ("5 ^ 3", 6),
    ("~0", -1),
    ("~0u", 0xFFFFFFFF),
    ("1 << 4u", 16),
    ("-16 >> 2u", -4),
    ("0xFFu", 255),
    ("4294967295u + 2u", 1),
    ("2147483647i + 1i", -2147483648),
    ("0u - 1u", 0xFFFFFFFF),
    ("-(-2147483647i - 1i)", -2147483648),
    ("65536i * 65536i", 0),
    ("0.1f", 0.10000000149011612),
    ("0.1", 0.1),
    ("1.0f / 3.0f", 0.3333333432674408),
    ("16777216.0f + 1.0f", 16777216.0),
    ("u32(-1i)", 0xFFFFFFFF),
    ("i32(4294967295u)", -1),
    ("u32(3.9)", 3),
    ("i32(1e10f)", 2147483647),
    ("u32(-5.0f)", 0),
    ("f32(3)", 3.0),
    ("bool(2)", True),
    ("u32(true)", 1),
    ("true && false", False),
    ("false || true", True),
    ("!true", False),
    ("true & false", False),
    ("false && 1 / 0 == 1", False),
    ("true || 1 / 0 == 1", True),
    ("3 < 4", True),
    ("3u >= 4u", False),
    ("1.5 != 1.5", False),
    ("select(1, 2, true)", 2),
    ("min(3, 5u)", 3),
    ("max(3.0, 5)", 5.0),
    ("clamp(12, 0, 10)", 10),
    ("abs(-4)", 4),
    ("sign(-4.0)", -1.0),
    ("floor(2.7)", 2.0),
    ("ceil(2.1)", 3.0),
    ("round(2.5)", 2.0),
    ("trunc(-2.7)", -2.0),
    ("fract(2.75)", 0.75),
    ("sqrt(16.0)", 4.0),
    ("pow(2.0, 10.0)", 1024.0),
    ("exp2(5)", 32.0),
    ("log2(1024.0)", 10.0),
    ("mix(2.0, 4.0, 0.5)", 3.0),
    ("step(1.0, 2.0)", 1.0),
    ("saturate(1.5)", 1.0),
    ("countOneBits(255u)", 8),
    ("countLeadingZeros(1u)", 31),
    ("countTrailingZeros(8u)", 3),
    ("firstLeadingBit(12u)", 3),
    ("firstTrailingBit(0)", -1),
    ("reverseBits(1u)", 0x80000000),
    ("vec3(1, 2, 3).y", 2),
    ("vec3u(8).z", 8),
    ("vec4(vec2(1, 2), 3, 4).w", 4),
    ("vec3(1, 2, 3).zyx[0]", 3),
    ("vec2(1, 2)[1]", 2),
    ("(vec2(1, 2) * 3).y", 6),
    ("dot(vec3(1, 2, 3), vec3(4, 5, 6))", 32),
    ("all(vec2(1, 2) == vec2(1, 2))", True),
    ("any(vec2(1, 2) > vec2(1, 2))", False),
    ("vec3().x", 0),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_values(expression: str, value: float) -> None:
    checked = check_text(f"const c = {expression};")
    found = checked.interface.constants["c"]
    assert (found, type(found)) == (value, type(value))
    assert checked.findings == ()


UNKNOWN_VALUES = ["array(1, 2)[0]", "mat2x2f()[0][0]", "unpack4xU8(1u).x", "S(4).a", "modf(1.5).fract"]


@pytest.mark.parametrize("expression", UNKNOWN_VALUES)
def test_what_is_not_evaluated_has_no_value(expression: str) -> None:
    checked = check_text(f"struct S {{ a: u32 }} const c = {expression};")
    assert "c" not in checked.interface.constants
    assert checked.findings == ()


ERRORS = [
    ("const a = «1 / 0»;", "PX140 division by zero"),
    ("const a = «1u % 0u»;", "PX140 remainder of a division by zero"),
    ("const a = «1.0 / 0.0»;", "PX140 division by zero"),
    (
        "const a = «9223372036854775807 + 1»;",
        "PX140 9223372036854775808 is outside `abstract-int` (-9223372036854775808 … 9223372036854775807)",
    ),
    ("const a = «1 << 63u»;", "PX140 1 << 63 shifts bits out of `abstract-int`"),
    ("const a = «1u << 32u»;", "PX140 a shift by 32 bits, but `u32` has 32"),
    ("const a = «3.0e38f * 10.0»;", "PX140 the value overflows `f32` (largest 3.40282e+38)"),
    ("const a = «1e308 * 10.0»;", "PX140 the value overflows `abstract-float` (largest 1.79769e+308)"),
    ("const a: u32 = «-1»;", "PX140 -1 is outside `u32` (0 … 4294967295)"),
    ("const a: i32 = «3000000000»;", "PX140 3000000000 is outside `i32` (-2147483648 … 2147483647)"),
    ("const a = «u32(-1)»;", "PX140 -1 is outside `u32` (0 … 4294967295)"),
    ("const a = «1 + 2u - 0xFFFFFFFFFF»;", "PX140 1099511627775 is outside `u32` (0 … 4294967295)"),
    ("const a = «sqrt(-1.0)»;", "PX140 `sqrt(-1)` has no value"),
    ("const a = «log(0.0)»;", "PX140 `log(0)` has no value"),
    ("const a = «acos(2.0)»;", "PX140 `acos(2)` has no value"),
    ("const a = «clamp(1, 5, 2)»;", "PX140 `clamp` with a low bound of 5 above its high bound of 2"),
    ("const a = «vec2(1, 2)[2]»;", "PX140 index 2 is outside a vector of 2 components"),
    ("const a = 1 + («2 / 0») * 3;", "PX140 division by zero"),
    ("fn f(x: u32) -> u32 { return «x / 0u»; }", "PX140 integer division by zero"),
    ("fn f(x: u32) -> u32 { return «x % 0u»; }", "PX140 remainder of an integer division by zero"),
    ("fn f(x: u32) -> u32 { return «x << 40u»; }", "PX140 a shift by 40 bits, but integers have 32"),
    ("fn f() { const a = 0; let b = «4 / a»; }", "PX140 division by zero"),
    ("fn f() { if («1 / 0» == 1) {} }", "PX140 division by zero"),
    ("override o = «1 / 0»;", "PX140 division by zero"),
    ("enable f16; const a = «60000.0h * 2.0h»;", "PX140 the value overflows `f16` (largest 65504)"),
]


@pytest.mark.parametrize(("source", "finding"), ERRORS)
def test_errors(source: str, finding: str) -> None:
    assert_findings(source, finding)


NO_ERRORS = [
    "fn f(x: f32) -> f32 { return x / 0.0; }",
    "fn f(x: u32) -> u32 { return x << 31u; }",
    "const a = 0x7FFFFFFFFFFFFFFF;",
    "const a = -0x80000000; const b: i32 = a;",
    "fn f(x: bool) -> bool { return x && false; }",
    "const a: f32 = 1; const b: f32 = a;",
]


@pytest.mark.parametrize("source", NO_ERRORS)
def test_what_is_no_error(source: str) -> None:
    assert_clean(source)


ASSERTIONS = [
    ("const_assert «1 > 2»;", "PX141 this assertion does not hold: `1 > 2`"),
    ("const T = 24; const_assert «T % 16 == 0»;", "PX141 this assertion does not hold: `T % 16 == 0`"),
    ("fn f() { const n = 4; const_assert «n > 4»; }", "PX141 this assertion does not hold: `n > 4`"),
    ("const_assert «1»;", "PX141 the condition of `const_assert` must be a `bool`"),
    (
        "override o = 1; const_assert «o» == 1;",
        "PX142 the value of the condition of `const_assert` must be known when the shader is compiled",
    ),
    (
        "fn f(n: u32) { const_assert «n» > 0; }",
        "PX142 the value of the condition of `const_assert` must be known when the shader is compiled",
    ),
]


@pytest.mark.parametrize(("source", "finding"), ASSERTIONS)
def test_assertions(source: str, finding: str) -> None:
    assert_findings(source, finding)


TOO_LATE = [
    (
        "var<private> v = 1; const a = «v» + 1;",
        "PX142 the value of `a` must be known when the shader is compiled | it may use numbers and `const`s",
    ),
    (
        "override o = 1; const a = «o»;",
        "PX142 the value of `a` must be known when the shader is compiled | an `override` has its value too late here: use a `const`",
    ),
    ("fn g() -> u32 { return 1u; } const a = «g()»;", "PX142 the value of `a` must be known when the shader is compiled"),
    ("var<private> v = 1; override o: i32 = «v»;", "PX142 the value of `o` must be known before the shader runs"),
    ("fn f(n: u32) { const a = «n»; }", "PX142 the value of `a` must be known when the shader is compiled"),
    ("fn f() { var n = 4; var a: array<f32, «n»>; }", "PX142 the element count of an array must be known before the shader runs"),
    ("var<private> n = 4u; @compute @workgroup_size(«n») fn f() {}", "PX142 the workgroup size must be known before the shader runs"),
    ("override b = 0; @group(«b») @binding(0) var<uniform> u: vec4f;", "PX142 the value of `@group` must be a const-expression"),
    ("fn g() -> f32 { return 1.0; } var<private> p = «g()»;", "PX142 the initial value of `p` must be known before the shader runs"),
]


@pytest.mark.parametrize(("source", "finding"), TOO_LATE)
def test_values_that_are_known_too_late(source: str, finding: str) -> None:
    assert_findings(source, finding)


def test_a_declared_type_rounds_the_value() -> None:
    assert check_text("const a: f32 = 0.1;").interface.constants["a"] == 0.10000000149011612


def test_an_error_is_reported_once_however_often_the_constant_is_used() -> None:
    assert_findings("const a = «1 / 0»; const b = a + 1; fn f() { let c = a + b; const_assert a == b; }", "PX140 division by zero")


HOSTILE = [
    "const a = " + "(" * 190 + "1" + ")" * 190 + ";",
    "const a = " + " + ".join(["1"] * 250) + ";",
    "const a = 1 << 4000000000u;",
    "const a = 0x7FFFFFFFFFFFFFFF * 0x7FFFFFFFFFFFFFFF * 0x7FFFFFFFFFFFFFFF;",
    "const a = pow(1e308, 1e308);",
    "const a = exp(1e308); const b = ceil(1e308) + round(-1e308);",
    "const a = array<u32, 0xFFFFFFFFFFFFFFF>();",
    "var<private> a: array<array<array<array<u32, 4294967295>, 4294967295>, 4294967295>, 4294967295>;",
]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_expressions_end_in_findings_at_most(source: str) -> None:
    assert isinstance(check_text(source).findings, tuple)
