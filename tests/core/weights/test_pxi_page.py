"""docs/formats/pxi.md as a programmer would use it: a PXI is taken apart by its tables alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from pixel_core.weights.cartridge import HEADER as CARTRIDGE_HEADER
from pixel_core.weights.pxi import open_pxi
from pixel_core.weights.write_pxi import write_pxi
from tiny_models import tiny_llama, write_tiny_model

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "pxi.md"
SECTION_NAMES = ("metadata", "tensors", "planes", "tiles", "gaps")

Table = dict[str, tuple[int, int]]


def tables() -> list[Table]:
    """The tables of fields, in the order of the page: field → offset and length."""
    found: list[Table] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| offset | bytes |"):
            found.append({})
        elif match := re.match(r"\| (\d+) \| (\d+) \| (\w+) \|", line):
            name = match[3]
            found[-1][name if name not in found[-1] else f"{name}_{match[1]}"] = (int(match[1]), int(match[2]))
    return found


def number(data: bytes, table: Table, field: str, *, signed: bool = False) -> int:
    offset, length = table[field]
    return int.from_bytes(data[offset : offset + length], "little", signed=signed)


def size_of(table: Table) -> int:
    return max(offset + length for offset, length in table.values())


@pytest.mark.parametrize("index", range(6))
def test_fields_follow_each_other(index: int) -> None:
    end = 0
    for offset, length in tables()[index].values():
        assert offset == end
        end = offset + length


def test_a_file_is_taken_apart_by_the_page(tmp_path: Path) -> None:
    path = tmp_path / "a.pxi"
    write_pxi(write_tiny_model(tmp_path / "a.gguf", tiny_llama()), path)
    header, section, tensor, plane, tile, cartridge = tables()
    data = path.read_bytes()
    assert size_of(header) == 4096
    assert size_of(cartridge) == CARTRIDGE_HEADER.size
    assert data[:8] == bytes.fromhex("50 58 49 02 0D 0A 1A 0A")
    assert number(data, header, "file_bytes") == len(data)
    begin, length = header["gguf_sha256"]
    assert data[begin : begin + length] == hashlib.sha256((tmp_path / "a.gguf").read_bytes()).digest()
    begin, length = header["root_sha256"]
    assert data[begin : begin + length] == hashlib.sha256(data[:begin] + bytes(length) + data[begin + length : 4096]).digest()

    sections: dict[str, bytes] = {}
    for index, name in enumerate(SECTION_NAMES):
        record = data[header["sections"][0] + index * size_of(section) :]
        offset, length = number(record, section, "offset"), number(record, section, "length")
        sections[name] = data[offset : offset + length]
        assert hashlib.sha256(sections[name]).digest() == record[section["sha256"][0] : size_of(section)]

    def records(name: str, table: Table) -> list[bytes]:
        count = number(data, header, f"{name[:-1]}_count")
        return [sections[name][index * size_of(table) : (index + 1) * size_of(table)] for index in range(count)]

    with open_pxi(path) as pxi:
        planes, tiles = records("planes", plane), records("tiles", tile)
        for record, (name, place) in zip(records("tensors", tensor), pxi.places.items(), strict=True):
            begin = number(record, tensor, "name_offset")
            assert sections["tensors"][begin : begin + number(record, tensor, "name_length")].decode() == name
            assert number(record, tensor, "type") == place.tensor.type
            for count, expected in enumerate(place.planes.values()):
                found = planes[number(record, tensor, "first_plane") + count]
                size = tuple(number(found, plane, field) for field in ("width", "height", "pitch", "tile_rows"))
                assert size == (expected.width, expected.height, expected.pitch, expected.tile_rows)
                assert tuple(number(found, plane, axis, signed=True) for axis in "xy") == (expected.x, expected.y)
                first = tiles[number(found, plane, "first_tile")]
                begin = number(first, tile, "offset")
                texels = pxi.texels(name, expected.name)
                assert data[begin : begin + 16 * size[0]] == texels[0].tobytes()
                assert begin % 4096 == 0
