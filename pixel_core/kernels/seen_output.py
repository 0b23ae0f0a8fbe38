"""An output as pattern searches see it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import F16, Floats

Mask = NDArray[np.bool_]

FEWEST = 4
"""Elements that a pattern of values must explain; fewer are explained by anything."""


class SeenOutput:
    """The arrays of one output, in float64."""

    def __init__(self, wrong: Mask, expected: NDArray[Any], actual: NDArray[Any], bound: Floats) -> None:
        self.wrong = wrong
        self.expected: Floats = expected.astype(np.float64)
        self.raw = actual
        self.actual: Floats = actual.astype(np.float64)
        self.bound = np.where(np.isfinite(bound), bound, 0.0)
        self.count = int(np.count_nonzero(wrong))
        self.is_float = actual.dtype.kind == "f"

    def tolerance(self, values: Floats) -> Floats:
        """How closely a prediction must be met: rounding of the output's type where no bound is known."""
        unit = (F16.ulp if self.raw.dtype.itemsize == 2 else 2.0**-21) if self.is_float else 0.0
        return unit * np.abs(values)
