"""The order of tiles: codes and coordinates, and the blocks that files fill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.pixels.morton import BIAS, CODES, HIGHEST, LOWEST, block_codes, block_size, morton_of, tile_of

COORDINATES = st.integers(LOWEST, HIGHEST)


@pytest.mark.parametrize(
    ("x", "y", "code"),
    [
        (LOWEST, LOWEST, 0),
        (LOWEST + 1, LOWEST, 1),
        (LOWEST, LOWEST + 1, 2),
        (LOWEST + 2, LOWEST, 4),
        (0, 0, 3 << 62),
        (HIGHEST, HIGHEST, CODES - 1),
    ],
)
def test_codes(x: int, y: int, code: int) -> None:
    assert morton_of(x, y) == code
    assert tile_of(code) == (x, y)


@given(COORDINATES, COORDINATES)
def test_codes_go_there_and_back(x: int, y: int) -> None:
    code = morton_of(x, y)
    assert tile_of(code) == (x, y)
    # Interleaved bit by bit, as the definition says.
    assert code == sum(((x + BIAS) >> bit & 1) << 2 * bit | ((y + BIAS) >> bit & 1) << 2 * bit + 1 for bit in range(32))


@pytest.mark.parametrize("place", [(LOWEST - 1, 0), (0, HIGHEST + 1)])
def test_the_plane_has_32_bits_a_side(place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside of the plane"):
        morton_of(*place)
    with pytest.raises(ValueError, match="no Morton code"):
        tile_of(CODES)


def test_blocks() -> None:
    origin = morton_of(0, 0)
    for count in range(1, 300):
        places = [tile_of(origin + index) for index in range(count)]
        assert block_size(count) == (max(x for x, _ in places) + 1, max(y for _, y in places) + 1)
        block = block_codes(count)
        assert count <= block == 4 ** ((block.bit_length() - 1) // 2)
        assert block == 1 or block // 4 < count
