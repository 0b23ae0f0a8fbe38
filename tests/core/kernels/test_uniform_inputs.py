"""Uniforms that `inputs` fills: bound as uniforms, filled in front, and what lies behind must not matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.kernels import check
from pixel_core.kernels.examine import examine
from pixel_core.kernels.load_shader import understand
from pixel_core.source import SourceText

KERNEL = """\
//! [shift]
//! dims     = "n"
//! where    = ["n <= 32", "n % 4 == 0"]
//! shapes   = { x = "n", y = "n" }
//! inputs   = { x = "integers(1, 1000)" }
//! dispatch = 1
//! expect   = { y = "x + 1" }
//! cases    = ["n=8", "n=4", "n=32"]
//! derive   = false
@group(0) @binding(0) var<uniform> x: array<vec4<u32>, 8>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(32) fn shift(@builtin(local_invocation_index) i: u32) {
    if (i < arrayLength(&y)) { y[i] = x[i / 4u][i % 4u] + 1u; }
}
"""


def test_a_case_fills_the_front_of_a_uniform() -> None:
    (kernel,) = examine(understand(SourceText(Path("shift.wgsl"), KERNEL), None)).kernels
    assert kernel.findings == ()
    x = kernel.cases[0].buffer("x")
    assert (x.role, x.is_uniform, x.shapes, x.size_bytes, x.slack_bytes) == ("in", True, {"": (8,)}, 128, 96)
    assert [one.uniform_type for one in kernel.cases[0].dispatches[0].bindings] == [None, None]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('"(n + 64)"', "`x` is 72 scalars, and array<vec4<u32>, 8> holds 32 (case n=8)"),
        ('"(n - 1)"', "`x` is 7 scalars, not a multiple of the 4 of vec4<u32> (case n=8)"),
    ],
)
def test_a_uniform_takes_whole_elements_and_no_more_than_it_holds(shape: str, message: str) -> None:
    text = KERNEL.replace('x = "n", y', f"x = {shape}, y")
    (kernel,) = examine(understand(SourceText(Path("shift.wgsl"), text), None)).kernels
    assert [finding.message for finding in kernel.findings] == [message]


@pytest.mark.device
def test_what_lies_behind_the_front_must_not_matter(tmp_path: Path) -> None:
    (tmp_path / "right.wgsl").write_text(KERNEL)
    (tmp_path / "wrong.wgsl").write_text(KERNEL.replace("x[i / 4u][i % 4u] + 1u", "x[i / 4u][i % 4u] + 1u + x[7].w"))
    report = check([tmp_path / "right.wgsl", tmp_path / "wrong.wgsl"])
    assert [kernel.status for kernel in report.kernels] == ["passed", "failed"]
    assert "PX401" in {finding.code for finding in report.kernels[1].findings}, report.kernels[1].findings
