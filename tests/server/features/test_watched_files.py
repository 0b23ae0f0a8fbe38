from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from pixel_server.features.watched_files import FolderWatch

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


async def test_nothing_is_started_without_a_folder(tmp_path: Path) -> None:
    watch = FolderWatch(lambda _: None)
    watch.set_folders([tmp_path / "absent"])
    assert watch._observer is None
    watch.close()
