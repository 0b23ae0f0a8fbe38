"""What lies where on the map of a model, and what of it a rectangle shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pixel_core.errors import ModelFileError
from pixel_core.weights.describe_layers import describe_layers
from pixel_core.weights.gguf import Gguf
from pixel_core.weights.model_file import ModelFile
from pixel_core.weights.place_on_map import layer_slot
from pixel_core.weights.plan_pxi import plan_pxi
from pixel_core.weights.pxi import Pxi
from pixel_core.weights.pxi_records import Plane, TensorPlace

MAX_COORDINATE: Final = 1 << 40
"""In texels; a browser's numbers are exact far beyond, and no model comes near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPlane:
    """A plane on the map.

    Attributes:
        place: Its tensor.
        plane: The plane.
    """

    place: TensorPlace
    plane: Plane


class Atlas:
    """The planes of a model on its map.

    Args:
        model: An open GGUF, whose map is that of the PXI it would become, or a PXI. It stays open for as long as this is in use.

    Raises:
        ModelFileError: A plane lies too far out.
    """

    def __init__(self, model: Gguf | Pxi) -> None:
        self.model: ModelFile = model
        self.places: Sequence[TensorPlace] = tuple(model.places.values() if isinstance(model, Pxi) else plan_pxi(model.header).places)
        self.planes = tuple(PlacedPlane(place=place, plane=plane) for place in self.places for plane in place.planes.values())
        for one in self.planes:
            if max(abs(one.plane.x), abs(one.plane.y)) > MAX_COORDINATE:
                raise ModelFileError(
                    f"{model.path} puts `{one.place.tensor.name}` at ({one.plane.x}, {one.plane.y}), too far out to be shown"
                )
        edges = [(p.x, p.y, p.x + p.width, p.y + p.height) for p in (one.plane for one in self.planes)]
        self._edges = np.array(edges, np.int64).reshape(-1, 4)

    @property
    def layers(self) -> Mapping[int, Sequence[TensorPlace]]:
        """The tensors of each layer, layers in their order."""
        found: dict[int, list[TensorPlace]] = {}
        for place in self.places:
            layer = layer_slot(place.tensor.name).layer
            if layer is not None:
                found.setdefault(layer, []).append(place)
        return {number: found[number] for number in sorted(found)}

    def planes_in(self, left: int, top: int, right: int, bottom: int) -> Sequence[PlacedPlane]:
        """The planes that a rectangle touches; its right and lower edges are no part of it."""
        x0, y0, x1, y1 = self._edges.T
        return [self.planes[index] for index in np.flatnonzero((x0 < right) & (x1 > left) & (y0 < bottom) & (y1 > top))]

    def describe(self) -> dict[str, object]:
        """The map as data, as in `layers.json`, and what the model is called."""
        named = self.model.metadata.get("general.name")
        name = named.value if named is not None and isinstance(named.value, str) and named.value else self.model.path.stem
        return {
            "name": name,
            "file": self.model.path.name,
            "bytes": sum(place.tensor.byte_count for place in self.places),
            **describe_layers(self.places, self.model.metadata),
        }
