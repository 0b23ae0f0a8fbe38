"""Every kernel that ships passes its own contract, on every case, through the command that users run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pixel_core.findings import Finding
from pixel_core.kernels.draw_inputs import draw_inputs
from pixel_core.kernels.load_shader import load_shader
from pixel_core.kernels.plan import plan_cases
from pixel_testing.check_command import SHADERS, CheckOutcome, run_check

pytestmark = pytest.mark.device

KERNELS = (
    "argmax",
    "attention",
    "blur",
    "conv2d",
    "dot_product",
    "embedding",
    "fft",
    "gelu",
    "histogram",
    "layer_norm",
    "matmul",
    "matmul_f16",
    "matmul_registers",
    "matmul_subgroups",
    "matmul_unrolled",
    "matvec",
    "prefix_scan",
    "q4_0_matvec",
    "q8_0_matvec",
    "radix_sort",
    "rms_norm",
    "rope",
    "softmax",
    "stream_compaction",
    "swiglu",
    "top_k",
    "toy_mlp",
    "transpose",
)

REMARKS = {"matmul_subgroups": ["PX210"]}
"""Browsers ask for `enable subgroups;`, and naga refuses it."""

GIVEN_CASES_ONLY = ("conv2d",)
"""Kernels with so many dims that their contracts choose every case by hand."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> CheckOutcome:
    folder = tmp_path_factory.mktemp("shipped")
    # Those of the folder model are proved in tests/core/inference.
    shutil.copytree(SHADERS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("model"))
    return run_check(folder)


def test_all_shipped_shaders_are_checked(outcome: CheckOutcome) -> None:
    assert [Path(kernel["shader"]).stem for kernel in outcome.report["kernels"]] == list(KERNELS)
    assert outcome.report["summary"] == {"passed": len(KERNELS), "partly_proved": 0, "failed": 0, "inconclusive": 0, "skipped": 0}
    assert [one["code"] for one in outcome.report["findings"]] == [code for codes in REMARKS.values() for code in codes]
    assert outcome.exit_code == 0


@pytest.mark.parametrize("name", KERNELS)
def test_shipped_kernel_passes_without_a_finding(outcome: CheckOutcome, name: str) -> None:
    kernel = outcome.kernel(f"{name}.wgsl")
    assert [one["code"] for one in kernel["findings"]] == []
    assert kernel["contract"] == name
    assert {case["status"] for case in kernel["cases"]} == {"passed"}
    assert len(kernel["cases"]) > len(given_cases(name)) or name in GIVEN_CASES_ONLY, "no case was derived"
    assert given_cases(name) <= {case["name"] for case in kernel["cases"]}


def test_matmul_matches_the_cpu(outcome: CheckOutcome) -> None:
    """max |C - C_cpu| / max (|A| · |B|) < 1e-5, the roadmap's measure; what f32 needs is about K · 6e-8 at worst."""
    loaded = load_shader(SHADERS / "matmul.wgsl")
    assert not isinstance(loaded, Finding)
    plan = plan_cases(loaded.contracts.contracts[0], loaded.module, loaded.interface)
    errors = {case["name"]: case["max_abs_error"] for case in outcome.kernel("matmul.wgsl")["cases"]}
    for case in plan.cases:
        inputs = draw_inputs(case)
        scale = np.max(np.abs(inputs["a"][""], dtype=np.float64) @ np.abs(inputs["b"][""]))
        assert errors[case.name] / scale < 1e-5, case.name


def given_cases(name: str) -> set[str]:
    """Names of the cases that the contract in the shader's head gives, read without the reader under test."""
    cases = re.search(r"cases\s*= \[(.*?)\]", (SHADERS / f"{name}.wgsl").read_text(encoding="utf-8"), re.DOTALL)
    assert cases
    return {text for text in re.findall(r'"([^"]+)"', cases[1]) if "=" in text and "(" not in text} | set(
        re.findall(r'name = "([^"]+)"', cases[1])
    )


def test_given_cases_are_found() -> None:
    assert given_cases("matmul") == {"M=64 N=64 K=64", "M=1 N=1 K=1", "M=65 N=33 K=20", "M=17 N=48 K=100"}
    assert "large values" in given_cases("softmax")
