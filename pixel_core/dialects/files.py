"""Other files that a preparation reads: found beside the one that names them or in named folders, inside the workspace, each read once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Union

import msgspec

from pixel_core.dialects.problems import MAX_CHARACTERS
from pixel_core.source import SourceText

MAX_FILES = 256
"""Files that one preparation reads."""

MAX_LISTED = 1024
"""Files of a folder that are searched for a module."""

ReadFile = Callable[[Path], Union[SourceText, str]]
"""The text of a file; or why it cannot be read, as the end of a sentence that starts with its name."""

ABSENT = "does not exist"
"""What `ReadFile` says of a file that is not there: then the next folder is tried."""

OUTSIDE = "lies outside of the workspace"
"""How `ReadFile` begins about a path that leads out of the workspace."""


class Files(msgspec.Struct, kw_only=True):
    """The files of one preparation.

    Attributes:
        read: Reads one, or says why not.
        folders: Searched after the folder of the file that names another one.
        texts: Every path that was tried, with its text where it has one: what the result rests on.
        characters: Of all that was read.
    """

    read: ReadFile
    folders: Sequence[Path] = ()
    texts: dict[Path, SourceText | None] = msgspec.field(default_factory=dict[Path, "SourceText | None"])
    characters: int = 0
    _modules: dict[str, Path] | None = None

    def find(self, name: str, beside: Path) -> SourceText | str:
        """The text of a file by the name that another file uses for it; or why there is none."""
        if "\0" in name:
            return "is no name of a file"
        reason = ABSENT
        for folder in (beside.parent, *self.folders):
            path = Path(os.path.normpath(folder / name))
            found = self._text(path)
            if isinstance(found, SourceText):
                return found
            if found != ABSENT:
                return found
        return reason

    def why_no_folder(self, path: Path) -> str | None:
        """Why a path is no folder that may be searched; None where it is one."""
        found = self.read(path)
        if isinstance(found, str) and found.startswith(OUTSIDE):
            return found
        return None if path.is_dir() else ABSENT if found == ABSENT else "is no folder"

    def find_module(self, module: str, beside: Path) -> SourceText | None:
        """The file that says `#define_import_path` with this path."""
        if self._modules is None:
            self._modules = {}
            for folder in dict.fromkeys((beside.parent, *self.folders)):
                for path in _shaders_in(folder):
                    text = self._text(path, keep=False)
                    if isinstance(text, SourceText):
                        for name in _import_paths(text.text):
                            self._modules.setdefault(name, path)
        path = self._modules.get(module)
        found = self._text(path) if path is not None else None
        return found if isinstance(found, SourceText) else None

    def _text(self, path: Path, *, keep: bool = True) -> SourceText | str:
        known = self.texts.get(path)
        if known is not None:
            return known
        if len(self.texts) >= MAX_FILES:
            return f"is not read: more than {MAX_FILES} files are named"
        found = self.read(path)
        if isinstance(found, SourceText):
            if self.characters + len(found.text) > MAX_CHARACTERS:
                return f"is not read: with it the files have more than {MAX_CHARACTERS:,} characters"
            if keep:
                self.characters += len(found.text)
        if keep:
            self.texts[path] = found if isinstance(found, SourceText) else None
        return found


def _shaders_in(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".wgsl"))
    except OSError:
        return []
    return [Path(os.path.normpath(folder / name)) for name in names[:MAX_LISTED]]


def _import_paths(text: str) -> list[str]:
    mark = "#define_import_path"
    if mark not in text:
        return []
    lines = (line.strip() for line in text.splitlines() if mark in line)
    return [line[len(mark) :].strip() for line in lines if line.startswith(mark)]
