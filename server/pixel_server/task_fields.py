"""What a command line says of a task, turned into the fields that the queue keeps."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import msgspec
from msgspec.structs import replace

from pixel_coach.tasks import Action, Limits
from pixel_core.errors import PixelError


class TaskFields(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `add` and `edit`; None where one was not given, and an empty text takes away what was there.

    Attributes:
        title: One line.
        target: As typed: from the current folder where that lies in the workspace, else from the workspace.
        action: One of `Action`.
        description: The goal in words.
        contract: Name of the contract.
        test_command: As a shell would read it; no shell runs it.
        priority: 1 to 10.
        depends_on: Numbers of tasks.
        agent: Preferred generator.
        rounds: Limit.
        dollars: Limit.
        seconds: Limit.
    """

    title: str | None = None
    target: str | None = None
    action: str | None = None
    description: str | None = None
    contract: str | None = None
    test_command: str | None = None
    priority: int | None = None
    depends_on: Sequence[int] | None = None
    agent: str | None = None
    rounds: int | None = None
    dollars: float | None = None
    seconds: float | None = None

    def changes(self, workspace: Path, limits: Limits) -> dict[str, Any]:
        """The fields of `NewTask` that were given.

        Args:
            workspace: Root of the workspace.
            limits: Those that hold where none was given.

        Raises:
            PixelError: The target lies outside of the workspace, or the test command has an open quote.
        """
        plain = {"title": self.title, "description": self.description, "priority": self.priority}
        changed: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
        for name, text in (("contract", self.contract), ("agent", self.agent)):
            if text is not None:
                changed[name] = text or None
        if self.target is not None:
            changed["target"] = target_of(self.target, workspace)
        if self.action is not None:
            changed["action"] = Action(self.action)
        if self.test_command is not None:
            changed["test_command"] = _words(self.test_command)
        if self.depends_on is not None:
            changed["depends_on"] = tuple(self.depends_on)
        given = {name: value for name in ("rounds", "dollars", "seconds") if (value := getattr(self, name)) is not None}
        if given:
            changed["limits"] = replace(limits, **given)
        return changed


def target_of(typed: str, workspace: Path) -> str:
    """The POSIX path, relative to the workspace, of a file as it was typed. Links are not followed; the file need not exist.

    Raises:
        PixelError: It lies outside of the workspace.
    """
    here = Path.cwd()
    base = here if here.is_relative_to(workspace) else workspace
    path = PurePath(os.path.normpath(base / Path(typed).expanduser()))
    if not path.is_relative_to(workspace) or path == workspace:
        raise PixelError(f"{typed} is no file inside the workspace {workspace}", hint="--workspace names another root")
    return path.relative_to(workspace).as_posix()


def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as problem:
        raise PixelError(
            f"the test command cannot be read: {str(problem).lower()}", hint="it is split as a shell would, and no shell runs it"
        ) from None
