"""Where a verb of the coach finds the queue, the workspace and the settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pixel_coach.phases import list_phases
from pixel_coach.read_settings import Overrides, read_settings
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_core.errors import PixelError
from pixel_core.kernels.workspace_files import project_root


def open_queue() -> Store:
    """The user's queue.

    Raises:
        QueueError: It cannot be opened.
    """
    return Store(queue_path(os.environ))


def find_workspace(given: str | None) -> Path:
    """The workspace that is named, else the project that the current folder belongs to; absolute, links followed.

    Raises:
        PixelError: What is named is no folder.
    """
    if given is None:
        return project_root(Path.cwd())
    path = Path(given)
    if not path.is_dir():
        raise PixelError(f"the workspace {given} is not a folder")
    return path.resolve()


def find_phase(given: str | None, settings: CoachSettings) -> str | None:
    """The id of a phase that is named by its id or an alias. A name that no playbook has may be one that tasks were added with.

    Raises:
        CoachError: A playbook cannot be read.
    """
    if given is None:
        return None
    phases = list_phases(settings.playbooks)
    if any(given == phase.id for phase in phases):
        return given
    return next((phase.id for phase in phases if given in phase.aliases), given)


def settings_of(workspace: Path, overrides: Overrides | None = None) -> CoachSettings:
    """The settings in force for a workspace; what does not count in them is told on standard error.

    Raises:
        PixelError: Something in the settings is a mistake; nothing should start with them.
    """
    settings, mistakes = read_settings(workspace, os.environ, overrides or Overrides())
    for mistake in mistakes:
        if not mistake.is_error:
            sys.stderr.write(f"pixel-lsp: {mistake.sentence(Path.cwd())}\n" + (f"  hint: {mistake.hint}\n" if mistake.hint else ""))
    errors = [mistake for mistake in mistakes if mistake.is_error]
    if errors:
        said = [f"{mistake.sentence(Path.cwd())}" + (f" ({mistake.hint})" if mistake.hint else "") for mistake in errors]
        raise PixelError(
            "the settings of the coach cannot be used as they are\n  " + "\n  ".join(said), hint="docs/coach.md describes every setting"
        )
    return settings
