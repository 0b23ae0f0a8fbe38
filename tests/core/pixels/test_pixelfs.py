"""Files in a map against a dictionary, and the promises of each verb."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pixel_core.pixels.compact_map import compact_map
from pixel_core.pixels.diff_files import diff_files
from pixel_core.pixels.errors import MapError, NoSuchPath, PathRefused
from pixel_core.pixels.infinite_map import InfiniteMap
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.tile_writer import TileWriter
from pixel_core.pixels.verify_map import verify_map

TILE = 4096
NAMES = st.sampled_from(["a", "b", "c/d", "c/e", "c/f/g", "h"])
CONTENTS = st.builds(
    lambda seed, length: hashlib.shake_256(bytes([seed])).digest(length) if seed else bytes(length),
    st.integers(0, 5),
    st.sampled_from([0, 1, 16, TILE - 1, TILE, TILE + 1, 5 * TILE, 40_000]),
)


class FilesMachine(RuleBasedStateMachine):
    """The model is a dictionary of files, and one for each snapshot."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "files.map"
        PixelFS.create(self.path, tile_side=16).close()
        self.model: dict[str, bytes] = {}
        self.snapshots: dict[str, dict[str, bytes]] = {}
        self.open()

    def open(self) -> None:
        self.files = PixelFS.open(self.path, writable=True)
        self.files.writer._file.sync = lambda: None  # type: ignore[method-assign]

    @rule(name=NAMES, content=CONTENTS, compress=st.booleans())
    def put(self, name: str, content: bytes, compress: bool) -> None:
        self.files.put(name, content, compress=compress)
        self.model[name] = content

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.model:
            assert self.files.remove(name) == 1
            del self.model[name]
        else:
            with pytest.raises(NoSuchPath):
                self.files.remove(name)

    @rule(source=st.sampled_from(["a", "c", "c/d", "c/f", "m", "m/f"]), new=st.sampled_from(["m", "c/x", "a"]))
    def move(self, source: str, new: str) -> None:
        moved = {name: new + name.removeprefix(source) for name in self.model if name == source or name.startswith(source + "/")}
        is_taken = any(name == new or name.startswith(new + "/") for name in self.model)
        is_below_a_file = new == "c/x" and "c" in self.model
        is_below_itself = new == source or new.startswith(source + "/")
        if not moved or is_taken or is_below_a_file or is_below_itself:
            with pytest.raises((NoSuchPath, PathRefused)):
                self.files.move(source, new)
        else:
            self.files.move(source, new)
            self.model = {moved.get(name, name): content for name, content in self.model.items()}

    @rule(name=NAMES, content=CONTENTS)
    def give_up_a_batch(self, name: str, content: bytes) -> None:
        def put_and_fail() -> None:
            with self.files.batch():
                self.files.put(name, content)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            put_and_fail()

    @rule(name=st.sampled_from(["one", "two"]))
    def snapshot(self, name: str) -> None:
        if name in self.snapshots:
            self.files.writer.remove_snapshot(name)
        self.files.writer.add_snapshot(name)
        self.snapshots[name] = dict(self.model)

    @rule()
    def compact(self) -> None:
        self.files.close()
        compact_map(self.path)
        self.open()

    @rule()
    def begin_again(self) -> None:
        self.files.close()
        self.open()

    @rule()
    def compare(self) -> None:
        self.check(self.files, self.model)
        for name, model in self.snapshots.items():
            with PixelFS.open(self.path, snapshot=name) as files:
                self.check(files, model)
                changes = diff_files(files, self.files)
            same = {path for path in model if self.model.get(path) == model[path]}
            touched = {path for change in changes for entry in (change.before, change.after) if entry for path in (entry.path,)}
            assert touched == (set(model) | set(self.model)) - same

    @rule()
    def verify(self) -> None:
        assert verify_map(self.path).is_whole

    @staticmethod
    def check(files: PixelFS, model: dict[str, bytes]) -> None:
        assert [entry.path for entry in files.list()] == sorted(model)
        for name, content in model.items():
            assert files.read(name) == content
            entry = files.stat(name)
            assert (entry.size, entry.sha256) == (len(content), hashlib.sha256(content).digest())
            middle = len(content) // 2
            assert files.read(name, middle, len(content) - middle) == content[middle:]

    def teardown(self) -> None:
        if hasattr(self, "files"):
            self.compare()
            self.files.close()
            assert verify_map(self.path).is_whole
            self.folder.cleanup()


