"""The forward pass on numpy, in float32 on dequantised weights: what every other backend is held against.

Source of the order of operations: the graphs of llama.cpp for llama, qwen2, qwen3 and gemma3 (`src/models`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ContextFull
from pixel_core.inference.config import ModelConfig
from pixel_core.inference.key_value_cache import KeyValueCache
from pixel_core.inference.rotate import rope_angles, rotate

Floats: TypeAlias = NDArray[np.float32]

LoadWeight = Callable[[str], Floats]
"""A tensor by name: float32, outermost axis first (a matrix as [rows, columns])."""

_CHUNK_TOKENS: Final = 256
"""Of a long prompt at a time: bounds the room that attention takes."""
_GELU_SCALE: Final = np.float32(np.sqrt(2.0 / np.pi))
_GELU_CUBE: Final = np.float32(0.044715)


class ReferenceBackend:
    """One model, wholly in memory as float32: four bytes for each weight.

    Args:
        config: Of the model.
        load: Gives each of `config.tensors()` once.
        context_length: Tokens of the cache; None for as many as the model was made for.
    """

    def __init__(self, config: ModelConfig, load: LoadWeight, *, context_length: int | None = None) -> None:
        self._config = config
        self._weights = {name: load(name) for name in config.tensors()}
        self._context_length = min(context_length or config.context_length, config.context_length)
        self._factors = self._weights.get("rope_freqs.weight")
        self._cache = KeyValueCache(
            layers=config.layer_count,
            heads=config.kv_head_count,
            head_length=config.head_length,
            context_length=self._context_length,
        )

    @property
    def config(self) -> ModelConfig:
        """Of the model."""
        return self._config

    @property
    def description(self) -> str:
        """What computes."""
        return "reference (numpy, float32)"

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return self._cache.length

    @property
    def context_length(self) -> int:
        """Tokens that the cache can hold."""
        return self._context_length

    def feed(self, tokens: Sequence[int]) -> Floats:
        """Take tokens; float32[vocabulary], the logits of what follows the last.

        Raises:
            ContextFull: They would not fit; the cache is as before.
            ValueError: One is none of the vocabulary, or there is none.
        """
        self._check(tokens)
        stream = np.zeros(0, np.float32)
        for start in range(0, len(tokens), _CHUNK_TOKENS):
            stream = self._run(tokens[start : start + _CHUNK_TOKENS])
        return self._logits(stream[-1:])[0]

    def feed_all(self, tokens: Sequence[int]) -> Floats:
        """Take tokens; float32[len(tokens), vocabulary], the logits of what follows each.

        Raises:
            ContextFull: They would not fit; the cache is as before.
            ValueError: One is none of the vocabulary, or there is none.
        """
        self._check(tokens)
        chunks = [tokens[start : start + _CHUNK_TOKENS] for start in range(0, len(tokens), _CHUNK_TOKENS)]
        return np.concatenate([self._logits(self._run(chunk)) for chunk in chunks])

    def truncate(self, length: int) -> None:
        """Forget what is behind the first `length` tokens of the cache.

        Raises:
            ValueError: The cache is shorter.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"the cache holds {self.length} tokens, not {length}")
        self._cache.truncate(length)

    def close(self) -> None:
        """Give back the weights."""
        self._weights = {}

    def _check(self, tokens: Sequence[int]) -> None:
        if not tokens:
            raise ValueError("there are no tokens to take")
        if not all(0 <= token < self._config.vocabulary_size for token in tokens):
            raise ValueError(f"a token is not between 0 and {self._config.vocabulary_size - 1}")
        if self.length + len(tokens) > self._context_length:
            raise ContextFull(
                f"{self.length + len(tokens):,} tokens do not fit into the context of {self._context_length:,}",
                hint="shorten the prompt, or ask for fewer tokens",
            )

    def _run(self, tokens: Sequence[int]) -> Floats:
        """float32[tokens, embedding_length]: the residual stream behind the last block."""
        config = self._config
        stream = self._weights["token_embd.weight"][list(tokens)] * np.float32(config.embedding_scale)
        self._cache.reserve(len(tokens))
        for layer in range(config.layer_count):
            attended = self._attend(layer, self._norm(f"blk.{layer}.attn_norm", stream))
            if config.has_post_norms:
                attended = self._norm(f"blk.{layer}.post_attention_norm", attended)
            stream = stream + attended
            fed = self._feed_forward(layer, self._norm(f"blk.{layer}.ffn_norm", stream))
            if config.has_post_norms:
                fed = self._norm(f"blk.{layer}.post_ffw_norm", fed)
            stream = stream + fed
        self._cache.advance(len(tokens))
        return stream

    def _attend(self, layer: int, rows: Floats) -> Floats:
        config = self._config
        start, count = self.length, len(rows)
        query = self._heads(f"blk.{layer}.attn_q", rows, config.head_count)
        key = self._heads(f"blk.{layer}.attn_k", rows, config.kv_head_count)
        value = self._heads(f"blk.{layer}.attn_v", rows, config.kv_head_count)
        if config.has_qk_norm:
            query, key = self._norm(f"blk.{layer}.attn_q_norm", query), self._norm(f"blk.{layer}.attn_k_norm", key)
        positions = np.arange(start, start + count)
        angles = rope_angles(config, layer, positions, self._factors)
        query, key = rotate(query, angles, config), rotate(key, angles, config)
        keys, values = self._cache.append(layer, key, value)
        seen = np.arange(start + count)
        hidden = seen[None, :] > positions[:, None]
        if config.is_local(layer):
            hidden |= seen[None, :] <= positions[:, None] - config.sliding_window
        # Query heads that share a key head stand side by side.
        grouped = query.reshape(config.kv_head_count, -1, count, config.head_length)
        scores = grouped @ keys[:, None].swapaxes(-1, -2) * np.float32(config.attention_scale)
        scores[..., hidden] = -np.inf
        mixed = _softmax(scores) @ values[:, None]
        joined = mixed.reshape(config.head_count, count, config.head_length).swapaxes(0, 1).reshape(count, -1)
        return self._multiply(f"blk.{layer}.attn_output.weight", joined)

    def _heads(self, name: str, rows: Floats, heads: int) -> Floats:
        """float32[heads, tokens, head_length]."""
        mixed = self._multiply(f"{name}.weight", rows)
        if self._config.has_qkv_bias:
            mixed = mixed + self._weights[f"{name}.bias"]
        return mixed.reshape(len(rows), heads, -1).swapaxes(0, 1)

    def _feed_forward(self, layer: int, rows: Floats) -> Floats:
        gate = self._multiply(f"blk.{layer}.ffn_gate.weight", rows)
        up = self._multiply(f"blk.{layer}.ffn_up.weight", rows)
        gate = _gelu(gate) if self._config.activation == "gelu" else _silu(gate)
        return self._multiply(f"blk.{layer}.ffn_down.weight", gate * up)

    def _logits(self, stream: Floats) -> Floats:
        name = "token_embd.weight" if self._config.is_output_tied else "output.weight"
        return self._multiply(name, self._norm("output_norm", stream))

    def _multiply(self, name: str, rows: Floats) -> Floats:
        """float32[tokens, rows of the matrix]."""
        return rows @ self._weights[name].T

    def _norm(self, name: str, rows: Floats) -> Floats:
        mean: Floats = np.asarray(np.mean(rows * rows, axis=-1, keepdims=True), np.float32)
        root: Floats = np.sqrt(mean + np.float32(self._config.epsilon))
        return rows / root * self._weights[f"{name}.weight"]


def _softmax(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _silu(gate: Floats) -> Floats:
    # The exponential of what is far below zero is infinite, and the quotient then rightly zero.
    with np.errstate(over="ignore"):
        return gate / (np.float32(1) + np.exp(-gate))


def _gelu(gate: Floats) -> Floats:
    return np.float32(0.5) * gate * (np.float32(1) + np.tanh(_GELU_SCALE * gate * (np.float32(1) + _GELU_CUBE * gate * gate)))
