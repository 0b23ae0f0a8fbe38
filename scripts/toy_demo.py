"""Pixels that think, in the smallest form: a dot product and a network from the tiles of a map, on the CPU and on the device."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pixel_core.engines.device_program import ProgramDevice, open_program_device
from pixel_core.errors import PixelError
from pixel_core.pixels.infinite_map import InfiniteMap
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.region import Region
from pixel_core.toy.device_mlp import DeviceMlp, toy_shader
from pixel_core.toy.mlp import INPUTS, LAYERS, ToyMlp, read_texels
from pixel_core.toy.vocabulary import MEMORY, ToyVocabulary
from pixel_core.toy.write_text import write_text
from pixel_core.weights.pxi import Pxi, open_pxi

MODEL = Path(__file__).parents[1] / "models" / "toy.pxi"

Texels = dict[str, NDArray[np.uint32]]


def main() -> int:
    """Show all of it. Returns the exit code: 1 where the CPU and the device differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompt", nargs="?", default="", help="words to go on from, such as 'and the' (default: the beginning)")
    parser.add_argument("--model", type=Path, default=MODEL, metavar="FILE", help="the toy (default: models/toy.pxi)")
    chosen = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, open_pxi(chosen.model) as model:
            return show(model, chosen.prompt, Path(folder))
    except (PixelError, OSError) as problem:
        print(f"toy_demo: {problem}", file=sys.stderr)
        return 2


def show(model: Pxi, prompt: str, folder: Path) -> int:
    """Print what happens. Returns the exit code."""
    vocabulary = ToyVocabulary(cast("tuple[str, ...]", model.metadata["tokenizer.ggml.tokens"].value))
    vocabulary.encode(prompt)  # which refuses what it does not know, before anything is done
    device = open_program_device()
    print(f"device: {device.info.name}")
    print("\nA dot product of pixels, from files of a PixelFS")
    same = dot_product(device, folder / "vectors.pixels")

    print("\nThe toy on an InfiniteMap, each tensor at its place")
    texels = by_way_of_a_map(model, folder / "toy.pixels")
    cpu, gpu = ToyMlp(texels), DeviceMlp(device, texels)
    inputs = every_input(vocabulary)
    ours, theirs = cpu.forward(inputs), gpu.forward(inputs)
    equal = ours.scores.tobytes() == theirs.scores.tobytes() and ours.next.tobytes() == theirs.next.tobytes()
    print(f"  all {len(inputs)} inputs, {ours.scores.size:,} scores: CPU and device {'agree bit for bit' if equal else 'DIFFER'}")

    texts = [write_text(one.forward, vocabulary, prompt) for one in (cpu, gpu)]
    print(f"\nWhat it writes{f' after `{prompt}`' if prompt else ''}\n  CPU:    {texts[0]}\n  device: {texts[1]}")
    device.close()
    return 0 if same and equal and texts[0] == texts[1] else 1


def dot_product(device: ProgramDevice, path: Path) -> bool:
    """1 · 1 + 2 · 2 + … + 100 · 100 by shaders/dot_product.wgsl. Returns whether numpy has the same bits."""
    numbers = np.arange(1, 101, dtype=np.float32)
    with PixelFS.create(path) as files:
        files.put("vectors/a", numbers)
        files.put("vectors/b", numbers)
    with PixelFS.open(path) as files:
        a, b = (files.read(name) for name in ("vectors/a", "vectors/b"))
        buffers = [device.create_buffer(size) for size in (len(a), len(b), 4, 4)]
        device.write_buffer(buffers[0], a)
        device.write_buffer(buffers[1], b)
    source = toy_shader().with_name("dot_product.wgsl").read_text(encoding="utf-8")
    products, partials = (device.compile(source, entry) for entry in ("sum_products", "sum_partials"))
    device.run(
        [
            device.dispatch(products, {0: buffers[0], 1: buffers[1], 2: buffers[2]}, (1, 1, 1)),
            device.dispatch(partials, {2: buffers[2], 3: buffers[3]}, (1, 1, 1)),
        ]
    )
    (found,) = np.frombuffer(device.read_buffer(buffers[3], 4), np.float32)
    expected = np.dot(numbers, numbers)
    print(f"  1² + 2² + … + 100²: CPU {expected:,.0f}, device {found:,.0f}")
    return bool(found == expected)


def by_way_of_a_map(model: Pxi, path: Path) -> Texels:
    """Put the toy's pixels where the file says, and read them back from there."""
    names = {name: tensor for name, (tensor, _) in LAYERS.items()}
    with InfiniteMap.create(path) as plane:
        for name, texels in read_texels(model).items():
            corner = model.places[names[name]].planes["bytes"]
            plane.write(corner.x, corner.y, np.ascontiguousarray(texels))
        plane.commit()
    found: Texels = {}
    with InfiniteMap.open(path) as plane:
        for name, tensor in names.items():
            at = model.places[tensor].planes["bytes"]
            found[name] = plane.read(Region(x=at.x, y=at.y, width=at.width, height=at.height))
            print(f"  {tensor:<21} {at.width} × {at.height:<2} texels at ({at.x}, {at.y})")
    return found


def every_input(vocabulary: ToyVocabulary) -> NDArray[np.float32]:
    """All that the network can ever see: no token, and every row of one, two and three."""
    rows = (row for length in range(MEMORY + 1) for row in itertools.product(range(INPUTS), repeat=length))
    return np.array([vocabulary.vector(row) for row in rows])


if __name__ == "__main__":
    sys.exit(main())
