"""Tasks and attempts as JSON: field for field what `pixel_coach.tasks` and `pixel_coach.attempts` describe."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

import msgspec

from pixel_coach.attempts import Attempt
from pixel_coach.tasks import Task

VERSION: Final = 1


def json_text(fields: Mapping[str, Any]) -> str:
    """One JSON object with `version`, indented, a line break at its end. Dataclasses become objects, paths texts."""
    return json.dumps(msgspec.to_builtins({"version": VERSION, **fields}, enc_hook=_plain), indent=2) + "\n"


def task_value(task: Task) -> dict[str, Any]:
    """A task, its fields by their names."""
    return msgspec.to_builtins(task, enc_hook=_plain)


def attempt_value(attempt: Attempt, *, texts: bool) -> dict[str, Any]:
    """An attempt, its fields by their names.

    Args:
        attempt: The attempt.
        texts: With the reply and the whole new text; else only how long that is.
    """
    value: dict[str, Any] = msgspec.to_builtins(attempt, enc_hook=_plain)
    if not texts:
        del value["reply"]
        if attempt.patch is not None:
            value["patch"] = {
                "path": attempt.patch.path,
                "base_sha256": attempt.patch.base_sha256,
                "characters": len(attempt.patch.new_text),
            }
    return value


def _plain(value: object) -> str:
    if isinstance(value, PurePath):
        return os.fspath(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")
