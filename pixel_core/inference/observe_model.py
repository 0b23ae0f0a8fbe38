"""Every dispatch that a model makes on this machine's device, found by letting it run where nothing is computed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixel_core.engines.device_program import open_program_device
from pixel_core.errors import ModelFileError
from pixel_core.inference.choose_profile import choose_profile
from pixel_core.inference.config import read_config
from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions
from pixel_core.inference.language_model import DEFAULT_CONTEXT
from pixel_core.inference.messages import ModelSource, Observed
from pixel_core.inference.observing_device import ObservingDevice
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.sampler import Sampling
from pixel_core.kernels.open_engine import cache_folder
from pixel_core.weights.model_file import open_model

if TYPE_CHECKING:
    from pixel_core.engines.device_program import ProgramDevice
    from pixel_core.inference.config import ModelConfig
    from pixel_core.kernels.observed_dispatch import ObservedDispatch
    from pixel_core.weights.model_file import ModelFile


_PENALTY = 1.1
"""Any but 1: what is not penalised runs the same kernels with a window of nothing."""


def observe_file(source: ModelSource) -> Observed:
    """As `observe_model`, of a file.

    Raises:
        ModelFileError: It cannot be read.
        ModelUnusable: The model has what no kernel computes.
        EngineUnavailable: There is no adapter.
        DeviceFailed: The device could not hold one of its tensors.
    """
    path = Path(source.path)
    try:
        file = open_model(path)
    except OSError as problem:
        raise ModelFileError(f"{path} cannot be read: {problem.strerror or problem}") from problem
    with file:
        config = read_config(PlainMetadata(file.metadata), {name: tensor.shape for name, tensor in file.tensors.items()})
        context = min(source.context_tokens or DEFAULT_CONTEXT, config.context_length)
        device = open_program_device()
        profile = choose_profile(device, file, config, cache_folder())
        options = DeviceOptions(context_length=context, storage=profile.storage, takes_subgroups=profile.takes_subgroups)
        found = observe_model(device, file, config, options)
    return Observed(name=config.name or path.stem, context_tokens=context, dispatches=found)


def observe_model(device: ProgramDevice, model: ModelFile, config: ModelConfig, options: DeviceOptions) -> tuple[ObservedDispatch, ...]:
    """Fill the context in every way that a backend has: by what it chooses itself, by prompts, and at last token by token.

    Args:
        device: Its limits decide how weights are split; nothing runs on it. It is closed.
        model: Is read as for loading it.
        config: What its metadata says.
        options: As for `DeviceBackend`.

    Raises:
        ModelUnusable: The model has what no kernel computes.
        DeviceFailed: The device could not hold one of its tensors.
    """
    observing = ObservingDevice(device)
    backend = DeviceBackend(observing, model, config, options)
    try:
        length = backend.context_length
        backend.decode_greedy(0, length)
        backend.truncate(0)
        backend.decode_sampled(0, length, Sampling(repeat_penalty=_PENALTY), drawn=0, recent=[0])
        for run in (backend.feed_all, backend.feed):
            backend.truncate(0)
            run([0] * length)
        backend.truncate(0)
        for _ in range(length):
            backend.feed([0])
        return observing.observed(backend.kernels)
    finally:
        backend.close()
