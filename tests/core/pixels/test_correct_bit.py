"""A flipped bit is found from a CRC-32 alone."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from pixel_core.pixels.correct_bit import correct_bit


@given(st.binary(min_size=1, max_size=500), st.data())
def test_one_flipped_bit(data: bytes, draw: st.DataObject) -> None:
    bit = draw.draw(st.integers(0, 8 * len(data) - 1))
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    assert correct_bit(bytes(damaged), zlib.crc32(data)) == data


def test_every_bit_of_a_short_text() -> None:
    data = b"every bit"
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert correct_bit(bytes(damaged), zlib.crc32(data)) == data


def test_two_flipped_bits_are_not_mistaken_for_one() -> None:
    data = bytes(range(64))
    damaged = bytes([1 ^ data[0], *data[1:-1], 1 ^ data[-1]])
    assert correct_bit(damaged, zlib.crc32(data)) is None
    assert correct_bit(b"", 1) is None
