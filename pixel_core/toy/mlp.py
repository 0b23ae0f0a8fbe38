"""The network on numpy: the truth that the device is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelUnusable
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.model_file import ModelFile

INPUTS: Final = 8
HIDDEN: Final = 16
OUTPUTS: Final = 8

LAYERS: Final[Mapping[str, tuple[str, tuple[int, ...]]]] = {
    "up": ("blk.0.ffn_up.weight", (HIDDEN, INPUTS)),
    "up_bias": ("blk.0.ffn_up.bias", (HIDDEN,)),
    "down": ("blk.0.ffn_down.weight", (OUTPUTS, HIDDEN)),
    "down_bias": ("blk.0.ffn_down.bias", (OUTPUTS,)),
}
"""By the names of the kernel's textures: the tensor in the file, and its shape in numpy's order."""

WEIGHT_STEP: Final = 1 / 32
WEIGHT_LIMIT: Final = 2.0
INPUT_STEP: Final = 1 / 4
INPUT_LIMIT: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyOutput:
    """What a forward pass gives.

    Attributes:
        scores: Of each token as the next one, `f32[n, 8]`.
        next: The token with the greatest score, `u32[n]`; of equal ones the first.
    """

    scores: NDArray[np.float32]
    next: NDArray[np.uint32]


class ToyMlp:
    """The network on numpy.

    Every product and every sum is exact in float32 (the shader's head counts the bits), so the order in which numpy adds is of no
    consequence, and a device that multiplies and adds at all gives the same bits.

    Args:
        texels: What lies on the map, by the names of `LAYERS`: `u32[height, width, 4]`.

    Raises:
        ModelUnusable: A tensor has another size, or a weight for which the arithmetic would not be exact.
    """

    def __init__(self, texels: Mapping[str, NDArray[np.uint32]]) -> None:
        self._weights = {name: _as_weights(name, texels[name], shape) for name, (_, shape) in LAYERS.items()}

    def forward(self, x: NDArray[np.float32]) -> ToyOutput:
        """Scores of rows of inputs, `f32[n, 8]`.

        Raises:
            ValueError: The inputs are no such array, or not multiples of 1/4 of at most 2.
        """
        check_inputs(x)
        weights = self._weights
        hidden = np.maximum(x @ weights["up"].T + weights["up_bias"], np.float32(0))
        scores = hidden @ weights["down"].T + weights["down_bias"]
        return ToyOutput(scores=scores, next=np.argmax(scores, axis=1).astype(np.uint32))


def read_texels(model: ModelFile) -> dict[str, NDArray[np.uint32]]:
    """The pixels of the toy in a file, by the names of `LAYERS`.

    Raises:
        ModelUnusable: It is another model.
    """
    for name, shape in LAYERS.values():
        tensor = model.tensors.get(name)
        if tensor is None or tensor.shape != shape[::-1] or tensor.type is not GgmlType.F32:
            raise ModelUnusable(f"{model.path} is not the toy model: it needs a tensor `{name}` of F32 {list(shape[::-1])}")
    return {name: model.texels(tensor, "bytes") for name, (tensor, _) in LAYERS.items()}


def check_inputs(x: NDArray[np.float32]) -> None:
    """Refuse inputs for which the arithmetic would not be exact.

    Raises:
        ValueError: These are such, or no array of inputs.
    """
    if x.ndim != 2 or x.shape[1] != INPUTS or x.dtype != np.float32:
        raise ValueError(f"inputs are f32[n, {INPUTS}], not {x.dtype}{list(x.shape)}")
    if not _is_dyadic(x, INPUT_STEP, INPUT_LIMIT):
        raise ValueError("inputs are multiples of 1/4 of at most 2")


def _as_weights(name: str, texels: NDArray[np.uint32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    values = np.ascontiguousarray(texels).view(np.float32).reshape(-1)
    if values.size != np.prod(shape):
        raise ModelUnusable(f"`{name}` of the toy has {values.size} weights, not {np.prod(shape)}")
    if not _is_dyadic(values, WEIGHT_STEP, WEIGHT_LIMIT):
        raise ModelUnusable(f"`{name}` of the toy holds weights that are not multiples of 1/32 of at most 2")
    return values.reshape(shape)


def _is_dyadic(values: NDArray[np.float32], step: float, limit: float) -> bool:
    with np.errstate(invalid="ignore"):  # NaN and infinity fail the comparison
        return bool(np.all(np.abs(values) <= limit) and np.all(values / np.float32(step) == np.rint(values / np.float32(step))))
