"""Matrices of ggml's blocks of 256 times quantised activations, as q4_k_matvec.wgsl and q6_k_matvec.wgsl compute them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixel_core.inference.exact.arithmetic import Activations, Floats
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.nibble_planes import nibble_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class KMatrix:
    """A tensor of Q4_K or Q6_K, in runs of 32 or of 16 columns.

    Attributes:
        quants: float32[runs, rows, columns of a run]: whole numbers, of Q6_K from -32 to 31.
        scales: float32[runs, rows]: whole numbers.
        minima: float32[runs, rows]: whole numbers; None for Q6_K.
        d: float32[blocks, rows]: what the scales are multiplied with.
        least: float32[blocks, rows]: what the minima are multiplied with; None for Q6_K.
    """

    quants: Floats
    scales: Floats
    minima: Floats | None
    d: Floats
    least: Floats | None

    @classmethod
    def from_blocks(cls, kind: GgmlType, data: NDArray[np.uint8]) -> KMatrix:
        """Take u8[rows, blocks, bytes of a block] apart."""
        if kind is GgmlType.Q4_K:
            halves = _halves(data[..., :4])
            low, middle, high = (data[..., 4 + 4 * part : 8 + 4 * part] for part in range(3))
            return cls(
                quants=_runs(nibble_columns(kind, data[..., 16:]), 32),
                scales=_runs(np.concatenate((low & 63, high & 15 | low >> 2 & 48), axis=2), 1)[..., 0],
                minima=_runs(np.concatenate((middle & 63, high >> 4 | middle >> 2 & 48), axis=2), 1)[..., 0],
                d=np.ascontiguousarray(halves[..., 0].T),
                least=np.ascontiguousarray(halves[..., 1].T),
            )
        upper = data[..., 128:192].reshape(*data.shape[:2], 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3
        levels = nibble_columns(kind, data[..., :128]) | upper.reshape(*data.shape[:2], 256) << 4
        return cls(
            quants=_runs(levels.astype(np.int8) - np.int8(32), 16),
            scales=_runs(data[..., 192:208].view(np.int8), 1)[..., 0],
            minima=None,
            d=np.ascontiguousarray(_halves(data[..., 208:])[..., 0].T),
            least=None,
        )

    def multiply(self, x: Activations) -> Floats:
        """float32[tokens, rows]: 32 columns after 32 columns, each sum of scaled products a whole number."""
        tokens, count = len(x.d), 32 // self.quants.shape[2]
        numbers = x.bytes.astype(np.float32).reshape(tokens, len(self.quants), -1)
        # All below 2^24: float32 holds these whole numbers exactly, whatever the order.
        dots = np.matmul(self.quants, numbers.transpose(1, 2, 0)) * self.scales[..., None]  # [runs, rows, tokens]
        parts = dots.reshape(-1, count, *dots.shape[1:]).sum(axis=1)
        total = np.zeros((tokens, self.quants.shape[1]), np.float32)
        for part, dot in enumerate(parts):
            d = x.d[:, part, None]
            total = total + dot.T * (self.d[part // 8] * d)
            if self.minima is not None and self.least is not None:
                total = total - (self.minima[part] * x.sums[:, part, None]) * (self.least[part // 8] * d)
        return total

    def rows(self, ids: list[int]) -> Floats:
        """float32[len(ids), columns]: rows of the tensor itself."""
        runs = len(self.quants) // len(self.d)
        values = self.quants[:, ids] * (np.repeat(self.d, runs, axis=0)[:, ids] * self.scales[:, ids])[..., None]
        if self.minima is not None and self.least is not None:
            values = values - (np.repeat(self.least, runs, axis=0)[:, ids] * self.minima[:, ids])[..., None]
        return values.transpose(1, 0, 2).reshape(len(ids), -1)


def _halves(data: NDArray[np.uint8]) -> Floats:
    return np.ascontiguousarray(data).view(np.float16).astype(np.float32)


def _runs(values: NDArray[np.uint8] | NDArray[np.int8], length: int) -> Floats:
    """float32[runs, rows, length] of [rows, blocks, n]."""
    return np.ascontiguousarray(values.reshape(len(values), -1, length).transpose(1, 0, 2)).astype(np.float32)
