from __future__ import annotations

import math
from typing import Any

import pytest

from pixel_core.errors import ModelUnusable
from pixel_core.inference.config import ModelConfig, read_config


def metadata(architecture: str, **changed: object) -> dict[str, object]:
    """Of a model with 2 blocks of width 64, 4 query heads and 2 key heads of 16."""
    values: dict[str, object] = {
        "context_length": 256,
        "embedding_length": 64,
        "block_count": 2,
        "feed_forward_length": 96,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-5,
    } | {name.replace("__", "."): value for name, value in changed.items()}
    kept = {f"{architecture}.{key}": value for key, value in values.items() if value is not None}
    return {"general.architecture": architecture, "general.name": "tiny", **kept}


def shapes(
    *, layers: int = 2, more: dict[str, tuple[int, ...]] | None = None, block: dict[str, tuple[int, ...]] | None = None
) -> dict[str, Any]:
    each = {
        "attn_norm.weight": (64,),
        "attn_q.weight": (64, 64),
        "attn_k.weight": (64, 32),
        "attn_v.weight": (64, 32),
        "attn_output.weight": (64, 64),
        "ffn_norm.weight": (64,),
        "ffn_gate.weight": (64, 96),
        "ffn_up.weight": (64, 96),
        "ffn_down.weight": (96, 64),
    } | (block or {})
    blocks = {f"blk.{layer}.{name}": shape for layer in range(layers) for name, shape in each.items()}
    return {"token_embd.weight": (64, 300), "output_norm.weight": (64,)} | blocks | (more or {})


BIASES = {"attn_q.bias": (64,), "attn_k.bias": (32,), "attn_v.bias": (32,)}
HEAD_NORMS = {"attn_q_norm.weight": (16,), "attn_k_norm.weight": (16,)}
POST_NORMS = {"post_attention_norm.weight": (64,), "post_ffw_norm.weight": (64,)}


def test_llama() -> None:
    config = read_config(metadata("llama"), shapes(more={"output.weight": (64, 300)}))
    assert (config.name, config.vocabulary_size, config.head_length, config.kv_head_count) == ("tiny", 300, 16, 2)
    assert (config.rope.pairs, config.rope.length, config.rope.base, config.rope.scale) == ("adjacent", 16, 10_000.0, 1.0)
    assert (config.is_output_tied, config.has_qkv_bias, config.has_qk_norm, config.has_post_norms) == (False, False, False, False)
    assert (config.attention_scale, config.embedding_scale, config.activation) == (0.25, 1.0, "silu")
    assert not any(config.is_local(layer) for layer in range(config.layer_count))


def test_llama_3_has_a_rope_factor_for_each_pair_and_its_own_base() -> None:
    config = read_config(metadata("llama", rope__freq_base=500_000.0), shapes(more={"rope_freqs.weight": (8,)}))
    assert (config.rope.has_factors, config.rope.base, config.is_output_tied) == (True, 500_000.0, True)
    assert config.tensors()["rope_freqs.weight"] == (8,)


def test_linear_scaling_divides_positions() -> None:
    config = read_config(metadata("llama", rope__scaling__type="linear", rope__scaling__factor=4.0), shapes())
    assert config.rope_scale(0) == 0.25


def test_qwen2_has_biases_and_turns_halves() -> None:
    config = read_config(metadata("qwen2"), shapes(block=BIASES))
    assert (config.has_qkv_bias, config.has_qk_norm, config.rope.pairs) == (True, False, "halves")
    assert config.tensors()["blk.1.attn_k.bias"] == (32,)


def test_qwen3_normalises_heads_whose_length_is_its_own() -> None:
    config = read_config(
        metadata("qwen3", attention__key_length=32, attention__value_length=32),
        shapes(block={"attn_q.weight": (64, 128), "attn_k.weight": (64, 64), "attn_v.weight": (64, 64), "attn_output.weight": (128, 64)}
            | {"attn_q_norm.weight": (32,), "attn_k_norm.weight": (32,)}),
    )  # fmt: skip
    assert (config.head_length, config.has_qk_norm, config.has_qkv_bias) == (32, True, False)


