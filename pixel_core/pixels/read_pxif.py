"""Files of the old format that began with `PXIF`: 64 bytes in big-endian order, then rows of RGB pixels with the bytes of one file.

Source: the field list in the origin's reader, as its writer used it: magic, version (1 + 1 byte), original size (u64), width, height (u32),
compression (u8), SHA-256 of the original bytes, 9 reserved bytes; 3 bytes a pixel, zeros behind the original bytes.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from pathlib import Path
from typing import Final

from pixel_core.pixels.errors import MapError

_HEADER: Final = struct.Struct(">4sBBQIIB32s9x")
_MAGIC: Final = b"PXIF"


def read_pxif(path: Path) -> memoryview:
    """The bytes that were put into such a file, checked; a view of the file, no copy.

    Args:
        path: Of the file.

    Raises:
        MapError: It cannot be read, is no such file, or does not hold what was put in.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size or not header.startswith(_MAGIC):
                raise MapError(f"`{path}` is no PXIF file")
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as problem:
        raise MapError(f"`{path}` cannot be read: {problem.strerror or problem}") from None
    _, major, minor, size, width, height, compression, digest = _HEADER.unpack(header)
    if major != 1:
        raise MapError(f"`{path}` is a PXIF file of version {major}.{minor}, and only version 1 was ever written")
    if compression:
        raise MapError(f"`{path}` says that it is compressed, and no such PXIF file was ever written")
    if len(data) != _HEADER.size + 3 * width * height or size > 3 * width * height:
        raise MapError(f"`{path}` is cut short or damaged: {width:,} × {height:,} pixels do not fit its {len(data):,} bytes")
    content = data[_HEADER.size : _HEADER.size + size]
    if hashlib.sha256(content).digest() != digest:
        raise MapError(f"`{path}` is damaged: its content does not match its SHA-256")
    return content
