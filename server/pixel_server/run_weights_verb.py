"""Hands a command line over to the verb for files of models that it names."""

from __future__ import annotations

import argparse
from pathlib import Path

from pixel_core.errors import PixelError


def run_weights_verb(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Run the verb and return its exit code.

    Args:
        arguments: The command line, read.
        parser: For what its options do not allow.

    Raises:
        PixelError: It cannot be done; the message says why.
    """
    try:
        return _picture(arguments) if arguments.verb == "picture" else _convert(arguments, parser)
    except OSError as problem:
        if isinstance(problem, BrokenPipeError):
            raise
        where = f"{problem.filename}: " if problem.filename else ""
        raise PixelError(f"{where}{problem.strerror or problem}") from None


def _convert(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from pixel_server.commands.convert import ConvertCommand, convert

    if (arguments.target is None) != arguments.verify:
        parser.error("convert takes a target, or --verify and none")
    return convert(
        ConvertCommand(
            source=Path(arguments.source),
            target=None if arguments.target is None else Path(arguments.target),
            compress=arguments.compress,
            replace=arguments.force,
            form=arguments.format,
            color=not arguments.no_color,
        )
    )


def _picture(arguments: argparse.Namespace) -> int:
    from pixel_server.commands.picture import PictureCommand, picture

    return picture(
        PictureCommand(
            model=Path(arguments.model),
            folder=Path(arguments.output),
            patterns=arguments.tensor,
            against=None if arguments.against is None else Path(arguments.against),
            replace=arguments.force,
            form=arguments.format,
            color=not arguments.no_color,
        )
    )
