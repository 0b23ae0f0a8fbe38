"""From the command line of `pixel-lsp fs`, already read, to the module of the verb."""

from __future__ import annotations

import argparse
from pathlib import Path


def run_fs_verb(arguments: argparse.Namespace) -> int:
    """Hand over to the module of a verb of `cli_fs`. Each import stands in its branch, since some need numpy and others do not.

    Args:
        arguments: What was read from the command line.

    Raises:
        PixelError: As the verb says.
    """
    path = Path(arguments.map)
    as_json = getattr(arguments, "format", None) == "json"
    match arguments.fs_verb:
        case "init":
            from pixel_server.commands.fs.init import init

            return init(path, tile_side=arguments.tile_side)
        case "put":
            from pixel_server.commands.fs.put import put

            return put(path, [Path(each) for each in arguments.paths], name=arguments.name, compress=arguments.compress)
        case "get":
            from pixel_server.commands.fs.get import get

            output = Path(arguments.output) if arguments.output else None
            return get(path, arguments.names, folder=Path(arguments.to), output=output, snapshot=arguments.snapshot, force=arguments.force)
        case "cat":
            from pixel_server.commands.fs.cat import cat

            return cat(path, arguments.name, offset=arguments.offset, length=arguments.length, snapshot=arguments.snapshot)
        case "ls":
            from pixel_server.commands.fs.ls import ls

            return ls(path, arguments.name or "", snapshot=arguments.snapshot, as_json=as_json)
        case "stat":
            from pixel_server.commands.fs.stat import stat

            return stat(path, arguments.name, snapshot=arguments.snapshot, as_json=as_json)
        case "mv":
            from pixel_server.commands.fs.mv import mv

            return mv(path, arguments.name, arguments.new_name)
        case "rm":
            from pixel_server.commands.fs.rm import rm

            return rm(path, arguments.names, recursive=arguments.recursive)
        case _:
            return _run_keeping_verb(arguments, path, as_json=as_json)


def _run_keeping_verb(arguments: argparse.Namespace, path: Path, *, as_json: bool) -> int:
    match arguments.fs_verb:
        case "verify":
            from pixel_server.commands.fs.verify import verify

            return verify(path, as_json=as_json)
        case "repair":
            from pixel_server.commands.fs.repair import repair

            return repair(path, [Path(source) for source in arguments.sources], as_json=as_json)
        case "snapshot":
            from pixel_server.commands.fs.snapshot import snapshot

            return snapshot(path, arguments.snapshot, remove=arguments.remove, as_json=as_json)
        case "diff":
            from pixel_server.commands.fs.diff import diff

            return diff(path, arguments.before, arguments.after, as_json=as_json)
        case "import":
            from pixel_server.commands.fs.import_files import import_files

            return import_files(path, [Path(file) for file in arguments.files], name=arguments.name)
        case "compact":
            from pixel_server.commands.fs.compact import compact

            return compact(path)
        case _:
            from pixel_server.commands.fs.png import png

            return png(path, arguments.name, Path(arguments.output), snapshot=arguments.snapshot)
