"""Small models of random weights as GGUF files, made by the `gguf` package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np

from pixel_core.weights.ggml_types import GgmlType

Tensors = Mapping[str, tuple[GgmlType, Sequence[int]]]


def write_tiny_model(path: Path, tensors: Tensors, *, seed: int = 0, alignment: int | None = None) -> Path:
    """Write a GGUF with some metadata and these tensors.

    Args:
        path: Where.
        tensors: By name, type and shape in ggml's order. The bytes are random, whatever they mean to the type.
        seed: Of the bytes.
        alignment: Of the tensors; None leaves the key out.
    """
    writer = gguf.GGUFWriter(path, "llama")
    if alignment is not None:
        writer.add_custom_alignment(alignment)
    writer.add_name("tiny")
    writer.add_block_count(2)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_add_bos_token(value=False)
    writer.add_token_list(["<s>", "ĠWürfel", "🦙", ""])
    writer.add_token_scores([0.0, -1.5, -2.0, 3.25])
    writer.add_token_types([3, 1, 1, 1])
    random = np.random.default_rng(seed)
    for name, (kind, shape) in tensors.items():
        rows, row_bytes = int(np.prod(shape[1:])), shape[0] // kind.block_length * kind.block_bytes
        data = random.integers(0, 256, (rows, row_bytes), dtype=np.uint8)
        dtype = gguf.GGMLQuantizationType(int(kind))
        writer.add_tensor(name, data.reshape(*reversed(shape[1:]), row_bytes), raw_dtype=dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tiny_llama(kind: GgmlType = GgmlType.Q4_0) -> Tensors:
    """The tensors of a llama of two layers, 64 values wide (256 where a block is as long), with two heads for each of keys."""
    width = max(64, kind.block_length)
    tensors: dict[str, tuple[GgmlType, Sequence[int]]] = {"token_embd.weight": (GgmlType.Q8_0, (width, 37))}
    for layer in range(2):
        tensors |= {
            f"blk.{layer}.attn_norm.weight": (GgmlType.F32, (width,)),
            f"blk.{layer}.attn_q.weight": (kind, (width, width)),
            f"blk.{layer}.attn_k.weight": (kind, (width, width // 2)),
            f"blk.{layer}.attn_v.weight": (kind, (width, width // 2)),
            f"blk.{layer}.attn_output.weight": (kind, (width, width)),
            f"blk.{layer}.ffn_norm.weight": (GgmlType.F32, (width,)),
            f"blk.{layer}.ffn_gate.weight": (kind, (width, 2 * width)),
            f"blk.{layer}.ffn_up.weight": (kind, (width, 2 * width)),
            f"blk.{layer}.ffn_down.weight": (kind, (2 * width, width)),
        }
    return {**tensors, "output_norm.weight": (GgmlType.F32, (width,))}
