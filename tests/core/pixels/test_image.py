"""Bytes as images, and images as pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixel_core.errors import PixelError
from pixel_core.pixels.draw_png import draw_png, grey_pixels
from pixel_core.pixels.image import PixelImage


@given(st.binary(max_size=300), st.integers(1, 5))
def test_bytes_go_there_and_back(data: bytes, width: int) -> None:
    image = PixelImage.from_bytes(data, width=width)
    assert image.texels.shape == (-(-len(data) // (16 * width)), width, 4)
    assert bytes(image.data) == data
    assert not image.texels.tobytes()[len(data) :].strip(b"\0")


def test_whole_rows_are_not_copied() -> None:
    data = bytearray(range(64))
    image = PixelImage.from_bytes(data, width=2)
    assert image.texels.shape == (2, 2, 4)
    assert image.texels[0, 0, 0] == 0x03020100
    data[0] = 255
    assert image.texels[0, 0, 0] == 0x030201FF
    assert image.data[0] == 255
    assert np.shares_memory(image.texels, np.frombuffer(image.data, np.uint8))


def test_what_is_no_image() -> None:
    with pytest.raises(ValueError, match=r"contiguous u32\[height, width, 4\], not float32\[1, 1, 4\]"):
        PixelImage(texels=np.zeros((1, 1, 4), np.float32), length=0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="17 bytes do not fit into 16"):
        PixelImage(texels=np.zeros((1, 1, 4), np.uint32), length=17)
    with pytest.raises(ValueError, match="at least one texel"):
        PixelImage.from_bytes(b"", width=0)


def test_a_picture_holds_every_byte(tmp_path: Path) -> None:
    texels = np.arange(2 * 3 * 4, dtype=np.uint32).reshape(2, 3, 4) * 0x01030507
    draw_png(texels, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (8, 12)
    assert pixels.dtype == np.uint8
    # The texel in row 1, column 2: four rows of pixels for its components, low bytes first.
    assert pixels[4:8, 8:12].tobytes() == texels[1, 2].tobytes()
    assert (pixels == grey_pixels(texels)).all()


def test_pictures_that_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(PixelError, match=r"a picture of 4,097 × 1 texels cannot be drawn"):
        draw_png(np.zeros((1, 4097, 4), np.uint32), tmp_path / "x.png")
    with pytest.raises(PixelError, match="cannot be written: No such file or directory"):
        draw_png(np.zeros((1, 1, 4), np.uint32), tmp_path / "nowhere" / "x.png")
