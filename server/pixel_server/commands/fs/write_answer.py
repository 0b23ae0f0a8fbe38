"""What the verbs of `fs` write to standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Final

from pixel_core.pixels.file_table import FileEntry
from pixel_server.terminal.medium import Medium

VERSION: Final = 1


def write_json(fields: Mapping[str, Any]) -> None:
    """One JSON object with `version`."""
    sys.stdout.write(json.dumps({"version": VERSION, **fields}, indent=2) + "\n")


def write_lines(lines: Iterable[str]) -> None:
    """Lines of text, made harmless: names come from a file."""
    medium = Medium(encoding=sys.stdout.encoding or "utf-8")
    for line in lines:
        sys.stdout.write(medium.printable(line) + "\n")


def time_text(milliseconds: int) -> str:
    """A time of a map as ISO 8601 in UTC; `?` where a calendar does not reach."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "?"


def entry_value(entry: FileEntry) -> dict[str, Any]:
    """A file as JSON."""
    return {"name": entry.path, "size": entry.size, "modified": time_text(entry.modified), "sha256": entry.sha256.hex()}
