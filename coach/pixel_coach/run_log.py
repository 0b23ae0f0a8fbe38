"""The log of one run of the coach: JSON lines in the user's state folder, one file a run, keys and secrets taken out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, final

import msgspec

from pixel_coach.events import Event, TextArrived
from pixel_coach.secrets_scan import remove_secrets
from pixel_core.state_folder import state_folder

MAX_TEXT: Final = 20_000
"""Characters of one text that are logged; replies are in the queue in full."""


def runs_folder(environment: Mapping[str, str]) -> Path:
    """Where the logs are: `coach/runs` of the state folder."""
    return state_folder(environment) / "coach" / "runs"


@final
class RunLog:
    """The log of a run.

    Args:
        path: The file, made with its folder, readable by its user alone.
        secrets: Values that must not be in it, such as the reviewer's key.
        clock: Seconds since the epoch.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path, *, secrets: tuple[str, ...] = (), clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 8)
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._file = path.open("ab")
        self._is_full = False
        self._arriving: tuple[int, str] = (0, "")
        self._held_back = ""

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._log_text("")
        self._file.close()

    def event(self, event: Event) -> None:
        """Log what happened. Text is logged by whole lines as it arrives: a dashboard follows it, and no secret is cut in two."""
        if not isinstance(event, TextArrived):
            self._log_text("")
            self.entry(msgspec.to_builtins(event))
            return
        if (event.task, event.source) != self._arriving:
            self._log_text("")
            self._arriving = (event.task, event.source)
        before, line_end, rest = (self._held_back + event.text).rpartition("\n")
        self._log_text(rest, before + line_end)

    def _log_text(self, held_back: str, text: str | None = None) -> None:
        """Log text, else what was held back, and hold back the beginning of a line instead."""
        text = self._held_back if text is None else text
        self._held_back = held_back
        if text:
            task, source = self._arriving
            self.entry(msgspec.to_builtins(TextArrived(task=task, source=source, text=text)))

    def entry(self, entry: Mapping[str, Any]) -> None:
        """Log anything that JSON can hold: requests, commands, events.

        A log that cannot be written, since the disk is full, must not end the work: the first failure ends the log.
        """
        if self._is_full:
            return
        line = msgspec.json.encode({"at": round(self._clock(), 3), **self._clean(entry)}) + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
        except (OSError, ValueError):
            self._is_full = True

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            text = value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}… ({len(value):,} characters)"
            for secret in self._secrets:
                text = text.replace(secret, "…")
            return remove_secrets(text).text.encode("utf-8", "replace").decode()
        if isinstance(value, Mapping):
            return {self._clean(str(key)): self._clean(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(entry) for entry in value]
        return value if isinstance(value, (int, float, bool)) or value is None else self._clean(str(value))
