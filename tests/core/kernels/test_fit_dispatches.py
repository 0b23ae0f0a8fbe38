"""Dispatches become cases of the contracts in their files, or a sentence says why not."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pixel_core.kernels.fit_dispatches import FittedDispatches, fit_dispatches
from pixel_core.kernels.observed_dispatch import ObservedBinding, ObservedDispatch

SCALE = """\
//! [scale]
//! prepare  = [{ define = { WIDTH = "width" } }]
//! dims     = "n width"
//! shapes   = { x = "n width", y = "n width" }
//! params   = { size = { n = "n", factor = 2 } }
//! overrides = { TWICE = "false" }
//! dispatch = "ceil(n * width / workgroup_size.x)"
//! expect   = { y = "size.factor * x" }
//! cases    = ["n=3 width=4"]
//!
//! [scale_wide]
//! entry    = "scale"
//! prepare  = [{ define = { WIDTH = "width", WIDE = 1 } }]
//! dims     = "n width"
//! shapes   = { x = "n width", y = "n width" }
//! params   = { size = { n = "n", factor = 2 } }
//! dispatch = "n"
//! expect   = { y = "size.factor * x" }
//! cases    = ["n=3 width=4"]
struct Size { n: u32, factor: f32 }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
override TWICE: bool = false;
@compute @workgroup_size(64) fn scale(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < size.n * WIDTH) { y[id.x] = select(1.0, 2.0, TWICE) * size.factor * x[id.x]; }
}
"""

SIZE = ObservedBinding(size=16, contents=(struct.pack("<If8x", 30, 0.5),) * 2)
DISPATCH = ObservedDispatch(
    shader="",
    entry="scale",
    macros={"WIDTH": "4u"},
    constants={"TWICE": 0.0},
    workgroups=(2, 1, 1),
    bindings={"size": SIZE, "x": ObservedBinding(size=480), "y": ObservedBinding(size=4096)},
)


@pytest.fixture
def shader(tmp_path: Path) -> Path:
    path = tmp_path / "scale.wgsl"
    path.write_text(SCALE)
    return path


def fit(shader: Path, *changed: dict[str, Any]) -> FittedDispatches:
    return fit_dispatches([msgspec.structs.replace(DISPATCH, shader=str(shader), **one) for one in changed])


def test_sizes_settings_and_overrides_are_those_of_the_dispatch(shader: Path) -> None:
    fitted = fit(shader, {})
    assert fitted.unfitted == ()
    (loaded,) = fitted.shaders
    (contract,) = loaded.contracts.contracts
    assert loaded.findings == ()
    assert loaded.contracts.findings == ()
    assert [case.name for case in contract.cases] == ["n=30 width=4 TWICE=false size.factor=0.5"]
    assert "size.n * 4u" in loaded.wgsl.text
    assert loaded.source.path == shader


def test_a_buffer_written_between_runs_makes_a_case_of_the_first_and_one_of_the_last(shader: Path) -> None:
    moving = ObservedBinding(size=16, contents=(struct.pack("<If8x", 17, 2), struct.pack("<If8x", 30, 2)))
    (loaded,) = fit(shader, {"bindings": {**DISPATCH.bindings, "size": moving}}).shaders
    assert [case.name.split()[0] for case in loaded.contracts.contracts[0].cases] == ["n=17", "n=30"]


def test_macros_choose_the_contract(shader: Path) -> None:
    wide = {"macros": {"WIDTH": "4u", "WIDE": "1"}, "workgroups": (30, 1, 1)}
    (loaded,) = fit(shader, wide, wide).shaders
    assert [one.name for one in loaded.contracts.contracts] == ["scale_wide"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"entry": "other"}, "no contract runs `other` with these macros"),
        ({"macros": {}}, "unknown name `WIDTH`"),
        ({"workgroups": (3, 1, 1)}, "the dispatch in x is 3"),
        (
            {"bindings": {**DISPATCH.bindings, "x": ObservedBinding(size=64)}},
            "`x` takes 480 bytes in the contract, and the program binds 64",
        ),
        ({"bindings": {**DISPATCH.bindings, "size": ObservedBinding(size=16)}}, "what `size` holds is not known"),
        ({"bindings": {**DISPATCH.bindings, "z": SIZE}}, "the shader has no variable `z`"),
        ({"constants": {"THRICE": 1.0}}, "the shader has no override `THRICE`"),
    ],
)
def test_what_fits_no_contract_is_told(shader: Path, change: dict[str, Any], reason: str) -> None:
    fitted = fit(shader, change)
    assert fitted.shaders == ()
    assert reason in fitted.unfitted[0].reason


def test_a_file_without_contracts_or_no_file_at_all_is_told(tmp_path: Path, shader: Path) -> None:
    shader.write_text(SCALE.replace("//!", "//"))
    assert fit(shader, {}).unfitted[0].reason == "scale.wgsl has no contract"
    assert fit(tmp_path / "none.wgsl", {}).unfitted[0].reason == "none.wgsl does not exist"
