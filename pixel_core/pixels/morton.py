"""Morton order: the Z-shaped curve through the plane on which neighbours stay close.

A code interleaves the bits of both coordinates, x in the even bits. Coordinates are signed 32-bit numbers with 2³¹ added, so that codes
are unsigned 64-bit numbers and grow with both. An aligned block of 4ⁿ codes is a square of 2ⁿ by 2ⁿ.

Source: G. M. Morton, A computer oriented geodetic data base and a new technique in file sequencing, IBM, 1966.
"""

from __future__ import annotations

from typing import Final

BIAS: Final = 1 << 31
LOWEST, HIGHEST = -BIAS, BIAS - 1
"""Of the coordinates of tiles."""
CODES: Final = 1 << 64
"""How many codes there are."""

_MASKS: Final = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def is_on_plane(x: int, y: int) -> bool:
    """Whether there is such a tile."""
    return LOWEST <= x <= HIGHEST and LOWEST <= y <= HIGHEST


def morton_of(x: int, y: int) -> int:
    """The code of a tile.

    Raises:
        ValueError: A coordinate is no signed 32-bit number.
    """
    if not is_on_plane(x, y):
        raise ValueError(f"tile ({x}, {y}) lies outside of the plane, which goes from {LOWEST} to {HIGHEST}")
    return _spread(x + BIAS) | _spread(y + BIAS) << 1


def tile_of(code: int) -> tuple[int, int]:
    """The coordinates x and y of a code.

    Raises:
        ValueError: The code is no unsigned 64-bit number.
    """
    if not 0 <= code < CODES:
        raise ValueError(f"{code} is no Morton code")
    return _gather(code) - BIAS, _gather(code >> 1) - BIAS


def block_size(count: int) -> tuple[int, int]:
    """Width and height of the least rectangle around the first `count` codes of an aligned block that holds so many.

    Args:
        count: Number of codes, at least 1.
    """
    width = height = 1
    if count > 1:
        half = 1 << ((count - 1).bit_length() - 1) // 2
        quarter = half * half
        if count <= 2 * quarter:
            rest = block_size(count - quarter)
            width, height = half + rest[0], half
        else:
            rest = block_size(min(count, 3 * quarter) - 2 * quarter)
            width, height = 2 * half, half + rest[1]
            if count > 3 * quarter:
                height = 2 * half
    return width, height


def block_codes(count: int) -> int:
    """Codes of the least aligned block, 4ⁿ, that holds `count`."""
    return 1 if count <= 1 else 1 << ((count - 1).bit_length() + 1) // 2 * 2


def _spread(value: int) -> int:
    for shift, mask in _MASKS:
        value = (value | value << shift) & mask
    return value


def _gather(value: int) -> int:
    value &= 0x5555555555555555
    for shift, mask in (
        (1, 0x3333333333333333),
        (2, 0x0F0F0F0F0F0F0F0F),
        (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF),
        (16, 0xFFFFFFFF),
    ):
        value = (value | value >> shift) & mask
    return value
