"""Values of texels ⇄ bytes, and what storing in a texel does to a truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.planned import TexturePlan
from pixel_core.kernels.texels import decode_texels, encode_texels, from_texels, held_by_texels, kept_values, stored_scalar
from pixel_core.wgsl.texel_formats import TEXEL_FORMATS

DTYPES = {"f32": np.float32, "u32": np.uint32, "i32": np.int32}


def texture(name: str, *axes: int, levels: int = 1, dimension: str = "2d") -> TexturePlan:
    return TexturePlan(format=TEXEL_FORMATS[name], dimension=dimension, axes=axes, levels=levels)


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    texel_format, random = TEXEL_FORMATS[name], np.random.default_rng(0)
    if texel_format.scalar == "f32":
        low = 0.0 if texel_format.encoding == "unorm" else -1.0
        return kept_values(texel_format, random.uniform(low, 1, shape).astype(np.float32))
    low, high = texel_format.integer_range
    return random.integers(low, high, shape, endpoint=True).astype(DTYPES[texel_format.scalar])


@pytest.mark.parametrize("name", list(TEXEL_FORMATS))
def test_values_come_back(name: str) -> None:
    plan = texture(name, 3, 5, levels=2)
    parts = {"": drawn(name, (3, 5, plan.format.channels)), "mip1": drawn(name, (1, 2, plan.format.channels))}
    data = encode_texels(plan, parts)
    assert len(data) == (15 + 2) * plan.format.size_bytes
    for part, values in decode_texels(plan, data).items():
        np.testing.assert_array_equal(values.astype(parts[part].dtype), parts[part])


@pytest.mark.parametrize(
    ("name", "values", "data"),
    [
        ("rgba8unorm", [0, 1, 0.5, 0.2], b"\x00\xff\x80\x33"),
        ("rgba8snorm", [0, 1, -1, 0.5], b"\x00\x7f\x81\x40"),
        ("rg16float", [1, -2], b"\x00\x3c\x00\xc0"),
        ("rg16sint", [-1, 258], b"\xff\xff\x02\x01"),
        ("r32float", [1], b"\x00\x00\x80\x3f"),
    ],
)
def test_bytes(name: str, values: list[float], data: bytes) -> None:
    array = np.asarray(values, DTYPES[TEXEL_FORMATS[name].scalar]).reshape(1, 1, -1)
    assert encode_texels(texture(name, 1, 1), {"": array}) == data


def test_the_least_signed_byte_is_minus_one_too() -> None:
    assert decode_texels(texture("r8snorm", 1, 2), b"\x80\x81")[""].tolist() == [[[-1.0], [-1.0]]]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rgba8unorm", 1.5, "1.5 does not fit rgba8unorm, which holds 0 to 1"),
        ("r8snorm", -1.01, "-1.01 does not fit r8snorm, which holds -1 to 1"),
        ("r8uint", 256, "256 does not fit r8uint, which holds 0 to 255"),
        ("r16float", 1e6, "a value too large for r16float (up to 65504)"),
        ("r8unorm", math.nan, "nan does not fit r8unorm, which holds 0 to 1"),
    ],
)
def test_inputs_that_do_not_fit(name: str, value: float, message: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        kept_values(TEXEL_FORMATS[name], np.asarray([value], DTYPES[TEXEL_FORMATS[name].scalar]))
    assert caught.value.message == message


def test_a_step_comes_back_as_it_is() -> None:
    """What a texel holds can be copied and compared to the bit, although reading it may round."""
    texel_format = TEXEL_FORMATS["rgba8unorm"]
    steps = (np.arange(256) / 255).astype(np.float32)
    held = held_by_texels(from_texels(texel_format, steps), texel_format)
    np.testing.assert_array_equal(held.value.astype(np.float32), steps)
    assert float(held.bound.max()) <= 2.0**-23


def test_between_two_steps_either_is_right() -> None:
    held = held_by_texels(Bounded(value=np.asarray([0.5, 1.7, -3.0]), kind="f32"), TEXEL_FORMATS["r8unorm"])
    np.testing.assert_allclose(held.value * 255, [128, 255, 0])
    for step, is_right in ((126, False), (127, True), (128, True), (129, True), (130, False)):
        assert bool(abs(step / 255 - held.value[0]) <= held.bound[0]) is is_right
    assert held.bound[1] < 1e-6


def test_16_bit_floats_are_judged_as_such() -> None:
    assert [stored_scalar(TEXEL_FORMATS[name]) for name in ("rgba16float", "r32float", "rgba8unorm", "r8uint")] == [
        "f16",
        "f32",
        "f32",
        "u32",
    ]
    held = held_by_texels(Bounded(value=np.asarray([1 / 3, 1e6]), kind="f32"), TEXEL_FORMATS["r16float"])
    assert (held.kind, float(held.value[1])) == ("f16", math.inf)
    assert 2.0**-12 < float(held.bound[0]) < 2.0**-11


def test_an_integer_that_no_texel_holds() -> None:
    with pytest.raises(ExpressionProblem, match="the expression gives 256, and r8uint holds 0 to 255"):
        held_by_texels(Bounded(value=np.asarray([7, 256]), kind="u32"), TEXEL_FORMATS["r8uint"])
