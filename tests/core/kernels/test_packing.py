"""What a packed output may differ from its truth: by the steps of the truth, never by those that a kernel wrote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from array_testing import NOWHERE, buffer, case, contract
from pixel_core.kernels.bounded import from_input
from pixel_core.kernels.codecs import decode, encode
from pixel_core.kernels.contract import Compare
from pixel_core.kernels.evaluate import held_by
from pixel_core.kernels.hold_output import hold_output
from pixel_core.kernels.packing import pack_truth
from pixel_core.kernels.patterns import PatternContext

NO_CONTEXT = PatternContext(workgroup_size=(1, 1, 1), tiles=(), inputs={})


def check(codec: str, truth: Any, written: Any, wrong: int, mode: str | None = None) -> None:
    """So many of the values that a kernel wrote are wrong; each is one that the codec can say."""
    values = np.asarray(truth, np.float32)
    plan = buffer("y", values.shape, "u32", role="out", codec=codec)
    asked = contract({"y": "x"})
    if mode is not None:
        asked = replace(asked, compare={"y": Compare(mode=mode, span=NOWHERE)})
    expected = held_by(plan, from_input(values, "f32"))
    actual = np.asarray(written, np.float32)
    result = hold_output(asked, case(plan), {}, "y", expected, actual, NO_CONTEXT, pack_truth(plan, expected))
    assert (0 if result.mismatch is None else result.mismatch.wrong) == wrong


ROW = np.linspace(-1, 1, 32)


def quantised(codec: str, values: Any, factor: float = 1.0) -> Any:
    """What packing and unpacking makes of values; `factor` widens the steps."""
    widened = np.asarray(values, np.float32).copy()
    widened[0] *= factor
    kept = decode(codec, encode(codec, widened), widened.shape)
    kept[0] /= factor
    return kept


@pytest.mark.parametrize("codec", ["q4_0", "q8_0", "unorm8x4", "f16x2"])
def test_what_the_codec_makes_of_the_truth_is_right(codec: str) -> None:
    check(codec, abs(ROW), quantised(codec, abs(ROW)), 0)
    check(codec, abs(ROW), quantised(codec, abs(ROW)), 0, "exact")


def test_wider_steps_are_no_excuse() -> None:
    wide = quantised("q8_0", ROW, 10)
    error = abs(wide - ROW)
    assert error.max() < 0.5 * abs(10 / 127)  # right by the steps that were written
    check("q8_0", ROW, wide, int((error > 0.6 / 127 + abs(quantised("q8_0", ROW)) * 2**-10).sum()))


def test_either_of_two_neighbours_is_right_where_the_number_lies_between_them() -> None:
    check("unorm8x4", [10.45 / 255, 10.55 / 255, 10.7 / 255, 1], np.array([10, 10, 10, 255]) / 255, 1)
    check("unorm8x4", [10.45 / 255, 10.55 / 255, 10.7 / 255, 1], np.array([10, 10, 11, 255]) / 255, 1, "exact")


def test_what_lies_beyond_the_format_is_expected_at_its_end() -> None:
    check("unorm8x4", [1.5, -2, 0.2, 0], [1, 0, 0.2, 0], 0)
    check("unorm8x4", [1.5, -2, 0.2, 0], [254 / 255, 0, 0.2, 0], 1)
    both_signs = np.resize([8.0, -8.0], 32)  # q4_0 has no step for the second
    assert quantised("q4_0", both_signs)[1] == -7
    check("q4_0", both_signs, quantised("q4_0", both_signs), 0)


def test_halves_are_judged_as_halves() -> None:
    check("f16x2", [0.1, 70000], [np.float16(0.1), np.inf], 0)
    check("f16x2", [0.1, 0.2], [np.float16(0.1), np.float16(0.2) + 2**-11], 1)
    check("f16x2", [0.1, 0.2], np.float16([0.1, 0.2]), 0, "ulp")
