"""Pictures of models: what stands out is seen."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import PIL.Image
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.weights.colours import DEAD_COLOUR, OUTLIER_COLOUR, colour_cells
from pixel_core.weights.measure_tensor import measure_tensor
from pixel_core.weights.model_file import open_model
from pixel_core.weights.picture_model import picture_model


def write_model(path: Path, **tensors: np.ndarray) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    for name, values in tensors.items():
        writer.add_tensor(name.replace("__", "."), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def noise(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 1, (rows, columns)).astype(np.float32)


def test_cells_say_what_is_in_them(tmp_path: Path) -> None:
    values = noise(2000, 1500)
    values[7] = 0
    values[1999, 1499] = -40
    values[3, 3] = np.inf
    path = write_model(tmp_path / "a.gguf", a=values)
    with open_model(path) as model:
        cells = measure_tensor(model, model.tensors["a"])
    values[3, 3] = 0
    assert cells.energy.shape == (980, 1024)
    assert (cells.minimum, cells.maximum, cells.zeros, cells.not_finite) == (-40, values.max(), 1501, 1)
    assert cells.rms == pytest.approx(np.sqrt(np.mean(values.astype(np.float64) ** 2)))
    assert np.flatnonzero(cells.dead_rows).tolist() == [7]
    assert np.argwhere(cells.outlier_cells).tolist() == [[979, 1023]]
    # The last cell holds rows 1,997 to 1,999 and columns 1,498 and 1,499.
    assert cells.peak[979, 1023] == 40
    last = values[979 * 2000 // 980 :, 1023 * 1500 // 1024 :].astype(np.float64)
    assert cells.energy[979, 1023] == pytest.approx(np.mean(last**2))


def test_outliers_and_dead_rows_have_colours_of_their_own(tmp_path: Path) -> None:
    values = noise(40, 64)
    values[4] = 0
    values[9, 5] = 70
    with open_model(write_model(tmp_path / "a.gguf", a=values)) as model:
        cells = measure_tensor(model, model.tensors["a"])
    pixels = colour_cells(cells, cells.rms)
    assert np.unique(pixels[4], axis=0).tolist() == [list(DEAD_COLOUR)]
    assert np.argwhere((pixels == OUTLIER_COLOUR).all(axis=2)).tolist() == [[9, 5]]
    assert np.argwhere((pixels == DEAD_COLOUR).all(axis=2))[:, 0].tolist() == [4] * 64


def test_every_tensor_has_its_picture(tmp_path: Path) -> None:
    source = write_model(
        tmp_path / "a.gguf", token_embd__weight=noise(3, 2000), blk__0__attn_norm__weight=noise(1, 64)[0], blk__0__up=noise(1200, 8)
    )
    with open_model(source) as model:
        drawn = picture_model(model, tmp_path / "out")
        assert [path.name for path in drawn.files] == [
            "0000-token_embd.weight.png",
            "0001-blk.0.attn_norm.weight.png",
            "0002-blk.0.up.png",
            "map.png",
            "layers.json",
        ]
        for path in drawn.files[:-2]:
            with PIL.Image.open(path) as image:
                assert max(image.size) <= 1024
        assert json.loads(drawn.files[-1].read_text())["layers"][0]["layer"] == 0
        with pytest.raises(ModelFileError, match=r"0002-blk.0.up.png exists"):
            picture_model(model, tmp_path / "out", patterns=["blk.*.up"])
        assert picture_model(model, tmp_path / "out", patterns=["blk.*.up"], replace=True).drawn == ["blk.0.up"]
        with pytest.raises(ModelFileError, match=r"has no tensor `blk.0.upp`") as caught:
            picture_model(model, tmp_path / "out", patterns=["blk.0.upp"])
        assert caught.value.hint == "did you mean `blk.0.up`?"


def test_differences_are_measured(tmp_path: Path) -> None:
    base, other = noise(64, 64), noise(64, 64)
    other[5] *= 1.5
    first = write_model(tmp_path / "a.gguf", same=base, changed=base, other_shape=base, gone=base)
    second = write_model(tmp_path / "b.gguf", same=base, changed=other, other_shape=base[:32], new=base)
    with open_model(first) as one, open_model(second) as two:
        drawn = picture_model(one, tmp_path / "out", against=two)
    assert [path.name for path in drawn.files] == ["0001-changed.png", "difference.png"]
    assert drawn.identical == ["same"]
    assert drawn.skipped == ["other_shape", "gone"]
    [(name, share)] = drawn.differences
    assert name == "changed"
    assert share == pytest.approx(np.linalg.norm(other - base) / np.linalg.norm(base))


def test_names_lead_nowhere(tmp_path: Path) -> None:
    """A tensor's name comes from a file; the picture stays in its folder."""
    source = write_model(tmp_path / "a.gguf", **{"../../evil/\x1b[31m": noise(2, 32), "CON": noise(2, 32), "x" * 200: noise(2, 32)})
    with open_model(source) as model:
        drawn = picture_model(model, tmp_path / "out")
    assert [path.name for path in drawn.files[:3]] == ["0000-.._.._evil___31m.png", "0001-CON.png", f"0002-{'x' * 120}.png"]
    assert {path.parent for path in drawn.files} == {tmp_path / "out"}
