"""Where tensors lie on the map, and that no two share a texel."""

from __future__ import annotations

import json

import pytest

from pixel_core.weights.describe_layers import describe_layers
from pixel_core.weights.find_overlap import Rectangle, find_overlap
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.place_on_map import in_layer_order, layer_slot, place_on_map
from pixel_core.weights.plan_pxi import plan_pxi
from tiny_models import tiny_llama, write_tiny_model


def tensors_of(kind: GgmlType) -> list[Tensor]:
    return [Tensor(name=name, shape=tuple(shape), type=one) for name, (one, shape) in tiny_llama(kind).items()]


@pytest.mark.parametrize(
    ("name", "layer", "slot"),
    [
        ("blk.7.attn_q.weight", 7, "attn_q.weight"),
        ("blk.0.x", 0, "x"),
        ("token_embd.weight", None, "token_embd.weight"),
        ("blk.07.x", None, "blk.07.x"),
        ("blk.-1.x", None, "blk.-1.x"),
        ("blk.٣.x", None, "blk.٣.x"),
        ("blk.9999999.x", None, "blk.9999999.x"),
        ("blk.3", None, "blk.3"),
    ],
)
def test_the_layer_is_in_the_name(name: str, layer: int | None, slot: str) -> None:
    found = layer_slot(name)
    assert (found.layer, found.slot) == (layer, slot)


def test_the_same_tensor_of_every_layer_stands_in_the_same_columns() -> None:
    corners = place_on_map(tensors_of(GgmlType.Q4_0))
    assert corners["blk.0.attn_q.weight"] == {"quants": (16, 0), "scales": (32, 0)}
    assert corners["blk.1.attn_q.weight"] == {"quants": (16, 16), "scales": (32, 16)}
    assert corners["token_embd.weight"] == {"quants": (-32, 0), "scales": (-16, 0)}
    assert corners["output_norm.weight"]["bytes"][0] > max(x for planes in corners.values() for x, y in planes.values() if y == 16)


def test_a_model_is_computed_from_the_embeddings_to_the_output() -> None:
    names = ["output.weight", "blk.10.a", "blk.2.a", "token_embd.weight", "blk.2.b"]
    ordered = in_layer_order([Tensor(name=name, shape=(4,), type=GgmlType.F32) for name in names])
    assert [tensor.name for tensor in ordered] == ["token_embd.weight", "blk.2.a", "blk.2.b", "blk.10.a", "output.weight"]


def rectangles(*corners: tuple[int, int, int, int]) -> list[Rectangle]:
    return [Rectangle(x=x, y=y, width=width, height=height) for x, y, width, height in corners]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rectangles(), None),
        (rectangles((0, 0, 4, 4), (4, 0, 4, 4), (0, 4, 8, 1), (-4, -4, 4, 4)), None),
        (rectangles((0, 0, 4, 4), (3, 3, 4, 4)), (0, 1)),
        (rectangles((0, 0, 100, 100), (200, 0, 1, 1), (50, 50, 1, 1)), (0, 2)),
        (rectangles((-5, 0, 10, 1), (0, -5, 1, 10)), (0, 1)),
        (rectangles((0, 0, 1, 1), (0, 0, 1, 1)), (0, 1)),
    ],
)
def test_an_overlap_is_found(given: list[Rectangle], expected: tuple[int, int] | None) -> None:
    assert find_overlap(given) == expected


@pytest.mark.parametrize("kind", [GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.F16, GgmlType.Q6_K], ids=lambda kind: kind.name)
def test_no_two_planes_overlap(tmp_path, kind: GgmlType) -> None:
    with open_gguf(write_tiny_model(tmp_path / "a.gguf", tiny_llama(kind))) as model:
        planes = [plane for _, plane in plan_pxi(model.header).planes]
    assert find_overlap([Rectangle(x=one.x, y=one.y, width=one.width, height=one.height) for one in planes]) is None


def test_layers_and_heads_are_told(tmp_path) -> None:
    with open_gguf(write_tiny_model(tmp_path / "a.gguf", tiny_llama(GgmlType.Q4_0))) as model:
        told = json.loads(json.dumps(describe_layers(plan_pxi(model.header).places, model.metadata)))
    assert told["bounds"] == {"left": -32, "top": 0, "right": 288, "bottom": 32}
    assert [tensor["name"] for tensor in told["tensors"]] == ["token_embd.weight", "output_norm.weight"]
    query, key, output = (
        next(one for one in told["layers"][1]["tensors"] if one["name"] == f"blk.1.attn_{name}.weight") for name in ("q", "k", "output")
    )
    assert query == {
        "id": 11,
        "name": "blk.1.attn_q.weight",
        "type": "Q4_0",
        "shape": [64, 64],
        "format": "nibbles",
        "planes": [
            {"plane": "quants", "x": 16, "y": 16, "width": 16, "height": 8},
            {"plane": "scales", "x": 32, "y": 16, "width": 2, "height": 8},
        ],
        "heads": [{"head": head, "plane": "quants", "x": 16, "y": 16 + 2 * head, "width": 16, "height": 2} for head in range(4)],
    }
    assert [(head["y"], head["height"]) for head in key["heads"]] == [(16, 2), (18, 2)]
    left = output["planes"][0]["x"]
    assert [(head["x"], head["width"]) for head in output["heads"]] == [(left + 4 * head, 4) for head in range(4)]
