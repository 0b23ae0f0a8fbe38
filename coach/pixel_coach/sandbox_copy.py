"""The copy of a workspace that a job sees."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

MAX_FILES: Final = 20_000
MAX_BYTES: Final = 256 << 20
MAX_FILE_BYTES: Final = 32 << 20
"""Larger files (weights, recordings) are left out of the copy."""

_NOBODY: Final = 65534
_NEVER: Final = frozenset({"node_modules", "__pycache__", "CVS", "_darcs", "site-packages"})


class JobFolder:
    """A temporary folder that holds what one job sees; `nobody`'s where we are root.

    Args:
        as_root: Whether it will be handed over to `nobody`.
    """

    def __init__(self, *, as_root: bool) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="pixel-lsp-sandbox-"))
        self._as_root = as_root
        self.workspace = self._root / "workspace"
        self.workspace.mkdir()

    def stage(self, number: int, source: Path) -> Path:
        """A place to mount a file or folder on that only root can reach."""
        place = self._root / f"stage{number}"
        if source.is_dir():
            place.mkdir(exist_ok=True)
        else:
            place.touch()
        if self._as_root:
            os.chown(place, _NOBODY, _NOBODY)
        return place

    def hand_over(self) -> None:
        """Let `nobody` read all of it, and nobody else."""
        if not self._as_root:
            return
        for folder, _, files in os.walk(self._root):
            os.chown(folder, _NOBODY, _NOBODY)
            for name in files:
                os.chown(Path(folder, name), _NOBODY, _NOBODY, follow_symlinks=False)

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self._root, ignore_errors=True)


def copy_workspace(workspace: Path, folder: Path, overlay: Mapping[str, bytes], writable: Sequence[str] = ()) -> None:
    """Copy what a job may see into an empty folder.

    Left out: every file and folder whose name begins with a dot (version control, settings, `.env`), links, what is no regular file, what
    the workspace's own `.gitignore` files ignore, installed packages, and files larger than `MAX_FILE_BYTES`.

    Args:
        workspace: What is copied.
        folder: Where to.
        overlay: Path relative to the workspace → bytes that stand in the copy instead.
        writable: Folders that must exist, to mount something on.

    Raises:
        OSError: More than `MAX_FILES` files or `MAX_BYTES` bytes, or the disk is full.
    """
    if workspace.resolve() != folder.resolve():
        files = total = 0
        for relative, size in _visible(workspace, Path(), ()):
            files, total = files + 1, total + size
            if files > MAX_FILES or total > MAX_BYTES:
                raise OSError(f"the workspace is too large to be copied: more than {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB")
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(workspace / relative, target, follow_symlinks=False)
            target.chmod(0o755 if os.access(workspace / relative, os.X_OK) else 0o644)
    for path, data in overlay.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for path in writable:
        (folder / path).mkdir(parents=True, exist_ok=True)


def visible_files(workspace: Path) -> list[Path]:
    """The files that a job would see, relative to the workspace; at most `MAX_FILES`."""
    return [path for _, (path, _) in zip(range(MAX_FILES), _visible(workspace, Path(), ()), strict=False)]


Ignored = tuple[Path, GitIgnoreSpec]
"""A folder, and what its `.gitignore` says about what is in it."""


def _visible(workspace: Path, relative: Path, above: tuple[Ignored, ...]) -> Iterator[tuple[Path, int]]:
    """The files to copy, with their sizes."""
    pending: list[tuple[Path, tuple[Ignored, ...]]] = [(relative, above)]
    while pending:
        current, specs = pending.pop()
        own = _read_ignored(workspace / current)
        specs = (*specs, (current, own)) if own is not None else specs
        with os.scandir(workspace / current) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                path = current / entry.name
                if entry.name.startswith(".") or entry.name in _NEVER:
                    continue
                status = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(status.st_mode)
                if _is_ignored(path, specs, is_folder=is_folder) or (is_folder and (Path(entry.path) / "pyvenv.cfg").exists()):
                    continue
                if is_folder:
                    pending.append((path, specs))
                elif stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_BYTES:
                    yield path, status.st_size


def _read_ignored(folder: Path) -> GitIgnoreSpec | None:
    try:
        text = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    try:
        return GitIgnoreSpec.from_lines(text.splitlines())
    except ValueError:
        return None


def _is_ignored(path: Path, specs: Sequence[Ignored], *, is_folder: bool) -> bool:
    slash = "/" if is_folder else ""
    return any(spec.match_file(f"{path.relative_to(base).as_posix()}{slash}") for base, spec in specs)
