"""The unit of a map's log: a header of 64 bytes, then what it describes, padded with zeros to a multiple of 64.

Two checks of the same bytes, for two reasons. SHA-256 of the content (before compression) names it: equal digests are equal contents,
whoever made them, so that tiles may be shared and replaced by it. CRC-32 of the stored bytes finds every flipped bit of them, also
those that a decompressor would overlook, and from it `correct_bit` computes where a single flipped bit is. The header has its own CRC-32.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Final

ALIGNMENT: Final = 64
MAGIC: Final = b"PXR\x01"
TILE: Final = 1
COMMIT: Final = 2
COPY: Final = 3
"""Of the commit right before it."""
RAW: Final = 0
ZSTD: Final = 1

_HEADER: Final = struct.Struct("<4sBBHIIIIQ32s")
_CHECK_OFFSET: Final = 20
_CHECK: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The header of a record.

    Attributes:
        kind: `TILE`, `COMMIT` or `COPY`.
        codec: `RAW` or `ZSTD`: how the content is stored.
        stored_length: Bytes after the header, without the padding.
        content_length: Bytes of the content.
        crc32: Of the stored bytes.
        sequence: Of the commit that the record was written for.
        digest: SHA-256 of the content.
    """

    kind: int
    codec: int
    stored_length: int
    content_length: int
    crc32: int
    sequence: int
    digest: bytes

    @property
    def size(self) -> int:
        """Bytes in the log, with header and padding."""
        return padded(ALIGNMENT + self.stored_length)

    def pack(self) -> bytes:
        """The header's 64 bytes."""
        fields = (self.kind, self.codec, 0, self.stored_length, self.content_length, self.crc32)
        unchecked = _HEADER.pack(MAGIC, *fields, 0, self.sequence, self.digest)
        return unchecked[:_CHECK_OFFSET] + _CHECK.pack(zlib.crc32(unchecked)) + unchecked[_CHECK_OFFSET + 4 :]


def unpack_record(data: bytes | memoryview) -> Record | None:
    """The record whose header these 64 bytes are; None when they are none, or damaged."""
    if len(data) != ALIGNMENT or bytes(data[:4]) != MAGIC:
        return None
    _, kind, codec, zero, stored_length, content_length, crc32, check, sequence, digest = _HEADER.unpack(data)
    unchecked = b"".join((data[:_CHECK_OFFSET], bytes(4), data[_CHECK_OFFSET + 4 :]))
    if check != zlib.crc32(unchecked) or zero or kind not in {TILE, COMMIT, COPY} or codec not in {RAW, ZSTD}:
        return None
    return Record(
        kind=kind,
        codec=codec,
        stored_length=stored_length,
        content_length=content_length,
        crc32=crc32,
        sequence=sequence,
        digest=digest,
    )


def commit_record(content: bytes, sequence: int) -> Record:
    """The record of a commit's content."""
    return Record(
        kind=COMMIT,
        codec=RAW,
        stored_length=len(content),
        content_length=len(content),
        crc32=zlib.crc32(content),
        sequence=sequence,
        digest=hashlib.sha256(content).digest(),
    )


def padded(length: int) -> int:
    """A length with its padding."""
    return -(-length // ALIGNMENT) * ALIGNMENT
