"""Tiles show each plane at its place and at every scale, and nothing where there is none."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from model_testing.map_models import OpenBoth, write_plain
from pixel_core.errors import ModelFileError
from pixel_core.model_map import atlas as atlas_module
from pixel_core.model_map.atlas import Atlas
from pixel_core.model_map.draw_tile import FARTHEST, NEAREST, SIDE, TileDrawer
from pixel_core.model_map.palette import MISSING, NOT_FINITE, NOTHING, STANDS_OUT, encode_png, magnitude_indices, palette, signed_indices
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf
from tiny_models import tiny_llama


@pytest.mark.parametrize("level", [-5, -3, -1, 0, 1, 2, 4])
def test_tiles_cover_the_planes_and_nothing_else(open_both: OpenBoth, level: int) -> None:
    """Every pixel that lies within a plane is drawn, and none that touches no plane."""
    for model in open_both(tiny_llama(GgmlType.Q4_1)):
        atlas = Atlas(model)
        drawer = TileDrawer(atlas)
        span = SIDE << level if level >= 0 else SIDE >> -level
        some_column, some_row = atlas.planes[5].plane.x // span, atlas.planes[5].plane.y // span
        for column, row in {(-1, 0), (0, 0), (some_column, some_row), (40, 40)}:
            tile = drawer.draw(level, column, row)
            pixels = column * span + np.arange(SIDE) * 2.0**level, row * span + np.arange(SIDE) * 2.0**level
            inside, touched = np.zeros((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)
            for plane in (one.plane for one in atlas.planes):
                ranges = [(plane.x, plane.x + plane.width, pixels[0]), (plane.y, plane.y + plane.height, pixels[1])]
                (ix, tx), (iy, ty) = (((p >= a) & (p + 2.0**level <= b), (p + 2.0**level > a) & (p < b)) for a, b, p in ranges)
                inside |= iy[:, None] & ix
                touched |= ty[:, None] & tx
            assert not np.any(inside & (tile == NOTHING))
            assert not np.any(~touched & (tile != NOTHING))


def test_weights_near_by(tmp_path: Path) -> None:
    """A tensor of 4 by 2: each weight is 8 by 32 pixels at the nearest level, with its sign."""
    values = np.array([[1, -1, 2, 0], [-0.5, 1, 1, 1]], np.float32)
    with open_gguf(write_plain(tmp_path / "a.gguf", w=values)) as model:
        atlas = Atlas(model)
        plane = atlas.planes[0].plane
        assert (plane.width, plane.height) == (1, 2)
        tile = TileDrawer(atlas).draw(NEAREST, plane.x * 32 // SIDE, plane.y * 32 // SIDE)
        left = plane.x * 32 % SIDE
        rms = float(np.sqrt(np.mean(np.square(values.astype(np.float64)))))
        expected = np.repeat(np.repeat(signed_indices(values, rms), 32, axis=0), 8, axis=1)
        assert np.array_equal(tile[:64, left : left + 32], expected)
        tile[:64, left : left + 32] = NOTHING
        assert not np.any(tile)


def test_a_pixel_of_level_one_is_four_texels(tmp_path: Path) -> None:
    values = np.zeros((2, 8), np.float32)
    values[0, :4], values[0, 4:], values[1, :4], values[1, 4:] = 1, 2, 3, 4
    with open_gguf(write_plain(tmp_path / "a.gguf", w=values)) as model:
        atlas = Atlas(model)
        plane = atlas.planes[0].plane
        tile = TileDrawer(atlas).draw(1, plane.x // 2 // SIDE, 0)
        rms = np.sqrt(np.float32(7.5))
        assert tile[0, plane.x // 2 % SIDE] == magnitude_indices(np.array([rms]), np.array([np.float32(4)]), float(rms))[0]
        assert np.count_nonzero(tile) == 1


def test_a_type_that_cannot_be_computed_is_shown_as_such(open_both: OpenBoth) -> None:
    for model in open_both({"w": (GgmlType.IQ4_XS, (256, 4))}):
        for level in (-3, -1, 0, 3):
            drawn = TileDrawer(Atlas(model)).draw(level, -1, 0)
            assert set(np.unique(drawn)) == {NOTHING, MISSING}


def test_no_level_is_too_far(open_both: OpenBoth) -> None:
    model, _ = open_both(tiny_llama())
    assert np.count_nonzero(TileDrawer(Atlas(model)).draw(FARTHEST, 0, 0)) == 1
    for level in (NEAREST - 1, FARTHEST + 1):
        with pytest.raises(ValueError, match=f"levels go from -5 to 32, and {level} is none"):
            TileDrawer(Atlas(model)).draw(level, 0, 0)


def test_a_plane_too_far_out_is_refused(open_both: OpenBoth, monkeypatch: pytest.MonkeyPatch) -> None:
    _, pxi = open_both(tiny_llama())
    monkeypatch.setattr(atlas_module, "MAX_COORDINATE", 100)
    with pytest.raises(ModelFileError, match="too far out to be shown"):
        Atlas(pxi)


def test_colours_of_values() -> None:
    values = np.array([0, 0.125, 1, 8, 100, np.nan, -np.inf], np.float32)
    magnitudes = magnitude_indices(np.abs(values), np.abs(values), 1.0)
    assert magnitudes.tolist() == [4, 4, 54, STANDS_OUT, STANDS_OUT, NOT_FINITE, NOT_FINITE]
    assert signed_indices(np.array([0, -1, 1, -5.9, 7], np.float32), 1.0).tolist() == [174, 138, 208, 168, STANDS_OUT]
    assert magnitude_indices(np.zeros(1, np.float32), np.zeros(1, np.float32), 0.0).tolist() == [4]


def test_the_png_holds_the_colours_and_is_transparent_where_nothing_is() -> None:
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    with PIL.Image.open(BytesIO(encode_png(indices))) as image:
        found = np.asarray(image.convert("RGBA"))
    assert np.array_equal(found[..., :3].reshape(256, 3)[1:], palette()[1:])
    assert found[..., 3].reshape(256).tolist() == [0] + [255] * 255
