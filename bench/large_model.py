"""What do time and memory say of a model of 7B, with random weights, from a GGUF over a PXI to tokens?

Writes a Llama of 32 blocks, 4,096 wide, 11,008 between gate and down, with 32,000 tokens, in Q4_0 (3.8 GB, streamed), converts it,
deletes the GGUF, loads the PXI and generates, each step a process of its own. Beside the wall's clock it prints the most that the
processes of a step held: memory of their own, and pages of files, which the system may take back. Needs 8 GB in the folder, and
deletes what it wrote.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.random_models import SPECIAL, byte_pair_vocabulary

VOCABULARY = 32_000
_BLOCK_BYTES = 18
"""Of Q4_0: an f16 scale and 32 nibbles."""
_CHUNK_ROWS = 4096
_PROGRAM = (sys.executable, "-m", "pixel_server.cli")


def main() -> None:
    """Take the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room for two files of 4 GB")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--feed-forward", type=int, default=11_008)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=4)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--write", type=Path, help="only write the GGUF there")
    arguments = parser.parse_args()
    if arguments.write:
        write_model(arguments.write, arguments)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        source, target = Path(folder) / "large.gguf", Path(folder) / "large.pxi"
        print(f"{shutil.disk_usage(folder).free / 1e9:.0f} GB free in {arguments.folder}")
        own = [
            word
            for name in ("layers", "width", "feed_forward", "heads")
            for word in (f"--{name.replace('_', '-')}", str(vars(arguments)[name]))
        ]
        take_step("write the GGUF", [sys.executable, __file__, "--write", str(source), *own])
        print(f"  {source.stat().st_size / 1e9:.2f} GB")
        take_step("convert to PXI", [*_PROGRAM, "convert", str(source), str(target)])
        source.unlink()
        generate = [*_PROGRAM, "generate", str(target), "--backend", "device", "--context", str(arguments.context)]
        generate += ["-p", "hello the and", "--temperature", "0"]
        take_step("load, first token", [*generate, "-n", "1"])
        take_step(f"load, {arguments.tokens} tokens", [*generate, "-n", str(arguments.tokens)])


def take_step(name: str, command: list[str]) -> None:
    """Run a command to its end, and print what it took."""
    started = time.perf_counter()
    own = files = 0
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told, text=True)
        while process.poll() is None:
            found = list(_resident(process.pid))
            own, files = max(own, sum(one[0] for one in found)), max(files, sum(one[1] for one in found))
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        told.seek(0)
        print(f"{name}: {seconds:.1f} s, at most {own / 2**20:.2f} GiB of its own and {files / 2**20:.2f} GiB of files", flush=True)
        for line in told.read().splitlines():
            print(f"  {line}", flush=True)
    assert process.returncode == 0


def _resident(root: int) -> Iterator[tuple[int, int]]:
    """KiB of a process and of each of those that descend from it: of its own, of files."""
    try:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{root}/status").read_text().splitlines())
        children = [int(one) for task in Path(f"/proc/{root}/task").iterdir() for one in (task / "children").read_text().split()]
    except (OSError, ProcessLookupError):
        return
    if "RssAnon" in status:
        own, shared, files = (int(status[name].split()[0]) for name in ("RssAnon", "RssShmem", "RssFile"))
        yield own + shared, files
    for child in children:
        yield from _resident(child)


def write_model(path: Path, size: argparse.Namespace) -> None:
    """Write the GGUF, some thousand rows at a time."""
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    texts, merges = byte_pair_vocabulary()
    texts += [f"<more{index}>" for index in range(VOCABULARY - len(texts))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(texts)
    writer.add_token_types([3 if text in SPECIAL else 1 for text in texts])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_name("random weights in the shape of 7B")
    writer.add_context_length(4096)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.feed_forward)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(size.width // size.heads)
    shapes = dict(_shapes(size))
    for name, shape in shapes.items():
        if len(shape) == 1:
            writer.add_tensor_info(name, shape, np.dtype(np.float32), 4 * shape[0])
        else:
            row_bytes = shape[1] // 32 * _BLOCK_BYTES
            writer.add_tensor_info(name, (shape[0], row_bytes), np.dtype(np.uint8), shape[0] * row_bytes, Type.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for shape in shapes.values():
        writer.write_tensor_data(np.ones(shape, np.float32) if len(shape) == 1 else _random_rows(shape, random))
    writer.close()


def _shapes(size: argparse.Namespace) -> Iterator[tuple[str, tuple[int, ...]]]:
    """In numpy's order: rows first."""
    width, fed = size.width, size.feed_forward
    yield "token_embd.weight", (VOCABULARY, width)
    for layer in range(size.layers):
        yield f"blk.{layer}.attn_norm.weight", (width,)
        for one in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{one}.weight", (width, width)
        yield f"blk.{layer}.ffn_norm.weight", (width,)
        yield f"blk.{layer}.ffn_gate.weight", (fed, width)
        yield f"blk.{layer}.ffn_up.weight", (fed, width)
        yield f"blk.{layer}.ffn_down.weight", (width, fed)
    yield "output_norm.weight", (width,)
    yield "output.weight", (VOCABULARY, width)


def _random_rows(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Blocks of Q4_0 whose values have the deviation 1 / √columns."""
    rows, columns = shape
    blocks = np.empty((rows, columns // 32, _BLOCK_BYTES), np.uint8)
    blocks[..., :2] = np.array([columns**-0.5 / 4.6], np.float16).view(np.uint8)
    for start in range(0, rows, _CHUNK_ROWS):
        part = blocks[start : start + _CHUNK_ROWS, :, 2:]
        part[...] = np.frombuffer(random.bytes(part.size), np.uint8).reshape(part.shape)
    return blocks.reshape(rows, -1)


if __name__ == "__main__":
    main()
