"""`pixel-lsp completion`: a script that lets a shell complete the command line, made by shtab from the parser itself."""

from __future__ import annotations

import argparse
import sys

import shtab

from pixel_server.exit_codes import PASSED_CODE

_FILES = frozenset({"PATH", "FILE", "MAP"})


def completion(parser: argparse.ArgumentParser, shell: str) -> int:
    """Print the script on standard output. Returns the exit code.

    Args:
        parser: The whole command line.
        shell: One of those that shtab knows.
    """
    _complete_paths(parser)
    sys.stdout.write(shtab.complete(parser, shell=shell))
    return PASSED_CODE


def _complete_paths(parser: argparse.ArgumentParser) -> None:
    """Say which arguments are paths: shtab reads an attribute of the action."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to walk a parser, and shtab goes this way too
        if isinstance(action.choices, dict):
            for each in set(action.choices.values()):
                _complete_paths(each)
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # pyright: ignore[reportAttributeAccessIssue] - the attribute that shtab's documents name
