"""Values of blocks, bit for bit beside the `gguf` package; random bytes hold every scale there is, infinities too."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.weights.dequantize import DEQUANTIZERS, dequantize
from pixel_core.weights.ggml_types import GgmlType


@pytest.mark.parametrize("kind", DEQUANTIZERS, ids=lambda kind: kind.name)
def test_equals_the_peer_bit_for_bit(kind: GgmlType) -> None:
    rows, columns = 23, 512
    blocks = np.random.default_rng(int(kind)).integers(0, 256, (rows, columns // kind.block_length * kind.block_bytes), dtype=np.uint8)
    with np.errstate(all="ignore"):
        expected = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType(int(kind)))
    values = dequantize(kind, blocks.tobytes(), (columns, rows))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values.view(np.uint32), expected.view(np.uint32))


def test_many_blocks_are_computed_in_parts() -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (40_000, 34), dtype=np.uint8)
    with np.errstate(all="ignore"):
        expected = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(dequantize(GgmlType.Q8_0, blocks, (32, 40_000)).view(np.uint32), expected.view(np.uint32))


def test_axes_are_those_of_numpy() -> None:
    values = dequantize(GgmlType.F32, np.arange(24, dtype=np.float32).tobytes(), (4, 3, 2))
    np.testing.assert_array_equal(values, np.arange(24, dtype=np.float32).reshape(2, 3, 4))


def test_a_type_that_cannot_be_computed_is_named() -> None:
    with pytest.raises(ModelFileError, match=r"values of the type IQ2_XXS cannot be computed here; F32, F16, BF16, Q4_0, .* can"):
        dequantize(GgmlType.IQ2_XXS, bytes(66), (256,))


def test_too_few_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"17 bytes are no Q4_0 of the shape \[32\]"):
        dequantize(GgmlType.Q4_0, bytes(17), (32,))
