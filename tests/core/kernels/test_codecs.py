"""Our packed formats are ggml's, bit for bit: the `gguf` package is the witness."""

from __future__ import annotations

import gguf
import numpy as np
import pytest
from gguf import quants
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixel_core.kernels.codecs import decode, encode, packed_size
from pixel_core.kernels.expressions import ExpressionProblem

GGUF_TYPES = {"q4_0": gguf.GGMLQuantizationType.Q4_0, "q8_0": gguf.GGMLQuantizationType.Q8_0}

HOSTILE = {
    "zeros": np.zeros(32),
    "negative zeros": -np.zeros(32),
    "one spike": np.eye(1, 32, 5)[0] * 7,
    "one negative spike": np.eye(1, 32, 31)[0] * -7,
    "equal magnitudes of both signs": np.resize([3.0, -3.0], 32),
    "the scale is a subnormal f16": np.linspace(-1e-5, 1e-5, 32),
    "the scale vanishes as f16": np.linspace(-1e-9, 1e-9, 32),
    "the values are subnormal": np.linspace(-1e-40, 1e-40, 32),
    "the scale is infinite as f16": np.linspace(-1e7, 1e7, 32),
    "halves": np.arange(32) - 15.5,
    "all steps": np.arange(32.0) * 8 - 127,
}


def check_against_gguf(codec: str, values: np.ndarray) -> None:
    values = values.astype(np.float32)
    with np.errstate(all="ignore"):
        theirs = quants.quantize(values, GGUF_TYPES[codec])
        assert encode(codec, values)[: theirs.nbytes] == theirs.tobytes()
        ours = decode(codec, theirs.tobytes(), values.shape)
        assert ours.tobytes() == quants.dequantize(theirs, GGUF_TYPES[codec]).tobytes()


@pytest.mark.parametrize("codec", GGUF_TYPES)
@pytest.mark.parametrize("block", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_blocks_are_packed_as_gguf_packs_them(codec: str, block: np.ndarray) -> None:
    check_against_gguf(codec, block[None, :])


@pytest.mark.parametrize("codec", GGUF_TYPES)
@pytest.mark.parametrize("width", [1.0, 1e-4, 1e4])
def test_random_matrices_are_packed_as_gguf_packs_them(codec: str, width: float) -> None:
    check_against_gguf(codec, np.random.default_rng(7).normal(0, width, (500, 96)))


BLOCKS = arrays(np.float32, (2, 32), elements=st.floats(-60000, 60000, width=32))


@pytest.mark.parametrize("codec", ["q4_0", "q8_0", "f16x2"])
@settings(max_examples=200, deadline=None)
@given(values=BLOCKS)
def test_what_was_kept_is_kept_again(codec: str, values: np.ndarray) -> None:
    """The truth is computed from decoded values, and the buffer is encoded from them: both must be the same numbers."""
    kept = decode(codec, encode(codec, values), values.shape)
    again = decode(codec, encode(codec, kept), values.shape)
    assert np.array_equal(again, kept)


def test_f16x2_puts_the_first_value_into_the_low_half() -> None:
    assert encode("f16x2", np.array([1.0, -2.0])) == (0xC0003C00).to_bytes(4, "little")
    assert decode("f16x2", (0xC0003C00).to_bytes(4, "little"), (2,)).tolist() == [1.0, -2.0]


@pytest.mark.parametrize(
    ("codec", "shape", "size"), [("q4_0", (1, 32), 20), ("q4_0", (2, 32), 36), ("q8_0", (32,), 36), ("f16x2", (6,), 12)]
)
def test_buffers_end_at_a_whole_word(codec: str, shape: tuple[int, ...], size: int) -> None:
    assert packed_size(codec, shape) == size
    assert len(encode(codec, np.ones(shape))) == size


def test_rows_must_be_whole_blocks() -> None:
    with pytest.raises(ExpressionProblem, match=r"^q4_0 packs 32 values into a block; the last axis has 48$"):
        encode("q4_0", np.ones((2, 48)))


def test_four_whole_numbers_in_a_word() -> None:
    packed = encode("u8x4", np.array([1, 2, 254, 255], np.uint32))
    assert packed == bytes([1, 2, 254, 255])
    values = decode("u8x4", packed, (4,))
    assert (values.dtype, values.tolist()) == (np.uint32, [1, 2, 254, 255])


def test_four_normalised_levels_in_a_word() -> None:
    """As `pack4x8unorm`: ⌊0.5 + 255 · e⌋ of what is held between 0 and 1."""
    packed = encode("unorm8x4", np.array([-1, 0.5, 1 / 255, 7], np.float32))
    assert packed == bytes([0, 128, 1, 255])
    assert decode("unorm8x4", packed, (4,)).tolist() == [0, np.float32(128) / np.float32(255), np.float32(1) / np.float32(255), 1]


@pytest.mark.parametrize("codec", ["u8x4", "unorm8x4"])
def test_every_byte_is_kept(codec: str) -> None:
    every = bytes(range(256))
    assert encode(codec, decode(codec, every, (256,))) == every
