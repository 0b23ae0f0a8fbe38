"""Each fault is generated and must be named; a near miss of the same look must not be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pixel_core.kernels.memory import POISONS, poison
from pixel_core.kernels.patterns import PatternContext, find_patterns

F = np.float32
Fault = Callable[[np.ndarray], None]

CONTEXT = PatternContext(workgroup_size=(16, 16, 1), tiles=(64,))


def truth(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(1, 2, shape)


def patterns(expected: np.ndarray, actual: np.ndarray, context: PatternContext = CONTEXT) -> list[tuple[str, str]]:
    if actual.dtype == np.float64:
        actual = actual.astype(F)
    bound = 1e-6 * np.abs(expected) + 1e-7 if actual.dtype.kind == "f" else np.zeros(())
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(actual.astype(np.float64) - expected) <= bound)
    return [(pattern.kind, pattern.text) for pattern in find_patterns(wrong, expected, actual, bound, context)]


def spoil(expected: np.ndarray, where: tuple[slice | int, ...]) -> np.ndarray:
    """Noise, so that only the place tells anything."""
    actual = expected.copy()
    actual[where] += np.random.default_rng(9).normal(0, 3, actual[where].shape)
    return actual


ALL = slice(None)

# ---------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("shape", "where", "expected"),
    [
        ((65, 33), (64, ALL), [("last_row", "all in the last row (row 64)")]),
        ((65, 33), (0, ALL), [("first_row", "all in the first row")]),
        ((65, 33), (7, ALL), [("one_row", "all in row 7")]),
        ((65, 33), (ALL, 32), [("last_column", "all in the last column (column 32)")]),
        ((65, 33), (64, slice(3, 5)), [("last_row", "all in the last row (row 64)")]),
        (
            (65, 65),
            (slice(64, 65), slice(64, 65)),
            [("last_row", "all in the last row (row 64)"), ("last_column", "all in the last column (column 64)")],
        ),
        ((64, 64), (ALL, slice(None, None, 2)), [("every_kth", "every 2nd column, from 0 on")]),
        ((64, 64), (ALL, slice(2, None, 3)), [("every_kth", "every 3rd column, from 2 on")]),
        ((64, 64), (ALL, slice(15, None, 16)), [("tile_edge", "only the last column of each block of 16")]),
        ((64, 64), (slice(0, None, 16), ALL), [("tile_edge", "only the first row of each block of 16")]),
        ((80, 96), (slice(48, 64), slice(32, 48)), [("one_workgroup", "all in one block of 16 × 16 starting at [48, 32]")]),
        ((64, 96), (slice(50, 60), slice(33, 40)), [("one_workgroup", "all in one block of 16 × 16 starting at [48, 32]")]),
        ((70, 64), (slice(64, None), ALL), [("last_workgroup", "only rows ≥ 64: the last block of 64, which only 6 of 64 fill")]),
        ((70, 64), (slice(66, None), ALL), [("tail", "only rows ≥ 66 (the last 4 of 70)")]),
        ((96, 40), (slice(16, None), ALL), [("tail", "only rows ≥ 16: everything after the first block of 16")]),
        ((96, 40), (slice(None, 32), ALL), [("head", "only rows < 32: the first 2 blocks of 16")]),
        ((1000,), (999,), [("last_element", "only the last element (999)")]),
        ((1000,), (0,), [("first_element", "only the first element")]),
        ((1000,), (slice(960, None),), [("last_workgroup", "only elements ≥ 960: the last block of 64, which only 40 of 64 fill")]),
        ((1000,), (slice(130, 190),), [("one_workgroup", "all in one block of 64: elements 128 to 191 (block 2)")]),
        ((1000,), (slice(1, None, 2),), [("every_kth", "every 2nd element, from 1 on")]),
        ((1000,), (ALL,), [("all_wrong", "every element is wrong")]),
        ((1, 1000), (0, 999), [("last_element", "only the last element (999)")]),
        ((4, 5, 6), (ALL, ALL, 5), [("last_column", "all in the last index of axis 2 (index 5 of axis 2)")]),
        ((1000,), (500,), [("scattered", "a single element")]),
    ],
)
def test_places(shape: tuple[int, ...], where: tuple[slice | int, ...], expected: list[tuple[str, str]]) -> None:
    expectation = truth(*shape)
    found = patterns(expectation, spoil(expectation, where))
    assert found == expected


YXC, LYXC, ZYXC = ("y", "x", "channel"), ("layer", "y", "x", "channel"), ("z", "y", "x", "channel")


@pytest.mark.parametrize(
    ("axes", "shape", "where", "expected"),
    [
        (YXC, (20, 33, 4), (ALL, 32), "all in the last column (column 32)"),
        (YXC, (20, 33, 4), (19,), "all in the last row (row 19)"),
        (YXC, (20, 33, 4), (ALL, ALL, 2), "all in channel 2"),
        (YXC, (20, 33, 1), (ALL, slice(16, None)), "only columns ≥ 16: everything after the first block of 16"),
        (YXC, (64, 64, 4), (slice(16, 32), slice(32, 48)), "all in one block of 16 × 16 starting at [16, 32]"),
        (LYXC, (3, 20, 33, 4), (2,), "all in the last layer (layer 2)"),
        (ZYXC, (5, 20, 33, 2), (0,), "all in the first slice"),
    ],
)
def test_places_in_textures(axes: tuple[str, ...], shape: tuple[int, ...], where: tuple[slice | int, ...], expected: str) -> None:
    value = truth(*shape)
    context = PatternContext(workgroup_size=(16, 16, 1), axes=axes)
    assert patterns(value, spoil(value, where), context)[0][1] == expected


def test_texels_that_were_never_written() -> None:
    """Poison looks like any number in eight bits; what is known of the bits in memory says so."""
    value, unwritten = truth(8, 9, 4), np.zeros((8, 9, 4), np.bool_)
    unwritten[:, 8] = True
    actual = np.where(unwritten, 0.75, value)
    context = PatternContext(unwritten=unwritten, axes=YXC)
    assert [text for _, text in patterns(value, actual, context)] == [
        "these elements were never written",
        "all in the last column (column 8)",
    ]


def test_the_second_half_of_each_tile() -> None:
    expected = truth(64, 256)
    actual = expected.copy()
    actual.reshape(64, 4, 64)[:, :, 32:] += 1 + np.random.default_rng(0).random((64, 4, 32))
    assert patterns(expected, actual) == [("tile_part", "only columns ≥ 32 within each block of 64")]


NEAR_MISSES: dict[str, tuple[tuple[int, ...], list[tuple[int, ...]]]] = {
    "two rows": ((65, 33), [(64, 1), (12, 1)]),
    "distances of 2, 2 and 3": ((64,), [(0,), (2,), (4,), (7,)]),
    "two blocks": ((64, 64), [(1, 1), (17, 17), (1, 17), (50, 3)]),
}


@pytest.mark.parametrize(("shape", "places"), NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_what_has_no_structure_is_scattered(shape: tuple[int, ...], places: list[tuple[int, ...]]) -> None:
    expected = truth(*shape)
    actual = expected.copy()
    for number, place in enumerate(places):
        actual[place] += 1 + number * 0.37
    kinds = {kind for kind, _ in patterns(expected, actual, PatternContext())}
    assert kinds <= {"scattered", "last_column", "one_column", "one_row"}
    assert not kinds & {"last_row", "every_kth", "one_workgroup", "tile_edge"}


# ---------------------------------------------------------------- values


def first(expected: np.ndarray, actual: np.ndarray) -> tuple[str, str]:
    return patterns(expected, actual)[0]


def test_all_zeros_and_zeros_where_it_is_wrong() -> None:
    expected = truth(65, 33)
    assert first(expected, np.zeros_like(expected)) == ("all_zeros", "the output is all zeros")
    actual = expected.copy()
    actual[64] = 0
    assert patterns(expected, actual) == [("zeros", "every wrong element is 0"), ("last_row", "all in the last row (row 64)")]
    actual[64, 5] = 1
    assert patterns(expected, actual) == [("last_row", "all in the last row (row 64)")]


@pytest.mark.parametrize("word", POISONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint32, np.int32])
def test_poison_that_is_still_there(word: int, dtype: type) -> None:
    expected = np.arange(100.0).reshape(10, 10)
    untouched = np.frombuffer(poison(100 * np.dtype(dtype).itemsize, word), dtype).reshape(10, 10)
    assert first(expected, untouched) == ("unwritten", "the kernel never wrote this output")
    partly = expected.astype(dtype)
    partly[9] = untouched[9]
    assert patterns(expected, partly) == [("unwritten", "these elements were never written"), ("last_row", "all in the last row (row 9)")]
    partly[0, 0] = 77
    assert first(expected, partly) == ("unwritten", "10 of the 11 wrong elements were never written: all in the last row (row 9)")


def test_nan() -> None:
    expected = truth(40)
    assert first(expected, np.full(40, np.nan)) == ("all_nan", "every element is NaN")
    actual = expected.copy()
    actual[[3, 8]] = np.nan
    assert first(expected, actual) == ("some_nan", "2 elements are NaN")


@pytest.mark.parametrize("shape", [(32, 32), (24, 40)])
def test_transposed(shape: tuple[int, int]) -> None:
    expected = truth(*shape)
    actual = expected.T.reshape(shape)
    assert first(expected, actual) == ("transposed", "it looks transposed: actual[i, j] is expected[j, i]")
    mirrored = expected[::-1].copy()
    assert "transposed" not in {kind for kind, _ in patterns(expected, mirrored)}


@pytest.mark.parametrize(
    ("shape", "axis", "step", "text"),
    [
        ((100,), 0, 1, "shifted by one: actual[i] is expected[i - 1]"),
        ((100,), 0, -1, "shifted by one: actual[i] is expected[i + 1]"),
        ((100,), 0, 16, "shifted by 16: actual[i] is expected[i - 16]"),
        ((40, 50), 1, -2, "shifted by 2: actual[i, j] is expected[i, j + 2]"),
        ((40, 50), 0, 1, "shifted by one: actual[i, j] is expected[i - 1, j]"),
    ],
)
def test_shifted(shape: tuple[int, ...], axis: int, step: int, text: str) -> None:
    expected = truth(*shape)
    actual = np.roll(expected, step, axis=axis)
    assert first(expected, actual) == ("shifted", text)
    actual += np.random.default_rng(0).normal(0, 0.01, shape)
    assert "shifted" not in {kind for kind, _ in patterns(expected, actual)}


def test_an_inclusive_scan_for_an_exclusive_one_is_a_shift() -> None:
    x = np.random.default_rng(0).integers(1, 100, 300)
    inclusive = np.cumsum(x)
    assert first((inclusive - x).astype(float), inclusive.astype(np.uint32)) == ("shifted", "shifted by one: actual[i] is expected[i + 1]")


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (2, "every element is 2 × the expected value"),
        (-1, "every element has the wrong sign"),
        (1 / 16, "every element is 1/16 of the expected value"),
        (1.37, "every element is 1.37 × the expected value"),
    ],
)
def test_constant_factor(factor: float, text: str) -> None:
    expected = truth(30, 20)
    assert first(expected, factor * expected) == ("constant_factor", text)
    noisy = factor * expected * np.random.default_rng(0).normal(1, 0.01, expected.shape)
    assert "constant_factor" not in {kind for kind, _ in patterns(expected, noisy)}


def test_constant_factor_in_some_places() -> None:
    expected = truth(30, 20)
    actual = expected.copy()
    actual[:, 19] *= 2
    assert patterns(expected, actual) == [
        ("constant_factor", "every wrong element is 2 × the expected value"),
        ("last_column", "all in the last column (column 19)"),
    ]


def test_constant_offset() -> None:
    expected = truth(30, 20)
    assert first(expected, expected + 1) == ("constant_offset", "every element is off by the constant 1")
    whole = np.arange(50.0)
    assert first(whole, (whole + 3).astype(np.int32)) == ("constant_offset", "every element is off by the constant 3")
    assert "constant_offset" not in {kind for kind, _ in patterns(expected, expected + np.linspace(1, 1.01, 600).reshape(30, 20))}


def test_each_row_off_by_a_factor_of_its_own() -> None:
    expected = truth(20, 30)
    factors = np.random.default_rng(0).normal(1, 0.2, (20, 1))
    assert first(expected, expected * factors) == ("group_law", "within each row all elements are off by the same factor")
    noisy = expected * factors * np.random.default_rng(1).normal(1, 0.05, expected.shape)
    assert "group_law" not in {kind for kind, _ in patterns(expected, noisy)}


def test_each_block_off_by_an_offset_of_its_own() -> None:
    expected = np.cumsum(np.random.default_rng(0).integers(1, 100, 256)).astype(float)
    offsets = np.repeat([7.0, -20, 5, 1000], 64)
    text = "within each block of 64 all elements are off by the same amount"
    assert first(expected, (expected + offsets).astype(np.int32)) == ("group_law", text)
    ragged = np.repeat([7.0, -20, 5, 1000, 3], [50, 70, 40, 60, 36])
    assert "group_law" not in {kind for kind, _ in patterns(expected, (expected + ragged).astype(np.int32), PatternContext(tiles=(64,)))}


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        (0, "the wrong elements are those of the input `x`"),
        (-1, "the wrong elements lack what `x` held before: expected - x"),
        (1, "the wrong elements have `x` in them once more: expected + x"),
    ],
)
def test_an_input_mixed_up_with_the_output(sign: int, text: str) -> None:
    expected, x, other = truth(200) * 3, np.random.default_rng(8).normal(0, 1, 200), np.random.default_rng(9).normal(0, 1, 200)
    actual = expected + sign * x if sign else x
    context = PatternContext(inputs={"other": other, "x": x})
    assert patterns(expected, actual, context)[0] == ("input_mixed_up", text)
    assert "input_mixed_up" not in {kind for kind, _ in patterns(expected, actual, PatternContext(inputs={"other": other}))}


def test_integers_that_went_through_f32() -> None:
    expected = np.cumsum(np.random.default_rng(0).integers(0, 1_000_000, 500)).astype(float)
    text = "the wrong elements hold only whole numbers that an f32 can hold: sums went through f32"
    assert first(expected, expected.astype(F).astype(np.uint32)) == ("precision_f32", text)
    assert "precision_f32" not in {kind for kind, _ in patterns(expected, (expected + 1 + np.arange(500) % 3).astype(np.uint32))}


def test_totals_of_scattered_counts() -> None:
    g = np.random.default_rng(0)
    expected = g.integers(100, 1000, 256).astype(float)
    places = g.choice(256, 90, replace=False)
    moved, lost = expected.copy(), expected.copy()
    moved[places[:45]] += 3
    moved[places[45:]] -= 3
    lost[places] -= g.integers(1, 20, 90)
    plain = PatternContext()
    assert patterns(expected, moved.astype(np.uint32), plain)[0] == (
        "total_kept",
        "the sum of all elements is right: what is missing in some is too much in others",
    )
    short_by = int(expected.sum() - lost.sum())
    assert patterns(expected, lost.astype(np.uint32), plain)[0] == (
        "total_short",
        f"no element is too large, and all together are {short_by:,} short",
    )
    mixed = lost.copy()
    mixed[places[0]] += 500
    assert not {kind for kind, _ in patterns(expected, mixed.astype(np.uint32), plain)} & {"total_kept", "total_short", "total_over"}


def test_the_few_right_elements_may_have_the_structure() -> None:
    expected = truth(64, 64)
    actual = spoil(expected, (ALL, ALL))
    right = (slice(15, None, 16), slice(None))
    actual[right] = expected[right]
    assert patterns(expected, actual)[0][0] in {"tile_part", "every_kth"}
    corner = spoil(expected, (ALL, ALL))
    corner[16:32, 32:48] = expected[16:32, 32:48]
    text = "the elements that are right: all in one block of 16 × 16 starting at [16, 32]"
    assert patterns(expected, corner) == [("all_but", text)]


def test_one_value_everywhere() -> None:
    expected = truth(50)
    assert first(expected, np.full(50, 7.0)) == ("one_value", "every element is 7")


def test_results_that_an_f16_can_hold() -> None:
    expected = truth(30, 20)
    assert first(expected, expected.astype(np.float16).astype(F))[0] == "precision_f16"
    rounded = np.ldexp(np.rint(np.ldexp(expected, 14)), -14)
    assert "precision_f16" not in {kind for kind, text in patterns(expected, rounded) if "hold" in text}


def test_errors_of_the_size_of_f16() -> None:
    g = np.random.default_rng(1)
    a, b = g.standard_normal((40, 256)), g.standard_normal((256, 30))
    actual = a.astype(np.float16).astype(float) @ b.astype(np.float16).astype(float)
    kind, text = first(a @ b, actual)
    assert kind == "precision_f16"
    assert text == "all elements are slightly off (about 0.0003 relative), as if inputs or sums had been rounded to f16"
    assert "precision_f16" not in {kind for kind, _ in patterns(a @ b, (a @ b) * (1 + g.normal(0, 0.02, (40, 30))))}


def test_a_lost_carry_grows() -> None:
    x = np.random.default_rng(0).integers(1, 100, 1024).astype(float)
    within = np.cumsum(x.reshape(-1, 64), axis=1).reshape(-1)
    kinds = [kind for kind, _ in patterns(np.cumsum(x), within)]
    assert kinds == ["group_law", "tail"]
    uneven = np.concatenate([np.cumsum(part) for part in np.split(x, [100, 350, 700])])
    assert patterns(np.cumsum(x), uneven) == [
        ("grows", "the errors grow with the index, as when a carry is lost or an error accumulates"),
        ("tail", "only elements ≥ 100 (the last 924 of 1,024)"),
    ]
    noise = np.cumsum(x) + np.random.default_rng(0).normal(0, 5, 1024)
    assert "grows" not in {kind for kind, _ in patterns(np.cumsum(x), noise)}


def test_the_number_of_patterns_is_limited_and_never_none() -> None:
    expected = truth(64, 64)
    actual = expected.copy()
    actual[3, 5] += 1
    assert len(patterns(expected, actual)) in range(1, 5)
    wrong = np.zeros((64, 64), dtype=bool)
    found = find_patterns(wrong, expected, expected.astype(F), np.full((64, 64), 1e-6), CONTEXT)
    assert [pattern.kind for pattern in found] == ["inaccurate"]


def test_one_element_a_little_off() -> None:
    text = "off by about 0.0002 relative, as much as rounding inputs or sums to f16 makes"
    assert patterns(np.array([3.0]), np.array([3.0006])) == [("precision_f16", text), ("scattered", "a single element")][:1]
    assert "precision_f16" not in {kind for kind, _ in patterns(np.array([3.0]), np.array([3.1]))}


def test_a_single_number_has_a_pattern_too() -> None:
    found = find_patterns(np.array(True), np.array(3.0), np.array(5.0, F), np.zeros(()), CONTEXT)
    assert [pattern.text for pattern in found] == ["a single element"]
