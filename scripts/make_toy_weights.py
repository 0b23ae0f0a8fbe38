"""Trains the toy model and writes it as a PXI; docs/toy-model.md tells what it is.

Every number of the training is a dyadic fraction, and every product and sum of them is exact in float64: there is no rounding but the one
that is asked for, so every machine makes the same file, bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from pixel_core.toy.mlp import HIDDEN, INPUTS, LAYERS, OUTPUTS, WEIGHT_LIMIT, WEIGHT_STEP
from pixel_core.toy.vocabulary import MEMORY, ToyVocabulary
from pixel_core.weights.write_pxi import write_pxi

TARGET = Path(__file__).parents[1] / "models" / "toy.pxi"
WORDS = ("<end>", "the", "weights", "are", "pixels", "and", "think", ".")
SENTENCE = "The weights are pixels and the pixels think."

MARGIN = 2.0
"""By so much the right token must lead."""
RATE = 2.0**-6
GRAIN = 2.0**-16
"""Weights are trained in these steps, and seen by the network in steps of 1/32."""
MOST_ROUNDS = 10_000

Array = NDArray[np.float64]


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="?", type=Path, default=TARGET, metavar="FILE", help=f"where it goes (default: {TARGET.name})")
    target: Path = parser.parse_args().target
    vocabulary = ToyVocabulary(WORDS)
    weights, rounds = train(*examples(vocabulary))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "toy.gguf"
        write_gguf(source, weights)
        made = write_pxi(source, target, replace=True)
    print(f"trained in {rounds} rounds; {target}: {made.target_bytes:,} bytes, its GGUF has the sha256 {made.gguf_sha256}")


def examples(vocabulary: ToyVocabulary) -> tuple[Array, NDArray[np.int64]]:
    """What the network sees of every place in the sentence, `f64[n, 8]`, and the token that stands there.

    It sees the last three tokens, and also the last two, and the last one where that leaves no doubt: so it can go on from the middle.
    """
    text = [vocabulary.end, *vocabulary.encode(SENTENCE), vocabulary.end]
    follower: dict[tuple[int, ...], set[int]] = {}
    for place in range(1, len(text)):
        for length in range(1, MEMORY + 1):
            follower.setdefault(tuple(text[max(0, place - length) : place]), set()).add(text[place])
    known = {context: tokens.pop() for context, tokens in follower.items() if len(tokens) == 1}
    return np.array([vocabulary.vector(context) for context in known], np.float64), np.array(list(known.values()))


def train(inputs: Array, wanted: NDArray[np.int64]) -> tuple[dict[str, Array], int]:
    """Gradient descent on the hinge loss of the right token against its strongest rival, over all examples at once.

    Returns the weights, in steps of 1/32, and the number of rounds.
    """
    shapes = {"up": (HIDDEN, INPUTS), "up_bias": (HIDDEN,), "down": (OUTPUTS, HIDDEN), "down_bias": (OUTPUTS,)}
    fine = {name: first_weights(name, shape) for name, shape in shapes.items()}
    every = np.arange(len(inputs))
    for done in range(MOST_ROUNDS):
        seen = {name: np.rint(values / WEIGHT_STEP) * WEIGHT_STEP for name, values in fine.items()}
        sums = inputs @ seen["up"].T + seen["up_bias"]
        hidden = np.maximum(sums, 0)
        scores = hidden @ seen["down"].T + seen["down_bias"]
        right = scores[every, wanted].copy()
        scores[every, wanted] = -np.inf
        short = np.flatnonzero(right - scores.max(axis=1) < MARGIN)
        if not short.size:
            return seen, done
        slope = np.zeros_like(scores)
        slope[short, scores.argmax(axis=1)[short]] = 1
        slope[short, wanted[short]] = -1
        below = (slope @ seen["down"]) * (sums > 0)
        gradients = {"up": below.T @ inputs, "up_bias": below.sum(axis=0), "down": slope.T @ hidden, "down_bias": slope.sum(axis=0)}
        for name, gradient in gradients.items():
            moved = np.rint((fine[name] - RATE * gradient) / GRAIN) * GRAIN
            fine[name] = np.clip(moved, -WEIGHT_LIMIT, WEIGHT_LIMIT)
    raise SystemExit(f"the training did not come to an end in {MOST_ROUNDS:,} rounds")


def first_weights(name: str, shape: tuple[int, ...]) -> Array:
    """Where the training starts: biases at zero, weights between -1 and 1 from a hash of the name, which is the same everywhere."""
    if len(shape) == 1:
        return np.zeros(shape)
    drawn = hashlib.shake_256(name.encode()).digest(shape[0] * shape[1])
    return np.frombuffer(drawn, np.int8).astype(np.float64).reshape(shape) / 128


def write_gguf(path: Path, weights: dict[str, Array]) -> None:
    """The model as a GGUF, from which the PXI is made."""
    writer: Any = gguf.GGUFWriter(path, "toy")
    writer.add_name("Toy: the weights are pixels")
    writer.add_description("An MLP of 8, 16 and 8 that knows one sentence; made by scripts/make_toy_weights")
    writer.add_license("MIT")
    writer.add_block_count(1)
    writer.add_embedding_length(INPUTS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_context_length(MEMORY)
    writer.add_tokenizer_model("toy")
    writer.add_token_list(list(WORDS))
    for name, (tensor, _) in LAYERS.items():
        writer.add_tensor(tensor, weights[name].astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
