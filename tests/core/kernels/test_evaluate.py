"""Expressions in bounded values: the truth, and an error that no honest f32 evaluation exceeds."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from array_testing import buffer, case, contract, evaluate
from pixel_core.kernels.array_functions import ARRAY_FUNCTIONS
from pixel_core.kernels.bound_from_reference import bound_from_reference
from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.evaluate import evaluate_expect
from pixel_core.kernels.evaluate_tree import KeyedProblem
from pixel_core.kernels.expressions import ExpressionProblem
from pixel_core.kernels.functions import EXPECT, FUNCTIONS
from pixel_core.wgsl.layout import MemberDraft, lay_out
from pixel_core.wgsl.types import Array, Scalar, Vector

ULP = 2.0**-23

X = np.array([3, -1, 2], np.float32)
K = np.array([5, 0, 2**32 - 1], np.uint32)
I = np.array([-7, 7, -(2**31)], np.int32)  # noqa: E741
M = np.arange(6, dtype=np.float32).reshape(2, 3)
NAMES: dict[str, Any] = {"x": X, "k": K, "i": I, "m": M, "n": 4, "eps": 0.25}


def check(text: str, expected: Any, kind: str | None = None) -> None:
    value = evaluate(text, **NAMES)
    assert value.value.tolist() == expected
    if kind is not None:
        assert value.kind == kind


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + 1", [4, 0, 3]),
        ("-x", [-3, 1, -2]),
        ("x / n", [0.75, -0.25, 0.5]),
        ("x ** 2 - eps", [8.75, 0.75, 3.75]),
        ("2 ** -2", 0.25),
        ("x // 2", [1, -1, 1]),
        ("x % 2", [1, 1, 0]),
        ("x > 1", [True, False, True]),
        ("where(x > 0, x, 0)", [3, 0, 2]),
        ("select(0, x, x > 0)", [3, 0, 2]),
        ("x if n == 4 else 0", [3, -1, 2]),
        ("max(x)", 3),
        ("max(x, 0)", [3, 0, 2]),
        ("min(x, 0, -0.5)", [-0.5, -1, -0.5]),
        ("clamp(x, 0, 2)", [2, 0, 2]),
        ("relu(x)", [3, 0, 2]),
        ("abs(x)", [3, 1, 2]),
        ("round([0.5, 1.5, -0.5])", [0, 2, 0]),
        ("trunc(x / 2)", [1, 0, 1]),
        ("fract(x / 4)", [0.75, 0.75, 0.5]),
        ("sign(x)", [1, -1, 1]),
        ("isnan(x) | isinf(x)", [False, False, False]),
        ("sum(m)", 15),
        ("sum(m, axis=0)", [3, 5, 7]),
        ("sum(m, axis=1, keepdims=True)", [[3], [12]]),
        ("mean(m, axis=(0, 1))", 2.5),
        ("var(m, axis=1)", [2 / 3, 2 / 3]),
        ("prod(m + 1, axis=1)", [6, 120]),
        ("argmax(m, axis=1)", [2, 2]),
        ("argmin(x)", 1),
        ("cumsum(x)", [3, 2, 4]),
        ("cumsum(m, axis=0)", [[0, 1, 2], [3, 5, 7]]),
        ("cummax(x)", [3, 3, 3]),
        ("diff(x)", [-4, 3]),
        ("m @ x", [3, 15]),
        ("transpose(m) @ m", [[9, 12, 15], [12, 17, 22], [15, 22, 29]]),
        ("dot(x, x)", 14),
        ("outer(x, [1, 2])", [[3, 6], [-1, -2], [2, 4]]),
        ("transpose(m)", [[0, 3], [1, 4], [2, 5]]),
        ("reshape(m, 3, 2)", [[0, 1], [2, 3], [4, 5]]),
        ("reshape(m, (-1,))", [0, 1, 2, 3, 4, 5]),
        ("concat(x, [7])", [3, -1, 2, 7]),
        ("stack(x, x, axis=1)[0]", [3, 3]),
        ("repeat(x, 2)", [3, 3, -1, -1, 2, 2]),
        ("tile(x, 2)", [3, -1, 2, 3, -1, 2]),
        ("flip(x)", [2, -1, 3]),
        ("roll(x, 1)", [2, 3, -1]),
        ("pad(x, 1, 2)", [0, 3, -1, 2, 0, 0]),
        ("pad(x, 0, 1, 9)", [3, -1, 2, 9]),
        ("sort(x)", [-1, 2, 3]),
        ("argsort(x)", [1, 2, 0]),
        ("x[[2, 0]]", [2, 3]),
        ("m[:, [2, 0]]", [[2, 0], [5, 3]]),
        ("m[1, ::2]", [3, 5]),
        ("x[:, None] * x[None, :2]", [[9, -3], [-3, 1], [6, -2]]),
        ("gather(x, arange(3) % 2)", [3, -1, 3]),
        ("tril(ones(2, 3))", [[1, 0, 0], [1, 1, 0]]),
        ("one_hot([1, 0], 2)", [[0, 1], [1, 0]]),
        ("bincount([1, 1, 5, -1], 3)", [0, 2, 0]),
        ("full(2, 3, 7)", [[7, 7, 7], [7, 7, 7]]),
        ("arange(1, 7, 2)", [1, 3, 5]),
        ("len(m) + shape(m, 1)", 5),
        ("any(x > 2) and not all(x > 0)", True),
        ("popcount(k)", [2, 0, 32]),
        ("bitcast_u32(f32(1))", 0x3F800000),
        ("bitcast_f32(u32(1065353216))", 1),
    ],
)
def test_values(text: str, expected: Any) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("k + 1", [6, 1, 0], "u32"),
        ("k - 6", [2**32 - 1, 2**32 - 6, 2**32 - 7], "u32"),
        ("k * 1664525 + 1013904223", [1022226848, 1013904223, 1012239698], "u32"),
        ("k * k", [25, 0, 1], "u32"),
        ("i - 1", [-8, 6, 2**31 - 1], "i32"),
        ("-i", [7, -7, -(2**31)], "i32"),
        ("abs(i)", [7, 7, -(2**31)], "i32"),
        ("i // 2", [-4, 3, -(2**30)], "i32"),
        ("i >> 1", [-4, 3, -(2**30)], "i32"),
        ("k >> 31", [0, 0, 1], "u32"),
        ("k << 1", [10, 0, 2**32 - 2], "u32"),
        ("~k & 255", [250, 255, 0], "u32"),
        ("u32(i)", [2**32 - 7, 7, 2**31], "u32"),
        ("u32(x)", [3, 0, 2], "u32"),
        ("i32(x * 1e20)", [2147483520, -2147483648, 2147483520], "i32"),
        ("k / 2", [2.5, 0, 2147483648], "float"),
        ("sum(k)", 4, "u32"),
        ("cumsum(k)", [5, 5, 4], "u32"),
        ("sum(k > 0)", 2, "int"),
        ("k @ k", 26, "u32"),
        ("k // 0", [0, 0, 0], "u32"),
    ],
)
def test_integers_are_exact_modulo_two_to_the_32(text: str, expected: Any, kind: str) -> None:
    with np.errstate(divide="ignore"):
        value = evaluate(text, **NAMES)
    if kind == "float":
        assert np.allclose(value.value, expected, rtol=1e-6)
    else:
        assert value.value.tolist() == expected
        assert value.is_exact
    assert value.kind == kind


def test_every_function_of_the_table_is_implemented() -> None:
    assert {name for name, rule in FUNCTIONS.items() if EXPECT in rule.contexts} == set(ARRAY_FUNCTIONS)


# ---------------------------------------------------------------- errors


def check_bound(text: str, bounds: Any, **names: Any) -> None:
    """The bound, in ULP of 1."""
    value = evaluate(text, **names)
    assert np.broadcast_to(value.bound, value.shape) / ULP == pytest.approx(np.asarray(bounds, dtype=float), rel=1e-3)


ONE = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("x", 0),
        ("-x", 0),
        ("max(x, 0)", 0),
        ("x + 1", 2),  # one ULP of 2: WGSL leaves the direction of rounding open
        ("x * 0.1", 0.2),  # 0.1 is rounded, and the product is
        ("x / 3", 2.5 / 3),
        ("sqrt(x)", 4.5),
        ("inverse_sqrt(x)", 2),
        ("exp(x)", 5 * math.e),
        ("exp2(x * 2)", 4 * (2 * math.log(2) + 3 + 4)),  # the error of 2x, and 3 + 2·|2x| ULP
        ("log(x)", 2.0**-21 / ULP),
        ("log(x * 4)", 4 / 4 + 3 * math.log(4)),
        ("sin(x)", 2.0**-11 / ULP),
        ("tanh(x)", 1e-5 / ULP),
        ("atan(x)", 4096 * math.pi / 4),
        ("sum(x)", 3 * 4),
        ("cumsum(x)", [0, 2, 6, 12]),
        ("x @ x", 4 * 4),
        ("floor(x + 0.5)", 0),
        ("f16(x / 3)", (2.0**-10 / 3) / ULP + 2.5 / 3),
    ],
)
def test_bounds_follow_the_accuracy_table(text: str, bound: Any) -> None:
    value = evaluate(text, x=ONE)
    expected = np.broadcast_to(np.asarray(bound, dtype=float), value.shape)
    assert np.broadcast_to(value.bound, value.shape) / ULP == pytest.approx(expected, rel=2e-3)


def test_f16_operands_compute_in_f16() -> None:
    half = evaluate("x + x", x=ONE.astype(np.float16))
    assert half.kind == "f16"
    assert half.bound.tolist() == [2 * 2.0**-10] * 4
    assert evaluate("f32(x) + f32(x)", x=ONE.astype(np.float16)).bound.tolist() == [2 * ULP] * 4


def test_a_jump_within_reach_is_ambiguous() -> None:
    x = np.array([0.5, 1.0 / 3], np.float32)
    # 3x is 1.0000000298…, so that a kernel may come out on either side of the jump; 1.5 is far from it.
    assert evaluate("floor(x * 3)", x=x).bound.tolist() == [0, 1]
    assert evaluate("x * 3 < 1", x=x).bound.tolist() == [0, 1]
    assert evaluate("where(x * 3 < 1, 10.0, x)", x=x).bound[1] == pytest.approx(10 - 1 / 3)
    assert evaluate("i32(x * 3)", x=x).bound.tolist() == [0, 1]
    assert evaluate("bincount(i32(x * 3), 3)", x=x).bound.tolist() == [1, 1, 1]
    assert evaluate("argmax(stack(x * 3, [1.0, 1.0]), axis=0)", x=x).bound.tolist() == [0, 1]


def test_what_cannot_be_known_has_no_bound() -> None:
    x = np.array([1.0, 1e-30], np.float32)
    assert np.isinf(evaluate("1 / (x - 1e-30)", x=x).bound).tolist() == [False, True]
    assert np.isinf(evaluate("log(x * x)", x=x).bound).tolist() == [False, True]
    assert np.isinf(evaluate("x[i32(x * 1.1)]", x=np.array([10 / 11, 0], np.float32)).bound).tolist() == [True, False]


def test_infinities_of_a_mask_stay_exact() -> None:
    scores = np.array([[1, 2], [3, 4]], np.float32)
    value = evaluate(
        "exp(where(tril(ones(2, 2)) > 0, s, -inf) - max(where(tril(ones(2, 2)) > 0, s, -inf), axis=1, keepdims=True))", s=scores
    )
    assert value.value[0].tolist() == [1, 0]
    assert np.isfinite(value.bound).all()


def test_a_sum_of_equal_numbers_rounds_alike_each_time() -> None:
    equal, mixed = np.full(1000, 0.1, np.float32), np.random.default_rng(0).random(1000, dtype=np.float32)
    assert float(evaluate("sum(x)", x=equal).spread) / 100 > 10 * float(evaluate("sum(x)", x=mixed).spread) / 500


# ---------------------------------------------------------------- bounds hold: f32 itself against them

FLOATS = st.lists(st.floats(-100, 100, width=32).filter(lambda value: abs(value) > 1e-3), min_size=2, max_size=12)
ELEMENTWISE = {
    "x * y + x": lambda x, y: x * y + x,
    "(x - y) / (x * x + 1)": lambda x, y: (x - y) / (x * x + np.float32(1)),
    "x / sqrt(x * x + y * y)": lambda x, y: x / np.sqrt(x * x + y * y),
    "exp(-abs(x)) * y": lambda x, y: np.exp(-np.abs(x)) * y,
    "log(abs(x) + 0.1) - log2(abs(y))": lambda x, y: np.log(np.abs(x) + np.float32(0.1)) - np.log2(np.abs(y)),
    "silu(x) + sigmoid(y)": lambda x, y: x / (np.float32(1) + np.exp(-x)) + np.float32(1) / (np.float32(1) + np.exp(-y)),
    "tanh(x * 0.01) * atan2(y, x)": lambda x, y: np.tanh(x * np.float32(0.01)) * np.arctan2(y, x),
    "sin(x) + cos(y)": lambda x, y: np.sin(x) + np.cos(y),
    "x ** 3 - y ** 2": lambda x, y: x * x * x - y * y,
    "max(x * 1.1, y / 1.1)": lambda x, y: np.maximum(x * np.float32(1.1), y / np.float32(1.1)),
    "floor(x * 0.7) + round(y * 0.3)": lambda x, y: np.floor(x * np.float32(0.7)) + np.rint(y * np.float32(0.3)),
    "where(x * 0.1 < y, x, y) % 7": lambda x, y: np.mod(np.where(x * np.float32(0.1) < y, x, y), np.float32(7)),
}


@pytest.mark.parametrize("text", ELEMENTWISE)
@settings(max_examples=40, deadline=None)
@given(x=FLOATS, seed=st.integers(0, 1000))
def test_f32_arithmetic_stays_within_the_bound(text: str, x: list[float], seed: int) -> None:
    first = np.array(x, np.float32)
    second = np.random.default_rng(seed).uniform(0.5, 50, first.size).astype(np.float32)
    truth = evaluate(text, x=first, y=second)
    with np.errstate(all="ignore"):
        computed = ELEMENTWISE[text](first, second)
    assert computed.dtype == np.float32
    assert (np.abs(computed - truth.value) <= truth.bound).all()


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("x + m[:, :2]", "x + m[:, :2]", "the shapes [3] and [2, 2] do not go together"),
        ("1 + x @ 2", "x @ 2", "`@` multiplies matrices and vectors; one side is a single number"),
        ("m @ m", "m @ m", "`@` of [2, 3] and [2, 3]: 3 columns meet 2 rows"),
        ("sum(m, axis=2)", "sum(m, axis=2)", "there is no axis 2: the array has 2 axes"),
        ("x if x > 0 else 1", "x > 0", "`if` takes one condition, and this is an array"),
        ("x[x > 0]", "x[x > 0]", "a condition cannot choose elements, because the shape would depend on data"),
        ("x[3]", "x[3]", "index 3 is out of bounds for axis 0 with size 3"),
        ("x[[0, 3]]", "x[[0, 3]]", "index 3 is outside an axis of length 3"),
        ("x & 1", "x & 1", "`&` works on integers and conditions"),
        ("reshape(x, 2, 2)", "reshape(x, 2, 2)", "3 elements of [3] cannot take the shape [2, 2]"),
        ("bincount(x, 4)", "bincount(x, 4)", "bins are counted by integers"),
        ("zeros(100000, 100000)", "zeros(100000, 100000)", "an array of 100,000 × 100,000 elements; at most 67,108,864 are computed"),
        ("outer(arange(10000), arange(10000))", None, "an array of 10,000 × 10,000 elements; at most 67,108,864 are computed"),
        ("arange(1e300)", None, "an array of"),
        ("repeat(x, 2**40)", None, "an array of 3,298,534,883,328 elements; at most 67,108,864 are computed"),
        ("2 ** 100 * x", "2 ** 100", "the power is larger than 2**63"),
        ("zeros(9000, 8000) * 1 @ zeros(8000, 9000)", None, "an array of 9,000 × 8,000 elements"),
        ("zeros(8000, 8000) @ zeros(8000, 8000)", None, "`@` would take 512,000,000,000 multiplications; at most 34,359,738,368 are done"),
    ],
)
def test_mistakes_stand_on_their_node(text: str, marked: str | None, message: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        evaluate(text, **NAMES)
    assert caught.value.message.startswith(message)
    assert caught.value.span is not None
    if marked is not None:
        assert text[caught.value.span.start : caught.value.span.end] == marked


FUZZED: dict[str, Any] = NAMES | {
    "h": np.array([1, 2, 6e-8], np.float16),
    "none": np.zeros((0, 3), np.float32),
    "odd": np.array([np.nan, np.inf, -np.inf, 1e-40, 0], np.float32),
}
BINARY = ("+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "and", "or", "<", "==", ">=")
RULES = [rule for rule in FUNCTIONS.values() if EXPECT in rule.contexts]


def random_expression(draw: random.Random, depth: int) -> str:
    def inner() -> str:
        return random_expression(draw, depth - 1)

    kind = draw.random() if depth else 1.0
    if kind < 0.5:
        rule = draw.choice(RULES)
        arguments = [inner() for _ in range(draw.randint(rule.min_args, rule.max_args if rule.max_args is not None else rule.min_args + 2))]
        keywords = [f"{name}={draw.choice(['0', '-1', 'true', '(0, 1)'])}" for name in sorted(rule.keywords) if draw.random() < 0.3]
        return f"{rule.name}({', '.join(arguments + keywords)})"
    if kind < 0.75:
        return f"({inner()} {draw.choice(BINARY)} {inner()})"
    if kind < 0.85:
        return f"{draw.choice(list(FUZZED))}[{draw.choice(['0', '::2', 'None, :', ':, 0', '[0, 1]', inner(), inner() + ':'])}]"
    if kind < 0.9:
        return f"({draw.choice(['-', '~', 'not '])}{inner()})"
    return draw.choice([*FUZZED, "0", "-1", "2.5", "100", "pi", "inf", "nan", "true"])


@pytest.mark.parametrize("seed", range(8))
def test_any_expression_has_a_sound_value_or_a_mistake(seed: int) -> None:
    draw = random.Random(seed)
    values = 0
    for _ in range(60):
        text = random_expression(draw, draw.randint(1, 4))
        try:
            value = evaluate(text, **FUZZED)
        except ExpressionProblem:
            continue
        values += 1
        assert value.bound.shape in {(), value.shape}, text
        assert not (np.isnan(value.bound) | (value.bound < 0) | np.isnan(value.spread) | (value.spread < 0)).any(), text
        assert value.is_float == (value.value.dtype == np.float64), text
    assert values > 10


# ---------------------------------------------------------------- evaluate_expect


def expect(
    expressions: dict[str, str], *buffers: Any, define: dict[str, str] | None = None, inputs: Any = None, **extra: Any
) -> dict[str, Bounded]:
    return evaluate_expect(contract(expressions, define), case(*buffers, **extra), inputs or {"x": {"": X}})


IN, OUT = buffer("x", (3,)), buffer("y", (3,), role="out")


def test_outputs_see_inputs_symbols_parameters_and_definitions() -> None:
    size = lay_out("Size", [MemberDraft(name="n", type=Scalar("u32")), MemberDraft(name="scale", type=Scalar("f32"))])
    truth = expect(
        {"y": "twice * size.scale + N + eps + light[2]"},
        IN,
        OUT,
        define={"twice": "x + once", "once": "x"},
        symbols={"N": 3},
        uniforms={"size": (size, {"n": 3, "scale": 0.5}), "eps": (Scalar("f32"), 0.25), "light": (Vector(3, Scalar("f32")), (1, 2, 4))},
    )["y"]
    assert truth.value.tolist() == [3 + 7.25, -1 + 7.25, 2 + 7.25]
    assert truth.kind == "f32"


def test_a_parameter_is_what_the_uniform_buffer_holds() -> None:
    truth = expect({"y": "x * 0 + eps"}, IN, OUT, uniforms={"eps": (Scalar("f32"), 0.1)})["y"]
    assert truth.value.tolist() == [float(np.float32(0.1))] * 3


def test_the_stored_bound_is_doubled_for_rearrangement() -> None:
    assert expect({"y": "x / 3"}, IN, OUT)["y"].bound == pytest.approx(2 * 2.5 * ULP * np.abs(X) / 3)


def test_an_f16_output_adds_its_own_rounding() -> None:
    truth = expect({"y": "x / 3"}, IN, buffer("y", (3,), "f16", role="out"))["y"]
    assert truth.bound == pytest.approx(np.abs(X) / 3 * (2.0**-10 + 5 * ULP), rel=1e-3)


def test_values_beyond_the_type_are_infinite_and_those_beside_its_end_open() -> None:
    truth = expect({"y": "x * 32752 * where(x > 2.5, 1.0, 0.9)"}, IN, buffer("y", (3,), "f16", role="out"))["y"]
    assert truth.value[0] == math.inf
    assert np.isfinite(truth.bound).all()
    edge = expect({"y": "x * 0 + 65500"}, IN, buffer("y", (3,), "f16", role="out"))["y"]
    assert np.isinf(edge.bound).all()


def test_scalars_and_axes_of_length_one_fit() -> None:
    assert expect({"y": "sum(x)"}, IN, buffer("y", (1,), role="out"))["y"].shape == (1,)
    assert expect({"y": "sum(x, keepdims=True)"}, IN, buffer("y", (1, 1), role="out"))["y"].shape == (1, 1)
    assert expect({"y": "7"}, IN, buffer("y", (2, 2), role="out"))["y"].value.tolist() == [[7, 7], [7, 7]]


def test_fields_of_structures_are_outputs_and_inputs() -> None:
    pair = lay_out("Pair", [MemberDraft(name="a", type=Scalar("f32")), MemberDraft(name="b", type=Scalar("u32"))])
    pairs = buffer("p", {"a": (2,), "b": (2,)}, role="inout", type_=Array(pair, None))
    inputs = {"p": {"a": np.array([1, 2], np.float32), "b": np.array([3, 4], np.uint32)}}
    truth = expect({"p.a": "p.a + f32(p.b)", "p.b": "p.b + 1"}, pairs, inputs=inputs)
    assert truth["p.a"].value.tolist() == [4, 6]
    assert truth["p.b"].value.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("expressions", "define", "key", "message", "hint"),
    [
        ({"y": "z"}, {}, "expect.y", "unknown name `z`", "known here: x"),
        ({"y": "y + 1"}, {}, "expect.y", "`y` has no content before the first pass", "give `y` the role `inout`"),
        ({"y": "e"}, {"e": "x + q"}, "define.e", "unknown name `q`", "known here: e, x"),
        ({"y": "e"}, {"e": "f", "f": "e"}, "define.f", "`e` is defined by itself: e → f → e", None),
        ({"y": "x[:2]"}, {}, "expect.y", "the expression has the shape [2], and the output is [3]", None),
        ({"n": "x / 2"}, {}, "expect.n", "the output is u32, and the expression gives 1.5 at [0]", "say how it becomes whole: `u32(…)`"),
        ({"q": "x"}, {}, "expect.q", "unknown name `q`", None),
        ({"y": "sum(x, axis=4)"}, {}, "expect.y", "there is no axis 4: the array has 1 axis", None),
    ],
)
def test_mistakes_know_their_key(expressions: dict[str, str], define: dict[str, str], key: str, message: str, hint: str | None) -> None:
    with pytest.raises(KeyedProblem) as caught:
        expect(expressions, IN, OUT, buffer("n", (3,), "u32", role="out"), define=define)
    assert (caught.value.key, caught.value.message) == (key, message)
    if hint is not None:
        assert hint in (caught.value.hint or "")


# ---------------------------------------------------------------- references


def test_a_reference_with_scale_is_bounded_like_the_expression() -> None:
    g = np.random.default_rng(0)
    a, b = g.standard_normal((32, 200)).astype(np.float32), g.standard_normal((200, 16)).astype(np.float32)
    inputs = {"a": {"": a}, "b": {"": b}}
    wide_a, wide_b = a.astype(float), b.astype(float)
    given_scale = bound_from_reference(wide_a @ wide_b, np.abs(wide_a) @ np.abs(wide_b), scalar="f32", inputs=inputs)
    derived = expect({"c": "a @ b"}, buffer("a", a.shape), buffer("b", b.shape), buffer("c", (32, 16), role="out"), inputs=inputs)["c"]
    assert not given_scale.is_estimated
    assert ((given_scale.bound / derived.bound > 1) & (given_scale.bound / derived.bound < 1.1)).all()
    estimated = bound_from_reference(wide_a @ wide_b, None, scalar="f32", inputs=inputs)
    assert estimated.is_estimated
    assert (np.abs((a @ b) - estimated.value) < estimated.bound).all()
    assert estimated.bound.max() < 1e-3


def test_whole_references_are_exact() -> None:
    exact = bound_from_reference(np.array([1, 2]), None, scalar="u32", inputs={})
    assert (exact.value.tolist(), exact.is_exact) == ([1, 2], True)
    with pytest.raises(ExpressionProblem, match=r"^the output is u32, and the expression gives 0.5 at \[1\]$"):
        bound_from_reference(np.array([1, 0.5]), None, scalar="u32", inputs={})
