"""Random models of every architecture and type, small enough to be made for each test, written with the `gguf` package of llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from numpy.typing import NDArray

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma3")
TYPES = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K")

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = ("th", "he", "in", "er", "an", "the", "and", "Ġt", "Ġa", "Ġthe", "Ġand", "ing", "ll", "lo", "hell", "hello", "He", "Hello")


@dataclass(frozen=True, kw_only=True)
class RandomModel:
    """What is written. The default is a Llama of two blocks; 256 columns are the least that K-quants take."""

    architecture: str = "llama"
    type: str = "F32"
    types: Mapping[str, str] = field(default_factory=dict)
    """Of tensors whose names contain the key, where it is another."""
    seed: int = 1
    layers: int = 2
    width: int = 256
    heads: int = 4
    kv_heads: int = 2
    head_length: int = 64
    feed_forward: int = 256
    context: int = 256
    is_output_tied: bool = False
    has_rope_factors: bool = False
    sliding_window: int = 8
    vocabulary: str = "gpt2"
    pre: str = "smollm"
    metadata: Mapping[str, Any] = field(default_factory=dict)


def write_random_model(path: Path, model: RandomModel) -> Path:
    """Write it as GGUF."""
    random = np.random.default_rng(model.seed)
    writer = gguf.GGUFWriter(path, model.architecture)
    texts = _add_vocabulary(writer, model)
    writer.add_name("tiny")
    writer.add_context_length(model.context)
    writer.add_embedding_length(model.width)
    writer.add_block_count(model.layers)
    writer.add_feed_forward_length(model.feed_forward)
    writer.add_head_count(model.heads)
    writer.add_head_count_kv(model.kv_heads)
    writer.add_key_length(model.head_length)
    writer.add_value_length(model.head_length)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(model.head_length)
    writer.add_rope_freq_base(10_000.0)
    if model.architecture == "gemma3":
        writer.add_sliding_window(model.sliding_window)
    for key, value in model.metadata.items():
        {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)](key, value)
    for name, shape in _shapes(model, len(texts)).items():
        if len(shape) == 1 or name.startswith("rope"):
            center = 0.0 if name.endswith("bias") else 1.0
            writer.add_tensor(name, (center + random.normal(0, 0.1, shape)).astype(np.float32))
            continue
        kind = next((kind for part, kind in model.types.items() if part in name), model.type)
        _add_matrix(writer, name, shape, Type[kind], random)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes(model: RandomModel, tokens: int) -> dict[str, tuple[int, ...]]:
    """In numpy's order: rows first."""
    width, query, key = model.width, model.heads * model.head_length, model.kv_heads * model.head_length
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (tokens, width), "output_norm.weight": (width,)}
    if not model.is_output_tied:
        shapes["output.weight"] = (tokens, width)
    if model.has_rope_factors:
        shapes["rope_freqs.weight"] = (model.head_length // 2,)
    for layer in range(model.layers):
        block: dict[str, tuple[int, ...]] = {
            "attn_norm.weight": (width,),
            "attn_q.weight": (query, width),
            "attn_k.weight": (key, width),
            "attn_v.weight": (key, width),
            "attn_output.weight": (width, query),
            "ffn_norm.weight": (width,),
            "ffn_gate.weight": (model.feed_forward, width),
            "ffn_up.weight": (model.feed_forward, width),
            "ffn_down.weight": (width, model.feed_forward),
        }
        if model.architecture == "qwen2":
            block |= {"attn_q.bias": (query,), "attn_k.bias": (key,), "attn_v.bias": (key,)}
        if model.architecture in {"qwen3", "gemma3"}:
            block |= {"attn_q_norm.weight": (model.head_length,), "attn_k_norm.weight": (model.head_length,)}
        if model.architecture == "gemma3":
            block |= {"post_attention_norm.weight": (width,), "post_ffw_norm.weight": (width,)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    return shapes


def _add_matrix(writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], kind: Type, random: np.random.Generator) -> None:
    deviation = shape[-1] ** -0.5
    if kind in {Type.Q4_K, Type.Q6_K}:
        # The package decodes these and does not encode them: random blocks, with scales that give the deviation.
        blocks = _random_q4_k(shape, deviation, random) if kind is Type.Q4_K else _random_q6_k(shape, deviation, random)
        writer.add_tensor(name, blocks, raw_dtype=kind)
        return
    values = random.normal(0, deviation, shape).astype(np.float32)
    writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)


