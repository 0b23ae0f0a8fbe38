"""A whole model in one picture: a row for each layer, a column for each of its tensors; embeddings above, the output below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pixel_core.weights.colours import (
    DEAD_COLOUR,
    DIFFERENCES,
    MAGNITUDES,
    MISSING_COLOUR,
    OUTLIER_COLOUR,
    colour_cells,
    colour_scale,
    resize,
    shrink,
)
from pixel_core.weights.measure_tensor import TensorCells
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.pillow import PAPER, Pixels, letter
from pixel_core.weights.place_on_map import in_layer_order, is_behind, layer_slot

THUMB_COLUMNS = 96
MAX_LAYERS = 256
"""More have no rows of pixels that could be told apart."""
_MAX_SLOTS = 32
_LEFT, _TOP, _GAP, _LINE = 44, 62, 4, 18
_STANDS_OUT = 24.0
"""Times the root mean square: of the hundreds of values in a cell of the map, some are always beyond six."""

Thumb = tuple[int, int, str]


def draw_map(
    title: str, tensors: Sequence[Tensor], measured: Mapping[str, TensorCells], beside: Mapping[str, TensorCells] | None = None
) -> Pixels:
    """The picture of a model, or of the difference of two.

    Args:
        title: Its first line.
        tensors: All tensors, in the order of the file.
        measured: Those that could be measured; the others are grey.
        beside: For a difference, the tensors of the first model.

    Raises:
        ModelFileError: Pillow is not installed.
    """
    ordered = [one for one in in_layer_order(tensors) if (layer_slot(one.name).layer or 0) < MAX_LAYERS]
    in_layers = [one for one in ordered if layer_slot(one.name).layer is not None]
    slots = list(dict.fromkeys(layer_slot(one.name).slot for one in in_layers))[:_MAX_SLOTS]
    layers = sorted({number for one in in_layers if (number := layer_slot(one.name).layer) is not None})
    rows = max(min(40, 2400 // max(len(layers), 1)), 7)
    front = [one for one in ordered if layer_slot(one.name).layer is None and not is_behind(one.name)][:_MAX_SLOTS]
    behind = [one for one in ordered if layer_slot(one.name).layer is None and is_behind(one.name)][:_MAX_SLOTS]
    columns = max(len(slots), len(front), len(behind), 6)
    band = rows + _GAP
    layers_top = _TOP + (_LINE + 40 + _GAP if front else 0) + _LINE
    behind_top = layers_top + band * len(layers) + 6
    height = behind_top + (_LINE + 40 if behind else 0) + 26
    pixels = np.empty((height, _LEFT + columns * (THUMB_COLUMNS + _GAP) + 8, 3), np.uint8)
    pixels[:] = PAPER
    texts: list[Thumb] = []
    usual = {slot: _usual_rms([one for one in in_layers if layer_slot(one.name).slot == slot], beside or measured) for slot in slots}

    def draw(tensor: Tensor, column: int, top: int, thumb_rows: int, rms: float | None) -> None:
        left = _LEFT + column * (THUMB_COLUMNS + _GAP)
        pixels[top : top + thumb_rows, left : left + THUMB_COLUMNS] = _thumb(tensor, measured, beside, thumb_rows, rms)

    for tops, group in ((_TOP, front), (behind_top, behind)):
        for column, tensor in enumerate(group):
            texts.append((_LEFT + column * (THUMB_COLUMNS + _GAP), tops, _short(tensor.name)))
            draw(tensor, column, tops + _LINE, 40, None)
    texts += [(_LEFT + column * (THUMB_COLUMNS + _GAP), layers_top - _LINE, _short(slot)) for column, slot in enumerate(slots)]
    texts += [(8, layers_top + row * band + rows // 2 - 7, f"{layer:,}") for row, layer in enumerate(layers) if rows >= 12 or row % 2 == 0]
    for tensor in in_layers:
        place = layer_slot(tensor.name)
        if place.slot in usual and place.layer is not None:
            draw(tensor, slots.index(place.slot), layers_top + layers.index(place.layer) * band, rows, usual[place.slot])
    legend = _legend(pixels, 32, is_difference=beside is not None)
    pixels = letter(pixels, [(8, 6, title[:110])], size=17)
    return letter(pixels, [*texts, *legend], size=11)


def _thumb(
    tensor: Tensor, measured: Mapping[str, TensorCells], beside: Mapping[str, TensorCells] | None, rows: int, rms: float | None
) -> Pixels:
    cells = measured.get(tensor.name)
    if cells is None:
        return np.full((rows, THUMB_COLUMNS, 3), MISSING_COLOUR, np.uint8)
    small = shrink(cells, rows, THUMB_COLUMNS)
    if beside is not None:
        pixels = colour_cells(small, beside[tensor.name].rms, DIFFERENCES, None, mark_dead=False)
    else:
        is_live = tensor.rows > 1 and not cells.dead_rows.all()
        pixels = colour_cells(small, cells.rms if rms is None else rms, MAGNITUDES, _STANDS_OUT, mark_dead=is_live)
    return resize(pixels, rows, THUMB_COLUMNS)


def _usual_rms(tensors: Sequence[Tensor], measured: Mapping[str, TensorCells]) -> float:
    """The middle one of the layers, so that a layer that is louder than the others is brighter."""
    found = sorted(measured[one.name].rms for one in tensors if one.name in measured)
    return found[len(found) // 2] if found else 0.0


def _short(name: str) -> str:
    return name.removesuffix(".weight")[:16]


def _legend(pixels: Pixels, top: int, *, is_difference: bool) -> list[Thumb]:
    """Draw the scale and say what the colours mean."""
    width = 120
    pixels[top + 2 : top + 12, 8 : 8 + width] = colour_scale(np.linspace(0, 1, width))
    if is_difference:
        pixels[top + 2 : top + 12, 420:432] = MISSING_COLOUR
        return [(136, top, "black: the same   to   pale: 4 times the first's rms"), (438, top, "not in both")]
    pixels[top + 2 : top + 12, 380:392] = OUTLIER_COLOUR
    pixels[top + 2 : top + 12, 500:512] = DEAD_COLOUR
    return [
        (136, top, "rms, 1/8 to 8 times the median layer's"),
        (398, top, f"over {_STANDS_OUT:g} rms"),
        (518, top, "row of zeros"),
    ]
