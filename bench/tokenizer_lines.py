"""Tokens of ten thousand lines of mixed text, ours beside llama.cpp's on the same file.

The lines: a third from the standard library and the installed packages (code, prose, licences), a third characters of random Unicode
blocks, a third random pieces at which tokenizers cut (emoji sequences, digits, blanks, contractions).

    .venv/bin/python bench/tokenizer_lines.py [--count 10000] [--seed 1] [MODEL.gguf]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.llama_cpp_peer import LlamaCppPeer
from model_testing.mixed_lines import mixed_lines
from pixel_core.inference.find_model import find_model
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.tokenizer import read_tokenizer
from pixel_core.weights.model_file import open_model


def main() -> int:
    """Compare, and print the figures and every line that differs. Returns 1 where one does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    path = options.model or find_model("smollm2")
    with open_model(path) as file:
        ours = read_tokenizer(PlainMetadata(file.metadata))
    theirs = LlamaCppPeer(path, context=0)
    lines = mixed_lines(options.count, options.seed)
    started = time.perf_counter()
    encoded = [ours.encode(line) for line in lines]
    middle = time.perf_counter()
    expected = [theirs.tokenize(line, add_special=True) for line in lines]
    ended = time.perf_counter()
    different = [(line, ours, theirs) for line, ours, theirs in zip(lines, encoded, expected, strict=True) if ours != theirs]
    undone = [line for line, tokens in zip(lines, encoded, strict=True) if ours.decode(tokens) != line]
    print(f"{path.name}: {len(lines):,} lines, {sum(map(len, lines)):,} characters, {sum(map(len, expected)):,} tokens")
    print(f"different from llama.cpp: {len(different):,}; lost in decoding, since the vocabulary lacks their bytes: {len(undone):,}")
    print(f"seconds: ours {middle - started:.2f}, llama.cpp {ended - middle:.2f}")
    for line, mine, other in different:
        print(f"  {line!a}\n    ours      {mine}\n    llama.cpp {other}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
