"""`pixel-lsp dashboard`: queue and coach on a screen of the terminal."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from pixel_coach.run_log import runs_folder
from pixel_coach.store import queue_path
from pixel_core.errors import PixelError
from pixel_server.coach_queue import find_workspace, settings_of
from pixel_server.exit_codes import PASSED_CODE


def dashboard(*, workspace: str | None) -> int:
    """Show the dashboard until it is quit. Returns the exit code.

    Args:
        workspace: Root of the workspace; None is the current folder's project.

    Raises:
        PixelError: Textual is not installed, this is no terminal, or the queue cannot be opened.
    """
    root = find_workspace(workspace)
    if find_spec("textual") is None:
        raise PixelError("the dashboard needs textual, which is not installed", hint="pip install 'pixel-lsp[dashboard]'")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PixelError("the dashboard needs a terminal", hint="pixel-lsp status --format json is for programs")
    from pixel_server.dashboard.app import Dashboard

    Dashboard(queue=queue_path(os.environ), runs=runs_folder(os.environ), workspace=root, settings=settings_of(root)).run()
    return PASSED_CODE
