"""Tensors as texels: where each number lies, and that packing can be undone."""

from __future__ import annotations

import numpy as np
import pytest

from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.texel_formats import (
    ROW_GROUP,
    TexelFormat,
    pack_plane,
    pack_rows,
    plane_sizes,
    source_range,
    texel_format_of,
    unpack_planes,
    unpack_rows,
)


def random_blocks(tensor: Tensor) -> bytes:
    return np.random.default_rng(tensor.byte_count).integers(0, 256, tensor.byte_count, dtype=np.uint8).tobytes()


def ggml_nibbles(tensor: Tensor, blocks: bytes, head: int) -> np.ndarray:
    """`u8[row, column]`, spelled as ggml does: element i of a block is the low half of byte i, element i + 16 the high one."""
    values = np.zeros((tensor.rows, tensor.columns), np.uint8)
    for row in range(tensor.rows):
        for column in range(tensor.columns):
            block = row * tensor.row_bytes + column // 32 * tensor.type.block_bytes
            within = column % 32
            byte = blocks[block + head + within % 16]
            values[row, column] = byte & 15 if within < 16 else byte >> 4
    return values


@pytest.mark.parametrize(("kind", "head"), [(GgmlType.Q4_0, 2), (GgmlType.Q4_1, 4)])
def test_nibbles_of_eight_rows_and_four_columns_are_a_texel(kind: GgmlType, head: int) -> None:
    tensor = Tensor(name="a", shape=(64, 11), type=kind)
    blocks = random_blocks(tensor)
    quants = pack_plane(tensor, TexelFormat.NIBBLES, "quants", blocks)
    assert quants.shape == (2, 16, 4)
    nibbles = ggml_nibbles(tensor, blocks, head)
    for row in range(16):
        for column in range(64):
            word = int(quants[row // 8, column // 4, column % 4])
            j = row % 4
            shift = 4 * j if row % 8 < 4 else 16 + 4 * j
            assert word >> shift & 15 == (nibbles[row, column] if row < 11 else 0)


def test_scales_of_q4_0_are_eight_rows_a_texel() -> None:
    tensor = Tensor(name="a", shape=(64, 11), type=GgmlType.Q4_0)
    blocks = random_blocks(tensor)
    scales = pack_plane(tensor, TexelFormat.NIBBLES, "scales", blocks)
    assert scales.shape == (2, 2, 4)
    halves = scales.view("<u2").reshape(2, 2, 8)
    raw = np.frombuffer(blocks, np.uint8).reshape(11, 2, 18)[..., :2].copy().view("<u2")[..., 0]
    for row in range(11):
        for block in range(2):
            assert halves[row // 8, block, row % 8] == raw[row, block]


def test_scale_and_minimum_of_q4_1_alternate_in_two_texels() -> None:
    tensor = Tensor(name="a", shape=(64, 8), type=GgmlType.Q4_1)
    blocks = random_blocks(tensor)
    scales = pack_plane(tensor, TexelFormat.NIBBLES, "scales", blocks)
    assert scales.shape == (1, 4, 4)
    raw = np.frombuffer(blocks, np.uint8).reshape(8, 2, 20)[..., :4].copy().view("<u4")[..., 0]
    for row in range(8):
        for block in range(2):
            # One component holds the scale (low half) and the minimum of one row.
            assert scales[0, 2 * block + row // 4, row % 4] == raw[row, block]


def test_bytes_of_four_rows_and_four_columns_are_a_texel() -> None:
    tensor = Tensor(name="a", shape=(32, 10), type=GgmlType.Q8_0)
    blocks = random_blocks(tensor)
    quants = pack_plane(tensor, TexelFormat.BYTES4, "quants", blocks).view(np.uint8).reshape(3, 8, 4, 4)
    raw = np.frombuffer(blocks, np.uint8).reshape(10, 34)[:, 2:]
    for row in range(10):
        for column in range(32):
            assert quants[row // 4, column // 4, row % 4, column % 4] == raw[row, column]
    assert pack_plane(tensor, TexelFormat.BYTES4, "scales", blocks).shape == (2, 1, 4)


def test_q4_k_has_a_texel_of_scales_for_each_row_of_a_block() -> None:
    tensor = Tensor(name="a", shape=(512, 11), type=GgmlType.Q4_K)
    blocks = random_blocks(tensor)
    raw = np.frombuffer(blocks, np.uint8).reshape(11, 2, 144)
    scales = pack_plane(tensor, TexelFormat.NIBBLES, "scales", blocks)
    quants = pack_plane(tensor, TexelFormat.NIBBLES, "quants", blocks)
    assert (scales.shape, quants.shape) == ((2, 16, 4), (2, 128, 4))
    for row in range(11):
        for block in range(2):
            assert scales[row // 8, 8 * block + row % 8].tobytes() == raw[row, block, :16].tobytes()
        for column in range(512):
            within = column % 256
            byte = int(raw[row, column // 256, 16 + within // 64 * 32 + within % 32])
            expected = byte & 15 if within % 64 < 32 else byte >> 4
            assert int(quants[row // 8, column // 4, column % 4]) >> (4 * (row % 8)) & 15 == expected


def test_q6_k_has_a_plane_for_the_high_bits() -> None:
    tensor = Tensor(name="a", shape=(256, 8), type=GgmlType.Q6_K)
    blocks = random_blocks(tensor)
    raw = np.frombuffer(blocks, np.uint8).reshape(8, 210)
    quants, high, scales = (pack_plane(tensor, TexelFormat.SIX_BITS, plane, blocks) for plane in TexelFormat.SIX_BITS.planes)
    assert (quants.shape, high.shape, scales.shape) == ((1, 64, 4), (1, 32, 4), (1, 9, 4))
    for row in range(8):
        for column in range(256):
            half, within = divmod(column, 128)
            low_byte = int(raw[row, 64 * half + within % 64])
            assert int(quants[0, column // 4, column % 4]) >> (4 * row) & 15 == (low_byte & 15 if within < 64 else low_byte >> 4)
            bits = int(raw[row, 128 + 32 * half + within % 32]) >> (within // 32 * 2) & 3
            assert int(high[0, column // 8, column % 8 // 2]) >> (4 * row + column % 2 * 2) & 3 == bits
        halves = scales[0].view("<u2")
        assert [int(halves[part, row]) for part in range(8)] == raw[row, 192:208].copy().view("<u2").tolist()
        assert halves[8, row] == raw[row, 208:].copy().view("<u2")[0]


@pytest.mark.parametrize("kind", GgmlType, ids=lambda kind: kind.name)
@pytest.mark.parametrize("rows", [1, 3, 4, 5, 8, 17])
def test_packing_can_be_undone(kind: GgmlType, rows: int) -> None:
    tensor = Tensor(name="a", shape=(3 * kind.block_length, rows, 2), type=kind)
    blocks = random_blocks(tensor)
    texel_format = texel_format_of(tensor)
    planes = {plane: pack_plane(tensor, texel_format, plane, blocks) for plane in texel_format.planes}
    assert {plane: texels.shape for plane, texels in planes.items()} == {
        plane: (size.height, size.width, 4) for plane, size in plane_sizes(tensor, texel_format).items()
    }
    assert unpack_planes(tensor, texel_format, planes).tobytes() == blocks


@pytest.mark.parametrize("kind", [GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.F16, GgmlType.Q6_K])
def test_strips_are_packed_and_unpacked_alone(kind: GgmlType) -> None:
    tensor = Tensor(name="a", shape=(2 * kind.block_length if kind.block_length > 1 else 24, 43), type=kind)
    blocks = random_blocks(tensor)
    texel_format = texel_format_of(tensor)
    for plane, size in plane_sizes(tensor, texel_format).items():
        whole = pack_plane(tensor, texel_format, plane, blocks)
        for first in range(0, size.height, 2):
            last = min(first + 2, size.height)
            begin, end = source_range(tensor, size, first, last)
            strip = pack_rows(tensor, texel_format, plane, last - first, blocks[begin:end])
            np.testing.assert_array_equal(strip, whole[first:last])
            if texel_format is TexelFormat.LINEAR:
                assert unpack_rows(tensor, texel_format, {"bytes": strip}, end - begin).tobytes() == blocks[begin:end]


def test_groups_of_eight_rows_are_unpacked_alone() -> None:
    tensor = Tensor(name="a", shape=(64, 21), type=GgmlType.Q8_0)
    blocks = random_blocks(tensor)
    quants, scales = (pack_plane(tensor, TexelFormat.BYTES4, plane, blocks) for plane in TexelFormat.BYTES4.planes)
    for group in range(3):
        begin, end = ROW_GROUP * group * tensor.row_bytes, min(ROW_GROUP * (group + 1), 21) * tensor.row_bytes
        planes = {"quants": quants[2 * group : 2 * group + 2], "scales": scales[group : group + 1]}
        assert unpack_rows(tensor, TexelFormat.BYTES4, planes, end - begin).tobytes() == blocks[begin:end]


def test_what_is_too_wide_for_a_texture_stays_linear() -> None:
    tensor = Tensor(name="a", shape=(32_800, 2), type=GgmlType.Q4_0)
    assert texel_format_of(tensor) is TexelFormat.LINEAR
    size = plane_sizes(tensor, TexelFormat.LINEAR)["bytes"]
    assert (size.height, size.width) == (3, 1024)


def test_a_row_of_a_tensor_is_a_row_of_the_image_where_it_fits() -> None:
    size = plane_sizes(Tensor(name="a", shape=(576, 7), type=GgmlType.F16), TexelFormat.LINEAR)["bytes"]
    assert (size.height, size.width) == (7, 72)
