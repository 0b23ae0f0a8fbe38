"""Textures on a device: every bit that goes in comes out, whatever the format, the size and the level."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pixel_core.engines.base import BindingJob, DispatchJob, KernelJob, RunFailure, SamplerJob, TextureJob, TextureView
from pixel_core.engines.device import DeviceEngine, open_device_engine
from pixel_core.engines.explicit_layouts import explicit_layouts
from pixel_core.engines.job_checks import check_job
from pixel_core.engines.textures import level_extents, texture_bytes
from pixel_core.wgsl.texel_formats import TEXEL_FORMATS


@pytest.fixture(scope="module")
def engine() -> Iterator[DeviceEngine]:
    return open_device_engine()


def texture(
    name: str, *extent: int, dimension: str = "2d", levels: int = 1, has_layers: bool = False, content: bytes | None = None
) -> TextureJob:
    """With random bytes of every value, NaN among them."""
    width, height, depth = (*extent, 1, 1)[:3]
    made = TextureJob(
        format=name, texel_bytes=TEXEL_FORMATS[name].size_bytes, dimension=dimension, extent=(width, height, depth), has_layers=has_layers,
        levels=levels, initial=content or b"", read_back=True,
    )  # fmt: skip
    drawn = np.random.default_rng(1).integers(0, 256, texture_bytes(made), dtype=np.uint8).tobytes()
    return TextureJob(
        format=name, texel_bytes=made.texel_bytes, dimension=dimension, extent=made.extent, has_layers=has_layers, levels=levels,
        initial=content or drawn, read_back=True,
    )  # fmt: skip


@pytest.mark.device
def test_every_bit_comes_back(engine: DeviceEngine) -> None:
    textures = {name: texture(name, 67, 3, levels=3) for name in TEXEL_FORMATS}
    textures["line"] = texture("rgba8uint", 300, dimension="1d")
    textures["volume"] = texture("r32float", 5, 6, 7, dimension="3d", levels=3)
    textures["layers"] = texture("rg16float", 65, 2, 3, levels=2, has_layers=True)
    answer = engine.run((KernelJob(source="@compute @workgroup_size(1) fn main() {}", buffers={}, dispatches=(), textures=textures),))
    assert isinstance(answer, tuple), answer
    assert {name: answer[0].buffers[name] == one.initial for name, one in textures.items()} == dict.fromkeys(textures, True)


def test_levels_are_halved_and_layers_are_not() -> None:
    assert list(level_extents(texture("r8uint", 5, 6, 7, dimension="3d", levels=3))) == [(5, 6, 7), (2, 3, 3), (1, 1, 1)]
    assert list(level_extents(texture("r8uint", 5, 1, 7, levels=2, has_layers=True))) == [(5, 1, 7), (2, 1, 7)]


def job(**textures: TextureJob) -> KernelJob:
    bindings = (
        BindingJob(
            group=0, binding=0, buffer="image", view=TextureView(dimension="2d", access="sampled", sample_type="unfilterable-float")
        ),
        BindingJob(group=0, binding=1, buffer="out", writable=True, view=TextureView(dimension="2d", access="write")),
        BindingJob(group=1, binding=0, buffer="s"),
        BindingJob(group=1, binding=1, buffer="soft"),
    )
    samplers = {name: SamplerJob(filter=chosen, address=("repeat",) * 3) for name, chosen in (("s", "nearest"), ("soft", "linear"))}
    dispatch = DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=bindings)
    return KernelJob(source="", buffers={}, dispatches=(dispatch,), textures=textures, samplers=samplers)


def test_layouts() -> None:
    what = job(image=texture("r32float", 2, 2), out=texture("rgba8unorm", 2, 2))
    assert explicit_layouts(what, what.dispatches[0], 4) == [
        [
            {"binding": 0, "visibility": 4, "texture": {"sample_type": "unfilterable-float", "view_dimension": "2d"}},
            {
                "binding": 1,
                "visibility": 4,
                "storage_texture": {"access": "write-only", "format": "rgba8unorm", "view_dimension": "2d"},
            },
        ],
        [
            {"binding": 0, "visibility": 4, "sampler": {"type": "non-filtering"}},
            {"binding": 1, "visibility": 4, "sampler": {"type": "filtering"}},
        ],
    ]


def test_limits_are_held() -> None:
    limits = {"max-texture-dimension-2d": 8, "max-texture-array-layers": 2}
    long = job(image=texture("r8uint", 9, 1), out=texture("r8uint", 1, 1))
    deep = job(image=texture("r8uint", 1, 1, 3, has_layers=True), out=texture("r8uint", 1, 1))
    assert check_job(job(image=texture("r8uint", 8, 8, 2, has_layers=True), out=texture("r8uint", 1, 1)), limits) is None
    assert check_job(long, limits) == RunFailure(
        reason="validation", message="`image` is 9 texels long; this adapter has 2d textures of at most 8"
    )
    assert check_job(deep, limits) == RunFailure(reason="validation", message="`image` has 3 layers; this adapter has at most 2")
