"""Rows of a plane out of the tiles of a PXI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Union

import numpy as np

from pixel_core.errors import ModelFileError
from pixel_core.weights.compress import decompress
from pixel_core.weights.pxi_records import RAW, Plane, Tile
from pixel_core.weights.texel_formats import Texels

ReadBytes = Callable[[int, int], Union[bytes, memoryview]]
"""Offset and length → bytes of the file."""


def read_rows(read: ReadBytes, plane: Plane, tiles: Sequence[Tile], first: int, last: int) -> Texels:
    """Rows of a plane, `u32[last - first, width, 4]`, read-only; no copy where `read` makes none and the tiles are raw.

    Args:
        read: Gives bytes of the file.
        plane: The plane.
        tiles: All tiles of the file.
        first: The first row.
        last: The row after the last one.

    Raises:
        ModelFileError: A compressed tile is damaged.
    """
    begin, end = first // plane.tile_rows, -(-last // plane.tile_rows)
    own = tiles[plane.first_tile + begin : plane.first_tile + end]
    if all(tile.codec == RAW for tile in own):
        # Tiles of whole rows fill whole pages, so raw ones follow each other without a gap.
        offset = own[0].offset + (first - begin * plane.tile_rows) * plane.pitch
        return as_texels(read(offset, (last - first) * plane.pitch), plane)
    parts: list[Texels] = []
    for index, tile in enumerate(own, begin):
        top, bottom = plane.rows_of_tile(index)
        data = tile_bytes(read, tile, (bottom - top) * plane.pitch, plane.first_tile + index)
        parts.append(as_texels(data, plane)[max(first - top, 0) : last - top])
    return np.concatenate(parts)


def tile_bytes(read: ReadBytes, tile: Tile, length: int, number: int) -> bytes | memoryview:
    """The bytes of a tile, decompressed.

    Args:
        read: Gives bytes of the file.
        tile: The tile.
        length: How many bytes its rows take.
        number: Of the tile, for the message.

    Raises:
        ModelFileError: It is damaged.
    """
    data = read(tile.offset, tile.stored_bytes)
    if len(data) != tile.stored_bytes:
        raise ModelFileError(f"the file ends in the middle of tile {number:,}")
    return data if tile.codec == RAW else decompress(data, length, f"tile {number:,}")


def as_texels(data: bytes | memoryview, plane: Plane) -> Texels:
    """Bytes of whole rows as texels, without the padding at the end of each row."""
    if len(data) % plane.pitch:
        raise ModelFileError("the file ends in the middle of a plane")
    return np.frombuffer(data, dtype="<u4").reshape(-1, plane.pitch // 16, 4)[:, : plane.width]
