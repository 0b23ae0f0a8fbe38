"""`pixel-lsp fs repair`: repair what can be repaired, and say what is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pixel_core.pixels.repair_map import RepairReport, repair_map
from pixel_server.commands.fs.write_answer import write_json, write_lines
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.terminal.map_progress import map_progress
from pixel_server.verdict_words import count


def repair(path: Path, sources: Sequence[Path], *, as_json: bool) -> int:
    """Repair a map. Returns the exit code: 1 when something is lost.

    Args:
        path: Of the map.
        sources: Other maps that may hold lost tiles.
        as_json: JSON instead of sentences.

    Raises:
        MapError: Nothing can be read, or the map cannot be written.
    """
    with map_progress("repair") as show:
        report = repair_map(path, sources, show)
    if as_json:
        write_json(
            {
                "is_whole": report.is_whole,
                "corrected": report.corrected,
                "restored": report.restored,
                "lost": [asdict(one) for one in report.lost],
                "lost_tiles": report.lost_tiles,
                "lost_changes": [{"snapshot": name, "what": what} for name, what in report.lost_changes.items()],
                "kept": str(report.kept) if report.kept else None,
            }
        )
    else:
        write_lines(_sentences(report))
    return PASSED_CODE if report.is_whole else FAILED_CODE


def _sentences(report: RepairReport) -> list[str]:
    lines: list[str] = []
    for one in report.lost:
        where = f" of snapshot `{one.snapshot}`" if one.snapshot is not None else ""
        tiles = ", ".join(f"{tile:,}" for tile in one.tiles[:20]) + (" …" if len(one.tiles) > 20 else "")
        lines.append(f"lost: tile {tiles} of `{one.path}`{where}, zeros now; the file is `{one.moved_to}`")
    if report.lost_tiles:
        lines.append(f"lost: {count(report.lost_tiles, 'tile')} that belong to no file, zeros now")
    for name, what in report.lost_changes.items():
        lines.append(f"lost: changes of {'the newest state' if name is None else f'snapshot `{name}`'}: {what}")
    if report.kept:
        lines.append(f"the map as it was is kept: {report.kept}")
    lines.append(f"{count(report.corrected, 'flipped bit')} corrected, {count(report.restored, 'tile')} taken from another place")
    return lines
