"""Chooses what computes a model, and hands it the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import DeviceFailed, EngineUnavailable, ModelFileError, ModelUnusable
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
    # Loads wgpu and looks for an adapter.
    from pixel_core.engines.load_wgpu import load_wgpu
    from pixel_core.kernels.open_engine import cache_folder

    load_wgpu(cache_folder())
    from pixel_core.engines.device_program import open_program_device
    from pixel_core.inference.choose_profile import choose_profile
    from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions
    from pixel_core.kernels.open_engine import cache_folder

    device = open_program_device()
    try:
        profile = choose_profile(device, file, config, cache_folder())
        options = DeviceOptions(context_length=context_length, storage=profile.storage, takes_subgroups=profile.takes_subgroups)
        return DeviceBackend(device, file, config, options)
    except BaseException:
        device.close()
        raise


def _open_exact(file: ModelFile, config: ModelConfig, context_length: int) -> Backend:
    from pixel_core.inference.exact_backend import ExactBackend

    return ExactBackend(file, config, context_length=context_length)


_BACKENDS: Final[Mapping[str, OpenBackend]] = MappingProxyType({"device": _open_device, "reference": _open_reference, "exact": _open_exact})


def open_backend(name: BackendName, file: ModelFile, config: ModelConfig, context_length: int) -> tuple[Backend, str]:
    """Open a backend.

    Args:
        name: Which one; `auto` takes the device where there is one that can compute the model, else the reference.
        file: Of the model; may be closed afterwards only if the backend is closed, too.
        config: What its metadata says.
        context_length: Tokens that the cache is to hold, at most `config.context_length`.

    Returns:
        The backend, and why it is not the device where `auto` would have taken that; empty otherwise.

    Raises:
        EngineUnavailable: There is no adapter.
        DeviceFailed: The device has no room, or was lost.
        ModelUnusable: The backend cannot compute such a model.
        ModelFileError: A tensor is of a type that is not computed here.
    """
    if name != "auto":
        return _BACKENDS[name](file, config, context_length), ""
    try:
        return _open_device(file, config, context_length), ""
    except (EngineUnavailable, DeviceFailed, ModelUnusable, ModelFileError) as problem:
        return _open_reference(file, config, context_length), problem.message
