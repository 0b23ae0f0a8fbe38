"""A workspace with a queue and a coach whose model is a script, for editors that drive it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coach_testing.reviews import review_reply
from lsp_testing.kernels import RIGHT
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, NewTask, Task

CANDIDATE = (
    RIGHT.replace("@group(0) @binding(0)", "\n// Twice the input, element by element. 😀é\n@group(0) @binding(0)")
    .replace(
        "    if (id.x < arrayLength(&y)) { y[id.x] = 2.0 * x[id.x]; }\n",
        "    if (id.x >= arrayLength(&y)) { return; }\n    y[id.x] = x[id.x] + x[id.x];\n",
    )
    .replace("@compute @workgroup_size(64)\n", "@compute\n@workgroup_size(64)\n")
)
"""Of `RIGHT`, in three hunks: a comment, an attribute's line, the body."""


class CoachDesk:
    """What surrounds an editor with a coach.

    Attributes:
        workspace: The folder that is open.
        state: Of the user.
    """

    def __init__(self, folder: Path, home: Path | None = None) -> None:
        """Make the folders.

        Args:
            folder: For all of it.
            home: Of a user who has set no variables; None keeps state and settings in the folder, for `variables`.
        """
        self.workspace = folder / "workspace"
        self.state = home / ".local" / "state" if home is not None else folder / "state"
        self._config = (home / ".config" if home is not None else folder / "config") / "pixel-lsp"
        self.workspace.mkdir()
        self._config.mkdir(parents=True)

    @property
    def variables(self) -> Mapping[str, str]:
        """Where programs find state and settings."""
        return {"XDG_CONFIG_HOME": str(self._config.parent), "XDG_STATE_HOME": str(self.state)}

    def write_script(self, *replies: Mapping[str, Any]) -> None:
        """Make the coach's generator and reviewer give these replies."""
        script = self._config / "script.json"
        script.write_text(json.dumps({"replies": replies}), encoding="utf-8")
        tables = (f'[{role}]\nservice = "scripted"\nmodel = "{script}"\n' for role in ("generator", "reviewer"))
        (self._config / "coach.toml").write_text("".join(tables), encoding="utf-8")

    def write_kernel(self, text: str = RIGHT, name: str = "k.wgsl") -> Path:
        """Write a file of the workspace."""
        path = self.workspace / name
        path.write_text(text, encoding="utf-8")
        return path

    def add(self, title: str = "Tidy the kernel", **fields: Any) -> Task:
        """Put a task into the queue."""
        given: dict[str, Any] = {"action": Action.EDIT_FILE, "target": "k.wgsl", **fields}
        with self.store() as store:
            return store.add(NewTask(workspace=self.workspace, title=title, **given))

    def store(self) -> Store:
        """The user's queue."""
        return Store(queue_path(self.variables))

    def task(self, number: int) -> Task:
        """A task as it is now."""
        with self.store() as store:
            return store.get(number)


def generated(text: str = CANDIDATE, **more: Any) -> Mapping[str, Any]:
    """A generator's reply that holds a file."""
    return {"role": "generator", "text": f"Here it is.\n```wgsl\n{text}```\n", **more}


def reviewed(score: int = 8, findings: Sequence[Mapping[str, Any]] = (), **more: Any) -> Mapping[str, Any]:
    """A reviewer's reply."""
    return {"role": "reviewer", "text": review_reply(score, findings), **more}
