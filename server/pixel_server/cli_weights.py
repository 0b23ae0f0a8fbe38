"""The verbs for files of models and their arguments. `run_weights_verb` hands over to their modules.

Loaded by `cli` at every start, so nothing but argparse is imported here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

WEIGHTS_VERBS = frozenset({"convert"})

Declare = Callable[[argparse.ArgumentParser], None]


def weights_verbs() -> Mapping[str, tuple[str, Declare]]:
    """The verbs, each with its one line of help and what declares its arguments."""
    return {"convert": ("turn a GGUF into a PXI, a model as pixels, and back bit for bit", _add_convert)}


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
