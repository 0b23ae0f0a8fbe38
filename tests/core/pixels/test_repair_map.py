"""What a repair brings back, what it says is lost, and that the rest stays."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from map_testing.flip_bits import make_files
from pixel_core.pixels.errors import MapBusy
from pixel_core.pixels.map_header import LOG_OFFSET, PAGE
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.repair_map import repair_map
from pixel_core.pixels.salvage_state import LostFile
from pixel_core.pixels.tile_writer import TileWriter
from pixel_core.pixels.verify_map import verify_map

Files = dict[str, bytes]


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, Files]:
    path = tmp_path / "files.map"
    return path, make_files(path, random.Random(4), 12)


def destroy(path: Path, offset: int, length: int = 100) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * length)


def contents(path: Path, snapshot: str | None = None) -> Files:
    with PixelFS.open(path, snapshot=snapshot) as files:
        return {entry.path: bytes(files.read(entry.path)) for entry in files.list()}


def offset_of(path: Path, name: str, tile: int) -> int:
    with PixelFS.open(path) as files:
        return files.store.tiles[files.stat(name).first + tile].offset


def test_a_whole_map_stays_as_it_is(whole: tuple[Path, Files]) -> None:
    path, _ = whole
    before = path.read_bytes()
    report = repair_map(path)
    assert report.is_whole
    assert report.corrected == 0
    assert path.read_bytes() == before


def test_lost_tiles_are_named_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    content = random.Random(1).randbytes(10_000)
    with PixelFS.create(path, tile_side=16) as files:
        files.put("folder/file", content)
        files.put("other", b"other")
    destroy(path, offset_of(path, "folder/file", 1) + 64)
    damaged = path.read_bytes()
    report = repair_map(path)
    assert report.lost == (LostFile(path="folder/file", moved_to="damaged/folder/file", snapshot=None, tiles=(1,), size=10_000),)
    assert not report.is_whole
    zeros = content[:4096] + bytes(4096) + content[8192:]
    assert contents(path) == {"damaged/folder/file": zeros, "other": b"other"}
    with PixelFS.open(path) as files:
        assert files.stat("damaged/folder/file").sha256 == hashlib.sha256(zeros).digest()
    assert verify_map(path).is_whole
    assert report.kept is not None
    assert report.kept.read_bytes() == damaged
    assert repair_map(path).is_whole


def test_a_backup_gives_lost_tiles_back(whole: tuple[Path, Files], tmp_path: Path) -> None:
    path, model = whole
    snapshot = contents(path, "before")
    backup = tmp_path / "backup.map"
    backup.write_bytes(path.read_bytes())
    with PixelFS.open(path) as files:
        offsets = sorted({place.offset for place in files.store.tiles.values()})
    for offset in offsets[::3]:
        destroy(path, offset + 20)
    report = repair_map(path, [backup])
    assert report.is_whole
    assert report.restored == len(offsets[::3])
    assert report.kept is None
    assert contents(path) == model
    assert contents(path, "before") == snapshot
    assert verify_map(path).is_whole


def test_a_file_that_is_written_again_mends_its_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    content = random.Random(1).randbytes(5000)
    with PixelFS.create(path, tile_side=16) as files:
        files.put("file", content)
        files.writer.add_snapshot("s")
    destroy(path, offset_of(path, "file", 0) + 64)
    with PixelFS.open(path, writable=True) as files:
        files.put("file", content)
    report = repair_map(path)
    assert (report.is_whole, report.restored) == (True, 1)
    assert contents(path) == contents(path, "s") == {"file": content}


def test_a_lost_commit_costs_what_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    with PixelFS.create(path, tile_side=16) as files:
        slots = []
        for number in range(6):
            files.put(f"file{number}", b"%d" % number)
            slots.append(files.store.slot)
    destroy(path, slots[2].offset + 64)
    report = repair_map(path)
    what = f"commit {slots[2].sequence} is not what was written; what commit {slots[2].sequence} changed is as it was before"
    assert report.lost_changes == {None: what}
    assert contents(path) == {f"file{number}": b"%d" % number for number in (0, 1, 3, 4, 5)}
    assert verify_map(path).is_whole


def test_a_whole_state_has_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    with PixelFS.create(path, tile_side=16) as files:
        for number in range(20):
            files.put(f"file{number}", b"%d" % number)
        files.writer.set_attribute("one more", b"")
        files.writer.commit(whole=True)
        slot = files.store.slot
    model = contents(path)
    for start, length in ((slot.offset, 500), (slot.offset + 64, 200)):
        destroy(path, start, length)
        report = repair_map(path)
        assert (report.is_whole, report.corrected) == (True, 1)
        assert contents(path) == model


@pytest.mark.parametrize(("start", "length"), [(0, 64), (PAGE, 2 * PAGE), (0, LOG_OFFSET), (PAGE + 10, 30)])
def test_the_front_pages_can_be_made_again(whole: tuple[Path, Files], start: int, length: int) -> None:
    path, model = whole
    destroy(path, start, length)
    if start == 0 and length > PAGE:
        # Without header and slots the log alone says that it is a map.
        assert not verify_map(path).is_whole
    assert repair_map(path).is_whole
    assert contents(path) == model
    assert verify_map(path).is_whole


def test_a_tile_of_no_file(tmp_path: Path) -> None:
    path = tmp_path / "plane.map"
    with TileWriter.create(path, tile_side=16) as writer:
        writer.put(1, b"x" * 100)
        writer.put(2, b"y" * 100)
        writer.commit()
        offset = writer.tiles[1].offset
    destroy(path, offset + 64, 10)
    report = repair_map(path)
    assert (report.lost_tiles, report.is_whole) == (1, False)
    with TileWriter(path) as writer:
        assert [*writer.tiles] == [2]


def test_nobody_else_writes_meanwhile(whole: tuple[Path, Files]) -> None:
    path, _ = whole
    with TileWriter(path), pytest.raises(MapBusy):
        repair_map(path)


@pytest.mark.parametrize("seed", range(15))
def test_random_damage(whole: tuple[Path, Files], seed: int) -> None:
    """However bytes are destroyed: afterwards the map is whole, and what is not said to be lost is what it was."""
    path, model = whole
    chooser = random.Random(seed)
    size = path.stat().st_size
    for _ in range(chooser.choice((1, 2, 4))):
        destroy(path, chooser.randrange(size - 500), chooser.choice((1, 8, 64, 500)))
    report = repair_map(path)
    assert verify_map(path).is_whole
    if not report.lost_changes:
        lost = {one.path for one in report.lost if one.snapshot is None}
        moved = {one.moved_to for one in report.lost if one.snapshot is None}
        there = contents(path)
        assert {name: content for name, content in there.items() if name not in moved} == {
            name: content for name, content in model.items() if name not in lost
        }