def _random_q4_k(shape: tuple[int, ...], deviation: float, random: np.random.Generator) -> NDArray[np.uint8]:
    rows, count = shape[0], shape[1] // 256
    blocks = random.integers(0, 256, (rows, count, 144), dtype=np.uint8)
    scale = deviation / (36.4 * 4.6 * 2)  # a six-bit scale times a nibble, about
    blocks[..., 0:2] = np.full((rows, count, 1), scale, np.float16).view(np.uint8)
    blocks[..., 2:4] = np.full((rows, count, 1), 7.5 * scale, np.float16).view(np.uint8)
    return blocks.reshape(rows, -1)


def _random_q6_k(shape: tuple[int, ...], deviation: float, random: np.random.Generator) -> NDArray[np.uint8]:
    rows, count = shape[0], shape[1] // 256
    blocks = random.integers(0, 256, (rows, count, 210), dtype=np.uint8)
    scale = deviation / (74 * 18.5)  # an eight-bit scale times six bits, about
    blocks[..., 208:210] = np.full((rows, count, 1), scale, np.float16).view(np.uint8)
    return blocks.reshape(rows, -1)


def _add_vocabulary(writer: gguf.GGUFWriter, model: RandomModel) -> list[str]:
    writer.add_tokenizer_model(model.vocabulary)
    writer.add_chat_template(CHAT_TEMPLATE)
    if model.vocabulary == "gpt2":
        texts, merges = byte_pair_vocabulary()
        writer.add_tokenizer_pre(model.pre)
        writer.add_token_list(texts)
        writer.add_token_types([3 if text in SPECIAL else 1 for text in texts])
        writer.add_token_merges(merges)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        return texts
    texts, scores, kinds = sentence_piece_vocabulary()
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    return texts


def byte_pair_vocabulary() -> tuple[list[str], list[str]]:
    """Tokens and merges: special tokens, every byte, and a few words."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    characters = [chr(byte) for byte in visible] + [chr(256 + index) for index in range(len(hidden))]
    merges = [
        "t h",
        "h e",
        "i n",
        "e r",
        "a n",
        "th e",
        "an d",
        "Ġ t",
        "Ġ a",
        "Ġt he",
        "Ġa nd",
        "in g",
        "l l",
        "l o",
        "he ll",
        "hell o",
        "H e",
        "He llo",
    ]
    texts = [*SPECIAL, *characters, *WORDS, "llo"]
    merges.insert(13, "ll o")
    return texts + [f"<pad{index}>" for index in range(-len(texts) % 32)], merges


def sentence_piece_vocabulary() -> tuple[list[str], list[float], list[int]]:
    """Tokens, scores and kinds: three control tokens, every byte, every printable ASCII character, and a few words."""
    words = ["▁t", "he", "in", "er", "an", "▁a", "the", "▁the", "ing", "nd", "▁and", "ll", "ello", "el", "lo", "▁H", "▁▁", "▁Hello", "llo"]
    characters = ["▁", *(chr(code) for code in range(33, 127)), "é", "ü", "漢"]
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words, *characters]
    kinds = [2, 3, 3, *[6] * 256, *[1] * (len(words) + len(characters))]
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(words))] + [-1000.0 - rank for rank in range(len(characters))]
    padding = -len(texts) % 32
    return texts + [f"<pad{index}>" for index in range(padding)], scores + [-1e4] * padding, kinds + [5] * padding
