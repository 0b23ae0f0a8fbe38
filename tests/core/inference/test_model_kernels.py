"""The kernels of shaders/model keep their contracts, and what a model runs is the text that was checked."""

from __future__ import annotations

import difflib

import pytest

from pixel_core.inference.model_kernels import ModelKernels, model_shaders
from pixel_core.kernels import check

FOLDER = model_shaders()
INCLUDED = {*("activate", "activations", "each_token", "exact_exp", "exact_rsqrt", "float_texels", "nibbles", "quantise_block", "six_bits")}
TYPES = ("float_norm", "float_gate", "float_merge", "float_matvec", "embed_float", "embed_q4_k", "embed_q6_k")
QUICK = ("norm_quantise", "gate_quantise", "rope_append", "attention_merge", "choose", "embed_q4", "q4_matvec", *TYPES)
"""What continuous integration runs; `pixel-lsp check shaders/model` runs all."""


@pytest.mark.device
def test_kernels_keep_their_contracts() -> None:
    report = check([FOLDER / f"{name}.wgsl" for name in QUICK])
    assert {kernel.contract: kernel.status for kernel in report.kernels if kernel.status != "passed"} == {}
    assert len(report.kernels) == 28
    assert {one.code for one in report.findings} == {"PX210"}, "browsers ask for a directive that naga refuses"


def test_every_kernel_has_a_contract() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.wgsl")}
    assert {name for name, text in texts.items() if "@compute" not in text} == INCLUDED
    assert {name for name, text in texts.items() if "//! dims" not in text} == INCLUDED


@pytest.mark.parametrize(
    ("file", "macros"),
    [
        ("q4_matvec", {"TOKENS": 4, "SCALE_TEXELS": 2, "TEXTURE": 1}),
        ("q8_0_matvec", {"TOKENS": 1}),
        ("q4_k_matvec", {"TOKENS": 4}),
        ("q6_k_matvec", {"TOKENS": 1}),
    ],
)
def test_activations_in_uniforms_change_two_declarations_alone(file: str, macros: dict[str, int]) -> None:
    """Contracts fill storage buffers only, so they check the text with `x` in one; a model has it in `var<uniform>`."""
    assert changed_by_uniforms(file, macros) == [
        "+ @group(0) @binding(2) var<uniform> x: array<vec4<u32>, 4096>;",
        "+ @group(0) @binding(3) var<uniform> x_scales: array<vec4<f32>, 4096>;",
        "- @group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;",
        "- @group(0) @binding(3) var<storage, read> x_scales: array<vec4<f32>>;",
    ]


def test_floats_in_uniforms_change_one_declaration_alone() -> None:
    assert changed_by_uniforms("float_matvec", {"TOKENS": 4, "F16": 1}) == [
        "+ @group(0) @binding(2) var<uniform> x: array<vec4<f32>, 4096>;",
        "- @group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;",
    ]


def changed_by_uniforms(file: str, macros: dict[str, int]) -> list[str]:
    kernels = ModelKernels(FOLDER)
    checked, run = (kernels.get(file, macros={**macros, **more}).source.split("\n") for more in ({}, {"UNIFORM": 1}))
    return sorted(line for line in difflib.ndiff(checked, run) if line[0] in "+-" and line[1:].strip())
