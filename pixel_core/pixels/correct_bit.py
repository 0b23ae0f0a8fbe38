"""Finding a single flipped bit from a CRC-32.

A CRC is linear: the checksums of the damaged and of the written bytes differ by a number that depends on the place of the flipped bit
alone, and no two places among less than 2³² − 1 bits share it. Running the register backwards finds the place; SHA-256 proves it.

Source of the polynomial (reflected): ISO/IEC 3309, as in zlib.
"""

from __future__ import annotations

import zlib
from typing import Final

_POLYNOMIAL: Final = 0xEDB88320


def correct_bit(data: bytes | memoryview, crc32: int) -> bytes | None:
    """The bytes with the one bit flipped that gives them this CRC-32; None when no single bit does.

    Args:
        data: The damaged bytes.
        crc32: Of the bytes as they were.
    """
    table = [_step_byte(value) for value in range(256)]
    by_high_byte = {entry >> 24: index for index, entry in enumerate(table)}
    last_byte = {table[1 << bit]: bit for bit in range(8)}
    state = zlib.crc32(data) ^ crc32
    for index in range(len(data) - 1, -1, -1):
        if state in last_byte:
            corrected = bytearray(data)
            corrected[index] ^= 1 << last_byte[state]
            return bytes(corrected)
        # What the register held before this zero byte of the difference.
        entry = by_high_byte[state >> 24]
        state = (state ^ table[entry]) << 8 & 0xFFFFFFFF | entry
    return None


def _step_byte(state: int) -> int:
    for _ in range(8):
        state = state >> 1 ^ (_POLYNOMIAL if state & 1 else 0)
    return state
