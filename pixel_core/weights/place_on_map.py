"""Where each plane of a model lies on its map: a plane of texels without edges, laid out by layer.

Layer n is the band of rows from n · height on, and the same tensor of every layer stands in the same columns, so neighbours above and
below are the neighbouring layers. What comes before the layers (embeddings) stands at negative x, what comes after them behind the last
column. The planes of one tensor stand side by side, so their rows agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pixel_core.weights.model_file import Tensor
from pixel_core.weights.texel_formats import PlaneSize, plane_sizes, texel_format_of

GRID = 16
"""Rectangles begin at multiples of it: 256 bytes."""
_MAX_LAYER_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSlot:
    """What a tensor's name says of its place.

    Attributes:
        layer: Its layer; None for those outside of the layers.
        slot: Its name within the layer, or the whole name.
    """

    layer: int | None
    slot: str


def layer_slot(name: str) -> LayerSlot:
    """`blk.7.attn_q.weight` is `attn_q.weight` of layer 7."""
    head, _, rest = name.partition(".")
    number, _, slot = rest.partition(".")
    is_number = number.isascii() and number.isdigit() and len(number) <= _MAX_LAYER_DIGITS and number == str(int(number))
    if head == "blk" and slot and is_number:
        return LayerSlot(layer=int(number), slot=slot)
    return LayerSlot(layer=None, slot=name)


def in_layer_order(tensors: Iterable[Tensor]) -> Sequence[Tensor]:
    """The tensors in the order in which a model computes: embeddings, layer after layer, output; else as they come."""

    def rank(tensor: Tensor) -> tuple[int, int]:
        layer = layer_slot(tensor.name).layer
        return (1, layer) if layer is not None else (2 if is_behind(tensor.name) else 0, 0)

    return sorted(tensors, key=rank)


def is_behind(name: str) -> bool:
    """Whether a tensor outside of the layers comes after them."""
    return name.startswith("output")


def place_on_map(tensors: Iterable[Tensor]) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """The upper left corner of every plane, `(x, y)` in texels, by the tensor's name and the plane's."""
    ordered = in_layer_order(tensors)
    sizes = {tensor.name: plane_sizes(tensor, texel_format_of(tensor)) for tensor in ordered}
    slots: dict[str, int] = {}
    height = 0
    for tensor in ordered:
        place = layer_slot(tensor.name)
        if place.layer is not None:
            slots[place.slot] = max(slots.get(place.slot, 0), _width(sizes[tensor.name]))
            height = max(height, *(_on_grid(size.height) for size in sizes[tensor.name].values()))
    columns: dict[str, int] = {}
    right = 0
    for slot, width in slots.items():
        columns[slot] = right
        right += width
    left = 0
    corners: dict[str, Mapping[str, tuple[int, int]]] = {}
    for tensor in ordered:
        place, width = layer_slot(tensor.name), _width(sizes[tensor.name])
        if place.layer is not None:
            x, y = columns[place.slot], place.layer * height
        elif is_behind(tensor.name):
            x, y = right, 0
            right += width
        else:
            left -= width
            x, y = left, 0
        corners[tensor.name] = _side_by_side(sizes[tensor.name], x, y)
    return corners


def _side_by_side(sizes: Mapping[str, PlaneSize], x: int, y: int) -> Mapping[str, tuple[int, int]]:
    corners: dict[str, tuple[int, int]] = {}
    for plane, size in sizes.items():
        corners[plane] = (x, y)
        x += _on_grid(size.width)
    return corners


def _width(sizes: Mapping[str, PlaneSize]) -> int:
    return sum(_on_grid(size.width) for size in sizes.values())


def _on_grid(length: int) -> int:
    return -(-length // GRID) * GRID
