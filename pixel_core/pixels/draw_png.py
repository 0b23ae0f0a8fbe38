"""A picture of texels to look at. Every byte is one grey pixel, every texel a square of 4 by 4: components downwards, low bytes first."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pixel_core.errors import PixelError
from pixel_core.pixels.image import Texels

MAX_SIDE: Final = 4096
"""Texels; the picture has four times as many pixels a side."""


def draw_png(texels: Texels, path: Path) -> None:
    """Write a PNG. It holds every byte of the texels: `grey_pixels` is a bijection.

    Args:
        texels: u32[height, width, 4].
        path: Of the file, which is replaced where there is one.

    Raises:
        PixelError: Pillow is not installed, the image is too large to look at, or the file cannot be written.
    """
    require_drawable(texels.shape[1], texels.shape[0])
    try:
        images = importlib.import_module("PIL.Image")
    except ImportError:
        raise PixelError("drawing needs the package pillow", hint="pip install 'pixel-lsp[png]'") from None
    try:
        images.fromarray(grey_pixels(texels)).save(path, format="PNG", compress_level=1)
    except OSError as problem:
        raise PixelError(f"`{path}` cannot be written: {problem.strerror or problem}") from None


def require_drawable(width: int, height: int) -> None:
    """Refuse a picture that nobody can look at, before its texels are read.

    Raises:
        PixelError: A side has no texel, or more than `MAX_SIDE`.
    """
    if not 1 <= width <= MAX_SIDE or not 1 <= height <= MAX_SIDE:
        raise PixelError(f"a picture of {width:,} × {height:,} texels cannot be drawn", hint=f"a side has at most {MAX_SIDE:,}")


def grey_pixels(texels: Texels) -> npt.NDArray[np.uint8]:
    """u8[4 · height, 4 · width] of u32[height, width, 4]."""
    height, width, _ = texels.shape
    grey = np.ascontiguousarray(texels).view(np.uint8).reshape(height, width, 4, 4)
    return np.ascontiguousarray(grey.transpose(0, 2, 1, 3)).reshape(4 * height, 4 * width)
