"""Ways to fool a checker, and honest solutions of the same tasks: `tests/data/cheats/*.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

DATA = Path(__file__).parents[2] / "data" / "cheats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A text handed in for a task.

    Attributes:
        family: The file that it stands in.
        name: What it does, one clause.
        action: Of the task.
        target: Of the task.
        path: Where the text is for; the target unless the cheat chooses another one.
        text: The whole text.
        test_command: Of the task.
        seconds: Limit of the task.
        stopped_by: The check that must fail; empty where any may. None for an honest solution.
    """

    family: str
    name: str
    action: str
    target: str
    path: str
    text: str
    test_command: tuple[str, ...] = ()
    seconds: float = 120.0
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheatFamily:
    """Cheats that share a workspace.

    Attributes:
        name: Of the file.
        files: Path → text of the workspace.
        submissions: Honest ones first.
    """

    name: str
    files: Mapping[str, str]
    submissions: tuple[Submission, ...]


def read_cheats(name: str) -> CheatFamily:
    """The cheats of one file."""
    data = tomli.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))
    files = {path: text.lstrip("\n") for path, text in data["files"].items()}
    tasks: dict[str, Any] = data.get("task", {})
    honest = {key: _honest(name, key, task, files) for key, task in tasks.items()}
    cheats = [_cheat(name, cheat, honest) for cheat in data["cheat"]]
    return CheatFamily(name=name, files=files, submissions=(*honest.values(), *cheats))


def _honest(family: str, key: str, task: Mapping[str, Any], files: Mapping[str, str]) -> Submission:
    text = task["text"].lstrip("\n") if "text" in task else _replaced(key, files[task["target"]], task["find"], task["replace"])
    return Submission(
        family=family,
        name=f"honest: {key}",
        action=task["action"],
        target=task["target"],
        path=task["target"],
        text=text,
        test_command=tuple(task.get("test_command", ())),
    )


def _cheat(family: str, cheat: Mapping[str, Any], honest: Mapping[str, Submission]) -> Submission:
    name = cheat["name"]
    if "task" not in cheat:
        path = cheat["path"]
        return Submission(family=family, name=name, action="write_file", target=path, path=path, text="x = 1\n", stopped_by="protected")
    task = honest[cheat["task"]]
    text = cheat["text"].lstrip("\n") if "text" in cheat else _replaced(name, task.text, cheat["find"], cheat["replace"])
    if "then_find" in cheat:
        text = _replaced(name, text, cheat["then_find"], cheat["then_replace"])
    return Submission(
        family=family,
        name=name,
        action=task.action,
        target=task.target,
        path=cheat.get("path", task.target),
        text=text,
        test_command=task.test_command,
        seconds=cheat.get("seconds", task.seconds),
        stopped_by=cheat["stopped_by"],
    )


def _replaced(name: str, text: str, find: str, replace: str) -> str:
    assert text.count(find) == 1, f"{name}: the text to replace occurs {text.count(find)} times"
    return text.replace(find, replace)
