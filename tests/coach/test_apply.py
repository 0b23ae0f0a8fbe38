"""Writing a patch: only over what it was made from, all of it or nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pixel_coach import apply as apply_module
from pixel_coach.apply import apply_patch, read_base
from pixel_coach.attempts import Patch
from pixel_coach.errors import RefusedPath, StaleBase


def patch_of(workspace: Path, path: str, new_text: str) -> Patch:
    _, sha256 = read_base(workspace, path)
    return Patch(path=path, base_sha256=sha256, new_text=new_text)


def test_new_file_in_new_folders(tmp_path: Path) -> None:
    written = apply_patch(tmp_path, patch_of(tmp_path, "a/b/c.py", "x = 1\r\n"), ())
    assert written == tmp_path / "a" / "b" / "c.py"
    assert written.read_bytes() == b"x = 1\r\n"


def test_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "run.py"
    file.write_bytes(b"\xef\xbb\xbfold\r\n")
    file.chmod(0o750)
    assert read_base(tmp_path, "run.py") == ("\ufeffold\r\n", hashlib.sha256(b"\xef\xbb\xbfold\r\n").hexdigest())
    apply_patch(tmp_path, patch_of(tmp_path, "run.py", "new"), ())
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def check_stale(workspace: Path, patch: Patch, message: str) -> None:
    before = {path: path.read_bytes() for path in workspace.iterdir()}
    with pytest.raises(StaleBase) as refusal:
        apply_patch(workspace, patch, ())
    assert refusal.value.message == message
    assert {path: path.read_bytes() for path in workspace.iterdir()} == before


def test_file_that_changed_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("old")
    patch = patch_of(tmp_path, "a.py", "new")
    file.write_text("other")
    check_stale(tmp_path, patch, "a.py changed since the patch was made from it")
    file.unlink()
    check_stale(tmp_path, patch, "a.py is gone; the patch was made from a file that was there")


def test_file_that_came_into_being_meanwhile(tmp_path: Path) -> None:
    patch = patch_of(tmp_path, "a.py", "new")
    (tmp_path / "a.py").write_text("somebody's")
    check_stale(tmp_path, patch, "a.py exists; the patch was made when it did not")


def test_what_is_written_already_counts_as_written(tmp_path: Path) -> None:
    patch = patch_of(tmp_path, "a.py", "new")
    apply_patch(tmp_path, patch, ())
    assert apply_patch(tmp_path, patch, ()) == tmp_path / "a.py"


def check_refused(workspace: Path, patch: Patch, message: str) -> None:
    with pytest.raises(RefusedPath) as refusal:
        apply_patch(workspace, patch, ("locked/*",))
    assert refusal.value.message == message


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("x")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "link.py").symlink_to(outside)
    check_refused(workspace, Patch(path="link.py", base_sha256=None, new_text=""), "link.py is refused: `link.py` is a link")
    check_refused(workspace, Patch(path="locked/a.py", base_sha256=None, new_text=""), "locked/a.py is protected by your settings")
    half = "the new text of a.py has half a surrogate pair at offset 1"
    check_refused(workspace, Patch(path="a.py", base_sha256=None, new_text="x\ud800"), half)
    monkeypatch.setattr(apply_module, "MAX_TEXT_BYTES", 3)
    huge = "the new text of a.py has 4 bytes; at most 3 are written"
    check_refused(workspace, Patch(path="a.py", base_sha256=None, new_text="1234"), huge)
    assert outside.read_text() == "x"


def test_base_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"ab\xff")
    with pytest.raises(RefusedPath) as refusal:
        read_base(tmp_path, "a.bin")
    assert refusal.value.message == "a.bin is not UTF-8 text (byte 0xff at offset 2)"


def test_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("old")
    patch = patch_of(tmp_path, "a.py", "new")

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(apply_module, "replace_file", full)
    with pytest.raises(OSError, match="No space left"):
        apply_patch(tmp_path, patch, ())
    assert (tmp_path / "a.py").read_text() == "old"
