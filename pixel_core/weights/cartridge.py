"""PNG cartridges: a whole small PXI in the pixels of a picture that can be sent, shown, and run.

Opaque RGB, eight bits, no interlacing and no colour profile; docs/formats/pxi.md is the norm. The first row holds the header, the rows
below it a label for people, and the rows from `data_row` on the bytes of the PXI, three a pixel, left to right, zeros behind them.
"""

from __future__ import annotations

import hashlib
import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np

from pixel_core.errors import ModelFileError
from pixel_core.weights.conversion import Conversion, OnProgress, Step, keep_silent
from pixel_core.weights.decode_pxi import decode_pxi
from pixel_core.weights.partial_file import exists_already, open_partial, partial_path, publish
from pixel_core.weights.pillow import PAPER, Pixels, images, letter, save_png
from pixel_core.weights.pxi import Pxi, open_pxi

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
CARTRIDGE_MAGIC = b"PXIC"
VERSION = 1
HEADER = struct.Struct("<4sIQI32s")  # magic, version, length of the PXI, data_row, its sha256
MIN_WIDTH = 512
LABEL_ROWS = 56
MAX_PIXELS = 1 << 26
"""So a cartridge carries 192 MiB at most, and reading one takes a few times that; every browser decodes pictures of that size."""
MAX_RATIO = 1032
"""What deflate shrinks anything by at most."""


def write_cartridge(source: Path, target: Path, *, replace: bool = False, on_progress: OnProgress = keep_silent) -> Conversion:
    """Make a cartridge of a PXI.

    Args:
        source: The PXI.
        target: Where the PNG goes.
        replace: Overwrite another file at `target`.
        on_progress: Told before and after.

    Raises:
        ModelFileError: The PXI is damaged or too large, the target is something else, or Pillow is not installed.
        OSError: A file cannot be read or written.
    """
    with open_pxi(source) as pxi:
        data = bytes(pxi.read(0, pxi.header.file_bytes))
        was_there = target.exists() and not replace
        if was_there:
            if target.stat().st_size < len(PNG_MAGIC) or _carried(target) != data:
                raise exists_already(target)
        else:
            pixels = _pixels(data, _label(pxi))
            on_progress(Step(stage="writing pixels", what="", done=0, total=len(data)))
            with open_partial(target) as file:
                file.truncate(0)
                save_png(pixels, file, level=0)  # weights do not compress, and trying takes ten times as long
                if read_cartridge(partial_path(target)) != data:
                    raise ModelFileError(f"{target} does not give back what was written; nothing was kept")
                publish(target, replace=replace)
            on_progress(Step(stage="writing pixels", what="", done=len(data), total=len(data)))
        return Conversion(
            source=source,
            target=target,
            source_bytes=len(data),
            target_bytes=target.stat().st_size,
            gguf_sha256=pxi.header.gguf_sha256.hex(),
            tensors=pxi.header.tensor_count,
            was_there=was_there,
        )


def unpack_cartridge(source: Path, target: Path, *, replace: bool = False, on_progress: OnProgress = keep_silent) -> Conversion:
    """Make the PXI that a cartridge carries.

    Args:
        source: The PNG.
        target: Where the PXI goes.
        replace: Overwrite another file at `target`.
        on_progress: Told before and after.

    Raises:
        ModelFileError: It is no cartridge, it is damaged, the target is something else, or Pillow is not installed.
        OSError: A file cannot be read or written.
    """
    on_progress(Step(stage="reading pixels", what="", done=0, total=source.stat().st_size))
    data = read_cartridge(source)
    header = decode_pxi(memoryview(data)).header
    was_there = target.exists() and not replace
    if was_there:
        if target.stat().st_size != len(data) or target.read_bytes() != data:
            raise exists_already(target)
    else:
        with open_partial(target) as file:
            file.truncate(0)
            file.write(data)
            publish(target, replace=replace)
    return Conversion(
        source=source,
        target=target,
        source_bytes=source.stat().st_size,
        target_bytes=len(data),
        gguf_sha256=header.gguf_sha256.hex(),
        tensors=header.tensor_count,
        was_there=was_there,
    )


def open_cartridge(path: Path) -> Pxi:
    """The model in a cartridge, in memory: a cartridge can be run as it is.

    Raises:
        ModelFileError: It is no cartridge, it is damaged, or Pillow is not installed.
        OSError: It cannot be read.
    """
    data = memoryview(read_cartridge(path))
    try:
        return Pxi(path, data, decode_pxi(data))
    except ModelFileError as problem:
        raise ModelFileError(f"{path}: {problem.message}", hint=problem.hint) from None


