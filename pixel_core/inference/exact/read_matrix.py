"""Tensors as what the device's kernels compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from pixel_core.errors import ModelUnusable
from pixel_core.inference.exact.arithmetic import Activations, Floats
from pixel_core.inference.exact.float_matrix import FloatMatrix
from pixel_core.inference.exact.k_matrix import KMatrix
from pixel_core.inference.exact.matrix import ExactMatrix
from pixel_core.weights.dequantize import dequantize
from pixel_core.weights.ggml_types import GgmlType

if TYPE_CHECKING:
    from pixel_core.weights.model_file import ModelFile


class Matrix(Protocol):
    """A tensor of any type."""

    def multiply(self, x: Activations) -> Floats:
        """float32[tokens, rows]."""
        ...

    def rows(self, ids: list[int]) -> Floats:
        """float32[len(ids), columns]: rows of the tensor itself."""
        ...


def read_matrix(model: ModelFile, name: str) -> Matrix:
    """Take a tensor apart.

    Raises:
        ModelUnusable: The type has no kernels.
    """
    tensor = model.tensors[name]
    if tensor.type in (GgmlType.F32, GgmlType.F16, GgmlType.BF16):
        values = dequantize(tensor.type, model.blocks(name), tensor.shape).reshape(tensor.rows, -1)
        return FloatMatrix(columns=np.ascontiguousarray(values.T))
    data = np.frombuffer(model.blocks(name), np.uint8).reshape(tensor.rows, -1, tensor.type.block_bytes)
    if tensor.type in (GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0):
        return ExactMatrix.from_blocks(tensor.type, data)
    if tensor.type in (GgmlType.Q4_K, GgmlType.Q6_K):
        return KMatrix.from_blocks(tensor.type, data)
    raise ModelUnusable(f"weights of the type {tensor.type.name} have no exact arithmetic")
