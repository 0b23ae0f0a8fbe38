"""What reading a shader may reach besides its own text: files of its workspace, and programs where they may run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from pixel_core.dialects.files import ABSENT, OUTSIDE, ReadFile
from pixel_core.findings import Finding
from pixel_core.kernels.read_text import read_text
from pixel_core.kernels.workspace_files import project_root, resolve_inside
from pixel_core.source import SourceText


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a shader's `prepare` may use.

    Attributes:
        read: Gives the text of a file, such as an editor's unsaved one.
        workspace: Folder that files must lie inside; None is the project root of the shader.
        may_run: Whether programs may be started: templates and commands are only prepared in a trusted workspace.
    """

    read: Callable[[Path], SourceText | Finding] = read_text
    workspace: Path | None = None
    may_run: bool = False

    def reader(self, shader: Path) -> ReadFile:
        """Reads the files that a shader includes."""
        workspace = self.workspace or project_root(shader.parent)

        def read(path: Path) -> SourceText | str:
            if resolve_inside(workspace, path) is None:
                return f"{OUTSIDE} {workspace}"
            if not path.exists() and isinstance(found := self.read(path), Finding):
                return ABSENT
            found = self.read(path)
            return found.message.removeprefix(path.name).strip() if isinstance(found, Finding) else found

        return read
