"""The reference against llama.cpp, logit by logit, on random models of every architecture and type.

How far may they be apart? llama.cpp rounds the activations before it multiplies them with weights: to float16 for F16, to bfloat16 for
BF16, and to eight bits in blocks of 32 (256 for K-quants) for quantised types; for float32 weights it only adds in another order. So the
reference is run a few times with activations that are moved at random by at most such a rounding. σ, the root mean square of what this
does to the logits, is the expected distance; a wrong sign, pair, bias or norm moves them by their whole spread. Allowed: 2σ in the mean,
8σ for the largest of some ten thousand logits (a normal distribution reaches 4σ).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_testing.llama_cpp_peer import LlamaCppPeer
from model_testing.random_models import ARCHITECTURES, TYPES, RandomModel
from pixel_core.errors import ContextFull
from pixel_core.inference.config import ModelConfig, read_config
from pixel_core.inference.open_backend import open_backend
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.reference_backend import Floats, ReferenceBackend
from pixel_core.weights.dequantize import dequantize
from pixel_core.weights.model_file import open_model

Write = Callable[[RandomModel], Path]

RUNS = 2
TOKENS = 24
SHAPES = {
    "llama": RandomModel(architecture="llama"),
    "qwen2": RandomModel(architecture="qwen2", is_output_tied=True),
    "qwen3": RandomModel(architecture="qwen3", head_length=128),
    "gemma3": RandomModel(architecture="gemma3", vocabulary="llama", is_output_tied=True),
}


class RoundingBackend(ReferenceBackend):
    """The reference, with activations that are moved as a rounding might move them."""

    def prepare(self, kind: str, seed: int) -> RoundingBackend:
        self.kind, self.random = kind, np.random.default_rng(seed)
        return self

    def _multiply(self, name: str, rows: Floats) -> Floats:
        step = self._step(rows)
        if self._config.activation == "gelu" and "ffn_down" in name:
            # llama.cpp looks GELU up in a table of float16, by a float16.
            step = np.maximum(step, np.abs(rows) * 2.0**-10)
        noise = self.random.uniform(-0.5, 0.5, rows.shape)
        return super()._multiply(name, (rows + noise * step).astype(np.float32))

    def _step(self, rows: Floats) -> NDArray[np.float64]:
        """Distance between the values that a rounding may give, around each value."""
        if self.kind == "F32":
            # A sum of n products in another order is off by about √n units of the last place.
            return np.abs(rows) * 2.0**-23 * rows.shape[-1] ** 0.5
        if self.kind in {"F16", "BF16"}:
            return np.abs(rows) * (2.0**-10 if self.kind == "F16" else 2.0**-7)
        block = 256 if self.kind.endswith("K") else 32
        largest = np.abs(rows.reshape(len(rows), -1, block)).max(axis=-1)
        return np.repeat(largest / 127.0, block, axis=-1)


def read(path: Path) -> tuple[ModelConfig, dict[str, Floats]]:
    with open_model(path) as file:
        config = read_config(PlainMetadata(file.metadata), {name: tensor.shape for name, tensor in file.tensors.items()})
        return config, {name: dequantize(tensor.type, file.blocks(name), tensor.shape) for name, tensor in file.tensors.items()}


def some_tokens(config: ModelConfig) -> list[int]:
    return np.random.default_rng(3).integers(3, config.vocabulary_size, TOKENS).tolist()


def check_against_llama_cpp(path: Path, kind: str) -> None:
    config, weights = read(path)
    tokens = some_tokens(config)
    logits = ReferenceBackend(config, weights.__getitem__).feed_all(tokens)
    moved = [RoundingBackend(config, weights.__getitem__).prepare(kind, seed).feed_all(tokens) - logits for seed in range(RUNS)]
    sigma = float(np.sqrt(np.mean(np.square(moved))))
    peer = LlamaCppPeer(path, exact_cache=True)
    try:
        distance = np.abs(peer.logits(tokens) - logits)
    finally:
        peer.close()
    assert sigma < 0.1 * logits.std(), "a bound that a wrong model would keep is none"
    assert np.sqrt(np.mean(distance**2)) < 2 * sigma
    assert distance.max() < 8 * sigma


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_are_those_of_llama_cpp(architecture: str, kind: str, random_model: Write) -> None:
    shape = SHAPES[architecture]
    model = RandomModel(**{name: getattr(shape, name) for name in RandomModel.__dataclass_fields__} | {"type": kind})
    check_against_llama_cpp(random_model(model), kind)


@pytest.mark.parametrize(
    "model",
    [
        RandomModel(has_rope_factors=True),
        RandomModel(metadata={"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}),
        RandomModel(kv_heads=4),
        RandomModel(kv_heads=1, head_length=32, heads=8),
        # Five layers see three tokens, the sixth sees all.
        RandomModel(architecture="gemma3", layers=6, sliding_window=3, head_length=32, vocabulary="llama"),
    ],
)  # fmt: skip
def test_rope_and_heads_of_other_shapes(model: RandomModel, random_model: Write) -> None:
    check_against_llama_cpp(random_model(model), "F32")


@pytest.fixture
def backend(random_model: Write) -> ReferenceBackend:
    config, weights = read(random_model(RandomModel()))
    return ReferenceBackend(config, weights.__getitem__, context_length=64)


def test_tokens_in_portions_give_the_logits_of_all_at_once(backend: ReferenceBackend) -> None:
    tokens = some_tokens(backend.config)
    whole = backend.feed_all(tokens)
    backend.truncate(0)
    parts = [backend.feed(tokens[:1]), backend.feed(tokens[1:7]), backend.feed(tokens[7:])]
    for part, index in zip(parts, (0, 6, TOKENS - 1), strict=True):
        # The same sums in matrices of another height, which the library may add up in another order.
        assert np.abs(part - whole[index]).max() < 1e-4
    assert backend.length == TOKENS


def test_a_truncated_cache_goes_on_as_if_nothing_had_been(backend: ReferenceBackend) -> None:
    tokens = some_tokens(backend.config)
    backend.feed(tokens[:5])
    expected = backend.feed(tokens[5:6])
    backend.feed(tokens[20:30])
    backend.truncate(5)
    assert np.array_equal(backend.feed(tokens[5:6]), expected)


def test_a_full_context_takes_nothing_more_and_stays_as_it_is(backend: ReferenceBackend) -> None:
    backend.feed([1] * 60)
    with pytest.raises(ContextFull, match="65 tokens do not fit into the context of 64"):
        backend.feed([1] * 5)
    assert backend.length == 60
    backend.feed([1] * 4)
    assert backend.length == 64


def test_what_is_no_token_is_refused(backend: ReferenceBackend) -> None:
    for tokens in ([], [-1], [backend.config.vocabulary_size]):
        with pytest.raises(ValueError, match="token"):
            backend.feed(tokens)
    with pytest.raises(ValueError, match="the cache holds 0 tokens"):
        backend.truncate(1)


def test_the_file_opens_as_the_reference(random_model: Write) -> None:
    path = random_model(RandomModel())
    config, weights = read(path)
    tokens = some_tokens(config)
    with open_model(path) as file:
        opened, reason = open_backend("reference", file, config, 100)
    assert reason == ""
    assert opened.context_length == 100
    assert np.array_equal(opened.feed(tokens), ReferenceBackend(config, weights.__getitem__).feed(tokens))
