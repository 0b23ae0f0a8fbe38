"""`pixel-lsp convert`: a model from one kind of file to another, and whether a PXI is still what it was."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import msgspec

from pixel_core.errors import PixelError
from pixel_core.weights.conversion import Conversion
from pixel_core.weights.convert_model import convert_model, kind_of
from pixel_core.weights.verify_pxi import Damage, Verification, verify_pxi
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.terminal.byte_progress import byte_progress
from pixel_server.terminal.medium import Medium, medium_of
from pixel_server.terminal.open_console import open_console

SHOWN_DAMAGES = 20


class ConvertCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        source: The model.
        target: What it becomes; None to verify the source.
        compress: Compress the planes that gain by it.
        replace: Overwrite another file.
        form: `text` or `json`.
        color: False for none; True leaves it to the terminal and `NO_COLOR`.
    """

    source: Path
    target: Path | None
    compress: bool = False
    replace: bool = False
    form: str = "text"
    color: bool = True


def convert(command: ConvertCommand) -> int:
    """Convert or verify, and say what came of it on standard output. Returns the exit code: 1 for a PXI that is damaged.

    Raises:
        PixelError: It cannot be done.
        OSError: A file cannot be read or written.
    """
    medium = medium_of(open_console(color=command.color), Path.cwd())
    begin = time.monotonic()
    if command.target is None:
        if kind_of(command.source) != ".pxi":
            raise PixelError(f"{command.source} is no PXI; only a PXI has hashes to verify")
        with byte_progress(open_console(color=command.color, stderr=True)) as on_progress:
            verified = verify_pxi(command.source, on_progress=on_progress)
        seconds = time.monotonic() - begin
        text = _verification_json(verified, seconds) if command.form == "json" else _verification_text(verified, seconds, medium)
        sys.stdout.write(text)
        return FAILED_CODE if verified.damages else PASSED_CODE
    with byte_progress(open_console(color=command.color, stderr=True)) as on_progress:
        done = convert_model(command.source, command.target, compress=command.compress, replace=command.replace, on_progress=on_progress)
    seconds = time.monotonic() - begin
    sys.stdout.write(_conversion_json(done, seconds) if command.form == "json" else _conversion_text(done, seconds, medium))
    return PASSED_CODE


def _conversion_text(done: Conversion, seconds: float, medium: Medium) -> str:
    names = medium.printable(f"{done.source} → {done.target}")
    if done.was_there:
        return f"{names}: was there already, sha256 of the GGUF {done.gguf_sha256}\n"
    sizes = f"{_megabytes(done.source_bytes)} to {_megabytes(done.target_bytes)}"
    went_on = f", {_megabytes(done.resumed_bytes)} of it from an earlier run" if done.resumed_bytes else ""
    return (
        f"{names}\n  {done.tensors:,} tensors, {sizes}{went_on}, {seconds:.1f} s\n  verified: the GGUF has the sha256 {done.gguf_sha256}\n"
    )


def _conversion_json(done: Conversion, seconds: float) -> str:
    fields = {
        "version": 1,
        "source": str(done.source),
        "target": str(done.target),
        "source_bytes": done.source_bytes,
        "target_bytes": done.target_bytes,
        "tensors": done.tensors,
        "gguf_sha256": done.gguf_sha256,
        "resumed_bytes": done.resumed_bytes,
        "was_there": done.was_there,
        "seconds": round(seconds, 3),
    }
    return json.dumps(fields, indent=2) + "\n"


def _verification_text(verified: Verification, seconds: float, medium: Medium) -> str:
    name = medium.printable(str(verified.path))
    if not verified.damages:
        return (
            f"{name}: {verified.tiles:,} tiles, {_megabytes(verified.file_bytes)}, all as they were written, {seconds:.1f} s\n"
            f"  verified: the GGUF has the sha256 {verified.gguf_sha256}\n"
        )
    count = len(verified.damages)
    lines = [f"{name}: {count:,} place{'s are' if count > 1 else ' is'} damaged"]
    lines += [f"  {medium.printable(one.where)}: {one.length:,} bytes at offset {one.offset:,}" for one in verified.damages[:SHOWN_DAMAGES]]
    lines += [f"  and {count - SHOWN_DAMAGES:,} more (`--format json` lists them)"] if count > SHOWN_DAMAGES else []
    return "\n".join(lines) + "\n"


def _verification_json(verified: Verification, seconds: float) -> str:
    fields = {
        "version": 1,
        "path": str(verified.path),
        "file_bytes": verified.file_bytes,
        "tiles": verified.tiles,
        "gguf_sha256": verified.gguf_sha256,
        "seconds": round(seconds, 3),
        "damages": [_damage_json(one) for one in verified.damages],
    }
    return json.dumps(fields, indent=2) + "\n"


def _damage_json(damage: Damage) -> dict[str, object]:
    return {
        "where": damage.where,
        "offset": damage.offset,
        "length": damage.length,
        "tensor": damage.tensor,
        "plane": damage.plane,
        "tile": damage.tile,
        "rows": damage.rows,
    }


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"
