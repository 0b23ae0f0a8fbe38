"""Files between the disk and a map: what is left out, what is refused, and that nothing leaves a folder."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixel_core.pixels.copy_in import SourceFile, copy_in, find_sources
from pixel_core.pixels.copy_out import copy_out, target_in
from pixel_core.pixels.errors import MapDamaged, MapError, PathRefused
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.read_pxif import read_pxif


@pytest.fixture
def files(tmp_path: Path) -> Iterator[PixelFS]:
    with PixelFS.create(tmp_path / "files.map", tile_side=16) as made:
        yield made


def names(sources: list[SourceFile]) -> list[str]:
    return [source.path for source in sources]


def test_a_folder_goes_in_and_comes_out(files: PixelFS, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"a" * 10_000)
    (folder / "sub" / "b.bin").write_bytes(b"")
    os.utime(folder / "a.bin", (1_000_000, 1_000_000))
    sources, left_out = find_sources(folder)
    assert (names(sources), left_out) == (["folder/a.bin", "folder/sub/b.bin"], [])
    sizes: list[int] = []
    for source in sources:
        copy_in(files, source, told=sizes.append)
    assert sizes == [4096, 4096, 1808]
    assert files.stat("folder/a.bin").modified == 1_000_000_000
    out = tmp_path / "out"
    out.mkdir()
    for entry in files.list():
        copy_out(files, entry, target_in(out, entry))
    assert (out / "folder" / "a.bin").read_bytes() == b"a" * 10_000
    assert (out / "folder" / "a.bin").stat().st_mtime == 1_000_000
    assert (out / "folder" / "sub" / "b.bin").read_bytes() == b""
    assert sorted(path.name for path in out.rglob("*")) == ["a.bin", "b.bin", "folder", "sub"]


def test_names_in_the_map(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    assert names(find_sources(tmp_path / "a")[0]) == ["a"]
    assert names(find_sources(tmp_path / "a", "b/c")[0]) == ["b/c"]
    assert names(find_sources(tmp_path, "")[0]) == ["a"]
    with pytest.raises(PathRefused):
        find_sources(tmp_path / "a", "../a")
    with pytest.raises(MapError, match="cannot be read: No such file or directory"):
        find_sources(tmp_path / "nothing")


def test_links_do_not_lead_out_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "inside").write_bytes(b"inside")
    (folder / "link").symlink_to("inside")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to(tmp_path)
    (folder / "nowhere").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    sources, left_out = find_sources(folder, "")
    assert names(sources) == ["inside", "link"]
    assert sorted(left_out) == [
        f"`{folder}/nowhere` was left out: No such file or directory",
        f"`{folder}/out` was left out: it is a link that leads out of `{folder}`",
        f"`{folder}/pipe` was left out: it is no regular file",
        f"`{folder}/up` was left out: it is a link that leads out of `{folder}`",
    ]


def test_a_file_that_became_shorter(files: PixelFS, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    ((source,), _) = find_sources(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"123")
    with pytest.raises(MapError, match="what was to become `a` ends after 3 of 5 bytes"):
        copy_in(files, source)
    assert files.list() == []


def test_nothing_is_written_through_a_link(files: PixelFS, tmp_path: Path) -> None:
    entry = files.put("sub/file", b"new")
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    (out / "sub").symlink_to(outside)
    with pytest.raises(MapError, match=r"`sub/file` is not written: the link `.*/out/sub` leads out of"):
        target_in(out, entry)
    assert list(outside.iterdir()) == []
    (out / "sub").unlink()
    (out / "sub").mkdir()
    (outside / "victim").write_bytes(b"old")
    (out / "sub" / "file").symlink_to(outside / "victim")
    with pytest.raises(MapError, match="there is already"):
        copy_out(files, entry, target_in(out, entry))
    copy_out(files, entry, target_in(out, entry), force=True)
    assert (outside / "victim").read_bytes() == b"old"
    assert (out / "sub" / "file").read_bytes() == b"new"
    assert not (out / "sub" / "file").is_symlink()


def test_a_damaged_file_is_not_written(files: PixelFS, tmp_path: Path) -> None:
    entry = files.put("file", b"x" * 10_000)
    place = files.store.tiles[entry.first + 1]
    with files.store.path.open("r+b") as file:
        file.seek(place.offset + 100)
        file.write(b"y")
    (tmp_path / "target").write_bytes(b"old")
    with pytest.raises(MapDamaged):
        copy_out(files, entry, tmp_path / "target", force=True)
    assert (tmp_path / "target").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files.map", "target"]


def pxif(
    content: bytes, *, magic: bytes = b"PXIF", version: int = 1, compression: int = 0, width: int = 4, digest: bytes | None = None
) -> bytes:
    height = -(-len(content) // (3 * width))
    sha256 = hashlib.sha256(content).digest() if digest is None else digest
    header = magic + struct.pack(">BBQIIB", version, 0, len(content), width, height, compression) + sha256 + bytes(9)
    return header + content.ljust(3 * width * height, b"\0")


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256))])
def test_old_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "old.pxi").write_bytes(pxif(content))
    assert read_pxif(tmp_path / "old.pxi") == content


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no PXIF file"),
        (pxif(b"hello", magic=b"PXIG"), "is no PXIF file"),
        (pxif(b"hello", version=2), "is a PXIF file of version 2.0, and only version 1 was ever written"),
        (pxif(b"hello", compression=1), "says that it is compressed"),
        (pxif(b"hello")[:-1], "is cut short or damaged: 4 × 1 pixels do not fit its 75 bytes"),
        (pxif(b"hello", digest=bytes(32)), "its content does not match its SHA-256"),
        (pxif(b"")[:6] + b"\xff" * 16 + pxif(b"")[22:], "is cut short or damaged: 4,294,967,295 × 4,294,967,295 pixels"),
    ],
)
def test_old_files_that_cannot_be_read(data: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "old.pxi").write_bytes(data)
    with pytest.raises(MapError) as problem:
        read_pxif(tmp_path / "old.pxi")
    assert sentence in problem.value.message
