"""What a compacted map holds, and what became of the room."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from map_testing.flip_bits import make_files
from pixel_core.pixels.compact_map import compact_map
from pixel_core.pixels.errors import MapBusy, MapDamaged
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.tile_store import TileStore
from pixel_core.pixels.verify_map import verify_map


def test_room_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "files.map"
    model = make_files(path, random.Random(5), 10)
    with PixelFS.open(path, writable=True) as files:
        for number in range(20):
            files.put("changing", random.Random(number).randbytes(20_000))
        model["changing"] = random.Random(19).randbytes(20_000)
        sequence = files.store.slot.sequence
    with PixelFS.open(path, snapshot="before") as files:
        snapshot = {entry.path: bytes(files.read(entry.path)) for entry in files.list()}
    before, after = compact_map(path)
    assert after == path.stat().st_size < before - 19 * 20_000
    with PixelFS.open(path) as files:
        assert {entry.path: bytes(files.read(entry.path)) for entry in files.list()} == model
        assert files.store.slot.sequence == sequence + 1
        # Tiles lie in the file as on the curve, but for those that an older snapshot needs too.
        places = files.store.tiles
        own = [places[code].offset for code in sorted(places) if files.stat("changing").first <= code]
        assert own == sorted(own)
    with PixelFS.open(path, snapshot="before") as files:
        assert {entry.path: bytes(files.read(entry.path)) for entry in files.list()} == snapshot
    assert verify_map(path).is_whole
    assert compact_map(path)[1] == after
    assert [file.name for file in tmp_path.iterdir()] == ["files.map"]


def test_what_somebody_left_who_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "files.map"
    make_files(path, random.Random(5), 3)
    (tmp_path / ".files.map.compacting").write_bytes(b"half")
    compact_map(path)
    assert [file.name for file in tmp_path.iterdir()] == ["files.map"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    make_files(tmp_path / "real.map", random.Random(5), 3)
    (tmp_path / "link.map").symlink_to("real.map")
    compact_map(tmp_path / "link.map")
    assert (tmp_path / "link.map").is_symlink()
    assert verify_map(tmp_path / "real.map").is_whole


def test_a_damaged_map_is_not_compacted(tmp_path: Path) -> None:
    path = tmp_path / "files.map"
    make_files(path, random.Random(5), 3)
    with TileStore(path) as store:
        offset = min(place.offset for place in store.tiles.values())
    data = bytearray(path.read_bytes())
    data[offset + 70] ^= 1
    path.write_bytes(data)
    with pytest.raises(MapDamaged, match=f"the tile at offset {offset:,} is not what was written"):
        compact_map(path)
    assert path.read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["files.map"]


def test_nobody_else_writes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "files.map"
    make_files(path, random.Random(5), 3)
    with PixelFS.open(path, writable=True), pytest.raises(MapBusy):
        compact_map(path)
