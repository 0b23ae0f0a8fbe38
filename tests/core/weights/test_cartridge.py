"""PNG cartridges: the model comes back out of the pixels, or the reason why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.weights.cartridge import read_cartridge, unpack_cartridge, write_cartridge
from pixel_core.weights.convert_model import convert_model
from pixel_core.weights.model_file import open_model
from pixel_core.weights.pxi import open_pxi
from pixel_core.weights.write_pxi import write_pxi
from tiny_models import tiny_llama, write_tiny_model


@pytest.fixture
def pxi(tmp_path: Path) -> Path:
    write_pxi(write_tiny_model(tmp_path / "a.gguf", tiny_llama()), tmp_path / "a.pxi")
    return tmp_path / "a.pxi"


def test_goes_into_a_picture_and_comes_back(pxi: Path) -> None:
    picture = pxi.with_suffix(".png")
    write_cartridge(pxi, picture)
    with PIL.Image.open(picture) as image:
        assert (image.mode, image.info) == ("RGB", {})
        rows = np.asarray(image)
    # As any program that can read pixels would do it.
    assert bytes(rows.reshape(-1)[:4]) == b"PXIC"
    data_row, length = int(rows[0].tobytes()[16:20][0]), pxi.stat().st_size
    assert rows[data_row:].tobytes()[:length] == pxi.read_bytes()
    back = pxi.with_name("back.pxi")
    unpack_cartridge(picture, back)
    assert back.read_bytes() == pxi.read_bytes()
    assert write_cartridge(pxi, picture).was_there
    assert unpack_cartridge(picture, back).was_there


def test_is_a_model_as_it_is(pxi: Path) -> None:
    picture = pxi.with_suffix(".png")
    write_cartridge(pxi, picture)
    with open_pxi(pxi) as expected, open_model(picture) as found:
        assert found.tensors == expected.tensors
        for name in expected.tensors:
            assert found.blocks(name) == expected.blocks(name)


def test_survives_what_keeps_pixels(pxi: Path) -> None:
    """Another program may filter and compress anew; it may not change a pixel."""
    picture = pxi.with_suffix(".png")
    write_cartridge(pxi, picture)
    with PIL.Image.open(picture) as image:
        image.save(picture, optimize=True)
        assert read_cartridge(picture) == pxi.read_bytes()
        changed = np.array(image)
    changed[-3, 5, 1] ^= 1
    PIL.Image.fromarray(changed).save(picture)
    with pytest.raises(ModelFileError, match="a cartridge whose pixels were changed: their hash differs"):
        read_cartridge(picture)
    PIL.Image.fromarray(changed[:-40]).save(picture)
    with pytest.raises(ModelFileError, match="a cartridge that lost its lower end"):
        read_cartridge(picture)
    PIL.Image.fromarray(changed[5:]).save(picture)
    with pytest.raises(ModelFileError, match="is a picture, but no cartridge of a model"):
        read_cartridge(picture)


def test_another_file_is_not_overwritten(pxi: Path) -> None:
    for name, convert, source in (("b.png", write_cartridge, pxi), ("b.pxi", unpack_cartridge, pxi.with_name("a.png"))):
        target = pxi.with_name(name)
        write_cartridge(pxi, pxi.with_name("a.png"), replace=True)
        target.write_bytes(b"precious")
        with pytest.raises(ModelFileError, match="exists and is something else"):
            convert(source, target)
        assert target.read_bytes() == b"precious"


def test_ways_from_one_kind_to_another(pxi: Path) -> None:
    folder = pxi.parent
    for source, target in (("a.pxi", "c.png"), ("c.png", "d.pxi"), ("d.pxi", "e.gguf"), ("e.gguf", "f.pxi")):
        convert_model(folder / source, folder / target)
    assert (folder / "e.gguf").read_bytes() == (folder / "a.gguf").read_bytes()
    assert (folder / "f.pxi").read_bytes() == pxi.read_bytes()
    for source, target, message in (
        ("a.gguf", "g.png", "there is no way from a .gguf to a .png at once"),
        ("a.gguf", "g.bin", "g.bin is to be cannot be told by its name"),
        ("a.gguf", "a.gguf", "are the same file"),
        ("none", "g.pxi", "none is not a file"),
    ):
        with pytest.raises(ModelFileError, match=message):
            convert_model(folder / source, folder / target)
    (folder / "text").write_text("hello")
    with pytest.raises(ModelFileError, match="is neither a GGUF nor a PXI nor a PNG: it begins with b'hello'"):
        convert_model(folder / "text", folder / "g.pxi")
