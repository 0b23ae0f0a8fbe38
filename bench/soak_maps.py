"""What maps of pixels survive: flipped bits, killed writers, hostile files, and several GiB. scripts/soak runs it.

.venv/bin/python bench/soak_maps.py --flips 1000 --kills 200 --hostile 5000 --gib 4
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from map_testing.flip_bits import flip_one_at_a_time, flip_together, make_files
from map_testing.hostile_maps import try_hostile_maps
from map_testing.kill_writers import kill_writers
from pixel_core.pixels.compact_map import compact_map
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.verify_map import verify_map

FILE_BYTES = 64 << 20
Result = TypeVar("Result")


def main() -> None:
    """Run the steps in turn; one that fails ends with a traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--hostile", type=int, default=5000)
    parser.add_argument("--gib", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chooser = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        step("flips", lambda: flips(folder, chooser, arguments.flips))
        step(
            "kills",
            lambda: (
                f"{arguments.kills} writers killed, {kill_writers(folder / 'killed.map', chooser, arguments.kills):,} changes, none lost"
            ),
        )
        step("hostile", lambda: hostile(folder, chooser, arguments.hostile))
        if arguments.gib:
            step("large", lambda: large(folder, chooser, arguments.gib))


def step(name: str, work: Callable[[], str]) -> None:
    """Run one and say what it came to."""
    start = time.perf_counter()
    print(f"{name}: {work()}; {time.perf_counter() - start:.0f} s", flush=True)


def flips(folder: Path, chooser: random.Random, count: int) -> str:
    """Single flipped bits, one at a time."""
    path = folder / "flips.map"
    make_files(path, chooser, 20)
    kinds = flip_one_at_a_time(path, chooser, count)
    return f"{count:,} single flipped bits in {path.stat().st_size:,} bytes, all found, located and corrected: {dict(kinds)}"


def hostile(folder: Path, chooser: random.Random, count: int) -> str:
    """Maps that nobody wrote, and what memory they take."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, after = try_hostile_maps(folder, chooser, count)
    return f"{count:,} hostile maps, each used in 4 ways: {dict(outcomes)}; at most {after >> 10} MiB resident, {before >> 10} before"


def large(folder: Path, chooser: random.Random, gib: int) -> str:
    """A map of several GiB, put, verified, damaged in 1,000 tiles, repaired, thinned out and compacted."""
    path = folder / "large.map"
    files = PixelFS.create(path)
    count = gib * 16
    times: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Result]) -> Result:
        start = time.perf_counter()
        result = work()
        times[name] = time.perf_counter() - start
        return result

    seeds = [chooser.randrange(1 << 30) for _ in range(count)]
    put = 0.0
    for number, seed in enumerate(seeds):
        content = random.Random(seed).randbytes(FILE_BYTES)
        start = time.perf_counter()
        files.put(f"folder{number % 7}/{number}.bin", content)
        put += time.perf_counter() - start
        # The same bytes under another name.
        files.put(f"copies/{number}.bin", content)
    times["put"] = put
    files.close()
    size = path.stat().st_size
    assert size < count * FILE_BYTES * 1.01
    timed("open", lambda: PixelFS.open(path).close())
    assert timed("verify", lambda: verify_map(path)).is_whole
    timed("1,000 flips", lambda: flip_together(path, chooser, 1000))
    with PixelFS.open(path, writable=True) as files:
        for number in range(0, count, 2):
            files.remove(f"folder{number % 7}/{number}.bin")
            files.remove(f"copies/{number}.bin")
    before, after = timed("compact", lambda: compact_map(path))
    assert after < before * 0.51
    with PixelFS.open(path) as files:
        number = count - 1
        assert files.read(f"copies/{number}.bin") == random.Random(seeds[number]).randbytes(FILE_BYTES)
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items())
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sizes = f"{size / 2**30:.2f} GiB, {after / 2**30:.2f} after half of the files were removed"
    return f"{2 * count} files, {sizes} ({told}); {resident} MiB resident at most, mapped pages included"


if __name__ == "__main__":
    main()
