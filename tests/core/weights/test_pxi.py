"""PXI: what goes in comes out bit for bit, in place, mapped, and every bit that flips is found."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf
from pixel_core.weights.model_file import open_model
from pixel_core.weights.pxi import open_pxi
from pixel_core.weights.pxi_records import PAGE
from pixel_core.weights.texel_formats import texel_format_of
from pixel_core.weights.verify_pxi import verify_pxi
from pixel_core.weights.write_gguf import write_gguf
from pixel_core.weights.write_pxi import write_pxi
from tiny_models import tiny_llama, write_tiny_model


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def round_trip(source: Path, *, compress: bool = False) -> Path:
    """Convert to PXI and back; the GGUFs are compared. Returns the PXI."""
    pxi, back = source.with_suffix(".pxi"), source.with_suffix(".back.gguf")
    done = write_pxi(source, pxi, compress=compress)
    assert done.gguf_sha256 == sha256(source)
    assert write_gguf(pxi, back).gguf_sha256 == done.gguf_sha256
    assert back.read_bytes() == source.read_bytes()
    assert sorted(path.name for path in source.parent.iterdir()) == sorted([source.name, pxi.name, back.name])
    return pxi


@pytest.mark.parametrize("kind", GgmlType, ids=lambda kind: kind.name)
def test_every_type_comes_back(tmp_path: Path, kind: GgmlType) -> None:
    round_trip(write_tiny_model(tmp_path / "a.gguf", tiny_llama(kind)))


@pytest.mark.parametrize("compress", [False, True], ids=["raw", "compressed"])
def test_views_are_those_of_the_gguf(tmp_path: Path, compress: bool) -> None:
    source = write_tiny_model(tmp_path / "a.gguf", {**tiny_llama(), "big": (GgmlType.F32, (16, 20_000)), "odd": (GgmlType.F16, (7, 5, 3))})
    with open_gguf(source) as expected, open_model(round_trip(source, compress=compress)) as found:
        assert found.tensors == expected.tensors
        assert {key: str(value) for key, value in found.metadata.items()} == {key: str(value) for key, value in expected.metadata.items()}
        for name, tensor in expected.tensors.items():
            assert found.blocks(name) == expected.blocks(name)
            for plane in texel_format_of(tensor).planes:
                np.testing.assert_array_equal(found.texels(name, plane), expected.texels(name, plane))


def test_texels_are_mapped_and_aligned(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "a.gguf", tiny_llama())
    with open_pxi(round_trip(source)) as pxi:
        place = pxi.places["blk.1.ffn_up.weight"]
        texels = pxi.texels("blk.1.ffn_up.weight", "scales")
        plane = place.planes["scales"]
        assert texels.shape == (16, 2, 4)
        assert texels.strides == (256, 16, 4)
        assert not texels.flags.owndata
        assert not texels.flags.writeable
        assert plane.pitch == 256
        assert all(tile.offset % PAGE == 0 for tile in pxi.tiles)
        [(first, strip)] = pxi.strips("blk.1.ffn_up.weight", "scales")
        assert (first, len(strip)) == (0, 16 * 256)
        assert pxi.place(place.number) == place
        with pytest.raises(KeyError):
            pxi.place(len(pxi.places))


def test_compression_is_used_where_it_wins(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tensor("zeros", np.zeros((400, 256), np.float32))
    writer.add_tensor("noise", np.random.default_rng(0).integers(0, 2**32, (400, 256), np.uint32).view(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_pxi(round_trip(path, compress=True)) as pxi:
        codecs = {name: {pxi.tiles[place.planes["bytes"].first_tile].codec} for name, place in pxi.places.items()}
        assert codecs == {"zeros": {1}, "noise": {0}}
        assert pxi.header.flags == 1


def test_padding_that_is_not_zeros_comes_back(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "a.gguf", {"a": (GgmlType.F32, (3,)), "b": (GgmlType.F32, (3,))}, alignment=64)
    data = bytearray(path.read_bytes())
    with open_gguf(path) as model:
        data[model.header.header_bytes] = 7
        data[model.header.offsets["a"] + 15] = 8
    path.write_bytes(data + b"behind the end")
    round_trip(path)


def test_tensors_may_lie_in_another_order_than_their_entries(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "a.gguf", {"a": (GgmlType.F32, (8,)), "b": (GgmlType.F32, (8,))})
    data = bytearray(path.read_bytes())
    first, second = data.index(b"a\x01\0\0\0\x08") + 17, data.index(b"b\x01\0\0\0\x08") + 17  # behind name, axes, shape and type
    assert (struct.unpack_from("<Q", data, first), struct.unpack_from("<Q", data, second)) == ((0,), (32,))
    data[first : first + 8], data[second : second + 8] = data[second : second + 8], data[first : first + 8]
    path.write_bytes(data)
    round_trip(path)


def test_a_model_without_tensors(tmp_path: Path) -> None:
    with open_pxi(round_trip(write_tiny_model(tmp_path / "a.gguf", {}))) as pxi:
        assert dict(pxi.tensors) == {}


def test_version_2_comes_back(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "a.gguf", tiny_llama())
    data = bytearray(path.read_bytes())
    data[4] = 2
    path.write_bytes(data)
    round_trip(path)


def test_every_flipped_bit_is_found_and_located(tmp_path: Path) -> None:
    path = round_trip(write_tiny_model(tmp_path / "a.gguf", tiny_llama()))
    assert verify_pxi(path).damages == []
    data = path.read_bytes()
    with open_pxi(path) as pxi:
        sections, tiles, first_data = pxi.header.sections, pxi.tiles, pxi.header.data_offset
        owner = {
            plane.first_tile + index: (place.tensor.name, plane.name)
            for place in pxi.places.values()
            for plane in place.planes.values()
            for index in range(plane.tile_count)
        }
    source = random.Random(0)
    in_tables = [*range(300), *(source.randrange(300, first_data) for _ in range(60))]
    for offset in [*in_tables, *(source.randrange(first_data, len(data)) for _ in range(60))]:
        flipped = bytearray(data)
        flipped[offset] ^= 1 << source.randrange(8)
        path.write_bytes(flipped)
        section = next((name for name, one in sections.items() if one.offset <= offset < one.offset + one.length), None)
        if offset < 12:
            with pytest.raises(ModelFileError, match=r"this is no PXI of a model|this is PXI version"):
                verify_pxi(path)
            continue
        [damage] = verify_pxi(path).damages
        if offset < PAGE or section is not None:
            assert damage.where == f"{f'the section `{section}`' if section else 'page 0'} is damaged: its hash differs"
        elif offset < first_data:
            assert damage.where.startswith("the padding behind the section")
        else:
            number = max(index for index, tile in enumerate(tiles) if tile.offset <= offset)
            assert (damage.tile, damage.tensor, damage.plane) == (number, *owner[number])


def test_another_file_is_not_overwritten(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "a.gguf", tiny_llama())
    target = tmp_path / "a.pxi"
    target.write_bytes(b"precious")
    with pytest.raises(ModelFileError, match=r"a.pxi exists and is something else") as caught:
        write_pxi(source, target)
    assert caught.value.hint == "`--force` overwrites it"
    assert target.read_bytes() == b"precious"
    assert not write_pxi(source, target, replace=True).was_there
    assert write_pxi(source, target).was_there
    other = write_tiny_model(tmp_path / "b.gguf", tiny_llama(), seed=1)
    with pytest.raises(ModelFileError, match="exists and is something else"):
        write_pxi(other, target)
    with pytest.raises(ModelFileError, match="exists and is something else"):
        write_gguf(target, other)
    assert write_gguf(target, source).was_there


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "a.gguf", tiny_llama())
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "a.pxi.partial").symlink_to(tmp_path / "precious")
    with pytest.raises(ModelFileError, match="is a link; remove it first"):
        write_pxi(source, tmp_path / "a.pxi")
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "a.gguf", tiny_llama())
    target = tmp_path / "a.pxi"

    def stop_after(count: int):
        seen = []

        def on_progress(step) -> None:
            seen.append(step)
            if len(seen) == count:
                raise InterruptedError

        return on_progress

    for count in (5, 5, 5):
        with pytest.raises(InterruptedError):
            write_pxi(source, target, on_progress=stop_after(count))
        assert not target.exists()
        with pytest.raises(ModelFileError, match="the conversion that made this file has not ended"):
            open_pxi(tmp_path / "a.pxi.partial")
    done = write_pxi(source, target)
    assert done.resumed_bytes >= 15 * PAGE
    whole = target.read_bytes()
    assert write_pxi(source, target, replace=True).resumed_bytes == 0
    assert target.read_bytes() == whole

    back = tmp_path / "back.gguf"
    with pytest.raises(InterruptedError):
        write_gguf(target, back, on_progress=stop_after(9))
    assert write_gguf(target, back).resumed_bytes > 0
    assert back.read_bytes() == source.read_bytes()


def test_what_another_model_left_is_not_mixed_in(tmp_path: Path) -> None:
    """Two models may have the same header: whether a tile that is there is right shows when the GGUF is rebuilt."""
    first = write_tiny_model(tmp_path / "a.gguf", tiny_llama(), seed=1)
    second = write_tiny_model(tmp_path / "b.gguf", tiny_llama(), seed=2)
    write_pxi(first, tmp_path / "a.pxi")
    write_pxi(second, tmp_path / "b.pxi")
    target = tmp_path / "c.pxi"
    with pytest.raises(InterruptedError):
        write_pxi(first, target, on_progress=lambda step: (_ for _ in ()).throw(InterruptedError) if step.done > 50_000 else None)
    assert (tmp_path / "c.pxi.partial").exists()
    assert write_pxi(second, target).resumed_bytes == 0
    assert target.read_bytes() == (tmp_path / "b.pxi").read_bytes()
    (tmp_path / "d.gguf.partial").write_bytes(first.read_bytes()[:-100])
    assert write_gguf(tmp_path / "b.pxi", tmp_path / "d.gguf").resumed_bytes == 0
    assert (tmp_path / "d.gguf").read_bytes() == second.read_bytes()
