"""Reads a file as text, or says why that is not possible."""

from __future__ import annotations

from pathlib import Path

from pixel_core.findings import Finding, Location
from pixel_core.rules import RULES
from pixel_core.source import SourceText

MAX_BYTES = 4 << 20
"""Largest shader, sidecar or included file that is read."""


def read_text(path: Path) -> SourceText | Finding:
    """Read a UTF-8 file of at most `MAX_BYTES`, or say in a finding why not."""
    try:
        if not path.is_file():
            return _unreadable(path, "is not a file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _unreadable(path, f"cannot be read: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        return _unreadable(path, f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        return SourceText(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _unreadable(path, f"is not UTF-8 text (byte {data[error.start]:#04x} at offset {error.start:,})")


def _unreadable(path: Path, why: str) -> Finding:
    return Finding(code="PX903", severity=RULES["PX903"].severity, message=f"{path.name} {why}", location=Location(path))