TestFilesMachine = FilesMachine.TestCase
TestFilesMachine.settings = settings(max_examples=max(20, settings.default.max_examples // 10), stateful_step_count=15, deadline=None)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[PixelFS]:
    with PixelFS.create(tmp_path / "files.map", tile_side=16) as made:
        yield made


def test_a_file_is_a_rectangle_of_the_plane(files: PixelFS) -> None:
    content = hashlib.shake_256(b"x").digest(5 * TILE)
    files.put("first", b"1")
    entry = files.put("second", content)
    region = entry.region(16)
    assert region is not None
    # A block of 16 tiles begins at a multiple of 16 on the curve; five tiles fill the upper left quarter and one more.
    assert (region.x, region.y, region.width, region.height) == (4 * 16, 0, 3 * 16, 2 * 16)
    plane = InfiniteMap(files.store)
    assert plane.tile(4, 0).tobytes() == content[:TILE]
    assert plane.read(region)[:16, 32:].tobytes() == content[4 * TILE :]
    empty = files.put("empty", b"")
    assert (empty.region(16), empty.tile_count, bytes(files.read("empty"))) == (None, 0, b"")


def test_reading_without_copies(files: PixelFS) -> None:
    content = hashlib.shake_256(b"x").digest(3 * TILE)
    files.put("file", content)
    blocks = list(files.blocks("file"))
    assert [len(block) for block in blocks] == [TILE] * 3
    size = files.store.path.stat().st_size
    for block in (*blocks, files.read("file", TILE + 5, 100)):
        assert block.readonly
        assert len(block.obj) == size  # pyright: ignore[reportArgumentType]
    assert b"".join(blocks) == content


def test_reading_into_an_array(files: PixelFS) -> None:
    numbers = np.arange(3000, dtype=np.uint32)
    files.put("numbers", numbers.data)
    out = np.zeros(1000, np.uint32)
    assert files.read_into("numbers", out, offset=4 * 2500) == 2000
    assert out[:500].tolist() == list(range(2500, 3000))
    assert not out[500:].any()


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 11), (11, 0), (5, 6), (5, -1)])
def test_ranges_that_leave_the_file(files: PixelFS, offset: int, length: int) -> None:
    files.put("ten", b"0123456789")
    assert files.read("ten", 3, 4) == b"3456"
    with pytest.raises(ValueError, match="`ten` has 10 bytes"):
        files.read("ten", offset, length)


def test_names_that_clash(files: PixelFS) -> None:
    files.put("a/b", b"1")
    with pytest.raises(PathRefused, match="`a` is a folder"):
        files.put("a", b"2")
    with pytest.raises(PathRefused, match="`a/b` is a file, so that nothing can lie below it"):
        files.put("a/b/c", b"3")
    with pytest.raises(PathRefused):
        files.put("../x", b"4")
    with pytest.raises(NoSuchPath, match="`a` is a folder"):
        files.remove("a")
    assert files.remove("a", recursive=True) == 1
    files.put("a", b"5")
    assert [entry.path for entry in files.list()] == ["a"]


def test_a_stream_that_ends_too_early_changes_nothing(files: PixelFS) -> None:
    files.put("kept", b"kept")
    with pytest.raises(MapError, match="what was to become `kept` ends after 5,000 of 10,000 bytes"):
        files.put_stream("kept", io.BytesIO(b"x" * 5000), 10_000)
    assert files.read("kept") == b"kept"
    assert files.writer.uncommitted_bytes == 0
    with files.batch():
        files.put("other", b"other")
        with pytest.raises(MapError):
            files.put_stream("kept", io.BytesIO(b"x" * 5000), 10_000)
    assert [entry.path for entry in files.list()] == ["kept", "other"]
    assert verify_map(files.store.path).tile_count == 2


def test_equal_files_are_stored_once(files: PixelFS) -> None:
    content = hashlib.shake_256(b"x").digest(10 * TILE)
    files.put("one", content)
    size = files.store.path.stat().st_size
    files.put("two", content)
    assert files.store.path.stat().st_size - size < 1000


def test_a_batch_is_one_commit(files: PixelFS) -> None:
    before = files.store.slot.sequence
    with files.batch():
        for number in range(5):
            files.put(f"file{number}", b"x")
        with PixelFS.open(files.store.path) as reader:
            assert len(reader.files) == 0
    assert files.store.slot.sequence == before + 1
    with PixelFS.open(files.store.path) as reader:
        assert len(reader.files) == 5


def test_a_reader_refreshes(files: PixelFS) -> None:
    with PixelFS.open(files.store.path) as reader:
        files.put("new", b"new")
        assert reader.list() == []
        assert reader.refresh()
        assert reader.read("new") == b"new"
        with pytest.raises(MapError, match="is open for reading"):
            reader.put("x", b"")


def test_the_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "pixelfs.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], names)
    assert names["part"] == bytes((*range(232, 256),))
    assert b"".join(names["views"]) == bytes(range(256)) * 1000  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert names["texels"].shape == (3, 100, 4)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_map_without_files(tmp_path: Path) -> None:
    TileWriter.create(tmp_path / "plane.map").close()
    with pytest.raises(MapError, match="holds no files"):
        PixelFS.open(tmp_path / "plane.map")


def test_what_changed(files: PixelFS) -> None:
    content = bytearray(hashlib.shake_256(b"x").digest(4 * TILE))
    for name in ("changed", "gone", "moved"):
        files.put(name, bytes(content) + name.encode())
    files.writer.add_snapshot("before")
    content[2 * TILE] ^= 1
    files.put("changed", bytes(content) + b"changed")
    files.remove("gone")
    files.move("moved", "somewhere/else")
    files.put("new", b"new")
    with PixelFS.open(files.store.path, snapshot="before") as before:
        changes = diff_files(before, files)
    assert [(change.kind, change.path, change.tiles) for change in changes] == [
        ("changed", "changed", (2,)),
        ("removed", "gone", ()),
        ("added", "new", ()),
        ("moved", "somewhere/else", ()),
    ]
