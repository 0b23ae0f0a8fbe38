"""The toy of 8 → 16 → 8: its file, its words, its arithmetic and its text. What it does on a device, tests/test_toy_demo.py says."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from pixel_core.errors import ModelUnusable, RequestRefused
from pixel_core.toy.mlp import LAYERS, ToyMlp, read_texels
from pixel_core.toy.vocabulary import ToyVocabulary
from pixel_core.toy.write_text import write_text
from pixel_core.weights.dequantize import dequantize
from pixel_core.weights.pxi import Pxi, open_pxi
from pixel_core.weights.verify_pxi import verify_pxi

REPOSITORY = Path(__file__).parents[3]
FILE = REPOSITORY / "models" / "toy.pxi"
WORDS = ("<end>", "the", "weights", "are", "pixels", "and", "think", ".")
VOCABULARY = ToyVocabulary(WORDS)


@pytest.fixture(scope="module")
def model() -> Iterator[Pxi]:
    with open_pxi(FILE) as opened:
        yield opened


@pytest.fixture(scope="module")
def texels(model: Pxi) -> dict[str, NDArray[np.uint32]]:
    return read_texels(model)


def test_the_file_is_what_its_script_makes(tmp_path: Path) -> None:
    again = tmp_path / "toy.pxi"
    subprocess.run((sys.executable, REPOSITORY / "scripts" / "make_toy_weights.py", again), check=True, capture_output=True, timeout=120)
    assert again.read_bytes() == FILE.read_bytes()
    assert not verify_pxi(again).damages


def test_words_and_tokens() -> None:
    assert VOCABULARY.encode("The weights are pixels.") == [1, 2, 3, 4, 7]
    assert VOCABULARY.decode([0, 1, 2, 3, 4, 7, 0]) == "the weights are pixels."
    assert VOCABULARY.encode("") == []


@pytest.mark.parametrize("word", ["cats", "<end>"])
def test_a_word_without_a_token_is_refused(word: str) -> None:
    with pytest.raises(RequestRefused, match=f"the toy does not know the word `{word}`"):
        VOCABULARY.encode(f"the {word}")


def test_a_vector_holds_the_last_three_tokens() -> None:
    assert VOCABULARY.vector([]).tolist() == [0] * 8
    assert VOCABULARY.vector([5, 1, 2, 7]).tolist() == [0, 0.25, 0.5, 0, 0, 0, 0, 1]
    assert VOCABULARY.vector([4, 4, 4]).tolist() == [0, 0, 0, 0, 1.75, 0, 0, 0]


def test_the_file_holds_the_words(model: Pxi) -> None:
    assert model.metadata["tokenizer.ggml.tokens"].value == WORDS


def test_scores_are_the_exact_ones(model: Pxi, texels: dict[str, NDArray[np.uint32]]) -> None:
    """For every input that there is, float32 has the very numbers that fractions give."""
    contexts = [row for length in range(4) for row in itertools.product(range(8), repeat=length)]
    found = ToyMlp(texels).forward(np.array([VOCABULARY.vector(row) for row in contexts]))
    layers = {name: exact(model, tensor) for name, (tensor, _) in LAYERS.items()}
    for row, (context, scores, chosen) in enumerate(zip(contexts, found.scores, found.next, strict=True)):
        x = [sum((Fraction(1, 2**age) for age, one in enumerate(reversed(context)) if one == token), Fraction()) for token in range(8)]
        hidden = [max(value, Fraction()) for value in affine(layers["up"], layers["up_bias"][0], x)]
        expected = affine(layers["down"], layers["down_bias"][0], hidden)
        assert [Fraction(float(score)) for score in scores] == expected, row
        assert chosen == expected.index(max(expected)), row


def exact(model: Pxi, name: str) -> list[list[Fraction]]:
    tensor = model.tensors[name]
    values = dequantize(tensor.type, model.blocks(name), tensor.shape)
    return [[Fraction(float(value)) for value in row] for row in np.atleast_2d(values)]


def affine(matrix: list[list[Fraction]], bias: list[Fraction], x: list[Fraction]) -> list[Fraction]:
    return [sum((w * value for w, value in zip(row, x, strict=True)), start) for row, start in zip(matrix, bias, strict=True)]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("", "the weights are pixels and the pixels think."),
        ("The weights", "the weights are pixels and the pixels think."),
        ("and the", "and the pixels think."),
        ("weights are", "weights are pixels and the pixels think."),
    ],
)
def test_what_it_writes(texels: dict[str, NDArray[np.uint32]], prompt: str, text: str) -> None:
    assert write_text(ToyMlp(texels).forward, VOCABULARY, prompt) == text


def test_a_text_has_a_greatest_length(texels: dict[str, NDArray[np.uint32]]) -> None:
    assert write_text(ToyMlp(texels).forward, VOCABULARY, max_tokens=2) == "the weights"


@pytest.mark.parametrize("value", [1 / 64, 2.5, np.nan, np.inf])
def test_weights_that_would_be_rounded_are_refused(texels: dict[str, NDArray[np.uint32]], value: float) -> None:
    changed = texels["up"].copy()
    changed.view(np.float32)[3, 1, 2] = value
    with pytest.raises(ModelUnusable, match="`up` of the toy holds weights that are not multiples of 1/32 of at most 2"):
        ToyMlp({**texels, "up": changed})


@pytest.mark.parametrize("x", [np.full((1, 8), 0.1), np.full((1, 8), 2.25), np.zeros((1, 7)), np.zeros(8)])
def test_inputs_that_would_be_rounded_are_refused(texels: dict[str, NDArray[np.uint32]], x: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="inputs are"):
        ToyMlp(texels).forward(x.astype(np.float32))


def test_another_model_is_refused(model: Pxi) -> None:
    tensors = {name: tensor for name, tensor in model.tensors.items() if "down" not in name}
    other = SimpleNamespace(path=Path("other.gguf"), tensors=tensors)
    with pytest.raises(ModelUnusable, match=r"other\.gguf is not the toy model: it needs a tensor `blk\.0\.ffn_down\.weight`"):
        read_texels(cast("Pxi", other))
