"""The dashboard as a Textual app."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import App


class Dashboard(App[None]):
    """Shows the queue of a workspace.

    Args:
        queue: The queue's database.
        workspace: Root of the workspace.
        protected: Globs of the settings.
    """

    TITLE = "pixel-lsp"

    def __init__(self, *, queue: Path, workspace: Path, protected: Sequence[str]) -> None:
        super().__init__()
        self._queue = queue
        self._workspace = workspace
        self._protected = protected
