"""Types of a header come from the cache where it can be trusted, and from parsing everywhere else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import _cffi_backend
import cffi
import pytest

from pixel_core.engines.header_types import HeaderTypes, header_types

HEADER = """
typedef struct Size { unsigned short width; double height; } Size;
typedef enum Colour { Colour_Red = 3, Colour_Force32 = 0x7FFFFFFF } Colour;
typedef struct Engine* Handle;
typedef void (*Callback)(Handle handle, Size size, void* data);
Handle make(Callback callback, Colour colour);
"""


def kept(folder: Path) -> Path:
    [file] = (folder / "c-types").iterdir()
    return file


@pytest.fixture
def never_parse(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(self: object, source: str) -> None:
        raise AssertionError("parsed")

    return lambda: monkeypatch.setattr(cffi.FFI, "cdef", refuse)


def test_the_back_end_knows_the_types() -> None:
    ffi = _cffi_backend.FFI("types", **header_types(HEADER, None).arguments())
    assert ffi.sizeof("Size") == 16
    assert ffi.offsetof("Size", "height") == 8
    assert ffi.typeof("Callback").kind == "function"
    assert int(ffi.cast("Colour", 3)) == 3
    seen: list[int] = []
    callback = ffi.callback("Callback", lambda handle, size, data: seen.append(size.width))
    callback(ffi.NULL, ffi.new("Size*", {"width": 7})[0], ffi.NULL)
    assert seen == [7]


def test_the_cache_spares_parsing(tmp_path: Path, never_parse: Callable[[], None]) -> None:
    first = header_types(HEADER, tmp_path)
    never_parse()
    assert header_types(HEADER, tmp_path) == first
    assert (kept(tmp_path).stat().st_mode & 0o777, kept(tmp_path).parent.stat().st_mode & 0o777) == (0o600, 0o700)
    with pytest.raises(AssertionError, match="parsed"):
        header_types(HEADER + "int more;", tmp_path)
    with pytest.raises(AssertionError, match="parsed"):
        header_types(HEADER, None)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def let_others_write(file: Path) -> None:
    file.chmod(0o606)


def let_others_write_the_folder(file: Path) -> None:
    file.parent.chmod(0o770)


def link_elsewhere(file: Path) -> None:
    shutil.copy(file, file.parent.parent / "elsewhere")
    file.unlink()
    file.symlink_to(file.parent.parent / "elsewhere")


def put_a_folder_there(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [cut, flip, empty, let_others_write, link_elsewhere], ids=lambda one: one.__name__)
def test_a_damaged_or_foreign_file_is_replaced(tmp_path: Path, damage: Callable[[Path], None], never_parse: Callable[[], None]) -> None:
    first = header_types(HEADER, tmp_path)
    damage(kept(tmp_path))
    assert header_types(HEADER, tmp_path) == first
    assert kept(tmp_path).lstat().st_mode & 0o777 == 0o600
    never_parse()
    assert header_types(HEADER, tmp_path) == first


@pytest.mark.parametrize("damage", [let_others_write_the_folder, put_a_folder_there], ids=lambda one: one.__name__)
def test_without_a_place_of_its_own_it_is_parsed(tmp_path: Path, damage: Callable[[Path], None], never_parse: Callable[[], None]) -> None:
    first = header_types(HEADER, tmp_path)
    damage(kept(tmp_path))
    assert header_types(HEADER, tmp_path) == first
    never_parse()
    with pytest.raises(AssertionError, match="parsed"):
        header_types(HEADER, tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert isinstance(header_types(HEADER, tmp_path / "file"), HeaderTypes)


def test_a_header_that_is_none() -> None:
    with pytest.raises(cffi.CDefError):
        header_types("struct {", None)
