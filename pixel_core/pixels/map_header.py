"""The three pages before a map's log: what never changes, and two slots that say in turn which commit is the newest."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

PAGE: Final = 4096
SLOT_OFFSETS: Final = (PAGE, 2 * PAGE)
LOG_OFFSET: Final = 3 * PAGE
MAGIC: Final = b"\x89PXMAP\r\n"
"""As in PNG: the first byte is no text, and a transfer that changes line ends destroys the rest."""
VERSION: Final = 1
TILE_SIDES: Final = (16, 32, 64, 128, 256)

_SLOT_MAGIC: Final = b"PXSLOT\r\n"
_HEADER: Final = struct.Struct("<8sII16x")
_SLOT: Final = struct.Struct("<8sQQQ32s")
_DIGEST_BYTES: Final = 32
HEADER_BYTES: Final = _HEADER.size + _DIGEST_BYTES
SLOT_BYTES: Final = _SLOT.size + _DIGEST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class MapHeader:
    """What never changes.

    Attributes:
        version: Of the format.
        tile_side: Texels along a side of a tile.
    """

    version: int = VERSION
    tile_side: int

    def pack(self) -> bytes:
        """The header's bytes."""
        return _seal(_HEADER.pack(MAGIC, self.version, self.tile_side))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Which commit is the newest.

    Attributes:
        sequence: Number of the commit, counted from 1.
        offset: Of its record.
        end: Of the log with it; what follows in the file was never committed.
        digest: SHA-256 of the commit's content, the root of all hashes.
    """

    sequence: int
    offset: int
    end: int
    digest: bytes

    def pack(self) -> bytes:
        """The slot's bytes."""
        return _seal(_SLOT.pack(_SLOT_MAGIC, self.sequence, self.offset, self.end, self.digest))


def unpack_header(data: bytes) -> MapHeader | None:
    """The header that these bytes are; None when they are none, or damaged. Version and tile side may be unknown ones."""
    if not data.startswith(MAGIC) or not _is_sealed(data):
        return None
    _, version, tile_side = _HEADER.unpack_from(data)
    return MapHeader(version=version, tile_side=tile_side)


def unpack_slot(data: bytes) -> Slot | None:
    """The slot that these bytes are; None when they are none, or damaged."""
    if not data.startswith(_SLOT_MAGIC) or not _is_sealed(data):
        return None
    _, sequence, offset, end, digest = _SLOT.unpack_from(data)
    return Slot(sequence=sequence, offset=offset, end=end, digest=digest)


def _seal(data: bytes) -> bytes:
    return data + hashlib.sha256(data).digest()


def _is_sealed(data: bytes) -> bool:
    body = data[:-_DIGEST_BYTES]
    return hashlib.sha256(body).digest() == data[-_DIGEST_BYTES:]
