"""Quantised matrices times quantised activations, as q4_matvec.wgsl and q8_0_matvec.wgsl compute them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixel_core.inference.exact.arithmetic import Activations, Floats
from pixel_core.weights.ggml_types import GgmlType


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMatrix:
    """A tensor taken apart.

    Attributes:
        type: Q4_0, Q4_1 or Q8_0.
        quants: float32[blocks, rows, 32]: whole numbers, of Q4_0 from 0 to 15.
        d: float32[blocks, rows]: scales.
        m: float32[blocks, rows]: minima; zeros where the type has none.
    """

    type: GgmlType
    quants: Floats
    d: Floats
    m: Floats

    def multiply(self, x: Activations) -> Floats:
        """float32[tokens, rows]: block after block, each sum of products a whole number."""
        tokens = len(x.d)
        # At most 32 · 127 · 127: float32 holds these whole numbers exactly, whatever the order.
        dots = np.matmul(self.quants, x.bytes.astype(np.float32).transpose(1, 2, 0))  # [blocks, rows, tokens]
        total = np.zeros((tokens, self.quants.shape[1]), np.float32)
        for block in range(len(self.quants)):
            dot = dots[block].T
            if self.type is GgmlType.Q4_0:
                dot = dot - np.float32(8.0) * x.sums[:, block, None]
            total = total + dot * (self.d[block] * x.d[:, block, None])
            if self.type is GgmlType.Q4_1:
                total = total + self.m[block] * x.s[:, block, None]
        return total

    def rows(self, ids: list[int]) -> Floats:
        """float32[len(ids), columns]: rows of the tensor itself."""
        quants = self.quants[:, ids].transpose(1, 0, 2)
        if self.type is GgmlType.Q4_0:
            quants = quants - np.float32(8.0)
        values = quants * self.d[:, ids].T[..., None]
        if self.type is GgmlType.Q4_1:
            values = values + self.m[:, ids].T[..., None]
        return values.reshape(len(ids), -1)

    @classmethod
    def from_blocks(cls, kind: GgmlType, data: NDArray[np.uint8]) -> ExactMatrix:
        """Take u8[rows, blocks, bytes of a block] apart."""
        head = 4 if kind is GgmlType.Q4_1 else 2
        heads = np.ascontiguousarray(data[..., :head]).view(np.float16).astype(np.float32)  # [rows, blocks, 1 or 2]
        packed = data[..., head:]
        if kind is GgmlType.Q8_0:
            quants = np.ascontiguousarray(packed).view(np.int8).astype(np.float32)
        else:
            quants = np.concatenate((packed & 15, packed >> 4), axis=2).astype(np.float32)
        d = np.ascontiguousarray(heads[..., 0].T)
        return cls(
            type=kind,
            quants=np.ascontiguousarray(quants.transpose(1, 0, 2)),
            d=d,
            m=np.ascontiguousarray(heads[..., 1].T) if head == 4 else np.zeros_like(d),
        )
