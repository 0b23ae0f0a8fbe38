"""Which workspaces may run kernels and references: remembered for each user, decided by the editor where it can.

Source of the rules: the design's section on trust. Opening a file must never run it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from pixel_core.errors import PixelError
from pixel_core.replace_file import replace_file

_VERSION: Final = 1


class TrustStore:
    """The folders that a user trusts, in a JSON file of the state folder. Read at each look: the terminal may have changed it.

    Args:
        folder: From `state_folder`; made when something is first remembered.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trusted.json"

    def folders(self) -> tuple[Path, ...]:
        """What is trusted, sorted. A file that cannot be read or understood trusts nothing."""
        try:
            value: Any = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return ()
        names = value.get("trusted") if isinstance(value, dict) else None
        if not isinstance(names, list):
            return ()
        return tuple(sorted(Path(name) for name in names if isinstance(name, str) and os.path.isabs(name)))  # noqa: PTH117

    def trusts(self, path: Path) -> bool:
        """Whether a path or a folder above it is trusted, after all links are followed."""
        resolved = path.resolve()
        trusted = frozenset(self.folders())
        return any(folder in trusted for folder in (resolved, *resolved.parents))

    def add(self, folder: Path) -> Path:
        """Trust a folder and everything below it.

        Returns:
            The folder with all links followed, which is what is remembered.

        Raises:
            PixelError: It cannot be written down.
        """
        resolved = folder.resolve()
        self._write({*self.folders(), resolved})
        return resolved

    def remove(self, folder: Path) -> bool:
        """Trust a folder no longer. Returns whether it was trusted itself; a trusted folder above it stays.

        Raises:
            PixelError: It cannot be written down.
        """
        folders = {*self.folders()}
        resolved = folder.resolve()
        if resolved not in folders:
            return False
        self._write(folders - {resolved})
        return True

    def _write(self, folders: set[Path]) -> None:
        text = json.dumps({"version": _VERSION, "trusted": sorted(map(str, folders))}, indent=2) + "\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self.path, text.encode("utf-8", "surrogateescape"))
        except OSError as problem:
            raise PixelError(f"{self.path} cannot be written: {problem.strerror}") from problem


class Trust(msgspec.Struct):
    """What may run in this session.

    Attributes:
        store: What the user said before.
        editor: What the editor said; None while it is silent.
        asked: Workspaces whose user has been asked already, with whatever answer.
        granted: Workspaces trusted for this session although they could not be written down.
    """

    store: TrustStore
    editor: bool | None = None
    asked: set[Path] = msgspec.field(default_factory=set)
    granted: set[Path] = msgspec.field(default_factory=set)

    def allows(self, workspace: Path) -> bool:
        """Whether kernels of a workspace may run."""
        if self.editor is not None:
            return self.editor
        return workspace in self.granted or self.store.trusts(workspace)

    def begin_question(self, workspace: Path) -> bool:
        """Whether the user should be asked about a workspace now: once, and only when the editor is silent."""
        if self.editor is not None or workspace in self.asked:
            return False
        self.asked.add(workspace)
        return True
