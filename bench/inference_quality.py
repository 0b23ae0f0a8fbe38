"""What a model says here beside what llama.cpp says: perplexity of a fixed text, and greedy replies to twenty prompts, on the same file.

The text is the beginning of the language reference that Python carries (`pydoc_data.topics`), in windows of one context each. llama.cpp
computes with its defaults: float16 in its cache, activations in eight bits.

    .venv/bin/python bench/inference_quality.py [--backend reference] [--windows 4] [--tokens 32] [MODEL.gguf]
"""

from __future__ import annotations

import argparse
import pydoc_data.topics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.llama_cpp_peer import LlamaCppPeer
from pixel_core.inference.apply_chat_template import apply_chat_template
from pixel_core.inference.backend import Backend
from pixel_core.inference.config import read_config
from pixel_core.inference.find_model import find_model
from pixel_core.inference.open_backend import open_backend
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.tokenizer import Tokenizer, read_tokenizer
from pixel_core.weights.model_file import open_model

CONTEXT = 512
SKIPPED = 64
"""Tokens at the beginning of a window that are not counted: they have too little in front of them."""

PROMPTS = (
    "What is the capital of France?",
    "Write a short poem about the sea.",
    "Explain what a GPU is in two sentences.",
    "List three fruits.",
    "Who wrote Romeo and Juliet?",
    "What is 12 plus 30?",
    "Translate 'good morning' into Spanish.",
    "Write a Python function that adds two numbers.",
    "Give me a recipe for pancakes.",
    "What colour is the sky, and why?",
    "Tell me a joke.",
    "How many days are in a leap year?",
    "Summarise the story of Cinderella.",
    "What is photosynthesis?",
    "Name the planets of the solar system.",
    "Write a polite email that asks for a day off.",
    "What is the difference between a list and a tuple in Python?",
    "Describe a cat to somebody who has never seen one.",
    "Why do we sleep?",
    "Continue: once upon a time there was a small robot",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One prompt's greedy replies, ours and theirs, as far as they agree."""

    prompt: str
    agreed: int
    margin: float
    ours: str
    theirs: str


def main() -> int:
    """Measure and print. Returns 1 where a bound is missed: 1 % of perplexity, 16 of 20 replies, a margin of 0.1 where one parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--backend", choices=("auto", "device", "reference", "exact"), default="reference")
    parser.add_argument("--windows", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    path = options.model or find_model("smollm2")
    file = open_model(path)
    metadata = PlainMetadata(file.metadata)
    config = read_config(metadata, {name: tensor.shape for name, tensor in file.tensors.items()})
    tokenizer = read_tokenizer(metadata)
    backend, reason = open_backend(options.backend, file, config, CONTEXT)
    peer = LlamaCppPeer(path, context=CONTEXT, threads=options.threads)
    print(f"{path.name} on {backend.description}{f' ({reason})' if reason else ''}")
    started = time.perf_counter()
    mine, theirs, counted = perplexities(backend, peer, tokenizer, options.windows)
    off = mine / theirs - 1
    print(f"perplexity of {counted:,} tokens: {mine:.4f}, llama.cpp {theirs:.4f}, {off:+.3%}  ({time.perf_counter() - started:.0f} s)")
    started = time.perf_counter()
    replies = [compare(backend, peer, tokenizer, prompt, options.tokens) for prompt in PROMPTS[: options.prompts]]
    same = [reply for reply in replies if reply.agreed == options.tokens]
    print(f"the same {options.tokens} greedy tokens: {len(same)} of {len(replies)} prompts  ({time.perf_counter() - started:.0f} s)")
    parted = [reply for reply in replies if reply.agreed < options.tokens]
    for reply in parted:
        print(f"  {reply.prompt!r} parts after {reply.agreed} tokens, where llama.cpp's best two logits are {reply.margin:.4f} apart")
        print(f"    ours      {reply.ours!r}\n    llama.cpp {reply.theirs!r}")
    backend.close()
    peer.close()
    is_kept = abs(off) <= 0.01 and len(same) >= 0.8 * len(replies) and all(reply.margin < 0.1 for reply in parted)
    print("every bound is kept" if is_kept else "a bound is missed")
    return 0 if is_kept else 1


def perplexities(backend: Backend, peer: LlamaCppPeer, tokenizer: Tokenizer, windows: int) -> tuple[float, float, int]:
    """Ours, theirs, and of how many tokens."""
    text = "\n".join(pydoc_data.topics.topics[name] for name in sorted(pydoc_data.topics.topics))
    tokens = tokenizer.encode(text[: windows * CONTEXT * 8])
    sums, counted = np.zeros(2), 0
    for start in range(0, windows * CONTEXT, CONTEXT):
        window = tokens[start : start + CONTEXT]
        backend.truncate(0)
        for index, logits in enumerate((backend.feed_all(window), peer.logits(window))):
            sums[index] += surprise(logits[SKIPPED:-1], window[SKIPPED + 1 :])
        counted += len(window) - SKIPPED - 1
    mine, theirs = np.exp(sums / counted)
    return float(mine), float(theirs), counted


def surprise(logits: NDArray[np.float32], tokens: list[int]) -> float:
    """Sum of −ln p of tokens."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return float(np.sum(np.log(np.exp(shifted).sum(axis=-1)) - shifted[np.arange(len(tokens)), tokens]))


def compare(backend: Backend, peer: LlamaCppPeer, tokenizer: Tokenizer, prompt: str, count: int) -> Reply:
    """Let both go on, and stop where they part."""
    text = apply_chat_template(tokenizer.vocabulary, [{"role": "user", "content": prompt}])
    tokens = tokenizer.encode(text, parses_special=True)
    beginning = len(tokens)
    backend.truncate(0)
    mine, theirs = backend.feed(tokens), peer.logits(tokens)[-1]
    for agreed in range(count):
        ours, other = int(mine.argmax()), int(theirs.argmax())
        if ours != other:
            best = np.sort(theirs)[-2:]
            return Reply(
                prompt=prompt,
                agreed=agreed,
                margin=float(best[1] - best[0]),
                ours=tokenizer.decode([*tokens[beginning:], ours]),
                theirs=tokenizer.decode([*tokens[beginning:], other]),
            )
        tokens.append(ours)
        if ours in tokenizer.vocabulary.ends:
            break
        mine, theirs = backend.feed([ours]), peer.logits([ours], start=len(tokens) - 1)[-1]
    reply = tokenizer.decode(tokens[beginning:])
    return Reply(prompt=prompt, agreed=count, margin=0.0, ours=reply, theirs=reply)


if __name__ == "__main__":
    sys.exit(main())
