"""Where things are kept that are remembered of a user: never in a workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def state_folder(environment: Mapping[str, str]) -> Path:
    """The folder for what is remembered of a user: `$XDG_STATE_HOME/pixel-lsp`, `~/.local/state/pixel-lsp`."""
    base = environment.get("XDG_STATE_HOME", "")
    # The specification says that a relative path is to be ignored.
    if os.path.isabs(base):  # noqa: PTH117 - a Path of an empty text is the current folder
        return Path(base) / "pixel-lsp"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home()) / "pixel-lsp"
    return Path.home() / ".local" / "state" / "pixel-lsp"
