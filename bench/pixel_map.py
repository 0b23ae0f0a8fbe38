"""What the tile side of a map costs: writing, verifying, reading at random, changing a texel, small files. CPU time.

.venv/bin/python bench/pixel_map.py
"""

from __future__ import annotations

import hashlib
import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pixel_core.pixels.infinite_map import InfiniteMap
from pixel_core.pixels.map_header import TILE_SIDES
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.region import Region
from pixel_core.pixels.verify_map import verify_map

DATA_BYTES = 64 << 20


def main() -> None:
    """Print a table, a row for each tile side, with plain copying and plain hashing beside it."""
    chooser = random.Random(1)
    data = chooser.randbytes(DATA_BYTES)
    megabytes = DATA_BYTES / 1e6
    print(f"beside it: sha256 {megabytes / seconds(lambda: hashlib.sha256(data)):.0f} MB/s, ", end="")
    print(
        f"blake2b {megabytes / seconds(lambda: hashlib.blake2b(data)):.0f}, crc32 {megabytes / seconds(lambda: zlib.crc32(data)):.0f}, ",
        end="",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"write_bytes {megabytes / seconds(lambda: (folder / 'plain').write_bytes(data)):.0f}")
        print("side  KiB   put MB/s  get MB/s  verify MB/s  100 B range us  256x256 region ms  texel+commit ms  1,000 files of 300 B")
        for side in TILE_SIDES[1:]:
            print(row(folder, side, data, chooser), flush=True)


def row(folder: Path, side: int, data: bytes, chooser: random.Random) -> str:
    """Measure one tile side."""
    path = folder / f"{side}.map"
    megabytes = len(data) / 1e6
    with PixelFS.create(path, tile_side=side) as files:
        put = megabytes / seconds(lambda: files.put("file", data), repeats=1)
    get = megabytes / seconds(lambda: read_all(path))
    verify = megabytes / seconds(lambda: verify_map(path), repeats=2)
    with PixelFS.open(path) as files:
        offsets = [chooser.randrange(len(data) - 100) for _ in range(500)]
        # Nothing is remembered: each of them is checked anew.
        ranges = seconds(lambda: [(files.store.cache.clear(), files.read("file", offset, 100)) for offset in offsets]) / len(offsets)
    with InfiniteMap.open(path) as plane:
        corners = [(chooser.randrange(1024), chooser.randrange(1024)) for _ in range(20)]

        def read_regions() -> None:
            for x, y in corners:
                plane.store.cache.clear()
                plane.read(Region(x=x, y=y, width=256, height=256))

        regions = seconds(read_regions) / len(corners)
    with InfiniteMap.open(path, writable=True) as plane:

        def change() -> None:
            for _ in range(10):
                plane.write(chooser.randrange(1024), chooser.randrange(1024), np.ones((1, 1, 4), np.uint32))
                plane.commit()

        texel = seconds(change) / 10
    small = folder / f"small{side}.map"
    with PixelFS.create(small, tile_side=side) as files, files.batch():
        for number in range(1000):
            files.put(f"file{number}", chooser.randbytes(300))
    return (
        f"{side:4}  {side**2 * 16 >> 10:4}  {put:8.0f}  {get:8.0f}  {verify:11.0f}  {ranges * 1e6:14.0f}  {regions * 1e3:17.2f}"
        f"  {texel * 1e3:15.2f}  {small.stat().st_size:,} bytes"
    )


def read_all(path: Path) -> None:
    """Every byte of a file, checked."""
    with PixelFS.open(path) as files:
        for block in files.blocks("file"):
            block[-1]


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The median CPU time of a few runs."""
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
