"""Finding a single flipped bit from a CRC-32.

A CRC is linear: the sum of damaged bytes differs from the written one by a number that depends on the place of the flipped bit alone,
and no two places of less than 2³² − 1 bits share it. So stepping through the places finds the bit; SHA-256 then proves the correction.

Source of the polynomial (reflected): ISO/IEC 3309, as in zlib.
"""

from __future__ import annotations

import zlib
from typing import Final

_POLYNOMIAL: Final = 0xEDB88320


def correct_bit(data: bytes | memoryview, crc32: int) -> bytes | None:
    """The bytes with one bit flipped so that they have this CRC-32; None when no single bit does it.

    Args:
        data: The damaged bytes.
        crc32: Of the bytes as they were.
    """
    wanted = zlib.crc32(data) ^ crc32
    state = 1
    for distance in range(1, 8 * len(data) + 1):
        state = state >> 1 ^ (_POLYNOMIAL if state & 1 else 0)
        if state == wanted:
            # The bit leaves the register after `distance` steps, the lowest bit of a byte first.
            from_end = -(-distance // 8)
            corrected = bytearray(data)
            corrected[len(data) - from_end] ^= 1 << (8 * from_end - distance)
            return bytes(corrected)
    return None
