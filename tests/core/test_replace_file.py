from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pixel_core import replace_file as module
from pixel_core.replace_file import replace_file


def test_the_content_is_replaced_and_the_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "k.wgsl"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_readable_as_any_other(tmp_path: Path) -> None:
    path, other = tmp_path / "new", tmp_path / "other"
    replace_file(path, b"new")
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_a_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_when_it_fails_everything_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "k.wgsl"
    path.write_bytes(b"old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
