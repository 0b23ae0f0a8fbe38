"""`pixel-lsp fs stat`: what is known of a file, or of a map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixel_core.pixels.file_table import FileEntry
from pixel_core.pixels.pixelfs import PixelFS
from pixel_server.commands.fs.write_answer import entry_value, time_text, write_json, write_lines
from pixel_server.exit_codes import PASSED_CODE


def stat(path: Path, name: str | None, *, snapshot: str | None, as_json: bool) -> int:
    """Say what is known on standard output. Returns the exit code.

    Args:
        path: Of the map.
        name: Of the file; None for the map.
        snapshot: As it was in this snapshot.
        as_json: JSON instead of lines.

    Raises:
        NoSuchPath: There is no such file.
        MapDamaged: A tile's header cannot be read.
    """
    with PixelFS.open(path, snapshot=snapshot) as files:
        facts = _map_facts(files) if name is None else _file_facts(files, files.stat(name))
    if as_json:
        write_json(facts)
    else:
        width = max(map(len, facts))
        write_lines(f"{fact.replace('_', ' '):<{width}}  {_text(value)}" for fact, value in facts.items())
    return PASSED_CODE


def _file_facts(files: PixelFS, entry: FileEntry) -> dict[str, Any]:
    region = entry.region(files.store.tile_side)
    records = {files.store.tiles[code].offset: files.store.stored(code)[0] for code in entry.codes if code in files.store.tiles}
    return {
        **entry_value(entry),
        "tiles": entry.tile_count,
        "stored_bytes": sum(record.size for record in records.values()),
        "region": [region.x, region.y, region.width, region.height] if region else None,
    }


def _map_facts(files: PixelFS) -> dict[str, Any]:
    store = files.store
    return {
        "files": len(files.files),
        "size": sum(entry.size for entry in files.files),
        "tiles": len(store.tiles),
        "different_tiles": len({place.digest for place in store.tiles.values()}),
        "tile_side": store.tile_side,
        "map_bytes": store.path.stat().st_size,
        "commit": store.slot.sequence,
        "committed": time_text(store.time),
        "root_sha256": store.slot.digest.hex(),
        "snapshots": [*store.snapshots()],
    }


def _text(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
