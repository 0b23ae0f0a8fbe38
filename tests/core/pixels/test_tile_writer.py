"""The file of a map: commits, readers beside a writer, what a crash leaves, and what is stored once."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from pathlib import Path

import pytest

from pixel_core.pixels.compact_map import compact_map
from pixel_core.pixels.errors import CodecMissing, MapBusy, MapDamaged, MapError, TileDamaged
from pixel_core.pixels.map_header import PAGE, SLOT_OFFSETS
from pixel_core.pixels.tile_store import TileStore
from pixel_core.pixels.tile_writer import TileWriter

FULL = (bytes(range(1, 256)) * 17)[:4096]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    TileWriter.create(tmp_path / "a.map", tile_side=16).close()
    return tmp_path / "a.map"


def contents(store: TileStore) -> dict[int, bytes]:
    return {code: bytes(store.content(code) or b"") for code in store.tiles}


def test_a_commit_makes_changes_visible(path: Path) -> None:
    with TileWriter(path) as writer, TileStore(path) as reader:
        writer.put(7, b"seven")
        writer.set_attribute("name", b"value")
        assert contents(writer) == {7: b"seven".ljust(16, b"\0")}
        assert not reader.refresh()
        writer.commit()
        assert contents(reader) == {}
        assert reader.refresh()
        assert contents(reader) == {7: b"seven".ljust(16, b"\0")}
        assert reader.attributes == {"name": b"value"}
        assert reader.slot == writer.slot


def test_a_reader_sees_one_commit_whatever_is_written(path: Path) -> None:
    with TileWriter(path) as writer:
        writer.put(1, FULL)
        writer.commit()
        with TileStore(path) as reader:
            view = reader.content(1)
            for number in range(20):
                writer.put(1, bytes([number + 1]) * 4096)
                writer.commit()
            writer.close()
            compact_map(path)
            assert view == FULL
            assert contents(reader) == {1: FULL}
            assert reader.refresh()
            assert contents(reader) == {1: bytes([20]) * 4096}


def test_rolling_back(path: Path) -> None:
    with TileWriter(path) as writer:
        writer.put(1, b"one")
        writer.set_attribute("kept", b"1")
        writer.commit()
        before = contents(writer)
        size = path.stat().st_size
        writer.put(1, b"other")
        writer.put(2, b"two")
        writer.drop(1)
        writer.set_attribute("kept", None)
        writer.set_attribute("new", b"")
        assert writer.uncommitted_bytes > 0
        writer.rollback()
        assert contents(writer) == before
        assert writer.attributes == {"kept": b"1"}
        writer.put(3, b"three")
        assert contents(writer)[3] == b"three".ljust(16, b"\0")
        writer.commit()
        assert writer.uncommitted_bytes == 0
    assert path.stat().st_size > size
    with TileStore(path) as reader:
        assert sorted(reader.tiles) == [1, 3]


def test_what_was_not_committed_is_cut_off(path: Path) -> None:
    with TileWriter(path) as writer:
        committed = writer.slot.end
        writer.put(1, FULL)
        assert path.stat().st_size > committed
    with TileWriter(path):
        assert path.stat().st_size == committed


def test_there_is_one_writer(path: Path) -> None:
    with TileWriter(path), pytest.raises(MapBusy, match=r"is being written by somebody else"):
        TileWriter(path)
    TileWriter(path).close()


def test_a_closed_writer_writes_nothing(path: Path) -> None:
    writer = TileWriter(path)
    writer.close()
    with pytest.raises(MapError, match="is closed"):
        writer.put(1, b"x")


def test_equal_contents_are_stored_once(path: Path) -> None:
    with TileWriter(path) as writer:
        for code in range(10):
            writer.put(code, FULL)
        writer.commit()
        assert len({place.offset for place in writer.tiles.values()}) == 1
    with TileWriter(path) as writer:
        writer.put(99, FULL)
        assert writer.uncommitted_bytes == 0


def test_a_damaged_copy_is_not_shared(path: Path) -> None:
    with TileWriter(path) as writer:
        writer.put(1, FULL)
        writer.commit()
        offset = writer.tiles[1].offset
    damage(path, offset + 64 + 5)
    with TileWriter(path) as writer:
        with pytest.raises(TileDamaged) as problem:
            writer.content(1)
        assert problem.value.code == 1
        assert problem.value.message == f"the map `{path}` is damaged: a tile's bytes do not match their CRC-32"
        writer.put(2, FULL)
        assert writer.content(2) == FULL


@pytest.mark.parametrize("whole", [b"\1" * 4096, b"\1" * 16, b"\0" * 15 + b"\1"])
def test_whole_tiles_are_views_of_the_file(path: Path, whole: bytes) -> None:
    with TileWriter(path) as writer:
        writer.put(1, whole)
        writer.commit()
    with TileStore(path) as reader:
        content = reader.content(1)
        assert content == whole
        assert content is not None
        assert content.readonly
        # A view of the mapping, and not of a copy of so many bytes.
        assert len(content.obj) == path.stat().st_size  # pyright: ignore[reportArgumentType]


def test_zero_tiles(path: Path) -> None:
    with TileWriter(path) as writer:
        writer.put(1, bytes(4096))
        writer.put(2, b"")
        writer.commit()
        assert contents(writer) == {1: bytes(16), 2: bytes(16)}


@pytest.mark.parametrize(("code", "length"), [(-1, 1), (1 << 64, 1), (0, 4097)])
def test_what_is_no_tile(path: Path, code: int, length: int) -> None:
    with TileWriter(path) as writer, pytest.raises(ValueError, match=r"Morton code|a tile holds 4,096 bytes, not"):
        writer.put(code, b"x" * length)


def test_compression_where_it_wins(path: Path) -> None:
    noise = hashlib.shake_256(b"noise").digest(4096)
    with TileWriter(path) as writer:
        writer.put(1, FULL, compress=True)
        writer.put(2, noise, compress=True)
        writer.commit()
    with TileStore(path) as reader:
        assert [reader.stored(code)[0].codec for code in (1, 2)] == [1, 0]
        assert contents(reader) == {1: FULL, 2: noise}


def test_a_codec_that_is_not_installed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TileWriter(path) as writer:
        writer.put(1, FULL, compress=True)
        writer.commit()
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with TileStore(path) as reader, pytest.raises(CodecMissing) as problem:
        reader.content(1)
    assert problem.value.message == "the map has tiles compressed with zstd, and the package zstandard is not installed"
    assert problem.value.hint == "pip install 'pixel-lsp[zstd]'"


def test_many_small_commits_stay_linear(path: Path) -> None:
    """The index is not written whole for each commit, and a chain of commits is not longer than what opening should read."""
    with TileWriter(path) as writer:
        for number in range(1500):
            # Nobody needs the disk's guarantees here, and waiting for it 3,000 times takes a minute.
            writer._file.sync = lambda: None  # type: ignore[method-assign]
            writer.set_attribute(f"attribute {number:,}", bytes(100))
            writer.commit()
        assert writer._state.chain < 1024
    assert path.stat().st_size < 1500 * 1000
    with TileStore(path) as reader:
        assert len(reader.attributes) == 1500


def test_snapshots(path: Path) -> None:
    with TileWriter(path) as writer:
        writer.put(1, b"old")
        made = writer.add_snapshot("first")
        writer.put(1, b"new")
        writer.commit()
        assert [*writer.snapshots()] == ["first"]
        assert writer.snapshots()["first"] == made
        with pytest.raises(MapError, match="there is already a snapshot `first`"):
            writer.add_snapshot("first")
        with pytest.raises(MapError, match="there is no snapshot `second`"):
            writer.remove_snapshot("second")
    with TileStore(path, snapshot="first") as reader:
        assert contents(reader) == {1: b"old".ljust(16, b"\0")}
        assert not reader.refresh()
        assert reader.snapshots() == {}
    with pytest.raises(MapError, match="has no snapshot `second`"):
        TileStore(path, snapshot="second")


def test_a_torn_slot_costs_nothing(path: Path) -> None:
    """The newest slot is cut through while it is written: its commit is found behind the one that the other slot names."""
    with TileWriter(path) as writer:
        for number in range(5):
            writer.put(number, bytes([number + 1]))
            writer.commit()
        newest = writer.slot
    data = bytearray(path.read_bytes())
    start = SLOT_OFFSETS[newest.sequence % 2]
    data[start + 20 : start + PAGE] = bytes(PAGE - 20)
    path.write_bytes(data)
    with TileStore(path) as reader:
        assert reader.slot == newest
        assert len(reader.tiles) == 5


def test_a_map_without_slots_is_damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[PAGE : 3 * PAGE] = bytes(2 * PAGE)
    path.write_bytes(data)
    with pytest.raises(MapDamaged) as problem:
        TileStore(path)
    assert problem.value.message == f"the map `{path}` is damaged: neither of its slots can be read"
    assert problem.value.hint == f"see what is lost: pixel-lsp fs verify {path}"


def test_a_map_that_ends_too_early(path: Path) -> None:
    with TileWriter(path) as writer:
        writer.put(1, FULL)
        writer.commit()
        end = writer.slot.end
    os.truncate(path, end - 1)
    with pytest.raises(MapDamaged, match="ends before its last commit"):
        TileStore(path)


def test_what_is_no_map(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello", encoding="utf-8")
    with pytest.raises(MapError, match="is no map"):
        TileStore(text)
    with pytest.raises(MapError, match="there is no map"):
        TileStore(tmp_path / "nothing")
    with pytest.raises(MapError, match="it is no regular file"):
        TileStore(tmp_path)
    with pytest.raises(MapError, match="there is already a file"):
        TileWriter.create(text)
    with pytest.raises(MapError, match="a tile cannot be 17 texels wide"):
        TileWriter.create(tmp_path / "new", tile_side=17)
    assert not (tmp_path / "new").exists()


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the map as it was."""
    writer = TileWriter(path)
    writer.put(1, FULL)

    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer._file, "sync", fail)
    with pytest.raises(MapError, match="cannot be used: No space left on device"):
        writer.commit()
    with TileWriter(path) as again:
        assert contents(again) == {}


def test_threads_read_together(path: Path) -> None:
    with TileWriter(path) as writer:
        for code in range(50):
            writer.put(code, bytes([code + 1]) * 4096)
        writer.commit()
    wrong: list[int] = []
    with TileStore(path, cache_bytes=10 * 4096) as reader:

        def read() -> None:
            for _ in range(20):
                wrong.extend(code for code in range(50) if reader.content(code) != bytes([code + 1]) * 4096)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert reader.cache.bytes <= 10 * 4096


def test_the_cache_is_bounded_and_used(path: Path) -> None:
    with TileWriter(path) as writer:
        for code in range(4):
            writer.put(code, bytes([code + 1]) * 4096)
        writer.commit()
    with TileStore(path, cache_bytes=2 * 4096) as reader:
        for code in (0, 1, 0, 2, 0, 1):
            reader.content(code)
        # 1 was used longest ago when 2 came.
        assert (reader.cache.hits, reader.cache.misses, reader.cache.bytes) == (2, 4, 2 * 4096)


def damage(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0xFF]))
