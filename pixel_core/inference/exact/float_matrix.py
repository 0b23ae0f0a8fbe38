"""Matrices of floats times floats, as float_matvec.wgsl computes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixel_core.inference.exact.arithmetic import Activations, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatMatrix:
    """A tensor of F32, F16 or BF16.

    Attributes:
        columns: float32[columns, rows].
    """

    columns: Floats

    def multiply(self, x: Activations) -> Floats:
        """float32[tokens, rows]: column after column, each product and each sum rounded."""
        total = np.zeros((len(x.floats), self.columns.shape[1]), np.float32)
        for column, numbers in zip(self.columns, x.floats.T, strict=True):
            total = total + column * numbers[:, None]
        return total

    def rows(self, ids: list[int]) -> Floats:
        """float32[len(ids), columns]: rows of the tensor itself."""
        return np.ascontiguousarray(self.columns[:, ids].T)
