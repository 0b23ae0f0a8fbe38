"""How a tile's content becomes stored bytes and back.

The content of a tile is its bytes without the zero texels at its end, so that a small file does not cost a whole tile. zstd is used where
it was asked for and wins.
"""

from __future__ import annotations

import hashlib
import importlib
import zlib
from types import ModuleType
from typing import TYPE_CHECKING, Final

from pixel_core.pixels.errors import CodecMissing, MapDamaged
from pixel_core.pixels.records import RAW, TILE, ZSTD, Record

if TYPE_CHECKING:
    from typing_extensions import Buffer

TEXEL_BYTES: Final = 16
WIN: Final = 7 / 8
"""A compressed tile has to be at most this part of the raw one, which can be mapped and needs no decompressing."""
LEVEL: Final = 1
"""Quantised weights hardly compress at any level; see bench/README.md."""


def trim(data: Buffer) -> memoryview:
    """The content of a tile's bytes: without zero texels at its end except for the first one, and without a copy.

    Args:
        data: Bytes, contiguous; what is missing of the last texel is zero.
    """
    view = memoryview(data).cast("B")
    if len(view) % TEXEL_BYTES == 0 and any(view[-TEXEL_BYTES:]):
        return view
    texels = -(-len(bytes(view).rstrip(b"\0")) // TEXEL_BYTES)
    length = max(texels, 1) * TEXEL_BYTES
    return view[:length] if length <= len(view) else memoryview(bytes(view).ljust(length, b"\0"))


def encode_tile(content: memoryview, sequence: int, *, digest: bytes | None = None, compress: bool = False) -> tuple[Record, Buffer]:
    """The record of a content, and its stored bytes.

    Args:
        content: What `trim` returned.
        sequence: Of the commit that it is for.
        digest: Of the content where it is known.
        compress: Use zstd if that wins.

    Raises:
        CodecMissing: Compression was asked for and zstandard is not installed.
    """
    codec, stored = RAW, content
    if compress:
        smaller = memoryview(_zstandard().ZstdCompressor(level=LEVEL).compress(content))
        if len(smaller) <= WIN * len(content):
            codec, stored = ZSTD, smaller
    record = Record(
        kind=TILE,
        codec=codec,
        stored_length=len(stored),
        content_length=len(content),
        crc32=zlib.crc32(stored),
        sequence=sequence,
        digest=hashlib.sha256(content).digest() if digest is None else digest,
    )
    return record, stored


def decode_tile(record: Record, stored: memoryview, tile_bytes: int) -> memoryview:
    """The content, checked against both sums; of a raw tile the stored bytes themselves.

    Args:
        record: The header.
        stored: `record.stored_length` bytes.
        tile_bytes: Greatest length of a content.

    Raises:
        MapDamaged: The bytes are not those that were written, or describe more than a tile.
        CodecMissing: The tile is compressed and zstandard is not installed.
    """
    if not 0 < record.content_length <= tile_bytes:
        raise MapDamaged(f"a tile says that it holds {record.content_length:,} bytes of at most {tile_bytes:,}")
    if record.codec == RAW and record.stored_length != record.content_length:
        raise MapDamaged("a raw tile's lengths differ")
    if zlib.crc32(stored) != record.crc32:
        raise MapDamaged("a tile's bytes do not match their CRC-32")
    content = stored if record.codec == RAW else _decompress(stored, record.content_length)
    if hashlib.sha256(content).digest() != record.digest:
        raise MapDamaged("a tile's content does not match its SHA-256")
    return content


def _decompress(stored: memoryview, length: int) -> memoryview:
    zstandard = _zstandard()
    try:
        # The frame says how much memory it wants, and the library believes it: ask before.
        frame = zstandard.get_frame_parameters(stored)
        if frame.content_size != length or frame.dict_id:
            raise MapDamaged("a compressed tile says two things about its length")
        return memoryview(zstandard.ZstdDecompressor().decompress(stored, max_output_size=length, allow_extra_data=False))
    except zstandard.ZstdError as problem:
        raise MapDamaged(f"a tile cannot be decompressed: {problem}") from None


def _zstandard() -> ModuleType:
    try:
        return importlib.import_module("zstandard")
    except ImportError:
        raise CodecMissing(
            "the map has tiles compressed with zstd, and the package zstandard is not installed", hint="pip install 'pixel-lsp[zstd]'"
        ) from None
