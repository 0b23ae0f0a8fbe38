"""The types of ggml, beside what the `gguf` package says of them."""

from __future__ import annotations

import gguf
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.weights.ggml_types import GgmlType


def test_every_type_of_the_peer_is_known_with_its_block() -> None:
    expected = {kind.name: (kind.value, *size) for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert {kind.name: (kind.value, kind.block_length, kind.block_bytes) for kind in GgmlType} == expected


def test_an_unknown_number_names_the_tensor() -> None:
    with pytest.raises(ModelFileError, match=r"tensor `a` has the unknown type number 999"):
        GgmlType.from_number(999, "a")


def test_a_removed_type_says_what_it_was() -> None:
    with pytest.raises(ModelFileError, match=r"tensor `a` has the type 31 \(Q4_0_4_4\), which ggml has removed") as caught:
        GgmlType.from_number(31, "a")
    assert caught.value.hint == "quantise the model anew with a llama.cpp of today"
