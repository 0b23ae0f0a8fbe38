"""Tiles compressed with zstd; the package is asked for only where a file has such tiles."""

from __future__ import annotations

from collections.abc import Callable

from pixel_core.errors import ModelFileError

LEVEL = 1
"""Scales shrink by 44 % with it at 730 MB/s; higher levels are slower and gain little."""


def compressor() -> Callable[[bytes | memoryview], bytes]:
    """What compresses a tile.

    Raises:
        ModelFileError: The package zstandard is not installed.
    """
    return _zstandard().ZstdCompressor(level=LEVEL, write_checksum=False).compress


def decompress(data: bytes | memoryview, length: int, what: str) -> bytes:
    """A tile's bytes.

    Args:
        data: As they are stored.
        length: How many they are when decompressed; no more is ever allocated.
        what: The tile, for the message.

    Raises:
        ModelFileError: They are not as many, or no zstd; or the package zstandard is not installed.
    """
    zstandard = _zstandard()
    try:
        # A frame says how long it is, and might lie; what comes out is read up to one byte more than there may be.
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(bytes(data)) as stream:
            found = stream.read(length + 1)
    except zstandard.ZstdError as problem:
        raise ModelFileError(f"{what} cannot be decompressed: {problem}") from None
    if len(found) != length:
        raise ModelFileError(f"{what} does not decompress to its {length:,} bytes")
    return found


def _zstandard():
    try:
        import zstandard
    except ImportError:
        raise ModelFileError(
            "the package zstandard is needed for compressed tiles, and is not installed", hint="pip install 'pixel-lsp[zstd]'"
        ) from None
    return zstandard
