"""The command line of `pixel-lsp fs`: files in a map of pixels. `run_fs_verb` hands over to the modules of its verbs.

Loaded by `cli` at every start, so nothing but argparse is imported here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

# As in pixel_core.pixels.map_header and tile_writer, which would cost a start-up; a test compares.
TILE_SIDES = (16, 32, 64, 128, 256)
DEFAULT_TILE_SIDE = 64

Declare = Callable[[argparse.ArgumentParser], None]


def fs_verbs() -> Mapping[str, tuple[str, Declare]]:
    """The verb, with its one line of help and what declares its own verbs."""
    return {"fs": ("keep files as pixels in a map that survives crashes and finds flipped bits", _add_fs)}


def _add_fs(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Keep files as pixels: in one file, a map, with a hash for every tile, snapshots, and commits that survive a crash."
    )
    parser.epilog = "Exit codes: 0 done, 1 something is damaged, lost or differs, 2 it could not be done."
    verbs = parser.add_subparsers(dest="fs_verb", metavar="VERB", required=True)
    for name, (summary, declare) in _VERBS.items():
        verb = verbs.add_parser(name, help=summary)
        verb.add_argument("map", metavar="MAP", help="the map's file")
        declare(verb)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make an empty map."
    parser.add_argument(
        "--tile-side",
        type=int,
        choices=TILE_SIDES,
        default=DEFAULT_TILE_SIDE,
        metavar="N",
        help=f"texels of 16 bytes along a side of a tile: {', '.join(map(str, TILE_SIDES))} (default: {DEFAULT_TILE_SIDE})",
    )


def _add_put(parser: argparse.ArgumentParser) -> None:
    parser.description = "Put files of the disk, and all files of folders, into a map."
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and folders")
    _as(parser)
    parser.add_argument("--compress", action="store_true", help="use zstd for tiles where it wins (needs the extra `zstd`)")


def _add_get(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write files of a map to the disk, each of them whole and checked or not at all."
    parser.add_argument("names", nargs="*", metavar="NAME", help="files and folders in the map (default: all)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--to", default=".", metavar="PATH", help="folder to write into (default: the current one)")
    where.add_argument("-o", "--output", metavar="FILE", help="write one file to FILE")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    _snapshot(parser)


def _add_cat(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write bytes of a file to standard output."
    parser.add_argument("name", metavar="NAME", help="a file in the map")
    parser.add_argument("--offset", type=_byte_count, default=0, metavar="N", help="first byte (default: 0)")
    parser.add_argument("--length", type=_byte_count, metavar="N", help="how many bytes (default: up to the end)")
    _snapshot(parser)


def _add_ls(parser: argparse.ArgumentParser) -> None:
    parser.description = "List files: size, time in UTC, name."
    _optional_name(parser)
    _snapshot(parser)
    _json_format(parser)


def _add_stat(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say what is known of a file, or of the map."
    _optional_name(parser)
    _snapshot(parser)
    _json_format(parser)


def _add_mv(parser: argparse.ArgumentParser) -> None:
    parser.description = "Give a file or a folder another name. Nothing is copied, and nothing is replaced."
    parser.add_argument("name", metavar="NAME", help="a file or folder in the map")
    parser.add_argument("new_name", metavar="NEW", help="its new name")


def _add_rm(parser: argparse.ArgumentParser) -> None:
    parser.description = "Remove files. Their room is given back by compact, unless a snapshot needs it."
    parser.add_argument("names", nargs="+", metavar="NAME", help="files in the map")
    parser.add_argument("-r", "--recursive", action="store_true", help="remove folders with all that they hold")


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.description = "Look at every byte, and say which files and tiles are not what was written."
    parser.epilog = "Exit codes: 0 everything is what was written, 1 something is not, 2 it cannot be said."
    _json_format(parser)


def _add_repair(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Repair what can be repaired, and say what is lost. Files with lost tiles move to `damaged/`; the old map is kept then."
    )
    parser.epilog = "Exit codes: 0 nothing is lost, 1 something is, 2 it could not be done."
    parser.add_argument("--from", dest="sources", action="append", default=[], metavar="MAP", help="another map that may hold lost tiles")
    _json_format(parser)


def _add_snapshot(parser: argparse.ArgumentParser) -> None:
    parser.description = "Keep all files as they are now under a name, or list what is kept."
    parser.add_argument("snapshot", nargs="?", metavar="SNAPSHOT", help="name of the snapshot (default: list them)")
    parser.add_argument("--remove", action="store_true", help="keep it no longer")
    _json_format(parser)


def _add_diff(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say which files differ between two snapshots, or between a snapshot and now."
    parser.epilog = "Exit codes: 0 none, 1 some, 2 it cannot be said."
    parser.add_argument("before", metavar="SNAPSHOT", help="name of the older snapshot")
    parser.add_argument("after", nargs="?", metavar="SNAPSHOT", help="name of the newer one (default: now)")
    _json_format(parser)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = "Put what files of the old format hold (`PXIF` and rows of RGB pixels) into a map."
    parser.add_argument("files", nargs="+", metavar="FILE", help="such a file")
    _as(parser)


def _add_compact(parser: argparse.ArgumentParser) -> None:
    parser.description = "Give back the room that neither the files nor a snapshot need."


def _add_png(parser: argparse.ArgumentParser) -> None:
    parser.description = "Draw the region of a file: one grey pixel a byte, 4 by 4 pixels a texel (needs the extra `png`)."
    parser.add_argument("name", metavar="NAME", help="a file in the map")
    parser.add_argument("output", metavar="FILE", help="the PNG to write")
    _snapshot(parser)


_VERBS: Mapping[str, tuple[str, Declare]] = {
    "init": ("make an empty map", _add_init),
    "put": ("put files into a map", _add_put),
    "get": ("write files of a map to the disk", _add_get),
    "cat": ("write bytes of a file to standard output", _add_cat),
    "ls": ("list files", _add_ls),
    "stat": ("what is known of a file, or of the map", _add_stat),
    "mv": ("give a file or folder another name", _add_mv),
    "rm": ("remove files", _add_rm),
    "verify": ("find every flipped bit", _add_verify),
    "repair": ("repair what can be repaired, and say what is lost", _add_repair),
    "snapshot": ("keep all files as they are now", _add_snapshot),
    "diff": ("which files differ between snapshots", _add_diff),
    "import": ("take files of the old PXIF format over", _add_import),
    "compact": ("give back room", _add_compact),
    "png": ("draw a file", _add_png),
}


def _as(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="name", metavar="NAME", help="its name in the map, where one is named (default: its own)")


def _optional_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a file or folder in the map")


def _snapshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--snapshot", metavar="SNAPSHOT", help="as it was in this snapshot")


def _json_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")


def _byte_count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise argparse.ArgumentTypeError(f"{text[:50]} is not a number of bytes")
    return int(text)
