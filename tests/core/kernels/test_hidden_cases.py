"""Hidden cases: others than those that are shown, under the same contract, decided by the seed alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.kernels.examine import examine
from pixel_core.kernels.hidden_cases import HiddenCases, hidden_cases
from pixel_core.kernels.load_shader import LoadedShader, load_shader, understand
from pixel_core.kernels.timed_cases import timed_cases
from pixel_core.source import SourceText

SHADERS = sorted((Path(__file__).parents[3] / "shaders").glob("*.wgsl"))

SHADER = """\
//! [k]
//! dims = "n m"
//! where = ["n % 4 == 0", "m <= n"]
//! shapes = { x = "n", y = "n" }
//! inputs = { x = "uniform(0, 1)" }
//! dispatch = "ceil(n / 64)"
//! expect = { y = "x" }
//! cases = [{ name = "odd", dims = { n = 8, m = 3 }, seed = 5 }]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn k(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) { y[id.x] = x[id.x]; }
}
"""


TEXTURES = """\
//! [k]
//! dims = "H W"
//! textures = { image = { size = "H W" }, mask = { size = "H W", format = "r8unorm" }, y = { size = "H W" } }
//! dispatch = "ceil(W / 8), ceil(H / 8)"
//! expect = { y = "image * mask" }
//! cases = ["H=8 W=9"]

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var mask: texture_2d<f32>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(8, 8)
fn k(@builtin(global_invocation_id) id: vec3<u32>) {
    textureStore(y, id.xy, textureLoad(image, id.xy, 0) * textureLoad(mask, id.xy, 0).x);
}
"""


def test_textures_of_floats_get_other_magnitudes() -> None:
    hidden = drawn(understand(SourceText(Path("k.wgsl"), TEXTURES), None))
    cases = {case.name: case for case in examine(hidden.loaded).kernels[0].cases}
    scaled = [cases[name] for name, kind in hidden.kinds["k"].items() if kind.startswith("inputs of")]
    assert {case.inputs["image"].text for case in scaled} == {"0.125 * (normal(0, 1))", "4.0 * (normal(0, 1))"}
    assert {case.inputs["mask"].text for case in scaled} == {"uniform(0, 1)"}


def drawn(loaded: LoadedShader, seed: int = 1) -> HiddenCases:
    found = hidden_cases(loaded, seed=seed)
    assert found is not None
    return found


def sizes_of(loaded: LoadedShader) -> list[tuple[int, ...]]:
    kernel = examine(loaded).kernels[0]
    return [tuple(int(case.symbols[dim]) for dim in kernel.kernel.contract.dims) for case in kernel.cases]


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_of_shipped_kernels(path: Path) -> None:
    loaded = load_shader(path)
    assert isinstance(loaded, LoadedShader)
    hidden = drawn(loaded)
    kernel = examine(hidden.loaded).kernels[0]
    assert not [one for one in kernel.findings if one.code != "PX330"]
    assert len(kernel.cases) >= 10
    kinds = dict(hidden.kinds[kernel.kernel.contract.name])
    zeroed = [] if hidden.over_zeros is None else [case for one in examine(hidden.over_zeros).kernels for case in one.cases]
    assert [kinds.pop(case.name) for case in zeroed] == ["outputs that hold zeros before it runs"] * len(zeroed)
    assert [case.name for case in kernel.cases] == list(kinds)
    shown = set(sizes_of(loaded))
    for sizes, kind in zip(sizes_of(hidden.loaded), kinds.values(), strict=True):
        assert (sizes in shown) == kind.startswith(("other input values", "inputs of", "other values of parameters")), kind
    assert {case.seed for case in kernel.cases}.isdisjoint(case.seed for case in examine(loaded).kernels[0].cases)


def test_same_seed_same_cases() -> None:
    loaded = understand(SourceText(Path("k.wgsl"), SHADER), None)
    assert drawn(loaded, 7).loaded.sidecar == drawn(loaded, 7).loaded.sidecar
    assert drawn(loaded, 7).loaded.sidecar != drawn(loaded, 8).loaded.sidecar


def test_conditions_hold_and_inputs_stay_within_what_the_contract_says() -> None:
    hidden = drawn(understand(SourceText(Path("k.wgsl"), SHADER), None))
    cases = examine(hidden.loaded).kernels[0].cases
    assert all(case.symbols["n"] % 4 == 0 and case.symbols["m"] <= case.symbols["n"] for case in cases)
    assert {case.inputs["x"].text for case in cases} == {"uniform(0, 1)"}


SCALED = """\
//! [k]
//! dims = "n"
//! shapes = { x = "n", y = "n" }
//! params = { p = { n = "n", gain = 2.5, unused = 3.5 } }
//! overrides = { BIAS = 1.5 }
//! dispatch = "ceil(n / 64)"
//! expect = { y = "p.gain * x + BIAS + SHARE" }
//! cases = ["n=100"]

override BIAS: f32;
override SHARE: f32 = 0.5;
struct P { n: u32, gain: f32, unused: f32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn k(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < p.n) { y[id.x] = p.gain * x[id.x] + BIAS + SHARE; }
}
"""


def test_parameters_that_the_truth_names_get_other_values() -> None:
    hidden = drawn(understand(SourceText(Path("k.wgsl"), SCALED), None))
    (name,) = [name for name, kind in hidden.kinds["k"].items() if kind == "other values of parameters"]
    (case,) = [case for case in examine(hidden.loaded).kernels[0].kernel.contract.cases if case.name == name]
    changed = {**{name: value.text for name, value in case.overrides.items()}, "gain": case.params["p"]["gain"].text}
    share = float(changed["SHARE"]) / 0.5
    assert 0 < share < 1
    assert {name: float(text) for name, text in changed.items()} == {"BIAS": 1.5 * share, "SHARE": 0.5 * share, "gain": 2.5 * share}
    assert set(case.params["p"]) == {"gain"}


def test_outputs_are_tried_over_zeros_too() -> None:
    hidden = drawn(understand(SourceText(Path("k.wgsl"), SHADER), None))
    assert hidden.over_zeros is not None
    (kernel,) = examine(hidden.over_zeros).kernels
    (case,) = kernel.cases
    assert not [one for one in kernel.findings if one.code != "PX330"]
    assert (case.buffer("y").role, case.inputs["y"].text, case.inputs["x"].text) == ("inout", "zeros()", "uniform(0, 1)")


def test_kinds_give_no_number_away() -> None:
    hidden = drawn(understand(SourceText(Path("k.wgsl"), SHADER), None))
    assert not any(character.isdigit() for kinds in hidden.kinds.values() for kind in kinds.values() for character in kind)


def test_shader_without_a_contract_has_none() -> None:
    assert hidden_cases(understand(SourceText(Path("k.wgsl"), "fn f() {}"), None), seed=1) is None


def test_timed_cases_are_one_size_with_many_seeds() -> None:
    loaded = understand(SourceText(Path("k.wgsl"), SHADER), None)
    timed = timed_cases(loaded, None, seed=3, rounds=4)
    assert timed is not None
    cases = examine(timed.under(SHADER)).kernels[0].cases
    assert [case.name for case in cases] == list(timed.names)
    assert len({case.seed for case in cases}) == 4
    assert len({case.size_bytes for case in cases}) == 1
    assert timed.sizes == "n=3136 m=3088"
