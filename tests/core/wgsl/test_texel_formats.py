"""Texel formats agree with what WGSL names, and elements of textures are named in the image's words."""

from __future__ import annotations

from pixel_core.wgsl import builtins
from pixel_core.wgsl.texel_formats import READ_WRITE_FORMATS, STORAGE_FORMATS, TEXEL_FORMATS, name_channel


def test_formats_are_those_of_wgsl() -> None:
    assert STORAGE_FORMATS <= set(TEXEL_FORMATS) <= builtins.TEXEL_FORMATS
    assert READ_WRITE_FORMATS <= STORAGE_FORMATS
    assert len(STORAGE_FORMATS) == 16


def test_a_format_in_numbers() -> None:
    snorm, sint, half = (TEXEL_FORMATS[name] for name in ("rg8snorm", "r16sint", "rgba16float"))
    assert (snorm.size_bytes, snorm.scalar, snorm.steps, snorm.is_filterable) == (2, "f32", 127, True)
    assert (sint.size_bytes, sint.scalar, sint.integer_range, sint.is_filterable) == (2, "i32", (-32768, 32767), False)
    assert (half.size_bytes, half.scalar, half.is_filterable) == (8, "f32", True)


def test_elements_are_named() -> None:
    assert name_channel("2d", (3, 7, 1)) == "[y=3, x=7].g"
    assert name_channel("2d-array", (2, 3, 7, 0)) == "[layer=2, y=3, x=7].r"
    assert name_channel("3d", (2, 3, 7, 3)) == "[z=2, y=3, x=7].a"
    assert name_channel("1d", (5, 2)) == "[x=5].b"
