"""The verbs for files of models and their arguments. `run_weights_verb` hands over to their modules.

Loaded by `cli` at every start, so nothing but argparse is imported here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

WEIGHTS_VERBS = frozenset({"convert", "picture"})

Declare = Callable[[argparse.ArgumentParser], None]


def weights_verbs() -> Mapping[str, tuple[str, Declare]]:
    """The verbs, each with its one line of help and what declares its arguments."""
    return {
        "convert": ("turn a GGUF into a PXI, a model as pixels, and back bit for bit", _add_convert),
        "picture": ("draw a model: heat maps of its tensors, and where it differs from another", _add_picture),
    }


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.description = "Convert a model: GGUF to PXI and back bit for bit, PXI to a PNG cartridge and back. What was killed goes on."
    parser.epilog = "Exit codes: 0 done, 1 --verify found damage, 2 it could not be done."
    parser.add_argument("source", metavar="FILE", help="the model: a GGUF, a PXI or a PNG cartridge")
    parser.add_argument("target", nargs="?", metavar="PATH", help="what it is to become: a name that ends with .pxi, .gguf or .png")
    parser.add_argument("--verify", action="store_true", help="instead of converting, check every byte of a PXI against its hashes")
    parser.add_argument("--compress", action="store_true", help="compress the planes of a PXI that shrink by it (needs the extra `zstd`)")
    parser.add_argument("--force", action="store_true", help="overwrite another file")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")


def _add_picture(parser: argparse.ArgumentParser) -> None:
    parser.description = "Draw a model: a heat map of each tensor, the whole model in one picture, and where its tensors lie on the map."
    parser.epilog = "Needs the extra `png`. Exit codes: 0 drawn, 2 it could not be done."
    parser.add_argument("model", metavar="FILE", help="the model: a GGUF, a PXI or a PNG cartridge")
    parser.add_argument("-o", "--output", required=True, metavar="PATH", help="folder that the pictures go to")
    parser.add_argument(
        "--tensor", action="append", default=[], metavar="NAME", help="only tensors of this name, `*` and `?` allowed; may be said again"
    )
    parser.add_argument("--against", metavar="FILE", help="another model: draw the differences, of the tensors that differ")
    parser.add_argument("--force", action="store_true", help="overwrite pictures that are there")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of the answer (default: text)")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the NO_COLOR variable)")
