"""How far do logits move when nothing but roundings differ, and is our distance from llama.cpp more than that?

Activations are rounded to eight bits in blocks of 32, by llama.cpp and here. A sum that differs in its last place now and then rounds the
other way, by a whole step, and every later layer passes that on. So llama.cpp is compared with itself too: token by token and all at
once, with its cache in float32 and float16; and our arithmetic with itself, with embeddings that are off by 1e-7 of their size.

    .venv/bin/python bench/rounding_noise.py [MODEL.gguf]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.llama_cpp_peer import LlamaCppPeer
from pixel_core.inference.config import read_config
from pixel_core.inference.exact_backend import ExactBackend
from pixel_core.inference.find_model import find_model
from pixel_core.inference.open_backend import open_backend
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.tokenizer import read_tokenizer
from pixel_core.weights.model_file import open_model

TEXT = "The quick brown fox jumps over the lazy dog. In 1969, people walked on the moon for the first time"
CONTEXT = 64
Logits = NDArray[np.float32]


def main() -> None:
    """Measure and print."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else find_model("smollm2")
    file = open_model(path)
    metadata = PlainMetadata(file.metadata)
    config = read_config(metadata, {name: tensor.shape for name, tensor in file.tensors.items()})
    tokens = read_tokenizer(metadata).encode(TEXT)
    logits: dict[str, Logits] = {}
    exact = ExactBackend(file, config, context_length=CONTEXT)
    logits["ours"] = exact.feed_all(tokens)
    exact.truncate(0)
    logits["ours, embeddings off by 1e-7"] = fed_with_noise(exact, tokens)
    reference, _ = open_backend("reference", file, config, CONTEXT)
    logits["float32 reference"] = reference.feed_all(tokens)
    for name, is_exact in (("llama.cpp", False), ("llama.cpp, float32 cache, no flash attention", True)):
        peer = LlamaCppPeer(path, context=CONTEXT, exact_cache=is_exact)
        logits[name] = peer.logits(tokens)
        logits[f"{name}, token by token"] = np.concatenate([peer.logits([token], start=place) for place, token in enumerate(tokens)])
        peer.close()
    print(f"{path.name}, {len(tokens)} tokens, standard deviation of the logits {logits['ours'].std():.2f}")
    names = list(logits)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            apart = logits[one] - logits[other]
            print(f"{rms(apart[1:]):8.4f}, of the first token {rms(apart[0]):8.1e}: {one} | {other}")


def fed_with_noise(exact: ExactBackend, tokens: list[int]) -> Logits:
    """Logits where every number of the embedding is off by about 1e-7 of its size."""
    table = exact._matrices["token_embd.weight"]  # noqa: SLF001 -- nobody else needs a place to disturb
    source = np.random.default_rng(1)
    noisy = table.quants * (1 + 1e-7 * source.standard_normal(table.quants.shape)).astype(np.float32)
    rows = np.unique(tokens)
    kept = table.quants[:, rows].copy()
    table.quants[:, rows] = noisy[:, rows]
    x = exact._run(tokens)  # noqa: SLF001
    table.quants[:, rows] = kept
    return exact._logits(x)  # noqa: SLF001


def rms(apart: Logits) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(apart, dtype=np.float64))))


if __name__ == "__main__":
    main()
