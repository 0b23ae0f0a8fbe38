"""Texels are those of the planes, and what they hold is what the tensor holds, wherever one looks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from model_testing.map_models import OpenBoth
from pixel_core.model_map.atlas import Atlas
from pixel_core.model_map.pick_texels import pick_texels
from pixel_core.model_map.texel_values import TexelValues, texel_values
from pixel_core.weights.dequantize import DEQUANTIZERS, dequantize
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.model_file import ModelFile
from pixel_core.weights.texel_formats import TexelFormat
from tiny_models import tiny_llama

ODD = {"odd": (GgmlType.F16, (7, 5, 3)), "tiny": (GgmlType.F32, (3,)), "row": (GgmlType.F32, (16,)), "one": (GgmlType.BF16, (1, 1))}


def some(length: int) -> NDArray[np.int64]:
    """Some places, in no order, and one of them twice."""
    return np.random.default_rng(length).integers(0, length, 7)


@pytest.mark.parametrize("kind", [GgmlType.F16, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.Q6_K, GgmlType.IQ4_XS])
def test_texels_are_those_of_the_planes(open_both: OpenBoth, kind: GgmlType) -> None:
    for model in open_both({**tiny_llama(kind), **ODD}):
        for placed in Atlas(model).planes:
            whole = model.texels(placed.place.tensor.name, placed.plane.name)
            rows, columns = some(placed.plane.height), some(placed.plane.width)
            assert np.array_equal(pick_texels(model, placed, rows, columns), whole[rows][:, columns]), placed


def values_at(model: ModelFile, name: str) -> dict[str, TexelValues | None]:
    planes = [one for one in Atlas(model).planes if one.place.tensor.name == name]  # type: ignore[arg-type]
    return {one.plane.name: texel_values(model, one, np.arange(one.plane.height), np.arange(one.plane.width)) for one in planes}


@pytest.mark.parametrize(
    ("kind", "plane"),
    [
        *((kind, "quants") for kind in (GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.Q4_K, GgmlType.Q6_K)),
        (GgmlType.Q6_K, "high"),
    ],
)
def test_quants_hold_the_weights(open_both: OpenBoth, kind: GgmlType, plane: str) -> None:
    """Of 37 rows, so that the last texels are not full."""
    for model in open_both({"w": (kind, (768, 37))}):
        tensor = model.tensors["w"]
        expected = np.nan_to_num(dequantize(kind, model.blocks("w"), tensor.shape))
        found = values_at(model, "w")[plane]
        assert found is not None
        height, width, down, across = found.cells.shape
        weights = np.nan_to_num(found.cells.transpose(0, 2, 1, 3).reshape(height * down, width * across))
        assert np.array_equal(weights[:37], expected)
        assert not weights[37:].any()


@pytest.mark.parametrize("kind", [GgmlType.F32, GgmlType.F16, GgmlType.BF16])
@pytest.mark.parametrize("columns", [64, 7], ids=["whole texels", "odd"])
def test_plain_numbers_lie_side_by_side(open_both: OpenBoth, kind: GgmlType, columns: int) -> None:
    for model in open_both({"w": (kind, (columns, 5))}):
        expected = np.nan_to_num(dequantize(kind, model.blocks("w"), (columns, 5))).reshape(-1)
        found = values_at(model, "w")["bytes"]
        assert found is not None
        assert np.array_equal(np.nan_to_num(found.cells).reshape(-1)[: expected.size], expected)


@pytest.mark.parametrize("kind", [GgmlType.Q4_K, GgmlType.Q6_K])
def test_large_blocks_show_their_root_mean_square(open_both: OpenBoth, kind: GgmlType) -> None:
    """Where a row is too long to lie in a row of texels."""
    for model in open_both({"w": (kind, (129 * 256, 1))}):
        blocks = dequantize(kind, model.blocks("w"), (256, 129))
        found = values_at(model, "w")["bytes"]
        assert found is not None
        first_bytes = np.arange(found.cells.size) * 16 // kind.block_bytes
        with np.errstate(all="ignore"):
            expected = np.sqrt(np.mean(np.square(blocks), axis=1))[np.minimum(first_bytes, 128)]
        assert np.array_equal(found.cells.reshape(-1), expected, equal_nan=True)
        assert np.array_equal(found.peak.reshape(-1), np.abs(blocks).max(axis=1)[np.minimum(first_bytes, 128)], equal_nan=True)


def test_types_that_cannot_be_computed_have_no_values(open_both: OpenBoth) -> None:
    kind = GgmlType.IQ4_XS
    assert kind not in DEQUANTIZERS
    for model in open_both({"w": (kind, (256, 2))}):
        assert values_at(model, "w") == {"bytes": None}


def test_scales_are_halves(open_both: OpenBoth) -> None:
    for model in open_both({"w": (GgmlType.Q8_0, (64, 8))}):
        scales = np.frombuffer(model.blocks("w"), np.uint8).reshape(8, 2, 34)[..., :2].copy().view("<f2")[..., 0]
        found = values_at(model, "w")["scales"]
        assert found is not None
        assert TexelFormat.BYTES4.planes == ("quants", "scales")
        assert np.array_equal(found.cells.reshape(2, 8).T, scales.astype(np.float32), equal_nan=True)


def test_scales_of_large_blocks_are_what_their_runs_are_multiplied_with(open_both: OpenBoth) -> None:
    for model in open_both({"a": (GgmlType.Q4_K, (256, 8)), "b": (GgmlType.Q6_K, (256, 8))}):
        first, second = values_at(model, "a")["scales"], values_at(model, "b")["scales"]
        assert first is not None
        assert second is not None
        data = np.frombuffer(model.blocks("a"), np.uint8).reshape(8, 144)
        d = data[:, :2].copy().view(np.float16).astype(np.float32)
        assert np.array_equal(first.cells[0, :, 0, :4], d * (data[:, 4:8] & 63), equal_nan=True)
        data = np.frombuffer(model.blocks("b"), np.uint8).reshape(8, 210)
        d = data[:, 208:].copy().view(np.float16).astype(np.float32)
        expected = (d * data[:, 192:208].view(np.int8)).reshape(8, 8, 2).transpose(1, 0, 2).reshape(8, 16)
        assert np.array_equal(second.cells[0, :8, 0], expected, equal_nan=True)
        assert np.array_equal(second.cells[0, 8, 0], np.repeat(d[:, 0], 2), equal_nan=True)
