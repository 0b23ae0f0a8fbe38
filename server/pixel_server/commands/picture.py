"""`pixel-lsp picture`: a model as pictures, and where it differs from another."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from pixel_core.errors import one_line
from pixel_core.weights.model_file import open_model
from pixel_core.weights.picture_model import Pictures, picture_model
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.terminal.byte_progress import byte_progress
from pixel_server.terminal.medium import Medium, medium_of
from pixel_server.terminal.open_console import open_console

SHOWN_DIFFERENCES = 10


class PictureCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        model: The model.
        folder: Where the pictures go.
        patterns: Names of tensors, with `*` and `?`; empty for all.
        against: Another model, to draw differences; None to draw the model.
        replace: Overwrite pictures that are there.
        form: `text` or `json`.
        color: False for none; True leaves it to the terminal and `NO_COLOR`.
    """

    model: Path
    folder: Path
    patterns: Sequence[str] = ()
    against: Path | None = None
    replace: bool = False
    form: str = "text"
    color: bool = True


def picture(command: PictureCommand) -> int:
    """Draw, and say what was drawn on standard output. Returns the exit code.

    Raises:
        PixelError: It cannot be done.
        OSError: A file cannot be read or written.
    """
    medium = medium_of(open_console(color=command.color), Path.cwd())
    begin = time.monotonic()
    with ExitStack() as stack:
        model = stack.enter_context(open_model(command.model))
        against = None if command.against is None else stack.enter_context(open_model(command.against))
        on_progress = stack.enter_context(byte_progress(open_console(color=command.color, stderr=True)))
        drawn = picture_model(
            model, command.folder, patterns=command.patterns, against=against, replace=command.replace, on_progress=on_progress
        )
    seconds = time.monotonic() - begin
    sys.stdout.write(_json(drawn, seconds) if command.form == "json" else _text(drawn, seconds, command, medium))
    return PASSED_CODE


def _text(drawn: Pictures, seconds: float, command: PictureCommand, medium: Medium) -> str:
    lines = [f"{medium.path(command.folder)}: {_counted(len(drawn.files), 'file')}, {seconds:.1f} s"]
    if command.against is not None:
        lines.append(f"  {_counted(len(drawn.identical), 'tensor')} identical, {len(drawn.differences):,} different")
        lines += [f"  {medium.printable(one_line(name))}: differs by {share:.3%}" for name, share in drawn.differences[:SHOWN_DIFFERENCES]]
        more = len(drawn.differences) - SHOWN_DIFFERENCES
        lines += [f"  and {more:,} more (`--format json` lists them)"] if more > 0 else []
    if drawn.skipped:
        why = "their type cannot be computed" if command.against is None else "they are not in both models with the same shape"
        lines.append(f"  left out {_counted(len(drawn.skipped), 'tensor')}, such as {medium.printable(one_line(drawn.skipped[0]))}: {why}")
    return "\n".join(lines) + "\n"


def _json(drawn: Pictures, seconds: float) -> str:
    fields = {
        "version": 1,
        "files": [str(path) for path in drawn.files],
        "drawn": list(drawn.drawn),
        "skipped": list(drawn.skipped),
        "identical": list(drawn.identical),
        # Infinity, of a tensor that was all zeros, is not JSON.
        "differences": [{"tensor": name, "share": share if share < float("inf") else None} for name, share in drawn.differences],
        "seconds": round(seconds, 3),
    }
    return json.dumps(fields, indent=2) + "\n"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
