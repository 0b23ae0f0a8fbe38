"""What a model is: sizes, rope, norms and biases, read from the metadata of a GGUF or PXI file.

Keys and defaults follow the GGUF specification (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) and what llama.cpp does where
the specification is silent. Weights have the names and the ggml order (innermost axis first) that GGUF gives them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pixel_core.errors import ModelUnusable
from pixel_core.inference.read_metadata import MetadataReader

Architecture: TypeAlias = Literal["llama", "qwen2", "qwen3", "gemma3"]
RopePairs: TypeAlias = Literal["adjacent", "halves"]
"""Which two components a rotation turns: `2i` and `2i + 1`, or `i` and `i + n/2` (llama.cpp: NORM and NEOX)."""
Activation: TypeAlias = Literal["silu", "gelu"]
"""Of the gate of the feed-forward network: x · sigmoid(x), or the tanh form of GELU."""

Shape: TypeAlias = tuple[int, ...]

_ARCHITECTURES: Final[Mapping[str, Architecture]] = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3": "gemma3"}
_GEMMA_PATTERN: Final = 6
_GEMMA_27B_LAYERS: Final = 62
_LOCAL_ROPE_BASE: Final = 10_000.0
_LONGEST_CONTEXT: Final = 1 << 24
_WIDEST: Final = 1 << 18
_MOST_LAYERS: Final = 1 << 10
_MOST_TOKENS: Final = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Rope:
    """How positions enter: the pair `i` of a head turns by `position · scale / (base^(2i / length) · factor[i])`.

    Attributes:
        pairs: Which components make a pair.
        length: Components of a head that turn; the rest stays. Even.
        base: θ of the layers that see everything.
        local_base: θ of the layers with a sliding window.
        scale: Of the positions of layers that see everything: 1 / factor of linear scaling, else 1. Local layers are never scaled.
        has_factors: `rope_freqs.weight` holds one factor per pair (Llama 3.1 and later); otherwise all are 1.
    """

    pairs: RopePairs
    length: int
    base: float
    local_base: float
    scale: float
    has_factors: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Everything that a forward pass has to know, apart from the weights.

    Attributes:
        architecture: As in `general.architecture`.
        name: As in `general.name`; empty where there is none.
        context_length: Tokens that the model was made for.
        vocabulary_size: Rows of the embedding; logits of a token.
        embedding_length: Components of the residual stream.
        layer_count: Blocks.
        feed_forward_length: Components between `ffn_up` and `ffn_down`.
        head_count: Query heads.
        kv_head_count: Key and value heads; each serves `head_count / kv_head_count` query heads in a row.
        head_length: Components of a head. `head_count * head_length` need not be `embedding_length`.
        epsilon: Of every RMS norm.
        rope: How positions enter.
        activation: Of the gate.
        attention_scale: What a query·key is multiplied with.
        embedding_scale: What an embedding is multiplied with before the first block.
        sliding_window: A local layer sees a position and the `sliding_window - 1` before it; 0 where no layer is local.
        sliding_pattern: Each `sliding_pattern`-th layer sees everything, the others are local; 0 where no layer is local.
        has_qkv_bias: `attn_q.bias`, `attn_k.bias` and `attn_v.bias` are added.
        has_qk_norm: Each head of queries and keys is normalised before rope.
        has_post_norms: What attention and feed-forward give is normalised before it is added.
        is_output_tied: The logits use the embedding; otherwise `output.weight`.
    """

    architecture: Architecture
    name: str
    context_length: int
    vocabulary_size: int
    embedding_length: int
    layer_count: int
    feed_forward_length: int
    head_count: int
    kv_head_count: int
    head_length: int
    epsilon: float
    rope: Rope
    activation: Activation
    attention_scale: float
    embedding_scale: float
    sliding_window: int
    sliding_pattern: int
    has_qkv_bias: bool
    has_qk_norm: bool
    has_post_norms: bool
    is_output_tied: bool

    def is_local(self, layer: int) -> bool:
        """Whether a layer (from 0) sees its sliding window alone."""
        return self.sliding_pattern > 0 and (layer + 1) % self.sliding_pattern != 0

    def rope_base(self, layer: int) -> float:
        """θ of a layer."""
        return self.rope.local_base if self.is_local(layer) else self.rope.base

    def rope_scale(self, layer: int) -> float:
        """Scale of the positions of a layer."""
        return 1.0 if self.is_local(layer) else self.rope.scale

    def tensors(self) -> dict[str, Shape]:
        """Every tensor that the forward pass reads, with its shape in ggml order."""
        width, query, key = self.embedding_length, self.head_count * self.head_length, self.kv_head_count * self.head_length
        shapes: dict[str, Shape] = {"token_embd.weight": (width, self.vocabulary_size), "output_norm.weight": (width,)}
        if not self.is_output_tied:
            shapes["output.weight"] = (width, self.vocabulary_size)
        if self.rope.has_factors:
            shapes["rope_freqs.weight"] = (self.rope.length // 2,)
        for layer in range(self.layer_count):
            block: dict[str, Shape] = {
                "attn_norm.weight": (width,),
                "attn_q.weight": (width, query),
                "attn_k.weight": (width, key),
                "attn_v.weight": (width, key),
                "attn_output.weight": (query, width),
                "ffn_norm.weight": (width,),
                "ffn_gate.weight": (width, self.feed_forward_length),
                "ffn_up.weight": (width, self.feed_forward_length),
                "ffn_down.weight": (self.feed_forward_length, width),
            }
            if self.has_qkv_bias:
                block |= {"attn_q.bias": (query,), "attn_k.bias": (key,), "attn_v.bias": (key,)}
            if self.has_qk_norm:
                block |= {"attn_q_norm.weight": (self.head_length,), "attn_k_norm.weight": (self.head_length,)}
            if self.has_post_norms:
                block |= {"post_attention_norm.weight": (width,), "post_ffw_norm.weight": (width,)}
            shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
        return shapes


def read_config(metadata: Mapping[str, object], tensors: Mapping[str, Sequence[int]]) -> ModelConfig:
    """Read the configuration of a model.

    Args:
        metadata: All key-values of the file, as plain numbers, texts, truth values and sequences of those.
        tensors: Shape of each tensor of the file, in ggml order (innermost axis first).

    Raises:
        ModelUnusable: Something is missing, contradicts itself, or is of a kind that is not computed here; one sentence says what.
    """
    read = MetadataReader(metadata)
    name = read.text("general.architecture")
    architecture = _ARCHITECTURES.get(name)
    if architecture is None:
        raise ModelUnusable(f"the architecture `{name}` is not supported", hint=f"models of these can run: {', '.join(_ARCHITECTURES)}")
    read = read.of(architecture)
    if read.integer("expert_count", default=0, low=0, high=_WIDEST):
        raise ModelUnusable("models with experts (mixture of experts) are not supported", hint="take a dense model")
    width = read.integer("embedding_length", high=_WIDEST)
    heads = read.integer("attention.head_count", high=_WIDEST)
    kv_heads = read.integer("attention.head_count_kv", default=heads, high=_WIDEST)
    head_length = read.integer("attention.key_length", default=width // heads, high=_WIDEST)
    if heads % kv_heads:
        raise ModelUnusable(f"{heads} query heads cannot share {kv_heads} key heads")
    if (value_length := read.integer("attention.value_length", default=head_length, high=_WIDEST)) != head_length:
        raise ModelUnusable(f"keys of {head_length} and values of {value_length} components are not supported: they must be equal")
    layers = read.integer("block_count", high=_MOST_LAYERS)
    is_gemma = architecture == "gemma3"
    window = read.integer("attention.sliding_window", default=0, low=0, high=_LONGEST_CONTEXT) if is_gemma else 0
    _refuse_unknown(read)
    config = ModelConfig(
        architecture=architecture,
        name=read.general("general.name"),
        context_length=read.integer("context_length", high=_LONGEST_CONTEXT),
        vocabulary_size=_vocabulary_size(tensors),
        embedding_length=width,
        layer_count=layers,
        feed_forward_length=read.integer("feed_forward_length", high=_WIDEST << 2),
        head_count=heads,
        kv_head_count=kv_heads,
        head_length=head_length,
        epsilon=read.number("attention.layer_norm_rms_epsilon", low=0.0, high=1.0),
        rope=_read_rope(read, architecture, head_length, has_factors="rope_freqs.weight" in tensors),
        activation="gelu" if is_gemma else "silu",
        # Gemma 3 27B alone scales by the width of the model; it is known by its number of layers, as in llama.cpp.
        attention_scale=(width / heads if is_gemma and layers == _GEMMA_27B_LAYERS else head_length) ** -0.5,
        embedding_scale=width**0.5 if is_gemma else 1.0,
        sliding_window=window,
        sliding_pattern=_GEMMA_PATTERN if window else 0,
        has_qkv_bias="blk.0.attn_q.bias" in tensors,
        has_qk_norm=architecture in {"qwen3", "gemma3"},
        has_post_norms=is_gemma,
        is_output_tied="output.weight" not in tensors,
    )
    _check_tensors(config, tensors)
    return config


def _read_rope(read: MetadataReader, architecture: Architecture, head_length: int, *, has_factors: bool) -> Rope:
    length = read.integer("rope.dimension_count", default=head_length, high=head_length)
    if length % 2:
        raise ModelUnusable(f"rope turns pairs, and {length} components are not even")
    kind = read.optional_text("rope.scaling.type") or "none"
    factor = read.number(
        "rope.scaling.factor", default=read.number("rope.scale_linear", default=1.0, low=1e-3, high=1e6), low=0.0, high=1e6
    )
    if kind not in {"none", "linear"}:
        raise ModelUnusable(f"rope scaling of the kind `{kind}` is not supported", hint="a model without it, or with `linear`, can run")
    is_gemma = architecture == "gemma3"
    base = read.number("rope.freq_base", default=1_000_000.0 if is_gemma else _LOCAL_ROPE_BASE, low=1.0, high=1e12)
    return Rope(
        pairs="adjacent" if architecture == "llama" else "halves",
        length=length,
        base=base,
        local_base=read.number("rope.freq_base_swa", default=_LOCAL_ROPE_BASE, low=1.0, high=1e12) if is_gemma else base,
        scale=1.0 if kind == "none" or factor == 0 else 1.0 / factor,
        has_factors=has_factors,
    )


def _refuse_unknown(read: MetadataReader) -> None:
    """Settings that change the result and that no supported model has."""
    for key in ("attn_logit_softcapping", "final_logit_softcapping", "logit_scale", "residual_scale", "attention.scale"):
        if (value := read.number(key, default=0.0, low=-1e9, high=1e9)) not in {0.0, 1.0}:
            raise ModelUnusable(f"`{read.prefix}{key}` = {value:g} is not supported")


def _vocabulary_size(tensors: Mapping[str, Sequence[int]]) -> int:
    shape = tensors.get("token_embd.weight")
    if shape is None:
        raise ModelUnusable("the tensor `token_embd.weight` is missing")
    if len(shape) != 2 or not 1 <= shape[1] <= _MOST_TOKENS:
        raise ModelUnusable(f"the tensor `token_embd.weight` has the shape {_written(shape)}, which is no embedding")
    return shape[1]


def _check_tensors(config: ModelConfig, tensors: Mapping[str, Sequence[int]]) -> None:
    expected = config.tensors()
    for name, shape in expected.items():
        found = tensors.get(name)
        if found is None:
            raise ModelUnusable(f"the tensor `{name}` is missing")
        if _trimmed(found) != _trimmed(shape):
            raise ModelUnusable(f"the tensor `{name}` has the shape {_written(found)}; by the metadata it is {_written(shape)}")
    for name in tensors:
        if name.startswith("blk.") and name.endswith(".bias") and name not in expected:
            raise ModelUnusable(f"the tensor `{name}` is not supported in the architecture {config.architecture}")


def _trimmed(shape: Sequence[int]) -> Shape:
    """Without the axes of length 1 at the end, which files write or leave out."""
    end = len(shape)
    while end > 1 and shape[end - 1] == 1:
        end -= 1
    return tuple(int(length) for length in shape[:end])


def _written(shape: Sequence[int]) -> str:
    return " × ".join(f"{length:,}" for length in shape)
