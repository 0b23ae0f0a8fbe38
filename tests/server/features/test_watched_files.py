from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from pixel_server.features.watched_files import SETTLE_S, FolderWatch

MANY = 400


async def until(changed: set[Path], *wanted: Path) -> None:
    for _ in range(MANY):
        if changed >= set(wanted):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"only {changed} changed")


async def test_changes_are_told_of_watched_folders_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    changed: set[Path] = set()
    watch = FolderWatch(changed.update)
    try:
        watch.set_folders([one, other, tmp_path / "absent"])
        (one / "a").touch()
        (other / "b").touch()
        await until(changed, one / "a", other / "b")
        changed.clear()
        watch.set_folders([other])
        (one / "a").write_text("more", encoding="utf-8")
        (one / "a").rename(other / "c")
        (other / "b").unlink()
        await until(changed, other / "b", other / "c")
        assert one / "a" not in changed
    finally:
        watch.close()


async def test_a_folder_that_goes_and_comes_back_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    changed: set[Path] = set()
    watch = FolderWatch(changed.update)
    try:
        watch.set_folders([folder])
        (folder / "a").touch()
        await until(changed, folder / "a")
        shutil.rmtree(folder)
        for _ in range(MANY):
            if not watch._watches:
                break
            await asyncio.sleep(0.05)
        folder.mkdir()
        watch.set_folders([folder])
        changed.clear()
        (folder / "b").touch()
        await until(changed, folder / "b")
    finally:
        watch.close()


async def test_a_folder_behind_a_link_is_watched_by_every_name_that_it_has(tmp_path: Path) -> None:
    """A link is not followed by the system, so changes in a workspace behind one once went unseen."""
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    changed: set[Path] = set()
    watch = FolderWatch(changed.update)
    try:
        assert watch.set_folders([link, tmp_path / "circle"])
        (folder / "a").touch()
        await until(changed, link / "a")
        assert not watch.set_folders([link, folder])
        (link / "b").touch()
        await until(changed, link / "b", folder / "b")
        assert watch.set_folders([tmp_path])
        (tmp_path / "c").touch()
        await until(changed, tmp_path / "c")
    finally:
        watch.close()


async def test_a_file_that_changes_all_the_time_holds_up_no_other() -> None:
    changed: set[Path] = set()
    watch = FolderWatch(changed.update)
    folder = Path("/w")
    watch._names = {folder: {folder}}
    watch._touched(folder, ["contract"])
    for _ in range(MANY):
        if folder / "contract" in changed:
            break
        watch._touched(folder, ["log"])
        await asyncio.sleep(SETTLE_S / 4)
    assert folder / "contract" in changed


async def test_nothing_is_started_without_a_folder(tmp_path: Path) -> None:
    watch = FolderWatch(lambda _: None)
    watch.set_folders([tmp_path / "absent"])
    assert watch._observer is None
    watch.close()
