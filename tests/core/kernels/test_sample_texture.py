"""`sample`: against a slow sampler written from the specification, and the error that it allows."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.engines.base import SamplerJob
from pixel_core.kernels.bounded import Bounded, literal
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.sample_texture import TexelValue, sample, sampler_value
from pixel_core.wgsl.texel_formats import TEXEL_FORMATS

MODES = ("clamp-to-edge", "repeat", "mirror-repeat")


def wrapped(index: int, length: int, mode: str) -> int:
    """Vulkan, "Wrapping Operation"."""
    if mode == "repeat":
        return index % length
    if mode == "clamp-to-edge":
        return min(max(index, 0), length - 1)
    mirrored = index % (2 * length) - length
    return (length - 1) - (mirrored if mirrored >= 0 else -(1 + mirrored))


def slow_sample(image: np.ndarray, settings: SamplerJob, *place: float) -> np.ndarray:
    """Vulkan, "Texel Filtering": one sample at u, v, w."""
    lengths = image.shape[-2::-1]
    if settings.filter == "nearest":
        index = [wrapped(math.floor(at * length), length, mode) for at, length, mode in zip(place, lengths, settings.address, strict=False)]
        return image[tuple(index[::-1])]
    total = np.zeros(image.shape[-1])
    for corner in product((0, 1), repeat=len(place)):
        weight, index = 1.0, []
        for at, length, mode, side in zip(place, lengths, settings.address, corner, strict=False):
            first = math.floor(at * length - 0.5)
            share = at * length - 0.5 - first
            weight *= share if side else 1 - share
            index.append(wrapped(first + side, length, mode))
        total += weight * image[tuple(index[::-1])]
    return total


def values(array: np.ndarray) -> Bounded:
    return Bounded(value=array.astype(np.float64), kind="f32")


@given(
    axes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    chosen=st.sampled_from(("nearest", "linear")),
    modes=st.tuples(*[st.sampled_from(MODES)] * 3),
    seed=st.integers(0, 1000),
)
def test_agrees_with_the_specification(axes: list[int], chosen: str, modes: tuple[str, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.normal(size=(*axes, 2))
    settings = SamplerJob(filter=chosen, address=modes)
    places = random.uniform(-2, 3, (len(axes), 6))
    found = sample(values(image), sampler_value(settings), *(values(place) for place in places))
    expected = [slow_sample(image, settings, *place) for place in places.T]
    np.testing.assert_allclose(found.value, expected, rtol=0, atol=1e-9)
    assert found.kind == "f32"


LINEAR = sampler_value(SamplerJob(filter="linear", address=("clamp-to-edge",) * 3))
NEAREST = sampler_value(SamplerJob(filter="nearest", address=("clamp-to-edge",) * 3))


@pytest.mark.parametrize("bits", [4, 8])
def test_places_that_snap_are_within_the_bound(bits: int) -> None:
    random = np.random.default_rng(1)
    image, places = random.normal(size=(5, 7, 1)), random.uniform(0, 1, (2, 500))
    found = sample(values(image), LINEAR, values(places[0]), values(places[1]))
    snapped = [(np.floor(place * length * 2**bits) / 2**bits) / length for place, length in zip(places, (7, 5), strict=True)]
    off = sample(values(image), LINEAR, values(snapped[0]), values(snapped[1]))
    error = np.abs(off.value - found.value)
    assert (error <= found.bound).all()
    # Eight bits, truncated, err twice as much as usual ones.
    assert bits == 4 or math.sqrt(float(np.mean(error**2))) <= 4 * math.sqrt(float(np.mean(found.spread**2)))


def test_a_constant_image_leaves_no_doubt() -> None:
    found = sample(values(np.ones((3, 4, 1))), LINEAR, values(np.linspace(0, 1, 9)), literal(0.3))
    assert found.shape == (9, 1)
    assert float(np.max(found.bound)) < 1e-5


def test_eight_bits_are_filtered_in_eight_bits() -> None:
    exact = sample(values(np.ones((3, 4, 1))), LINEAR, literal(0.4), literal(0.3))
    texels = TexelValue(value=np.ones((3, 4, 1)), kind="f32", texel_format=TEXEL_FORMATS["r8unorm"])
    assert float(sample(texels, LINEAR, literal(0.4), literal(0.3)).bound[0] - exact.bound[0]) == pytest.approx(1 / 255)


def test_nearest_is_exact_but_at_an_edge() -> None:
    image = values(np.asarray([[0.0], [10.0]]))
    assert float(np.max(sample(image, NEAREST, values(np.asarray([0.25, 0.75]))).bound)) == 0
    assert sample(image, NEAREST, values(np.asarray([0.5]))).bound.tolist() == [[10.0]]


@pytest.mark.parametrize(
    ("image", "sampler", "coordinates", "message"),
    [
        (values(np.ones((2, 2, 1))), literal(0), (literal(0.5),) * 2, "the second argument of `sample` is a sampler"),
        (values(np.ones((2, 2, 1))), LINEAR, (literal(0.5),), "`sample` has 1 coordinate for an image with 3 axes"),
        (values(np.ones((2, 1))), LINEAR, (values(np.asarray([np.nan])),), "a coordinate of `sample` is an array of finite numbers"),
        (Bounded(value=np.ones((2, 1), np.int64), kind="u32"), LINEAR, (literal(0.5),), "only floats are sampled"),
        (values(np.ones((2, 1))), LINEAR, ((literal(0.5),),), "a coordinate of `sample` is an array of finite numbers"),
    ],
)
def test_mistakes(image: Bounded, sampler: Bounded, coordinates: tuple[Bounded, ...], message: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        sample(image, sampler, *coordinates)
    assert caught.value.message == message


def test_places_far_away_are_held() -> None:
    found = sample(values(np.asarray([[1.0], [2.0]])), NEAREST, values(np.asarray([1e300, -1e300])))
    assert found.value.tolist() == [[2.0], [1.0]]
