"""Which Python runs the references of a workspace."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path


def find_interpreter(workspace: Path, chosen: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The interpreter of the user's own packages.

    Args:
        workspace: Folder whose `.venv` comes first.
        chosen: What the user asked for by flag or setting: a path, or a name to be found on `PATH`.
        environment: For `VIRTUAL_ENV` and `PATH`.

    Returns:
        The chosen one, else that of the workspace's `.venv`, of the active virtual environment, or `python3`; None when there is none.
    """
    if chosen is not None:
        named = shutil.which(str(chosen), path=environment.get("PATH")) if len(chosen.parts) == 1 else None
        # Absolute, because the child has another working folder; its links are kept, because they are what makes a virtual environment.
        return Path(named) if named else chosen.absolute()
    active = environment.get("VIRTUAL_ENV")
    for environment_folder in (workspace / ".venv", Path(active) if active else None):
        if environment_folder is not None and (python := _python_of(environment_folder)).is_file():
            return python
    found = shutil.which("python" if sys.platform == "win32" else "python3", path=environment.get("PATH"))
    return Path(found) if found else None


def _python_of(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"
