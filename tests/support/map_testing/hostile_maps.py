"""Maps that nobody wrote: damaged at random, and made with right hashes around what cannot be."""

from __future__ import annotations

import random
import resource
from collections import Counter
from pathlib import Path

from map_testing.flip_bits import make_files
from pixel_core.errors import PixelError
from pixel_core.pixels.compact_map import compact_map
from pixel_core.pixels.infinite_map import InfiniteMap
from pixel_core.pixels.map_header import HEADER_BYTES, LOG_OFFSET, SLOT_BYTES, SLOT_OFFSETS, MapHeader, Slot
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.records import ALIGNMENT, COMMIT, Record, commit_record, unpack_record
from pixel_core.pixels.repair_map import repair_map
from pixel_core.pixels.verify_map import verify_map

NUMBERS = (0, 1, 63, 64, 4096, LOG_OFFSET, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


def records_of(data: bytes) -> list[tuple[int, Record]]:
    """Every record of a whole map with its offset."""
    found: list[tuple[int, Record]] = []
    offset = LOG_OFFSET
    while offset < len(data):
        record = unpack_record(data[offset : offset + ALIGNMENT])
        assert record is not None
        found.append((offset, record))
        offset += record.size
    return found


def mutate(data: bytes, chooser: random.Random) -> bytes:
    """Another map: bytes at random, cut off, or numbers of a commit, a slot, a header changed with all checksums made right again."""
    changed = bytearray(data)
    records = records_of(data)
    kind = chooser.choice(("bytes", "bytes", "cut", "commit", "commit", "commit", "commit", "record", "slot", "header"))
    if kind == "bytes":
        for _ in range(chooser.randrange(1, 6)):
            start = chooser.choice(
                (chooser.randrange(len(data)), chooser.choice(records)[0] + chooser.randrange(80), chooser.randrange(LOG_OFFSET))
            )
            piece = chooser.randbytes(chooser.choice((1, 4, 8, 64, 1000)))
            changed[start : start + len(piece)] = piece
    elif kind == "cut":
        del changed[chooser.randrange(len(data)) :]
    elif kind == "commit":
        _change_commit(changed, chooser, [place for place in records if place[1].kind == COMMIT][-1])
    elif kind == "record":
        offset, record = chooser.choice(records)
        fields = {
            name: getattr(record, name) for name in ("kind", "codec", "stored_length", "content_length", "crc32", "sequence", "digest")
        }
        name = chooser.choice(("kind", "codec", "stored_length", "content_length", "sequence"))
        fields[name] = chooser.choice(
            (1, 2, 3) if name == "kind" else (0, 1) if name == "codec" else NUMBERS[: 9 if name != "sequence" else 12]
        )
        changed[offset : offset + ALIGNMENT] = Record(**fields).pack()
    elif kind == "slot":
        slot = Slot(
            sequence=chooser.choice(NUMBERS), offset=chooser.choice(NUMBERS), end=chooser.choice((*NUMBERS, len(data))), digest=bytes(32)
        )
        for offset in SLOT_OFFSETS if chooser.random() < 0.7 else SLOT_OFFSETS[:1]:
            changed[offset : offset + SLOT_BYTES] = slot.pack()
    else:
        header = MapHeader(version=chooser.choice((1, 1, 2, 2**32 - 1)), tile_side=chooser.choice((0, 1, 16, 64, 256, 65536, 2**32 - 1)))
        changed[:HEADER_BYTES] = header.pack()
    return bytes(changed)


def _change_commit(changed: bytearray, chooser: random.Random, place: tuple[int, Record]) -> None:
    """Change the newest commit, and make its hashes and the slots right again."""
    offset, record = place
    start = offset + ALIGNMENT
    content = bytearray(changed[start : start + record.stored_length])
    for _ in range(chooser.randrange(1, 4)):
        width = chooser.choice((1, 2, 4, 8))
        at = chooser.choice((chooser.randrange(36), chooser.randrange(len(content)), chooser.randrange(len(content))))
        value = chooser.choice((*NUMBERS, chooser.randrange(2**64), offset, offset - 64)) % 256**width
        content[at : at + width] = value.to_bytes(width, "little")
    if chooser.random() < 0.2:
        content += chooser.randbytes(chooser.choice((1, 64, 500)))
    new = commit_record(bytes(content), record.sequence)
    del changed[offset:]
    changed += new.pack() + content
    changed += bytes(offset + new.size - len(changed))
    slot = Slot(sequence=record.sequence, offset=offset, end=len(changed), digest=new.digest)
    for at in SLOT_OFFSETS:
        changed[at : at + SLOT_BYTES] = slot.pack()


def use_everything(path: Path, folder: Path) -> None:
    """Do with a map whatever can be done; each step may fail with a sentence."""
    with PixelFS.open(path) as files:
        for entry in files.list()[:50]:
            if entry.size <= 1 << 20:
                files.read(entry.path)
        for name in files.store.snapshots():
            PixelFS.open(path, snapshot=name).close()
    with InfiniteMap.open(path) as plane:
        plane.bounds()
        for column, row in plane.tiles()[:50]:
            plane.tile(column, row)
    with PixelFS.open(path, writable=True) as files:
        files.put("new", b"new")


def try_hostile_maps(folder: Path, chooser: random.Random, count: int) -> tuple[Counter[str], int]:
    """Make hostile maps and use them.

    Returns:
        What the uses came to by the kind of error, and the greatest number of KiB that the process had resident.

    Raises:
        Exception: Whatever is no `PixelError`.
    """
    path = folder / "hostile.map"
    made = folder / "whole.map"
    make_files(made, chooser, 12)
    compact_map(made)
    with PixelFS.open(made, writable=True) as files:
        files.put("later", b"later" * 1000)
    whole = made.read_bytes()
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        data = mutate(whole, chooser)
        for step in (use_everything, _verify, _compact, _repair):
            path.write_bytes(data)
            try:
                step(path, folder)
                outcomes["nothing to refuse"] += 1
            except PixelError as problem:
                outcomes[_kind(problem)] += 1
        for kept in folder.glob("hostile.map.damaged-*"):
            kept.unlink()
    return outcomes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _kind(problem: PixelError) -> str:
    assert problem.message
    assert "\n" not in problem.message
    assert len(problem.message) < 1000
    return type(problem).__name__


def _verify(path: Path, folder: Path) -> None:
    verify_map(path)


def _compact(path: Path, folder: Path) -> None:
    compact_map(path)


def _repair(path: Path, folder: Path) -> None:
    repair_map(path)
