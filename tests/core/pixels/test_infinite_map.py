"""The plane against a dictionary of texels, and what its edges, its views and its bounds are."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pixel_core.pixels.errors import MapError, TileDamaged
from pixel_core.pixels.image import Texels
from pixel_core.pixels.infinite_map import InfiniteMap
from pixel_core.pixels.morton import HIGHEST, LOWEST
from pixel_core.pixels.region import Region

SIDE = 16
ORIGIN = 80
PLACES = st.integers(-40, 39)
REGIONS = st.builds(Region, x=PLACES, y=PLACES, width=st.integers(1, 40), height=st.integers(1, 40))


def texels_of(width: int, height: int, seed: int = 1) -> Texels:
    return np.random.default_rng(seed).integers(1, 2**32, (height, width, 4), np.uint32)


class MapMachine(RuleBasedStateMachine):
    """The model is an array with everything that was written around the origin; a second one holds what was committed."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "plane.map"
        InfiniteMap.create(self.path, tile_side=SIDE).close()
        self.written = np.zeros((2 * ORIGIN, 2 * ORIGIN, 4), np.uint32)
        self.committed = self.written.copy()
        self.open()

    def open(self) -> None:
        self.plane = InfiniteMap.open(self.path, writable=True)
        self.plane.store._file.sync = lambda: None  # type: ignore[method-assign]

    @rule(region=REGIONS, seed=st.integers(0, 1000))
    def write(self, region: Region, seed: int) -> None:
        texels = texels_of(region.width, region.height, seed)
        texels[0, 0] = 0
        self.plane.write(region.x, region.y, texels)
        self.written[region.slices(-ORIGIN, -ORIGIN)] = texels

    @rule(region=REGIONS)
    def erase(self, region: Region) -> None:
        self.plane.erase(region)
        self.written[region.slices(-ORIGIN, -ORIGIN)] = 0

    @rule(region=REGIONS)
    def read(self, region: Region) -> None:
        assert (self.plane.read(region) == self.written[region.slices(-ORIGIN, -ORIGIN)]).all()

    @rule()
    def commit(self) -> None:
        self.plane.commit()
        self.committed = self.written.copy()

    @rule()
    def rollback(self) -> None:
        self.plane.rollback()
        self.written = self.committed.copy()

    @rule()
    def begin_again(self) -> None:
        self.plane.close()
        self.open()
        self.written = self.committed.copy()

    @rule(region=REGIONS)
    def read_beside(self, region: Region) -> None:
        with InfiniteMap.open(self.path) as reader:
            assert (reader.read(region) == self.committed[region.slices(-ORIGIN, -ORIGIN)]).all()

    @rule()
    def look_at_the_tiles(self) -> None:
        rows, columns = np.nonzero(self.written.any(axis=2))
        stored = {((x - ORIGIN) // SIDE, (y - ORIGIN) // SIDE) for x, y in zip(columns.tolist(), rows.tolist(), strict=True)}
        assert set(self.plane.tiles()) == stored
        bounds = self.plane.bounds()
        if stored:
            left, top = (min(place[axis] for place in stored) * SIDE for axis in (0, 1))
            right, bottom = (max(place[axis] for place in stored) * SIDE + SIDE for axis in (0, 1))
            assert bounds == Region(x=left, y=top, width=right - left, height=bottom - top)
        else:
            assert bounds is None
        assert self.plane.neighbours(0, 0) == [(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x or y) and (x, y) in stored]

    def teardown(self) -> None:
        if hasattr(self, "plane"):
            self.plane.close()
            self.folder.cleanup()


TestMapMachine = MapMachine.TestCase
TestMapMachine.settings = settings(max_examples=max(15, settings.default.max_examples // 10), stateful_step_count=15, deadline=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    InfiniteMap.create(tmp_path / "plane.map", tile_side=SIDE).close()
    return tmp_path / "plane.map"


def test_coordinates_are_divided_downwards(path: Path) -> None:
    with InfiniteMap.open(path, writable=True) as plane:
        plane.write(-1, -1, texels_of(1, 1))
        assert plane.tiles() == [(-1, -1)]
        assert plane.tile(-1, -1)[SIDE - 1, SIDE - 1].any()


def test_whole_tiles_are_views(path: Path) -> None:
    with InfiniteMap.open(path, writable=True) as plane:
        texels = texels_of(SIDE, SIDE)
        plane.write(0, 0, texels)
        plane.commit()
        tile = plane.tile(0, 0)
        assert (tile == texels).all()
        assert not tile.flags.owndata
        assert not tile.flags.writeable
        assert not plane.tile(5, 5).flags.writeable


def test_reading_into_a_part_of_an_array(path: Path) -> None:
    with InfiniteMap.open(path, writable=True) as plane:
        plane.write(3, 3, texels_of(2, 2))
        whole = np.zeros((10, 10, 4), np.uint32)
        part = whole[4:6, 4:6]
        assert plane.read(Region(x=3, y=3, width=2, height=2), out=part) is part
        assert (whole[4:6, 4:6] == texels_of(2, 2)).all()
        assert not whole[:4].any()
        with pytest.raises(ValueError, match=r"`out` is uint32\[10, 10, 4\], not uint32\[2, 2, 4\]"):
            plane.read(Region(x=3, y=3, width=2, height=2), out=whole)


@pytest.mark.parametrize("corner", [(LOWEST * SIDE, LOWEST * SIDE), ((HIGHEST + 1) * SIDE - 2, (HIGHEST + 1) * SIDE - 2)])
def test_the_corners_of_the_plane(path: Path, corner: tuple[int, int]) -> None:
    x, y = corner
    with InfiniteMap.open(path, writable=True) as plane:
        plane.write(x, y, texels_of(2, 2))
        plane.commit()
        assert (plane.read(Region(x=x, y=y, width=2, height=2)) == texels_of(2, 2)).all()
        assert plane.neighbours(*plane.tiles()[0]) == []
        with pytest.raises(ValueError, match="outside of the plane"):
            plane.write((HIGHEST + 1) * SIDE - 1, y, texels_of(2, 1))


def test_prefetching_counts_what_is_stored(path: Path) -> None:
    with InfiniteMap.open(path, writable=True) as plane:
        plane.write(-SIDE, 0, texels_of(3 * SIDE, SIDE))
        plane.commit()
        assert plane.prefetch(Region(x=-1, y=0, width=10 * SIDE, height=2 * SIDE)) == 3


def test_many_changes_do_not_pile_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixel_core.pixels.infinite_map.MAX_DIRTY_BYTES", 4 * SIDE**2 * 16)
    with InfiniteMap.open(path, writable=True) as plane:
        for number in range(20):
            plane.write(number * SIDE, 0, texels_of(1, 1, number))
            assert len(plane._dirty) <= 4
        plane.commit()
        for number in range(20):
            assert (plane.read(Region(x=number * SIDE, y=0, width=1, height=1)) == texels_of(1, 1, number)).all()


def test_what_cannot_be_written(path: Path) -> None:
    with InfiniteMap.open(path) as plane:
        with pytest.raises(MapError, match="is open for reading"):
            plane.write(0, 0, texels_of(1, 1))
        with pytest.raises(MapError, match="a snapshot cannot be written to"):
            InfiniteMap.open(path, writable=True, snapshot="x")
    with InfiniteMap.open(path, writable=True) as plane, pytest.raises(ValueError, match=r"texels are u32\[height, width, 4\]"):
        plane.write(0, 0, np.zeros((1, 1, 3), np.uint32))
    with pytest.raises(ValueError, match="at least one texel"):
        Region(x=0, y=0, width=0, height=1)


def test_a_damaged_tile_has_a_name(path: Path) -> None:
    with InfiniteMap.open(path, writable=True) as plane:
        plane.write(0, 0, texels_of(2 * SIDE, SIDE))
        plane.commit()
        offset = plane.store.tiles[sorted(plane.store.tiles)[1]].offset
    data = bytearray(path.read_bytes())
    data[offset + 100] ^= 1
    path.write_bytes(data)
    with InfiniteMap.open(path) as plane:
        plane.tile(0, 0)
        with pytest.raises(TileDamaged):
            plane.tile(1, 0)
