"""The kernels of shaders/model keep their contracts."""

from __future__ import annotations

import pytest

from pixel_core.inference.model_kernels import model_shaders
from pixel_core.kernels import check

FOLDER = model_shaders()
INCLUDED = {
    *(
        "activate",
        "activations",
        "each_token",
        "exact_exp",
        "exact_rsqrt",
        "float_texels",
        "nibbles",
        "planes",
        "quantise_block",
        "six_bits",
    )
}
TYPES = ("float_norm", "float_gate", "float_merge", "float_matvec", "embed_float", "embed_q4_k", "embed_q6_k")
QUICK = ("norm_quantise", "gate_quantise", "rope_append", "attention_merge", "choose", "sample", "embed_q4", "q4_matvec", *TYPES)
"""What continuous integration runs; `pixel-lsp check shaders/model` runs all."""


@pytest.mark.device
def test_kernels_keep_their_contracts() -> None:
    report = check([FOLDER / f"{name}.wgsl" for name in QUICK])
    assert {kernel.contract: kernel.status for kernel in report.kernels if kernel.status != "passed"} == {}
    assert len(report.kernels) == 37
    assert {one.code for one in report.findings} == {"PX210"}, "browsers ask for a directive that naga refuses"


def test_every_kernel_has_a_contract() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.wgsl")}
    assert {name for name, text in texts.items() if "@compute" not in text} == INCLUDED
    assert {name for name, text in texts.items() if "//! dims" not in text} == INCLUDED
