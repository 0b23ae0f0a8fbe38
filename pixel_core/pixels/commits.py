"""What a commit holds: the tiles and attributes that changed since another one, or all of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.map_header import LOG_OFFSET
from pixel_core.pixels.records import ALIGNMENT

MAX_COMMIT_BYTES: Final = 1 << 30
MAX_NAME_BYTES: Final = 2048
MAX_VALUE_BYTES: Final = 1 << 16

_FIXED: Final = struct.Struct("<QqIIII")
_TILE: Final = struct.Struct("<QQ32s")
_ATTRIBUTE: Final = struct.Struct("<HI")
_REMOVED: Final = 0xFFFFFFFF


class Place(NamedTuple):
    """Where a tile's content is.

    Attributes:
        offset: Of its record.
        digest: SHA-256 of the content.
    """

    offset: int
    digest: bytes


@dataclass(slots=True, kw_only=True)
class Changes:
    """Tiles and attributes that are new, or None where they were removed."""

    tiles: dict[int, Place | None] = field(default_factory=dict)
    attributes: dict[str, bytes | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tiles or self.attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as it was read.

    Attributes:
        base: Offset of the commit that the changes belong on; 0 where they are the whole state.
        time: Milliseconds since 1970.
        tile_side: As in the header, so that this can be made again.
        changes: What is new.
    """

    base: int
    time: int
    tile_side: int
    changes: Changes


def encode_commit(commit: Commit) -> bytes:
    """The content of a commit's record; tiles stand in Morton order, attributes in that of their names."""
    tiles, attributes = commit.changes.tiles, commit.changes.attributes
    parts = [_FIXED.pack(commit.base, commit.time, commit.tile_side, len(tiles), len(attributes), 0)]
    for code in sorted(tiles):
        place = tiles[code]
        parts.append(_TILE.pack(code, place.offset, place.digest) if place else _TILE.pack(code, 0, bytes(32)))
    for name in sorted(attributes):
        key, value = name.encode(), attributes[name]
        parts += (_ATTRIBUTE.pack(len(key), _REMOVED if value is None else len(value)), key, value or b"")
    return b"".join(parts)


def encoded_size(tiles: int, attributes: Mapping[str, bytes | None]) -> int:
    """About how many bytes a commit of so many tiles and these attributes takes."""
    return _FIXED.size + tiles * _TILE.size + sum(_ATTRIBUTE.size + len(name) + len(value or b"") for name, value in attributes.items())


def decode_commit(data: memoryview, own_offset: int) -> Commit:
    """Read a commit's content.

    Args:
        data: The content.
        own_offset: Of the commit's record: whatever it names lies before.

    Raises:
        MapDamaged: It is no commit, or names what cannot be.
    """
    try:
        base, time, tile_side, tile_count, attribute_count, zero = _FIXED.unpack_from(data)
        end = _FIXED.size + tile_count * _TILE.size
        if zero or end > len(data):
            raise MapDamaged(f"a commit counts {tile_count:,} tiles and has no room for them")
        changes = Changes(
            tiles={code: _place(offset, digest, own_offset) for code, offset, digest in _TILE.iter_unpack(data[_FIXED.size : end])}
        )
        for _ in range(attribute_count):
            end = _read_attribute(data, end, changes.attributes)
    except (struct.error, UnicodeDecodeError):
        raise MapDamaged("a commit is cut short") from None
    if end != len(data) or len(changes.tiles) != tile_count or len(changes.attributes) != attribute_count:
        raise MapDamaged("a commit's length and counts do not agree")
    return Commit(base=base, time=time, tile_side=tile_side, changes=changes)


def _place(offset: int, digest: bytes, own_offset: int) -> Place | None:
    if offset == 0:
        return None
    if not LOG_OFFSET <= offset < own_offset or offset % ALIGNMENT:
        raise MapDamaged(f"a commit names a tile at offset {offset:,}, where none can be")
    return Place(offset, digest)


def _read_attribute(data: memoryview, start: int, attributes: dict[str, bytes | None]) -> int:
    name_length, value_length = _ATTRIBUTE.unpack_from(data, start)
    start += _ATTRIBUTE.size
    end = start + name_length + (0 if value_length == _REMOVED else value_length)
    if end > len(data) or name_length > MAX_NAME_BYTES or (value_length > MAX_VALUE_BYTES and value_length != _REMOVED):
        raise MapDamaged("a commit has no room for its attributes")
    name = str(data[start : start + name_length], "utf-8")
    attributes[name] = None if value_length == _REMOVED else bytes(data[start + name_length : end])
    return end
