"""Values as numbers of colours, and those as PNG: what lies between tensors is transparent, so that a page's background shows."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.colours import MAGNITUDES, MISSING_COLOUR, OUTLIER_COLOUR, colour_scale
from pixel_core.weights.measure_tensor import OUTLIER
from pixel_core.weights.pillow import images

Floats = NDArray[np.float32]
Indices = NDArray[np.uint8]

NOTHING: Final = 0
MISSING: Final = 1
NOT_FINITE: Final = 2
STANDS_OUT: Final = 3
_MAGNITUDE: Final = 4
_MAGNITUDES: Final = 100
_NEGATIVE: Final = _MAGNITUDE + _MAGNITUDES
_SIDE: Final = 70
_POSITIVE: Final = _NEGATIVE + _SIDE

_NOT_FINITE_COLOUR = (255, 0, 170)
_COLD = np.array([[10, 12, 20], [24, 70, 130], [70, 150, 220], [205, 232, 255]], np.float64)
_WARM = np.array([[10, 12, 20], [130, 52, 20], [232, 126, 48], [255, 236, 205]], np.float64)


def magnitude_indices(values: Floats, peak: Floats, rms: float) -> Indices:
    """Colours of magnitudes, as in the heat maps of `convert`: powers of two beside the root mean square of the whole.

    Args:
        values: Magnitudes.
        peak: The greatest magnitude that each stands for; if it stands out, that is shown.
        rms: Of the whole plane.
    """
    indices = _MAGNITUDE + _steps(values, rms, _MAGNITUDES)
    if rms:
        indices[peak > OUTLIER * rms] = STANDS_OUT
    return _told_if_not_finite(indices, values)


def signed_indices(values: Floats, rms: float) -> Indices:
    """Colours of values: negative ones cold, positive ones warm."""
    steps = _steps(np.abs(values), rms, _SIDE)
    indices = np.where(values < 0, _NEGATIVE + steps, _POSITIVE + steps)
    if rms:
        indices[np.abs(values) > OUTLIER * rms] = STANDS_OUT
    return _told_if_not_finite(indices, values)


def encode_png(indices: Indices) -> bytes:
    """The picture as a PNG with a palette.

    Raises:
        ModelFileError: Pillow is not installed.
    """
    image: Any = images().fromarray(np.ascontiguousarray(indices)).convert("P")
    image.putpalette(palette().tobytes())
    file = BytesIO()
    image.save(file, format="PNG", compress_level=1, transparency=NOTHING)
    return file.getvalue()


def palette() -> NDArray[np.uint8]:
    """Red, green and blue of each number, `u8[256, 3]`."""
    colours = np.zeros((256, 3), np.uint8)
    colours[MISSING], colours[NOT_FINITE], colours[STANDS_OUT] = MISSING_COLOUR, _NOT_FINITE_COLOUR, OUTLIER_COLOUR
    colours[_MAGNITUDE:_NEGATIVE] = colour_scale(np.linspace(0, 1, _MAGNITUDES))
    for first, stops in ((_NEGATIVE, _COLD), (_POSITIVE, _WARM)):
        places = np.linspace(0, len(stops) - 1, _SIDE)
        colours[first : first + _SIDE] = np.stack([np.interp(places, np.arange(len(stops)), part) for part in stops.T], axis=1).round()
    return colours


def _steps(magnitudes: Floats, rms: float, count: int) -> NDArray[np.int64]:
    low, high = MAGNITUDES
    with np.errstate(all="ignore"):
        octaves = np.log2(magnitudes / np.float32(rms)) if rms else np.where(magnitudes > 0, np.float32(high), np.float32(low))
    level = np.nan_to_num((octaves - low) / (high - low), nan=0, posinf=1, neginf=0)
    return np.rint(np.clip(level, 0, 1) * (count - 1)).astype(np.int64)


def _told_if_not_finite(indices: NDArray[np.int64], values: Floats) -> Indices:
    indices[~np.isfinite(values)] = NOT_FINITE
    return indices.astype(np.uint8)
