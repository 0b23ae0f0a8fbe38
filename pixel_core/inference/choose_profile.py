"""Which form of the kernels is the fastest on an adapter: measured once with a matrix of the model, then remembered.

Weights lie in textures or in buffers, and activations are read from `var<uniform>` or told around in subgroups. None is the best
everywhere: on llvmpipe textures and subgroups win, by a quarter each.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pixel_core.engines.device_program import ProgramBuffer, ProgramDevice, ProgramDispatch
from pixel_core.inference.device_backend import check_sizes, has_subgroups, working_memory
from pixel_core.inference.device_layers import LayerRecorder
from pixel_core.inference.device_weights import DeviceMatrix, StorageKind, upload_matrix
from pixel_core.inference.model_kernels import ModelKernels, model_shaders
from pixel_core.replace_file import replace_file

if TYPE_CHECKING:
    from pixel_core.inference.config import ModelConfig
    from pixel_core.weights.model_file import ModelFile

_SAMPLE: Final = "blk.0.ffn_gate.weight"
_FOLDER: Final = "model-profiles"
_ROUNDS: Final = 5
_REPEATS: Final = 4
_TOKENS: Final = (1, 4)
"""Of a reply, and of a part of a prompt."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is computed on an adapter.

    Attributes:
        storage: Where weights lie.
        takes_subgroups: Whether neighbouring invocations tell each other what they read.
    """

    storage: StorageKind
    takes_subgroups: bool


def choose_profile(device: ProgramDevice, model: ModelFile, config: ModelConfig, cache_folder: Path | None) -> Profile:
    """The fastest profile for the matrices of a model.

    Args:
        device: On which it is to run.
        model: Its first feed-forward matrix is the sample.
        config: What its metadata says.
        cache_folder: Where the choice is remembered; None measures every time.

    Raises:
        ModelUnusable: The model has what no kernel computes.
        DeviceFailed: The device was lost.
    """
    check_sizes(config)
    file = None if cache_folder is None else cache_folder / _FOLDER / f"{_key(device, model)}.json"
    if file is not None:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(file.read_bytes(), type=Profile)
    chosen = _measure(device, model, config)
    if file is not None:
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, msgspec.json.encode(chosen))
    return chosen


def _key(device: ProgramDevice, model: ModelFile) -> str:
    """What the choice depends on: adapter and driver, the sample, and the kernels."""
    sample, info = model.tensors[_SAMPLE], device.info
    digest = hashlib.sha256(repr((info.name, info.backend, info.driver, sample.type.name, sample.shape)).encode())
    for path in sorted(model_shaders().glob("*.wgsl")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _measure(device: ProgramDevice, model: ModelFile, config: ModelConfig) -> Profile:
    rows = model.tensors[_SAMPLE].rows
    memory = working_memory(device, config, max(_TOKENS), rows, 1)
    kernels = ModelKernels(model_shaders())
    samples: dict[StorageKind, DeviceMatrix] = {
        "texture": upload_matrix(device, model, [_SAMPLE], "texture"),
        "buffer": upload_matrix(device, model, [_SAMPLE], "buffer"),
    }
    ways = (True, False) if has_subgroups(device) else (False,)
    steps: dict[Profile, list[ProgramDispatch]] = {}
    taken: dict[Profile, float] = {}
    for storage, subgroups in product(samples, ways):
        recorder = LayerRecorder(device, kernels, config, memory, has_subgroups=subgroups)
        profile = Profile(storage=storage, takes_subgroups=subgroups)
        products = [recorder.multiply(samples[storage], memory.gate_up, tokens, stride=rows) for tokens in _TOKENS]
        steps[profile] = [one for made in products for one in made] * _REPEATS
        _run(device, steps[profile], memory.state)
        taken[profile] = float("inf")
    # In turns, so that whatever else the machine does falls on all of them.
    for _ in range(_ROUNDS):
        for profile, dispatches in steps.items():
            taken[profile] = min(taken[profile], _run(device, dispatches, memory.state))
    device.free(*(plane for matrix in samples.values() for page in matrix.pages for plane in page.planes.values()))
    return min(taken, key=lambda one: taken[one])


def _run(device: ProgramDevice, dispatches: Sequence[ProgramDispatch], last: ProgramBuffer) -> float:
    """Seconds until they are done; of the processor where that computes, since other programs would be measured with it."""
    clock = time.process_time if device.info.is_software else time.perf_counter
    started = clock()
    device.run(dispatches)
    device.read_buffer(last, 4)
    return clock() - started
