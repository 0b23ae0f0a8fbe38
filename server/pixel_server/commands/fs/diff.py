"""`pixel-lsp fs diff`: which files differ between two snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixel_core.pixels.diff_files import FileChange, diff_files
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import entry_value, write_json, write_lines
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.verdict_words import count


def diff(path: Path, before: str, after: str | None, *, as_json: bool) -> int:
    """Say which files differ. Returns the exit code: 1 when some do.

    Args:
        path: Of the map.
        before: Name of a snapshot.
        after: Name of a snapshot; None for the files as they are now.
        as_json: JSON instead of lines.

    Raises:
        MapError: There is no such snapshot.
    """
    with PixelFS.open(path, snapshot=before) as older, PixelFS.open(path, snapshot=after) as newer:
        changes = diff_files(older, newer)
    if as_json:
        write_json({"changes": [_value(change) for change in changes]})
    else:
        write_lines(_line(change) for change in changes)
    return FAILED_CODE if changes else PASSED_CODE


def _value(change: FileChange) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "before": entry_value(change.before) if change.before else None,
        "after": entry_value(change.after) if change.after else None,
        "tiles": [*change.tiles],
    }


def _line(change: FileChange) -> str:
    match change.kind:
        case "moved":
            detail = f"  (was {change.before.path if change.before else ''})"
        case "changed":
            detail = f"  ({count(len(change.tiles), 'tile')} of {max(_tiles(change.before), _tiles(change.after)):,})"
        case _:
            detail = ""
    return f"{change.kind:<8} {change.path}{detail}"


def _tiles(entry: Any) -> int:
    return entry.tile_count if entry else 0
