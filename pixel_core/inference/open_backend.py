"""Chooses what computes a model, and hands it the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import DeviceFailed, EngineUnavailable, ModelUnusable
from pixel_core.inference.backend import Backend
from pixel_core.inference.config import ModelConfig
from pixel_core.inference.messages import BackendName
from pixel_core.inference.reference_backend import ReferenceBackend
from pixel_core.weights.dequantize import dequantize
from pixel_core.weights.model_file import ModelFile

OpenBackend = Callable[[ModelFile, ModelConfig, int], Backend]
"""The file, what its metadata says, and the tokens that the cache is to hold."""


def _open_reference(file: ModelFile, config: ModelConfig, context_length: int) -> Backend:
    shapes = config.tensors()

    def load(name: str) -> NDArray[np.float32]:
        tensor = file.tensors[name]
        return dequantize(tensor.type, file.blocks(name), shapes[name])

    return ReferenceBackend(config, load, context_length=context_length)


def _open_device(file: ModelFile, config: ModelConfig, context_length: int) -> Backend:
    from pixel_core.engines.device_program import open_program_device
    from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions

    return DeviceBackend(open_program_device(), file, config, DeviceOptions(context_length=context_length))


def _open_exact(file: ModelFile, config: ModelConfig, context_length: int) -> Backend:
    from pixel_core.inference.exact_backend import ExactBackend

    return ExactBackend(file, config, context_length=context_length)


BACKENDS: Final[Mapping[str, OpenBackend]] = MappingProxyType({"reference": _open_reference, "device": _open_device, "exact": _open_exact})


def open_backend(name: BackendName, file: ModelFile, config: ModelConfig, context_length: int) -> Backend:
    """Open a backend.

    Args:
        name: Which one; `auto` takes the first that works here.
        file: Of the model; may be closed afterwards only if the backend is closed, too.
        config: What its metadata says.
        context_length: Tokens that the cache is to hold, at most `config.context_length`.

    Raises:
        EngineUnavailable: The backend is not there.
        ModelFileError: A tensor is of a type that is not computed here.
    """
    if name == "auto":
        try:
            return BACKENDS["device"](file, config, context_length)
        except (EngineUnavailable, DeviceFailed, ModelUnusable):
            return BACKENDS["reference"](file, config, context_length)
    if name not in BACKENDS:
        raise EngineUnavailable(f"the backend `{name}` is not there yet", hint=f"choose one of: auto, {', '.join(BACKENDS)}")
    return BACKENDS[name](file, config, context_length)
