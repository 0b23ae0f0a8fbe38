"""`pixel-lsp fs verify`: which files and tiles are not what was written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pixel_core.pixels import damage
from pixel_core.pixels.damage import Damage
from pixel_core.pixels.morton import tile_of
from pixel_core.pixels.verify_map import DamagedTile, MapReport, verify_map
from pixel_server.commands.fs.write_answer import write_json, write_lines
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.terminal.map_progress import map_progress
from pixel_server.verdict_words import count


def verify(path: Path, *, as_json: bool) -> int:
    """Look at every byte. Returns the exit code: 1 when something is not what was written.

    Args:
        path: Of the map.
        as_json: JSON instead of sentences.

    Raises:
        MapError: There is no map, or nothing can be said about it.
    """
    with map_progress("verify") as show:
        report = verify_map(path, show)
    if as_json:
        write_json(_value(report))
    else:
        write_lines(_sentences(report, path))
    return PASSED_CODE if report.is_whole else FAILED_CODE


def _value(report: MapReport) -> dict[str, object]:
    return {
        "is_whole": report.is_whole,
        "files": report.file_count,
        "tiles": report.tile_count,
        "bytes": report.bytes,
        "damaged_tiles": [asdict(tile) for tile in report.tiles],
        "damages": [
            {
                "kind": one.kind,
                "what": one.what,
                "offset": one.offset,
                "length": one.length,
                "is_correctable": bool(one.correction),
                "tiles": [[*tile_of(use.code)] for use in one.uses],
            }
            for one in report.damages
        ],
        "problems": [{"snapshot": name, "what": what} for name, what in report.problems.items()],
    }


def _sentences(report: MapReport, path: Path) -> list[str]:
    looked_at = f"{count(report.bytes, 'byte')}, {count(report.tile_count, 'tile')}, {count(report.file_count, 'file')}"
    if report.is_whole:
        return [f"everything is what was written: {looked_at}"]
    lines = [_tile_sentence(tile) for tile in report.tiles]
    lines += [_damage_sentence(one) for one in report.damages if one.kind != damage.TILE or not report.tiles]
    lines += [f"{_state(name)}: {what}" for name, what in report.problems.items()]
    correctable = sum(bool(one.correction) for one in report.damages)
    lines.append(
        f"{count(len(report.damages), 'damaged place')} in {looked_at}; {correctable:,} can be corrected: pixel-lsp fs repair {path}"
    )
    return lines


def _tile_sentence(tile: DamagedTile) -> str:
    where = f" of snapshot `{tile.snapshot}`" if tile.snapshot is not None else ""
    mend = "a flipped bit, which can be corrected" if tile.is_correctable else "not what was written"
    return f"`{tile.path}`{where}: tile {tile.tile:,}, bytes {tile.start:,} to {tile.stop - 1:,}: {mend}"


def _damage_sentence(one: Damage) -> str:
    places = ", ".join(f"({column:,}, {row:,})" for column, row in dict.fromkeys(tile_of(use.code) for use in one.uses))
    names = {
        damage.TILE: f"tile {places}",
        damage.COMMIT: f"a commit that {', '.join(map(_state, one.lost))} needs",
        damage.UNUSED: "what no state needs any more",
    }
    return f"{names.get(one.kind, 'the front pages')}, offset {one.offset:,}: {one.what}"


def _state(name: str | None) -> str:
    return "the newest state" if name is None else f"snapshot `{name}`"
