"""The forward pass of `DeviceBackend` on numpy, bit for bit: what the device is held against where every rounding is the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pixel_core.errors import ContextFull
from pixel_core.inference.exact.arithmetic import Activations, Floats, activate, as_half, head_factor, quantise, rms_factor
from pixel_core.inference.exact.attention import attend, turn
from pixel_core.inference.exact.read_matrix import Matrix, read_matrix
from pixel_core.inference.rope_table import rope_table
from pixel_core.weights.dequantize import dequantize

if TYPE_CHECKING:
    from pixel_core.inference.config import ModelConfig
    from pixel_core.weights.model_file import ModelFile


class ExactBackend:
    """Fulfils `Backend`. Four bytes for each weight.

    Args:
        model: Only read while this is made.
        config: What its metadata says.
        context_length: Tokens that the cache holds.

    Raises:
        ModelUnusable: The model has what no kernel computes.
    """

    def __init__(self, model: ModelFile, config: ModelConfig, *, context_length: int = 2048) -> None:
        self.config = config
        self.context_length = min(context_length, config.context_length)
        self.description = "exact (numpy, the device's arithmetic)"
        self._length = 0
        self._matrices: dict[str, Matrix] = {}
        self._vectors: dict[str, Floats] = {}
        for name in self.config.tensors():
            tensor = model.tensors[name]
            if tensor.rows > 1:
                self._matrices[name] = read_matrix(model, name)
            else:
                self._vectors[name] = dequantize(tensor.type, model.blocks(name), tensor.shape).reshape(-1)
        shape = (config.layer_count, self.context_length, config.kv_head_count, config.head_length)
        self._keys, self._values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        factors = self._vectors.get("rope_freqs.weight")
        self._turns = [
            rope_table(self.context_length, config.rope.length, config.rope_base(layer), config.rope_scale(layer), factors)
            for layer in range(config.layer_count)
        ]

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return self._length

    def feed(self, tokens: Sequence[int]) -> Floats:
        """As `Backend.feed`."""
        return self._logits(self._run(tokens)[-1:])[0]

    def feed_all(self, tokens: Sequence[int]) -> Floats:
        """As `Backend.feed_all`."""
        return self._logits(self._run(tokens))

    def truncate(self, length: int) -> None:
        """As `Backend.truncate`."""
        if not 0 <= length <= self._length:
            raise ValueError(f"the cache holds {self._length} tokens, not {length}")
        self._length = length

    def close(self) -> None:
        """As `Backend.close`."""
        self._matrices.clear()

    def _run(self, tokens: Sequence[int]) -> Floats:
        if not tokens or any(not 0 <= one < self.config.vocabulary_size for one in tokens):
            raise ValueError("no tokens, or one is none of the vocabulary")
        if self._length + len(tokens) > self.context_length:
            raise ContextFull(f"{self._length + len(tokens):,} tokens do not fit into the context of {self.context_length:,}")
        x = self._matrices["token_embd.weight"].rows(list(tokens)) * np.float32(self.config.embedding_scale)
        for layer in range(self.config.layer_count):
            prefix = f"blk.{layer}."
            attended = self._attention(layer, self._norm(f"{prefix}attn_norm.weight", x))
            x = x + self._back(f"{prefix}attn_output.weight", f"{prefix}post_attention_norm.weight", attended)
            normed = self._norm(f"{prefix}ffn_norm.weight", x)
            gate, up = (self._multiply(f"{prefix}ffn_{one}.weight", normed) for one in ("gate", "up"))
            fed = quantise(activate(gate, gelu=self.config.activation == "gelu") * up)
            x = x + self._back(f"{prefix}ffn_down.weight", f"{prefix}post_ffw_norm.weight", fed)
        self._length += len(tokens)
        return x

    def _attention(self, layer: int, normed: Activations) -> Activations:
        config, prefix, start = self.config, f"blk.{layer}.", self._length
        tokens = len(normed.d)
        turns = self._turns[layer][start : start + tokens]
        parts: list[Floats] = []
        for which, heads in (("q", config.head_count), ("k", config.kv_head_count), ("v", config.kv_head_count)):
            part = self._multiply(f"{prefix}attn_{which}.weight", normed)
            plain = part.reshape(tokens, heads, config.head_length)
            if config.has_qkv_bias:
                part = part + self._vectors[f"{prefix}attn_{which}.bias"]
            part = part.reshape(tokens, heads, config.head_length)
            if config.has_qk_norm and which != "v":
                part = (part * head_factor(plain, config.epsilon)) * self._vectors[f"{prefix}attn_{which}_norm.weight"]
            parts.append(part if which == "v" else turn(part, turns, halves=config.rope.pairs == "halves"))
        q = (parts[0] * np.float32(config.attention_scale)).reshape(tokens, config.kv_head_count, -1, config.head_length)
        self._keys[layer, start : start + tokens] = as_half(parts[1])
        self._values[layer, start : start + tokens] = as_half(parts[2])
        made = np.empty((tokens, config.head_count * config.head_length), np.float32)
        for token in range(tokens):
            end = start + token + 1
            oldest = max(0, end - config.sliding_window) if config.is_local(layer) else 0
            made[token] = attend(q[token], self._keys[layer, oldest:end], self._values[layer, oldest:end], oldest).reshape(-1)
        return quantise(made)

    def _back(self, name: str, norm: str, x: Activations) -> Floats:
        given = self._multiply(name, x)
        return self._floats_of_norm(norm, given) if self.config.has_post_norms else given

    def _norm(self, name: str, x: Floats) -> Activations:
        return quantise(self._floats_of_norm(name, x))

    def _floats_of_norm(self, name: str, x: Floats) -> Floats:
        return np.asarray((x * rms_factor(x, self.config.epsilon)) * self._vectors[name], np.float32)

    def _multiply(self, name: str, x: Activations) -> Floats:
        return self._matrices[name].multiply(x)

    def _logits(self, x: Floats) -> Floats:
        normed = self._norm("output_norm.weight", x)
        return self._multiply("token_embd.weight" if self.config.is_output_tied else "output.weight", normed)