def test_gemma3_mixes_local_layers_with_those_that_see_everything() -> None:
    config = read_config(
        metadata("gemma3", block_count=7, attention__sliding_window=512, rope__scaling__type="linear", rope__scaling__factor=8.0),
        shapes(layers=7, block=HEAD_NORMS | POST_NORMS),
    )
    assert [config.is_local(layer) for layer in range(7)] == [True] * 5 + [False, True]
    assert [config.rope_base(layer) for layer in (0, 5)] == [10_000.0, 1_000_000.0]
    assert [config.rope_scale(layer) for layer in (0, 5)] == [1.0, 0.125]
    assert (config.embedding_scale, config.attention_scale, config.activation) == (8.0, 0.25, "gelu")
    assert (config.has_qk_norm, config.has_post_norms) == (True, True)


def test_a_gemma3_of_62_layers_scales_by_its_width() -> None:
    block = {"attn_q.weight": (64, 32), "attn_output.weight": (32, 64)} | HEAD_NORMS | POST_NORMS
    heads = {"attention__key_length": 16, "attention__value_length": 16, "attention__head_count": 2}
    config = read_config(metadata("gemma3", block_count=62, **heads), shapes(layers=62, block=block))
    assert config.attention_scale == 32**-0.5


def test_equal_values_for_each_layer_are_one_value() -> None:
    config = read_config(metadata("llama", attention__head_count_kv=[2, 2]), shapes())
    assert config.kv_head_count == 2


def refused(values: dict[str, object], tensors: dict[str, Any]) -> str:
    with pytest.raises(ModelUnusable) as caught:
        read_config(values, tensors)
    return caught.value.message


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"block_count": None}, "the metadata has no `llama.block_count`"),
        ({"block_count": 1 << 40}, "`llama.block_count` = 1,099,511,627,776 is not between 1 and 1,024"),
        ({"block_count": "2"}, "`llama.block_count` is not a whole number"),
        ({"block_count": True}, "`llama.block_count` is not a whole number"),
        ({"attention__head_count": 0}, "`llama.attention.head_count` = 0 is not between 1 and 262,144"),
        ({"attention__head_count_kv": 3}, "4 query heads cannot share 3 key heads"),
        ({"attention__head_count_kv": [2, 1]}, "`llama.attention.head_count_kv` differs from layer to layer, which is not supported"),
        ({"attention__value_length": 8}, "keys of 16 and values of 8 components are not supported: they must be equal"),
        ({"attention__layer_norm_rms_epsilon": math.nan}, "`llama.attention.layer_norm_rms_epsilon` = nan is not between 0 and 1"),
        ({"rope__dimension_count": 15}, "rope turns pairs, and 15 components are not even"),
        ({"rope__scaling__type": "yarn"}, "rope scaling of the kind `yarn` is not supported"),
        ({"expert_count": 8}, "models with experts (mixture of experts) are not supported"),
        ({"logit_scale": 2.0}, "`llama.logit_scale` = 2 is not supported"),
        ({"block_count": 3}, "the tensor `blk.2.attn_norm.weight` is missing"),
        ({"feed_forward_length": 128}, "the tensor `blk.0.ffn_gate.weight` has the shape 64 × 96; by the metadata it is 64 × 128"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_one_sentence(changed: dict[str, object], message: str) -> None:
    assert refused(metadata("llama", **changed), shapes()) == message


def test_other_architectures_are_named() -> None:
    assert refused(metadata("mamba"), shapes()) == "the architecture `mamba` is not supported"
    assert refused({}, shapes()) == "the metadata has no `general.architecture`"
    assert refused({"general.architecture": 3}, shapes()) == "`general.architecture` is not a text"


def test_a_bias_that_would_be_left_out_is_refused() -> None:
    unknown = {"blk.1.ffn_down.bias": (64,)}
    assert refused(metadata("llama"), shapes(more=unknown)) == "the tensor `blk.1.ffn_down.bias` is not supported in the architecture llama"


def test_a_file_without_an_embedding_is_refused() -> None:
    assert refused(metadata("llama"), {}) == "the tensor `token_embd.weight` is missing"
    assert (
        refused(metadata("llama"), {"token_embd.weight": (64,)}) == "the tensor `token_embd.weight` has the shape 64, which is no embedding"
    )


def test_axes_of_one_at_the_end_do_not_matter() -> None:
    config = read_config(metadata("llama"), shapes(more={"output_norm.weight": (64, 1, 1, 1)}))
    assert isinstance(config, ModelConfig)