def read_cartridge(path: Path) -> bytes:
    """The bytes of the PXI in a cartridge.

    Raises:
        ModelFileError: It is no cartridge, it is damaged, or Pillow is not installed.
        OSError: It cannot be read.
    """
    width, height = _size_of_png(path)
    pixels = _decode(path, width, height)
    row = pixels[0].tobytes()
    magic, version, length, data_row, sha256 = HEADER.unpack_from(row)
    if magic != CARTRIDGE_MAGIC:
        raise ModelFileError(f"{path} is a picture, but no cartridge of a model")
    if version != VERSION:
        raise ModelFileError(
            f"{path} is a cartridge of version {version}; version {VERSION} is known", hint="a newer pixel-lsp may know it"
        )
    if not 1 <= data_row <= height or length > (height - data_row) * width * 3:
        raise ModelFileError(f"{path} is a cartridge that lost its lower end: {length:,} bytes are not in it")
    data = pixels[data_row:].reshape(-1)[:length].tobytes()
    if hashlib.sha256(data).digest() != sha256:
        raise ModelFileError(
            f"{path} is a cartridge whose pixels were changed: their hash differs", hint="it must be sent as a file, never recompressed"
        )
    return data


def _carried(path: Path) -> bytes | None:
    try:
        return read_cartridge(path)
    except ModelFileError:
        return None


def _size_of_png(path: Path) -> tuple[int, int]:
    """Width and height, looked at before anything is allocated for them."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file")
    with path.open("rb") as file:
        head = file.read(33)
        file_bytes = file.seek(0, 2)
    if len(head) < 33 or not head.startswith(PNG_MAGIC) or head[12:16] != b"IHDR":
        raise ModelFileError(f"{path} is no PNG: it begins with {head[:8]!r}")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", head[16:29])
    if (depth, colour, interlace) != (8, 2, 0):
        raise ModelFileError(f"{path} is a picture, but no cartridge of a model: a cartridge is opaque RGB of eight bits, not interlaced")
    if width < MIN_WIDTH or not height or width * height > MAX_PIXELS or width * height * 3 > MAX_RATIO * file_bytes:
        raise ModelFileError(f"{path} has {width:,} × {height:,} pixels, which no cartridge has")
    return width, height


def _decode(path: Path, width: int, height: int) -> Pixels:
    module: Any = images()
    try:
        # Pillow reads as many bytes as a chunk says it has: of a mapped file these are never more than there are.
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data, module.open(data, formats=("PNG",)) as image:
            if image.mode != "RGB" or image.size != (width, height) or "transparency" in image.info:
                raise ModelFileError(f"{path} is a picture, but no cartridge of a model: it has transparency or several frames")
            return np.asarray(image, dtype=np.uint8)
    except ModelFileError:
        raise
    # Pillow raises whatever its decoders come upon: OSError, SyntaxError, ValueError, zlib.error, DecompressionBombError …
    except Exception as problem:  # noqa: BLE001
        raise ModelFileError(f"{path} is a damaged PNG: {str(problem)[:200] or type(problem).__name__}") from None


def _pixels(data: bytes, label: list[str]) -> Pixels:
    count = -(-len(data) // 3)
    width = max(MIN_WIDTH, int(count**0.5) + 1)
    data_row = 1 + LABEL_ROWS
    height = data_row + -(-count // width)
    if width * height > MAX_PIXELS:
        raise ModelFileError(
            f"a model of {len(data):,} bytes is too large for a cartridge; {3 * MAX_PIXELS:,} bytes are possible",
            hint="keep it as a PXI",
        )
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:data_row] = PAPER
    texts = [(12, 8 + 22 * line, text) for line, text in enumerate(label)]
    pixels[1:data_row] = letter(pixels[1:data_row], texts, size=15)
    header = HEADER.pack(CARTRIDGE_MAGIC, VERSION, len(data), data_row, hashlib.sha256(data).digest())
    pixels[0].reshape(-1)[: len(header)] = np.frombuffer(header, np.uint8)
    body = pixels[data_row:].reshape(-1)
    body[: len(data)] = np.frombuffer(data, np.uint8)
    body[len(data) :] = 0
    return pixels


def _label(pxi: Pxi) -> list[str]:
    found = pxi.metadata.get("general.name")
    name = found.value if found is not None and isinstance(found.value, str) else pxi.path.stem
    values = sum(tensor.columns * tensor.rows for tensor in pxi.tensors.values())
    return [name[:60], f"{values:,} weights in {len(pxi.tensors):,} tensors; every pixel below is three bytes of them"]
