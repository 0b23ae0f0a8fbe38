"""The source files of a workspace that a prompt may quote: nothing ignored, hidden, secret, large, or outside by a link."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from pathspec import GitIgnoreSpec

from pixel_coach.secrets_scan import is_secret_file

SUFFIXES: Final = frozenset({".wgsl", ".py"})
MAX_FILES: Final = 2_000
MAX_BYTES: Final = 256 << 10

_FOREIGN_FOLDERS: Final = frozenset({"node_modules", "venv", "__pycache__", "site-packages", "bower_components", "target", "build", "dist"})
# The patterns become regular expressions that try every length of every wildcard.
_MAX_WILDCARDS: Final = 8

_Rules = tuple[tuple[str, GitIgnoreSpec], ...]


def list_sources(workspace: Path) -> Iterator[PurePosixPath]:
    """Source files by name, relative to the workspace; at most `MAX_FILES`."""
    rules: dict[str, _Rules] = {}
    count = 0
    for name, folders, files in os.walk(workspace):
        folder = Path(name)
        relative = folder.relative_to(workspace).as_posix()
        rules[relative] = known = (*rules.get(PurePosixPath(relative).parent.as_posix(), ()), *_read_ignore(folder, relative))
        folders[:] = sorted(
            child for child in folders if not _is_foreign(folder / child) and not _is_ignored(known, PurePosixPath(relative, child), "/")
        )
        for file in sorted(files):
            path = PurePosixPath(relative, file)
            if path.suffix.lower() in SUFFIXES and not is_secret_file(path) and not _is_ignored(known, path):
                yield path
                count += 1
                if count == MAX_FILES:
                    return


def read_source(workspace: Path, path: PurePosixPath) -> str | None:
    """The text of a file of the workspace; None for one that is secret, absent, large, no UTF-8 text, or elsewhere by a link."""
    if is_secret_file(path):
        return None
    try:
        real = (workspace / path).resolve(strict=True)
        if not real.is_relative_to(workspace.resolve()) or is_secret_file(PurePosixPath(real.as_posix())) or not real.is_file():
            return None
        with real.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        return None if len(data) > MAX_BYTES else data.decode("utf-8")
    except (OSError, RuntimeError, ValueError):
        # A circle of links, a null character in the name, bytes that are no text.
        return None


def _is_foreign(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _FOREIGN_FOLDERS or folder.is_symlink() or (folder / "pyvenv.cfg").exists()


def _is_ignored(rules: _Rules, path: PurePosixPath, end: str = "") -> bool:
    """As git decides: the innermost `.gitignore` that speaks of the path has the last word."""
    for folder, patterns in reversed(rules):
        verdict = patterns.check_file(path.relative_to(folder).as_posix() + end).include
        if verdict is not None:
            return verdict
    return False


def _read_ignore(folder: Path, relative: str) -> _Rules:
    try:
        lines = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return ((relative, GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))),)


def _is_pattern(line: str) -> bool:
    """Whether pathspec can read the line: one that it cannot must not cost the others."""
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return line.count("*") <= _MAX_WILDCARDS
