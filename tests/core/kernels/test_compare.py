"""Verdicts: honest f32 passes in any order, and what is wrong is refused, down to one element and to f16 rounding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from array_testing import NOWHERE, SCALED, evaluate
from pixel_core.kernels.accuracy import ACCURACY
from pixel_core.kernels.bounded import Bounded, from_input
from pixel_core.kernels.compare import compare_output
from pixel_core.kernels.contract import Compare
from pixel_core.kernels.evaluate import stored
from pixel_core.kernels.patterns import PatternContext
from pixel_core.kernels.results import Element, OutputResult
from pixel_core.kernels.ulp import ulp_distance

F = np.float32
SOFTMAX = "exp(x - max(x, axis=1, keepdims=True)) / sum(exp(x - max(x, axis=1, keepdims=True)), axis=1, keepdims=True)"


def verdict(expected: Bounded, actual: np.ndarray, compare: Compare = SCALED, **inputs: np.ndarray) -> OutputResult:
    return compare_output(expected, actual, compare, output="y", context=PatternContext(inputs=inputs))


def exact(values: Any, kind: str = "f32") -> Bounded:
    return from_input(np.asarray(values, {"f32": F, "f16": np.float16, "u32": np.uint32, "i32": np.int32}[kind]), kind)


def mode(name: str, **fields: Any) -> Compare:
    return Compare(mode=name, span=NOWHERE, **fields)


def sequential(x: np.ndarray) -> np.ndarray:
    return np.cumsum(x, axis=-1, dtype=F)[..., -1]


def half(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).astype(F)


class Product:
    """A matrix product with its truth; `terms` long."""

    def __init__(self, terms: int, seed: int = 0, positive: bool = False) -> None:
        g = np.random.default_rng(seed)
        draw = g.random if positive else g.standard_normal
        self.a, self.b = draw((33, terms)).astype(F), draw((terms, 20)).astype(F)
        self.truth = stored(evaluate("a @ b", a=self.a, b=self.b), "f32", (33, 20))

    def verdict(self, actual: np.ndarray) -> OutputResult:
        return verdict(self.truth, actual, a=self.a, b=self.b)


# ---------------------------------------------------------------- the conjunction


@pytest.mark.parametrize("terms", [1, 3, 64, 1000, 4096])
@pytest.mark.parametrize("positive", [False, True])
def test_honest_sums_pass_in_every_order(terms: int, positive: bool) -> None:
    for seed in range(2):
        product = Product(terms, seed, positive)
        terms_of = product.a[:, None, :] * product.b.T[None, :, :]
        orders = (terms_of, terms_of[..., ::-1], np.sort(terms_of, axis=-1))
        for actual in (product.a @ product.b, *(sequential(order) for order in orders)):
            result = product.verdict(actual)
            assert result.passed
            assert result.informative
            assert float(result.max_bound_ratio) < 0.6


@pytest.mark.parametrize("terms", [4, 64, 512, 4096])
def test_inputs_rounded_to_f16_are_noticed(terms: int) -> None:
    product = Product(terms)
    result = product.verdict(half(product.a) @ half(product.b))
    assert not result.passed
    assert result.mismatch is not None
    assert [pattern.kind for pattern in result.mismatch.patterns][:1] == ["precision_f16"]


@pytest.mark.parametrize("terms", [16, 512, 4096])
@pytest.mark.parametrize("positive", [False, True])
def test_one_wrong_element_is_noticed(terms: int, positive: bool) -> None:
    product = Product(terms, positive=positive)
    actual = product.a @ product.b
    actual[5, 7] = actual[5, 8]
    result = product.verdict(actual)
    assert not result.passed
    assert result.mismatch is not None
    assert (result.mismatch.wrong, result.mismatch.total) == (1, 660)
    assert result.mismatch.first is not None
    assert result.mismatch.first.index == (5, 7)


@pytest.mark.parametrize("terms", [16, 512, 4096])
def test_a_missing_last_term_is_noticed(terms: int) -> None:
    product = Product(terms, positive=True)
    assert not product.verdict(product.a[:, :-1] @ product.b[:-1]).passed


@pytest.mark.parametrize("columns", [128, 4096, 16384, 65536])
def test_a_softmax_of_zeros_is_refused_however_small_its_elements(columns: int) -> None:
    x = np.random.default_rng(0).random((1, columns)).astype(F)
    truth = stored(evaluate(SOFTMAX, x=x), "f32", x.shape)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    assert verdict(truth, e / sequential(e)[:, None], x=x).passed
    for wrong in (np.zeros_like(x), np.full_like(x, 1 / columns), half(e / sequential(e)[:, None])):
        assert not verdict(truth, wrong, x=x).passed


def test_the_mean_of_a_long_positive_product_is_refused() -> None:
    product = Product(2048, positive=True)
    assert not product.verdict(np.full((33, 20), (product.a @ product.b).mean(), F)).passed


def test_only_all_elements_together_may_be_wrong() -> None:
    product = Product(2048)
    result = product.verdict(product.a @ product.b + F(8e-3) * np.sign(product.a[:, :20]))
    assert not result.passed
    assert result.mismatch is not None
    assert (result.mismatch.wrong, result.mismatch.first) == (0, None)
    assert result.mismatch.worst is not None
    assert float(result.nmse) > float(result.nmse_limit)


# ---------------------------------------------------------------- elements


def test_first_and_worst_element() -> None:
    truth = exact([1, 2, 4, 8])
    result = verdict(truth, np.array([1, 2.5, 4, 7], F))
    assert result.mismatch is not None
    assert result.mismatch.first == Element(
        index=(1,), expected="2.0", actual="2.5", absolute_error="0.5", relative_error="0.25", ulp=2**21, bound="0.0"
    )
    assert result.mismatch.worst == Element(
        index=(3,), expected="8.0", actual="7.0", absolute_error="1.0", relative_error="0.125", ulp=2**21, bound="0.0"
    )
    assert (result.max_absolute_error, result.max_bound_ratio) == ("1.0", "inf")


def test_integers_are_told_as_integers() -> None:
    result = verdict(exact([1, 2**32 - 1], "u32"), np.array([1, 0], np.uint32))
    assert result.mismatch is not None
    assert result.mismatch.first == Element(
        index=(1,), expected="4294967295", actual="0", absolute_error="4294967295.0", relative_error="1.0", ulp=2**32 - 1, bound="0.0"
    )


def test_a_nan_is_the_worst() -> None:
    result = verdict(exact([1, 2, 3]), np.array([9, math.nan, 3], F))
    assert result.mismatch is not None
    assert result.mismatch.wrong == 2
    assert result.mismatch.worst is not None
    assert (result.mismatch.worst.index, result.mismatch.worst.actual, result.mismatch.worst.ulp) == ((1,), "nan", -1)


# ---------------------------------------------------------------- NaN and infinity


@pytest.mark.parametrize(
    ("expected", "actual", "nan", "passes"),
    [
        (1.0, math.nan, "refuse", False),
        (1.0, math.nan, "equal", False),
        (math.nan, math.nan, "refuse", True),
        (math.nan, math.nan, "equal", True),
        (math.nan, 0.0, "refuse", True),  # a device may assume that NaN never occurs
        (math.nan, 0.0, "equal", False),
        (math.inf, math.inf, "refuse", True),
        (math.inf, -math.inf, "refuse", False),
        (math.inf, float(np.finfo(F).max), "refuse", True),
        (math.inf, 1e30, "refuse", False),
        (math.inf, math.nan, "refuse", False),
        (1e30, math.inf, "refuse", False),
        (0.0, -0.0, "refuse", True),
    ],
)
def test_special_values(expected: float, actual: float, nan: str, passes: bool) -> None:
    result = verdict(exact([expected, 5]), np.array([actual, 5], F), mode("scaled", nan=nan))
    assert result.passed is passes


def test_an_open_bound_admits_any_number_but_no_nan() -> None:
    truth = replace(exact([1, 2]), bound=np.array([np.inf, 0]), spread=np.array([np.inf, 0]))
    assert verdict(truth, np.array([1e9, 2], F)).passed
    assert not verdict(truth, np.array([math.nan, 2], F)).passed


# ---------------------------------------------------------------- modes


@pytest.mark.parametrize(
    ("compare", "actual", "passes"),
    [
        (mode("exact"), [1, 2, 3], True),
        (mode("exact"), [1, 2, np.nextafter(F(3), F(4))], False),
        (mode("ulp", ulp=2), [1, 2, np.nextafter(F(3), F(4))], True),
        (mode("ulp", ulp=2), [1, 2, 3.000001], False),
        (mode("multiset"), [3, 1, 2], True),
        (mode("multiset"), [3, 3, 2], False),
        (mode("scaled", atol=0.5, reason="test"), [1.5, 2, 3], True),
        (mode("scaled", atol=0.5, reason="test"), [1.6, 2, 3], False),
        (mode("scaled", rtol=0.1, reason="test"), [1, 2, 3.3], True),
        (mode("scaled", rtol=0.1, reason="test"), [1, 2, 3.4], False),
        (mode("scaled", atol=9, nmse=0.01, reason="test"), [1, 2, 4], False),
        (mode("scaled", atol=9, nmse=0.1, reason="test"), [1, 2, 4], True),
    ],
)
def test_modes(compare: Compare, actual: Any, passes: bool) -> None:
    assert verdict(exact([1, 2, 3]), np.asarray(actual, F), compare).passed is passes


def test_an_open_bin_may_take_the_count_even_in_exact_mode() -> None:
    x = np.array([0.5, 1 / 3, 0.9], F)
    truth = stored(evaluate("bincount(i32(x * 3), 3)", x=x), "u32", (3,))
    assert truth.value.tolist() == [0, 2, 1]
    assert verdict(truth, np.array([1, 1, 1], np.uint32), mode("exact")).passed
    assert not verdict(truth, np.array([0, 2, 3], np.uint32), mode("exact")).passed


def test_a_multiset_of_computed_floats_keeps_its_bounds() -> None:
    x = np.random.default_rng(0).random(100).astype(F)
    truth = stored(evaluate("x / 3", x=x), "f32", x.shape)
    assert verdict(truth, np.sort(x / F(3))[::-1].copy(), mode("multiset")).passed
    assert not verdict(truth, np.sort(x / F(3.001)), mode("multiset")).passed


@pytest.mark.parametrize(
    ("left", "right", "distance"), [(1, 1, 0), (0.0, -0.0, 0), (1, 1 + 2.0**-23, 1), (-1e-45, 1e-45, 2), (1, -1, 2 * 0x3F800000)]
)
def test_ulp_distance(left: float, right: float, distance: int) -> None:
    assert ulp_distance(np.array([left], F), np.array([right], F)).tolist() == [distance]


def test_ulp_distance_of_f16_and_of_infinity() -> None:
    assert ulp_distance(np.array([1, np.inf], np.float16), np.array([1 + 2.0**-10, 0], np.float16)).tolist() == [1, -1]


# ---------------------------------------------------------------- dumb outputs


@pytest.mark.parametrize(
    ("expected", "compare", "inputs", "dumb"),
    [
        ([0, 0, 0], SCALED, {}, "zeros"),
        ([2, 2, 2], SCALED, {}, "the constant 2"),
        ([1, 2, 3], SCALED, {}, None),
        ([1, 2, 3], SCALED, {"x": [1, 2, 3]}, "a copy of `x`"),
        ([1, 2, 3], SCALED, {"x": [1, 2, 4]}, None),
        ([1, 2, 3], SCALED, {"x": [[1, 2, 3]]}, None),
        ([1, 1.4], mode("scaled", atol=0.3, reason="test"), {}, "the constant 1.2"),
        ([5], SCALED, {}, None),
        ([0], SCALED, {}, "zeros"),
        ([2, 2], mode("exact"), {}, "the constant 2"),
        ([1, 2], mode("multiset"), {"x": [2, 1]}, "a copy of `x`"),
        ([1, 2], mode("multiset"), {}, None),
        ([math.nan, math.nan], SCALED, {}, "zeros"),
    ],
)
def test_dumb_outputs(expected: Any, compare: Compare, inputs: dict[str, Any], dumb: str | None) -> None:
    truth = exact(expected)
    result = verdict(truth, truth.value.astype(F), compare, **{name: np.asarray(values, F) for name, values in inputs.items()})
    assert result.passed
    assert (result.informative, result.passing_dumb_output) == (dumb is None, dumb)


def test_integer_outputs_have_dumb_ones_too() -> None:
    truth = exact([3, 3], "i32")
    assert verdict(truth, np.array([3, 3], np.int32)).passing_dumb_output == "the constant 3"
    assert verdict(exact([1, 3], "i32"), np.array([1, 3], np.int32), x=np.array([1, 3], np.uint32)).passing_dumb_output == "a copy of `x`"


def test_a_relu_of_positive_inputs_says_nothing() -> None:
    x = np.random.default_rng(0).random(64).astype(F)
    truth = stored(evaluate("relu(x)", x=x), "f32", x.shape)
    assert verdict(truth, x, x=x).passing_dumb_output == "a copy of `x`"


def test_every_accuracy_rule_is_in_the_documentation() -> None:
    from pathlib import Path

    text = (Path(__file__).resolve().parents[3] / "docs" / "tolerance.md").read_text(encoding="utf-8")
    for row in ACCURACY.values():
        assert f"| `{row.name}` | {row.rule} |" in text
