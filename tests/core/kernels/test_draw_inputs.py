"""What buffers hold before the first pass: reproducible, independent of each other, in the type that the buffer stores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from array_testing import buffer, case
from pixel_core.kernels.codecs import decode, encode
from pixel_core.kernels.draw_inputs import draw_inputs
from pixel_core.kernels.evaluate_tree import KeyedProblem
from pixel_core.wgsl.layout import MemberDraft, lay_out
from pixel_core.wgsl.types import Array, Scalar, Vector


def draw(text: str, shape: tuple[int, ...] = (4,), scalar: str = "f32", **symbols: Any) -> np.ndarray:
    return draw_inputs(case(buffer("x", shape, scalar), inputs={"x": text}, symbols=symbols))["x"][""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zeros", [0, 0, 0, 0]),
        ("ones()", [1, 1, 1, 1]),
        ("arange", [0, 1, 2, 3]),
        ("arange() * 2 + 1", [1, 3, 5, 7]),
        ("arange(4, 8)", [4, 5, 6, 7]),
        ("full(0.5)", [0.5, 0.5, 0.5, 0.5]),
        ("full(4, 0.5)", [0.5, 0.5, 0.5, 0.5]),
        ("3", [3, 3, 3, 3]),
        ("1 / n", [0.25, 0.25, 0.25, 0.25]),
        ("[4, 3, 2, 1]", [4, 3, 2, 1]),
        ("where(arange() % 2 == 0, -1, 1)", [-1, 1, -1, 1]),
        ("cumsum(ones(4))", [1, 2, 3, 4]),
    ],
)
def test_plain_contents(text: str, expected: list[float]) -> None:
    assert draw(text, n=4).tolist() == expected


def test_contents_fill_the_shape_row_by_row() -> None:
    assert draw("arange", (2, 3), "u32").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_distributions_have_their_moments() -> None:
    normal, uniform, integers = (draw(text, (100_000,)) for text in ("normal(2, 0.5)", "uniform(-1, 3)", "integers(10, 20)"))
    assert normal.dtype == np.float32
    assert (round(float(normal.mean()), 1), round(float(normal.std()), 1)) == (2.0, 0.5)
    assert (round(float(uniform.min()), 1), round(float(uniform.max()), 1)) == (-1.0, 3.0)
    assert set(integers.tolist()) == set(range(10, 20))


def test_choice_and_permutation_draw_from_what_they_are_given() -> None:
    assert set(draw("choice(-1, 1)", (64,)).tolist()) == {-1, 1}
    assert set(draw("choice([2, 3])", (64,), "u32").tolist()) == {2, 3}
    assert sorted(draw("permutation(n)", (50,), "u32", n=50).tolist()) == list(range(50))


def test_special_floats_hold_both_zeros_and_the_ends_of_the_type() -> None:
    values = draw("special", (22,))
    info = np.finfo(np.float32)
    assert {float(info.max), float(info.smallest_subnormal), float(info.smallest_normal), 1.0} <= set(np.abs(values).tolist())
    assert np.isfinite(values).all()
    assert np.signbit(values[values == 0]).tolist() == [False, True]
    assert {-(2**31), 2**31 - 1} <= set(draw("special", (15,), "i32").tolist())


def test_floats_are_rounded_to_the_type_of_the_buffer() -> None:
    assert draw("full(0.1)", (1,)).item() == np.float32(0.1)
    assert draw("full(0.1)", (1,), "f16").item() == np.float16(0.1)


def test_a_packed_buffer_holds_what_its_codec_keeps() -> None:
    drawn = draw_inputs(case(buffer("w", (3, 64), "u32", codec="q4_0"), inputs={"w": "normal"}))["w"][""]
    assert drawn.dtype == np.float32
    assert np.array_equal(decode("q4_0", encode("q4_0", drawn), drawn.shape), drawn)
    assert max(np.unique(row).size for row in drawn.reshape(-1, 32)) <= 16


def test_structures_are_drawn_field_by_field() -> None:
    particle = lay_out(
        "Particle", [MemberDraft(name="position", type=Vector(3, Scalar("f32"))), MemberDraft(name="age", type=Scalar("u32"))]
    )
    particles = buffer("p", {"position": (5, 3), "age": (5,)}, type_=Array(particle, None))
    drawn = draw_inputs(case(particles, inputs={"p.position": "normal", "p.age": "arange"}))["p"]
    assert drawn["position"].shape == (5, 3)
    assert drawn["age"].tolist() == [0, 1, 2, 3, 4]


def test_equal_seeds_draw_equal_values_and_other_seeds_others() -> None:
    assert draw("normal").tobytes() == draw("normal").tobytes()
    other = draw_inputs(case(buffer("x", (4,)), inputs={"x": "normal"}, seed=1))["x"][""]
    assert not np.array_equal(draw("normal"), other)


def test_the_first_values_of_seed_0_never_change() -> None:
    """A recorded failure must be reproducible with a later version."""
    assert draw("integers(0, 1000)", (6,), "u32").tolist() == [368, 388, 781, 327, 341, 971]


def test_a_buffer_does_not_depend_on_the_others() -> None:
    x, y = buffer("x", (8,)), buffer("y", (3,))
    inputs = {"x": "normal", "y": "normal"}
    both = draw_inputs(case(y, x, inputs=inputs))
    alone = draw_inputs(case(x, y, inputs=inputs), only={"x"})
    assert list(alone) == ["x"]
    assert np.array_equal(both["x"][""], alone["x"][""])
    assert not np.array_equal(both["x"][""][:3], both["y"][""])


def test_an_input_may_be_made_from_another_in_any_order() -> None:
    offsets, lengths = buffer("offsets", (4,), "u32"), buffer("lengths", (4,), "u32")
    drawn = draw_inputs(case(offsets, lengths, inputs={"offsets": "cumsum(lengths) - lengths", "lengths": "integers(1, 5)"}))
    assert np.array_equal(drawn["offsets"][""], np.cumsum(drawn["lengths"][""]) - drawn["lengths"][""])


def test_only_roles_with_content_are_drawn() -> None:
    roles = ("in", "out", "inout", "scratch", "accumulate", "table")
    drawn = draw_inputs(case(*(buffer(role, (2,), role=role) for role in roles), inputs={"in": "ones"}))
    assert {name: parts[""].tolist() for name, parts in drawn.items()} == {
        "in": [1, 1],
        "inout": [0, 0],
        "accumulate": [0, 0],
        "table": [0, 0],
    }


@pytest.mark.parametrize(
    ("text", "scalar", "message", "hint"),
    [
        ("integers(5, 5)", "u32", "`integers` from 5 to 5 (not included): there are none", "the upper end is not included"),
        ("integers(-1, 0)", "u32", "-1 does not fit u32", "u32 holds 0 to 4,294,967,295"),
        ("normal", "i32", "the input holds i32, and the expression gives fractions", "write `integers(low, high)` or `floor(…)`"),
        ("normal(0, -1)", "f32", "a standard deviation of -1; it is at least 0", None),
        ("uniform(2, 1)", "f32", "`uniform` from 2 to 1: the lower end is above the upper one", None),
        ("full(1e39)", "f32", "a value too large for f32 (up to 3.4028e+38)", None),
        ("ones(3)", "f32", "the expression has the shape [3], and the input is [8]", None),
        ("x + 1", "f32", "`x` is made from itself: x → x", None),
        ("lenght", "f32", "unknown name `lenght`", "did you mean `length`?"),
        ("normal(n)", "f32", "unknown name `n`", "known here: x, length"),
        ("ones(100000, 100000)", "f32", "an array of 100,000 × 100,000 elements; at most 67,108,864 are computed", "use smaller cases"),
        ("permutation(10000000000)", "f32", "an array of 10,000,000,000 elements; at most 67,108,864 are computed", "use smaller cases"),
    ],
)
def test_mistakes_are_told_with_their_key(text: str, scalar: str, message: str, hint: str | None) -> None:
    with pytest.raises(KeyedProblem) as caught:
        draw_inputs(case(buffer("x", (8,), scalar), inputs={"x": text}, symbols={"length": 8}))
    assert (caught.value.key, caught.value.message, caught.value.hint) == ("inputs.x", message, hint)


def test_a_circle_of_inputs_is_told() -> None:
    with pytest.raises(KeyedProblem, match=r"^`a` is made from itself: a → b → a$"):
        draw_inputs(case(buffer("a", (2,)), buffer("b", (2,)), inputs={"a": "b + 1", "b": "a + 1"}))


def test_values_that_a_codec_cannot_scale_are_refused() -> None:
    with pytest.raises(KeyedProblem, match=r"^values too large for q8_0"):
        draw_inputs(case(buffer("w", (32,), "u32", codec="q8_0"), inputs={"w": "full(1e8)"}))
