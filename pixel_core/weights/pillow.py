"""Pillow, which reads and writes PNG and draws letters; asked for only where a picture is wanted."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelFileError

Pixels = NDArray[np.uint8]
"""A picture, `u8[height, width, 3]`: red, green, blue."""

INK = (226, 226, 232)
PAPER = (18, 18, 24)


def images() -> ModuleType:
    """`PIL.Image`.

    Raises:
        ModelFileError: It is not installed.
    """
    try:
        import PIL.Image
    except ImportError:
        raise ModelFileError("the package pillow is needed for PNG, and is not installed", hint="pip install 'pixel-lsp[png]'") from None
    return PIL.Image


def letter(pixels: Pixels, texts: list[tuple[int, int, str]], *, size: int = 12, ink: tuple[int, int, int] = INK) -> Pixels:
    """The picture with texts on it.

    Args:
        pixels: The picture.
        texts: Column and row of the upper left corner, and the text; what no font shows becomes `?`.
        size: Of the letters, in pixels.
        ink: Their colour.

    Raises:
        ModelFileError: Pillow is not installed.
    """
    image: Any = images().fromarray(np.ascontiguousarray(pixels))
    import PIL.ImageDraw
    import PIL.ImageFont

    draw = PIL.ImageDraw.Draw(image)
    font = PIL.ImageFont.load_default(size)
    for x, y, text in texts:
        draw.text((x, y), text.encode("ascii", "replace").decode(), fill=ink, font=font)
    return np.asarray(image, dtype=np.uint8)


def save_png(pixels: Pixels, file: Any, *, level: int = 6) -> None:
    """Write a PNG of plain RGB: no alpha, no colour profile, so that no reader changes a value.

    Args:
        pixels: The picture.
        file: A path or an open file.
        level: Of the compression, 0 to 9.

    Raises:
        ModelFileError: Pillow is not installed.
        OSError: It cannot be written.
    """
    images().fromarray(np.ascontiguousarray(pixels)).save(file, format="PNG", compress_level=level)
