"""Where everything of a GGUF comes to lie in its PXI; the same GGUF always gives the same plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_core.weights.gguf import GgufHeader
from pixel_core.weights.place_on_map import in_layer_order, place_on_map
from pixel_core.weights.pxi_records import Plane, TensorPlace, row_pitch, rows_in_tile
from pixel_core.weights.texel_formats import plane_sizes, texel_format_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PxiPlan:
    """A PXI before its tiles are written.

    Attributes:
        places: The tensors, in the order of the GGUF.
        planes: All planes, each with its tensor, in the order in which they are written: layer after layer.
        tile_count: Tiles of all planes.
    """

    places: Sequence[TensorPlace]
    planes: Sequence[tuple[TensorPlace, Plane]]
    tile_count: int


def plan_pxi(header: GgufHeader) -> PxiPlan:
    """Plan the PXI of a GGUF."""
    corners = place_on_map(header.tensors.values())
    numbers = {name: number for number, name in enumerate(header.tensors)}
    places: dict[str, TensorPlace] = {}
    planes: list[tuple[TensorPlace, Plane]] = []
    tiles = 0
    for tensor in in_layer_order(header.tensors.values()):
        texel_format = texel_format_of(tensor)
        own: dict[str, Plane] = {}
        for kind, size in plane_sizes(tensor, texel_format).items():
            pitch = row_pitch(size.width)
            x, y = corners[tensor.name][kind]
            own[kind] = Plane(
                number=len(planes) + len(own),
                name=kind,
                width=size.width,
                height=size.height,
                pitch=pitch,
                tile_rows=rows_in_tile(pitch),
                x=x,
                y=y,
                first_tile=tiles,
            )
            tiles += own[kind].tile_count
        place = TensorPlace(
            number=numbers[tensor.name],
            tensor=tensor,
            texel_format=texel_format,
            gguf_offset=header.offsets[tensor.name],
            planes=own,
        )
        places[tensor.name] = place
        planes.extend((place, plane) for plane in own.values())
    return PxiPlan(places=[places[name] for name in header.tensors], planes=planes, tile_count=tiles)
