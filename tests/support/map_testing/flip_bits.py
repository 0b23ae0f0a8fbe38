"""Single flipped bits: each has to be found, located and corrected."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from pixel_core.pixels import damage
from pixel_core.pixels.file_table import FileOwners
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.read_log import read_record
from pixel_core.pixels.repair_map import repair_map
from pixel_core.pixels.verify_map import verify_map


def make_files(path: Path, chooser: random.Random, count: int, *, tile_side: int = 16) -> dict[str, bytes]:
    """A map with files, a snapshot, and room that nothing needs any more. Returns what the files hold."""
    contents = {f"folder{number % 5}/{number}.bin": chooser.randbytes(chooser.randrange(3 * tile_side**2 * 16)) for number in range(count)}
    with PixelFS.create(path, tile_side=tile_side) as files:
        for name, content in contents.items():
            files.put(name, content)
        files.writer.add_snapshot("before")
        files.remove("folder0/0.bin")
        contents["folder1/1.bin"] = b"written anew"
        files.put("folder1/1.bin", contents["folder1/1.bin"])
    del contents["folder0/0.bin"]
    return contents


def owner_of(path: Path, offset: int) -> set[tuple[str | None, str, int]]:
    """By reading the map, not by verifying it: the snapshot, file and tile that the record around a byte of the log holds."""
    found: set[tuple[str | None, str, int]] = set()
    with PixelFS.open(path) as newest:
        names = [None, *newest.store.snapshots()]
    for name in names:
        with PixelFS.open(path, snapshot=name) as files:
            owners = FileOwners(files.files)
            for code, place in files.store.tiles.items():
                record, _ = files.store.stored(code)
                entry = owners.find(code)
                if entry and place.offset <= offset < place.offset + record.size:
                    found.add((name, entry.path, code - entry.first))
    return found


def flip_one_at_a_time(path: Path, chooser: random.Random, count: int) -> Counter[str]:
    """Flip a bit anywhere in a map, have it found, located and corrected; and again. Returns how many hit what.

    Raises:
        AssertionError: A flipped bit was not found, found elsewhere, or not corrected.
    """
    whole = path.read_bytes()
    kinds: Counter[str] = Counter()
    for _ in range(count):
        bit = chooser.randrange(8 * len(whole))
        offset = bit // 8
        expected = owner_of(path, offset)
        _flip(path, bit)
        report = verify_map(path)
        (found,) = report.damages
        assert found.offset <= offset < found.offset + found.length, (bit, found)
        assert {(tile.snapshot, tile.path, tile.tile) for tile in report.tiles} == expected, (bit, report)
        assert (found.kind == damage.TILE) == bool(expected)
        assert repair_map(path).is_whole
        assert path.read_bytes() == whole, f"bit {bit} was not corrected"
        kinds[found.kind] += 1
    return kinds


def flip_together(path: Path, chooser: random.Random, count: int) -> None:
    """Flip one bit in each of many tiles of a large map at once, and have all of them found and corrected.

    Raises:
        AssertionError: One was not found, or the map is not what it was.
    """
    with PixelFS.open(path) as files:
        places = sorted({place.offset for place in files.store.tiles.values()})
        end = files.store.slot.end
        sizes = {offset: read_record(files.store._file, offset, end)[0].size for offset in places}
    chosen = {offset: 8 * offset + chooser.randrange(8 * sizes[offset]) for offset in chooser.sample(places, min(count, len(places)))}
    for bit in chosen.values():
        _flip(path, bit)
    report = verify_map(path)
    assert {one.offset for one in report.damages} == set(chosen), "not every flipped bit was found"
    assert repair_map(path).is_whole
    assert verify_map(path).is_whole


def _flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))
