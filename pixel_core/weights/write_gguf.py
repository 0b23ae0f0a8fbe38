"""PXI → GGUF, bit for bit: in bounded memory, going on where an earlier run was killed, and verified before it is called done."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from pixel_core.errors import ModelFileError
from pixel_core.weights.conversion import Conversion, OnProgress, Step, keep_silent, read_from
from pixel_core.weights.partial_file import exists_already, open_partial, partial_path, publish
from pixel_core.weights.pxi import Pxi, open_pxi
from pixel_core.weights.rebuild_gguf import rebuild_gguf


def write_gguf(source: Path, target: Path, *, replace: bool = False, on_progress: OnProgress = keep_silent) -> Conversion:
    """Make the GGUF that a PXI came from.

    Args:
        source: The PXI.
        target: Where the GGUF goes; while it is made, `target.partial` lies beside it.
        replace: Overwrite another file at `target`.
        on_progress: Told of every piece.

    Raises:
        ModelFileError: The source is damaged, or the target is something else.
        OSError: A file cannot be read or written.
    """
    with open_pxi(source) as pxi, source.open("rb") as source_file:
        header = pxi.header
        resumed, was_there = 0, False
        if target.exists() and not replace:
            if target.stat().st_size != header.gguf_bytes or _digest(target, header.gguf_bytes, on_progress) != header.gguf_sha256:
                raise exists_already(target)
            was_there = True
        else:
            with open_partial(target) as file:
                digest, resumed = _write(pxi, source_file, file, on_progress)
                if digest != header.gguf_sha256 and resumed:
                    # What an earlier run left is of another model.
                    file.truncate(0)
                    digest, resumed = _write(pxi, source_file, file, on_progress)
                if digest != header.gguf_sha256:
                    partial_path(target).unlink()
                    raise ModelFileError(f"{source} is damaged: the GGUF in it differs from the one it came from", hint=_hint(source))
                file.flush()
                os.fsync(file.fileno())
                publish(target, replace=replace)
        return Conversion(
            source=source,
            target=target,
            source_bytes=header.file_bytes,
            target_bytes=header.gguf_bytes,
            gguf_sha256=header.gguf_sha256.hex(),
            tensors=header.tensor_count,
            resumed_bytes=resumed,
            was_there=was_there,
        )


def _hint(source: Path) -> str:
    return f"`pixel-lsp convert --verify {source}` says where"


def _write(pxi: Pxi, source_file: BinaryIO, file: BinaryIO, on_progress: OnProgress) -> tuple[bytes, int]:
    """Write what is missing. Returns the hash of the whole, and how many bytes an earlier run had written."""
    there = file.seek(0, os.SEEK_END)
    digest, resumed, read = hashlib.sha256(), 0, read_from(source_file)
    metadata, gaps = pxi.section("metadata"), pxi.section("gaps")
    for piece in rebuild_gguf(read, pxi.places, pxi.tiles, metadata, gaps, pxi.header.gguf_bytes):
        end = piece.offset + piece.length
        file.seek(piece.offset)
        # The hash over it all tells in the end whether what was there is right; the header tells at once.
        if piece.offset and end <= there:
            data = file.read(piece.length)
            resumed = end
        else:
            data = piece.make()
            if piece.offset == 0 and there and file.read(piece.length) != data:
                there = 0
                file.truncate(0)
            file.seek(piece.offset)
            file.write(data)
        digest.update(data)
        on_progress(Step(stage="converting", what="", done=end, total=pxi.header.gguf_bytes))
    file.truncate(pxi.header.gguf_bytes)
    return digest.digest(), resumed


def _digest(path: Path, length: int, on_progress: OnProgress) -> bytes:
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            done += len(piece)
            on_progress(Step(stage="looking at what is there", what="", done=done, total=length))
    return digest.digest()
