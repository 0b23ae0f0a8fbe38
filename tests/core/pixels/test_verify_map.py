"""Every flipped bit of a map is found, located and, alone, corrected."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from map_testing.flip_bits import flip_one_at_a_time, flip_together, make_files
from pixel_core.pixels import damage
from pixel_core.pixels.errors import MapError
from pixel_core.pixels.map_header import PAGE
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.tile_writer import TileWriter
from pixel_core.pixels.verify_map import DamagedTile, verify_map


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_files(tmp_path / "files.map", random.Random(1), 12)
    return tmp_path / "files.map"


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_a_whole_map(path: Path) -> None:
    done: list[tuple[int, int]] = []
    report = verify_map(path, lambda *progress: done.append(progress))
    assert report.is_whole
    assert (report.file_count, report.bytes) == (11, path.stat().st_size)
    assert done[-1][0] == done[-1][1] - 3 * PAGE
    assert done == sorted(done)


def test_single_flipped_bits(path: Path) -> None:
    kinds = flip_one_at_a_time(path, random.Random(2), 20)
    assert sum(kinds.values()) == 20
    assert kinds[damage.TILE] > 10


def test_flipped_bits_in_many_tiles_at_once(path: Path) -> None:
    flip_together(path, random.Random(3), 15)


def test_flipped_bits_of_every_kind(path: Path) -> None:
    """Header, slots, the zeros behind them, a commit, a record's header and what no state needs."""
    with PixelFS.open(path) as files:
        commit = files.store.slot.offset
    whole = path.read_bytes()
    places = {
        0: damage.HEADER,
        70: damage.HEADER,
        PAGE + 9: damage.SLOT,
        2 * PAGE + 4000: damage.SLOT,
        commit + 40: damage.COMMIT,
        commit + 70: damage.COMMIT,
    }
    for offset, kind in places.items():
        overwrite(path, offset, bytes([whole[offset] ^ 16]))
        (found,) = verify_map(path).damages
        assert (found.kind, bool(found.correction)) == (kind, True)
        assert found.offset <= offset < found.offset + found.length
        path.write_bytes(whole)


def test_a_lost_tile_has_file_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    with PixelFS.create(path, tile_side=16) as files:
        files.put("small", b"small")
        content = random.Random(1).randbytes(10_000)
        entry = files.put("folder/file", content)
        place = files.store.tiles[entry.first + 2]
    overwrite(path, place.offset + 64, bytes(100))
    report = verify_map(path)
    assert report.tiles == (DamagedTile(path="folder/file", snapshot=None, tile=2, start=8192, stop=10_000, is_correctable=False),)
    (found,) = report.damages
    assert (found.what, found.offset) == ("a tile's bytes do not match their CRC-32", place.offset)
    assert [use.code for use in found.uses] == [entry.first + 2]


def test_a_tile_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    with PixelFS.create(path, tile_side=16) as files:
        entry = files.put("file", bytes(10_000))
        files.writer.drop(entry.first + 1)
        files.writer.commit()
    report = verify_map(path)
    assert not report.is_whole
    assert [(tile.path, tile.tile) for tile in report.tiles] == [("file", 1)]


def test_a_commit_that_cannot_be_read(path: Path) -> None:
    with PixelFS.open(path) as files:
        slot = files.store.slot
    overwrite(path, slot.offset + 64, bytes(60))
    report = verify_map(path)
    assert report.problems == {
        None: f"commit {slot.sequence} is not what was written; what commit {slot.sequence} changed is as it was before"
    }
    assert [(one.kind, one.lost) for one in report.damages] == [(damage.COMMIT, (None,))]


def test_maps_without_files_are_verified_too(tmp_path: Path) -> None:
    with TileWriter.create(tmp_path / "plane.map", tile_side=16) as writer:
        writer.put(5, b"x" * 4096)
        writer.commit()
        offset = writer.tiles[5].offset
    overwrite(tmp_path / "plane.map", offset + 1000, b"y")
    report = verify_map(tmp_path / "plane.map")
    assert [(use.code, use.snapshot) for use in report.damages[0].uses] == [(5, None)]
    assert report.tiles == ()


def test_what_is_no_map(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"text" * 5000)
    with pytest.raises(MapError, match="is no map, or nothing of it can be read"):
        verify_map(tmp_path / "text")
