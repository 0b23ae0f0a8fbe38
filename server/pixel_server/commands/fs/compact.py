"""`pixel-lsp fs compact`: give back the room that nothing needs."""

from __future__ import annotations

from pathlib import Path

from pixel_core.pixels.compact_map import compact_map
from pixel_server.commands.fs.write_answer import write_lines
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.terminal.map_progress import map_progress
from pixel_server.verdict_words import count


def compact(path: Path) -> int:
    """Compact a map. Returns the exit code.

    Args:
        path: Of the map.

    Raises:
        MapDamaged: A tile is not what was written; the map stays as it is.
        MapError: It cannot be read or written.
    """
    with map_progress("compact") as show:
        before, after = compact_map(path, show)
    write_lines([f"{path} has {count(after, 'byte')} now, and had {before:,}"])
    return PASSED_CODE
