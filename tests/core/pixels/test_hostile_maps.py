"""Maps that nobody wrote end in a sentence, and cost no more than their own size. scripts/soak tries more of them."""

from __future__ import annotations

import hashlib
import random
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from map_testing.hostile_maps import try_hostile_maps
from pixel_core.pixels.commits import Changes, Commit, Place, decode_commit, encode_commit
from pixel_core.pixels.errors import MapDamaged, MapError, TileDamaged
from pixel_core.pixels.file_table import FILE_PREFIX, FileEntry
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.records import RAW, TILE, ZSTD, Record
from pixel_core.pixels.snapshots import SNAPSHOT_PREFIX
from pixel_core.pixels.tile_codec import decode_tile
from pixel_core.pixels.tile_writer import TileWriter


def test_random_maps(tmp_path: Path) -> None:
    outcomes, _ = try_hostile_maps(tmp_path, random.Random(1), 30)
    assert sum(outcomes.values()) == 30 * 4
    assert outcomes["MapDamaged"] > 10


def zstd_record(stored: bytes, length: int, content: bytes) -> Record:
    digest = hashlib.sha256(content).digest()
    return Record(
        kind=TILE, codec=ZSTD, stored_length=len(stored), content_length=length, crc32=zlib.crc32(stored), sequence=1, digest=digest
    )


@pytest.mark.parametrize("claimed", [4096, 1 << 30])
def test_a_compressed_tile_that_unfolds(claimed: int) -> None:
    """A frame of 32 KiB that holds 1 GiB of zeros is never decompressed, whatever the record claims."""
    stored = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 20)) if claimed == 4096 else _frame_of(1 << 30)
    with pytest.raises(MapDamaged, match=r"a compressed tile says two things|a tile says that it holds"):
        decode_tile(zstd_record(stored, claimed, b""), memoryview(stored), 4096)


def _frame_of(size: int) -> bytes:
    # One block of a repeated byte in a frame that claims a size of eight bytes (RFC 8878).
    return b"\x28\xb5\x2f\xfd\xe0" + size.to_bytes(8, "little") + ((1 << 17) << 3 | 2 | 1).to_bytes(3, "little") + b"\0"


def test_a_compressed_tile_without_a_size() -> None:
    stored = zstandard.ZstdCompressor(level=1, write_content_size=False).compress(bytes(4096))
    with pytest.raises(MapDamaged, match="a compressed tile says two things about its length"):
        decode_tile(zstd_record(stored, 4096, bytes(4096)), memoryview(stored), 4096)


def test_a_tile_that_is_no_frame() -> None:
    stored = b"no frame of zstd at all"
    with pytest.raises(MapDamaged, match="a tile cannot be decompressed"):
        decode_tile(zstd_record(stored, 4096, b""), memoryview(stored), 4096)


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        (20, r"a commit counts 4,294,967,295 tiles and has no room for them"),
        (24, r"a commit is cut short"),
        (28, r"a commit counts 0 tiles and has no room for them"),
    ],
)
def test_counts_that_cannot_be(at: int, sentence: str) -> None:
    content = bytearray(encode_commit(Commit(base=0, time=0, tile_side=16, changes=Changes())))
    content[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(MapDamaged, match=sentence):
        decode_commit(memoryview(content), 1 << 20)


@pytest.mark.parametrize("offset", [1, 63, 4096, 12288 + 1, 1 << 20, (1 << 64) - 64])
def test_places_that_cannot_be(offset: int) -> None:
    content = encode_commit(Commit(base=0, time=0, tile_side=16, changes=Changes(tiles={1: Place(offset, bytes(32))})))
    with pytest.raises(MapDamaged, match="where none can be"):
        decode_commit(memoryview(content), 1 << 20)


def entry(path: str, first: int, size: int) -> FileEntry:
    return FileEntry(path=path, size=size, modified=0, sha256=bytes(32), first=first, tile_count=0)


ORIGIN = 3 << 62


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([entry("../x", ORIGIN, 10)], r"`../x` cannot be the name of a file in a map: `..` is no part of a name"),
        ([entry("/etc/passwd", ORIGIN, 10)], "it is absolute"),
        ([entry("a\x1b[31m", ORIGIN, 10)], "it holds characters that cannot be seen"),
        ([entry("u\u0308", ORIGIN, 10)], "the entry of"),
        ([entry("a", 0, 10)], "the entry of `a` cannot be"),
        ([entry("a", (1 << 64) - 1, 5000)], "the entry of `a` cannot be"),
        ([entry("a", ORIGIN, 1 << 63), entry("b", ORIGIN + 5, 10)], "the files `a` and `b` lie over one another"),
        ([entry("a", ORIGIN, 5000), entry("b", ORIGIN + 1, 10)], "the files `a` and `b` lie over one another"),
        ([entry("a", ORIGIN, 10), entry("a/b", ORIGIN + 1, 10)], "`a` is a file|`a` is a folder"),
    ],
)
def test_files_that_cannot_be(entries: list[FileEntry], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    PixelFS.create(path, tile_side=16).close()
    with TileWriter(path) as writer:
        for one in entries:
            writer.set_attribute(FILE_PREFIX + one.path, one.pack())
        writer.commit()
    with pytest.raises(MapError, match=sentence):
        PixelFS.open(path)


def test_a_huge_file_of_nothing_is_damaged_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    PixelFS.create(path, tile_side=16).close()
    with TileWriter(path) as writer:
        writer.set_attribute(FILE_PREFIX + "huge", entry("huge", ORIGIN, 1 << 60).pack())
        writer.commit()
    with PixelFS.open(path) as files, pytest.raises(TileDamaged, match="tile 0 of `huge` is not there"):
        next(files.blocks("huge"))


def test_snapshots_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    PixelFS.create(path, tile_side=16).close()
    with TileWriter(path) as writer:
        writer.set_attribute(SNAPSHOT_PREFIX + "s", bytes(64))
        writer.commit()
        with pytest.raises(MapDamaged, match="the snapshot `s` names a commit that cannot be"):
            writer.snapshots()
        writer.set_attribute(SNAPSHOT_PREFIX + "s", b"")
        with pytest.raises(MapDamaged, match="the snapshot `s` has the wrong length"):
            writer.snapshots()
        for number in range(1001):
            writer.set_attribute(f"{SNAPSHOT_PREFIX}{number}", b"")
        with pytest.raises(MapDamaged, match=r"it has 1,002 snapshots, and at most 1,000 were ever made"):
            writer.snapshots()


def test_a_commit_in_the_place_of_a_tile(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    with TileWriter.create(path, tile_side=16) as writer:
        writer.put(1, b"x")
        writer.commit()
        place = Place(writer.slot.offset, writer.slot.digest)
        writer._set_tile(2, place)
        with pytest.raises(TileDamaged, match="is another one"):
            writer.content(2)


def test_raw_tiles_whose_lengths_differ() -> None:
    record = Record(kind=TILE, codec=RAW, stored_length=16, content_length=32, crc32=zlib.crc32(bytes(16)), sequence=1, digest=bytes(32))
    with pytest.raises(MapDamaged, match="a raw tile's lengths differ"):
        decode_tile(record, memoryview(bytes(16)), 4096)
    with pytest.raises(MapDamaged, match="a tile's content does not match its SHA-256"):
        decode_tile(replace(record, content_length=16), memoryview(bytes(16)), 4096)
