"""Which form of the kernels a model is computed with: measured once on an adapter, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from model_testing.random_models import RandomModel
from pixel_core.engines.device_program import ProgramDevice, open_program_device
from pixel_core.inference import choose_profile as module
from pixel_core.inference.choose_profile import Profile, choose_profile
from pixel_core.inference.config import ModelConfig, read_config
from pixel_core.inference.device_backend import DeviceBackend, DeviceOptions
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.weights.model_file import ModelFile, open_model

pytestmark = pytest.mark.device


@pytest.fixture
def file(random_model: Callable[[RandomModel], Path]) -> Iterator[ModelFile]:
    with open_model(random_model(RandomModel(type="Q4_1", width=128, heads=2, kv_heads=1, head_length=64, feed_forward=256))) as opened:
        yield opened


@pytest.fixture
def device() -> Iterator[ProgramDevice]:
    opened = open_program_device()
    yield opened
    opened.close()


def config_of(file: ModelFile) -> ModelConfig:
    return read_config(PlainMetadata(file.metadata), {name: one.shape for name, one in file.tensors.items()})


def test_a_choice_is_measured_once_and_remembered(
    file: ModelFile, device: ProgramDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = choose_profile(device, file, config_of(file), tmp_path)
    (kept,) = (tmp_path / "model-profiles").iterdir()

    def refuse(*_: object) -> Profile:
        raise AssertionError("measured again")

    with monkeypatch.context() as patched:
        patched.setattr(module, "_measure", refuse)
        assert choose_profile(device, file, config_of(file), tmp_path) == chosen
        other = Profile(storage="buffer", takes_subgroups=False)
        kept.write_bytes(b'{"storage": "buffer", "takes_subgroups": false}')
        assert choose_profile(device, file, config_of(file), tmp_path) == other
    for damaged in (b"", b"{", b'{"storage": "moon", "takes_subgroups": true}', b"\xff" * 40):
        kept.write_bytes(damaged)
        assert choose_profile(device, file, config_of(file), tmp_path).storage in {"texture", "buffer"}
        assert kept.read_bytes() != damaged


def test_every_profile_gives_the_same_bits(file: ModelFile) -> None:
    """Sums are made in one order wherever weights and activations lie, so that a choice changes nothing but the time."""
    made: list[np.ndarray] = []
    for storage in ("texture", "buffer"):
        for takes_subgroups in (True, False):
            options = DeviceOptions(context_length=64, storage=storage, takes_subgroups=takes_subgroups)
            backend = DeviceBackend(open_program_device(), file, config_of(file), options)
            made.append(backend.feed_all(range(20)))
            backend.close()
    assert all(np.array_equal(made[0], other) for other in made[1:])
