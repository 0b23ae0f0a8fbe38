"""Where the tensors of a model and their heads lie on its map: `layers.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pixel_core.weights.metadata import MetadataValue
from pixel_core.weights.place_on_map import layer_slot
from pixel_core.weights.pxi_records import Plane, TensorPlace
from pixel_core.weights.texel_formats import TexelFormat

_ROW_SLOTS = {"attn_q.weight": "head_count", "attn_k.weight": "head_count_kv", "attn_v.weight": "head_count_kv"}
_COLUMN_SLOT = "attn_output.weight"

Json = dict[str, object]


def describe_layers(places: Iterable[TensorPlace], metadata: Mapping[str, MetadataValue]) -> Json:
    """The map as data for `json.dumps`: coordinates in texels, x to the right and y down, negative ones in front of the layers.

    Args:
        places: The tensors of a PXI, or of the plan of one.
        metadata: The model's; heads are told only where it says how many there are.
    """
    layers: dict[int, list[Json]] = {}
    others: list[Json] = []
    known = list(places)
    for place in known:
        layer = layer_slot(place.tensor.name).layer
        (others if layer is None else layers.setdefault(layer, [])).append(_tensor(place, metadata))
    planes = [plane for place in known for plane in place.planes.values()]
    bounds = {
        "left": min((plane.x for plane in planes), default=0),
        "top": min((plane.y for plane in planes), default=0),
        "right": max((plane.x + plane.width for plane in planes), default=0),
        "bottom": max((plane.y + plane.height for plane in planes), default=0),
    }
    return {
        "version": 1,
        "bounds": bounds,
        "tensors": others,
        "layers": [{"layer": number, "tensors": layers[number]} for number in sorted(layers)],
    }


def _tensor(place: TensorPlace, metadata: Mapping[str, MetadataValue]) -> Json:
    planes = [{"plane": one.name, "x": one.x, "y": one.y, "width": one.width, "height": one.height} for one in place.planes.values()]
    found: Json = {
        "id": place.number,
        "name": place.tensor.name,
        "type": place.tensor.type.name,
        "shape": list(place.tensor.shape),
        "format": place.texel_format.name.lower(),
        "planes": planes,
    }
    heads = _heads(place, metadata)
    return {**found, "heads": heads} if heads else found


def _heads(place: TensorPlace, metadata: Mapping[str, MetadataValue]) -> list[Json]:
    """The part of the first plane that belongs to each head, where heads do not share texels."""
    slot = layer_slot(place.tensor.name).slot
    plane = next(iter(place.planes.values()))
    if slot in _ROW_SLOTS:
        count = _number(metadata, _ROW_SLOTS[slot]) or _number(metadata, "head_count")
        group = {TexelFormat.LINEAR: 1, TexelFormat.BYTES4: 4}.get(place.texel_format, 8)
        has_rows = place.texel_format is not TexelFormat.LINEAR or plane.height == place.tensor.rows
        if has_rows and count and place.tensor.rows % (count * group) == 0:
            return _cut(plane, count, down=True)
    elif slot == _COLUMN_SLOT:
        count = _number(metadata, "head_count")
        has_columns = place.texel_format is not TexelFormat.LINEAR or plane.height == place.tensor.rows
        if has_columns and count and plane.width % count == 0:
            return _cut(plane, count, down=False)
    return []


def _cut(plane: Plane, count: int, *, down: bool) -> list[Json]:
    width, height = (plane.width, plane.height // count) if down else (plane.width // count, plane.height)
    return [
        {
            "head": head,
            "plane": plane.name,
            "x": plane.x if down else plane.x + head * width,
            "y": plane.y + head * height if down else plane.y,
            "width": width,
            "height": height,
        }
        for head in range(count)
    ]


def _number(metadata: Mapping[str, MetadataValue], key: str) -> int:
    """A number of the model's attention, or 0 where it says none, or something else."""
    architecture = metadata.get("general.architecture")
    found = metadata.get(f"{architecture.value}.attention.{key}") if architecture is not None else None
    value = 0 if found is None else found.value
    return value if isinstance(value, int) and 0 < value <= 1 << 16 else 0
