"""What a model dispatches is found without computing anything, and every bit of it is held to a contract."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from model_testing.random_models import RandomModel
from pixel_core.engines.base import AdapterInfo
from pixel_core.engines.device_program import ProgramDevice
from pixel_core.inference.config import read_config
from pixel_core.inference.device_backend import DeviceOptions
from pixel_core.inference.model_kernels import model_shaders
from pixel_core.inference.observe_model import observe_model
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.kernels.fit_dispatches import fit_dispatches
from pixel_core.kernels.observed_dispatch import ObservedDispatch
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_core.weights.model_file import open_model

Write = Callable[[RandomModel], Path]

SMALL = RandomModel(type="Q4_1", width=96, heads=6, kv_heads=2, head_length=32, feed_forward=160, is_output_tied=True)


class Limits(ProgramDevice):
    """A device of which only the limits are asked."""

    def __init__(self, **limits: int) -> None:
        self._limits = {"max-texture-dimension-2d": 8192, "max-storage-buffer-binding-size": 1 << 27} | {
            name.replace("_", "-"): value for name, value in limits.items()
        }

    @property
    def info(self) -> AdapterInfo:
        """Nobody's."""
        return AdapterInfo(engine="device", name="none", backend="", driver="", is_software=True)

    def has(self, feature: str) -> bool:
        """No optional feature."""
        return False

    def close(self) -> None:
        """Nothing is open."""


def observe(path: Path, options: DeviceOptions, **limits: int) -> tuple[ObservedDispatch, ...]:
    with open_model(path) as file:
        config = read_config(PlainMetadata(file.metadata), {name: tensor.shape for name, tensor in file.tensors.items()})
        return observe_model(Limits(**limits), file, config, options)


def check(observed: tuple[ObservedDispatch, ...]) -> CheckReport:
    fitted = fit_dispatches(observed)
    assert fitted.unfitted == ()

    async def run() -> CheckReport:
        async with Checker(CheckOptions(reuse_results=False, interpreter=Path(sys.executable))) as checker:
            return await checker.check_loaded(fitted.shaders)

    return asyncio.run(run())


def cases_of(report: CheckReport) -> set[str]:
    return {f"{kernel.contract} {case.name}: {case.status}" for kernel in report.kernels for case in kernel.cases}


@pytest.mark.parametrize(
    ("model", "options", "limits"),
    [
        (RandomModel(architecture="gemma3", type="F16", vocabulary="llama"), {}, {}),
        (SMALL, {"storage": "buffer"}, {"max_storage_buffer_binding_size": 1 << 13}),
        (replace(SMALL, type="Q4_0", architecture="qwen2", is_output_tied=False), {}, {"max_texture_dimension_2d": 32}),
        (replace(SMALL, type="Q8_0", architecture="qwen3", heads=2, kv_heads=1, head_length=64), {"storage": "buffer"}, {}),
    ],
    ids=["f16, post-norms", "q4_1 in buffers, split", "q4_0, split, bias", "q8_0 in buffers, norms of heads"],
)
def test_every_dispatch_of_every_kind_of_model_is_a_case_of_a_contract(
    model: RandomModel, options: dict[str, Any], limits: dict[str, int], random_model: Write
) -> None:
    observed = observe(random_model(model), DeviceOptions(context_length=40, **options), **limits)
    fitted = fit_dispatches(observed)
    assert fitted.unfitted == ()
    assert all(loaded.findings == () and loaded.contracts.findings == () for loaded in fitted.shaders)
    assert fitted.dispatches == len(observed) > 20


def test_what_is_checked_is_the_text_that_a_model_runs(random_model: Write) -> None:
    observed = observe(random_model(SMALL), DeviceOptions(context_length=40))
    uniform = [one for one in fit_dispatches(observed).shaders if one.contracts.contracts[0].name == "q4_1_matvec"]
    assert len(uniform) == 2
    for loaded in uniform:
        assert "var<uniform> x: array<vec4<u32>, 4096>;" in loaded.wgsl.text
        assert "TOKENS" not in loaded.wgsl.text.replace("for TOKENS rows", "").split("fn q4_matvec", 1)[1]


@pytest.mark.device
def test_a_kernel_that_is_wrong_at_the_sizes_of_a_model_alone_fails(random_model: Write, tmp_path: Path) -> None:
    """One that is right below five blocks: no case that its contract lists would tell for this model's rows of five."""
    folder = shutil.copytree(model_shaders(), tmp_path / "model")
    shader = folder / "gate_quantise.wgsl"
    text = shader.read_text()
    assert text.count("if (block >= blocks)") == 1
    shader.write_text(text.replace("if (block >= blocks)", "if (block >= select(blocks, 4u, blocks == 5u))"))
    observed = observe(random_model(SMALL), DeviceOptions(context_length=8))
    moved = [msgspec.structs.replace(one, shader=str(folder / Path(one.shader).name)) for one in observed if "gate" in one.shader]
    report = check(tuple(msgspec.structs.replace(one, followers=()) for one in moved))
    cases = cases_of(report)
    assert cases == {f"gate_quantise tokens={tokens} blocks=5 gelu=false: failed" for tokens in (1, 8)}
