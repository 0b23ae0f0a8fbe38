"""`pixel-lsp prove` as a user types it, on a random model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_testing.random_models import RandomModel, write_random_model
from pixel_core.findings import Finding, Location, Severity
from pixel_core.inference.messages import Observed
from pixel_core.kernels.fit_dispatches import FittedDispatches, Unfitted
from pixel_core.kernels.observed_dispatch import ObservedDispatch
from pixel_core.kernels.report import CaseReport, CheckReport, ValidationReport
from pixel_server.cli import main
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_proof import render_proof

SMALL = RandomModel(type="Q4_1", width=96, heads=6, kv_heads=2, head_length=32, feed_forward=160, is_output_tied=True)


@pytest.mark.device
def test_the_kernels_of_a_model_pass_at_its_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_random_model(tmp_path / "tiny.gguf", SMALL)
    code = main(["prove", str(path), "--context", "40", "--format", "json"])
    proof = json.loads(capsys.readouterr().out)
    cases = [f"{kernel['contract']} {case['name']}: {case['status']}" for kernel in proof["kernels"] for case in kernel["cases"]]
    assert code == 0, [finding["message"] for kernel in proof["kernels"] for finding in kernel["findings"]]
    assert (proof["model"], proof["context"], proof["unfitted"]) == ("tiny", 40, [])
    assert len(cases) >= proof["dispatches"] > 20
    assert {case.rpartition(" ")[2] for case in cases} == {"passed"}
    # Measured on the device: where weights lie, how many tokens of a prompt go together, how neighbours share what they read.
    for expected in (
        " batch=1 groups=36 blocks=3 first=0 size.scale=1: passed",
        " tokens=1 groups=12 blocks=5 first=0 stride=96 add=1: passed",
        "attention_tile tokens=1 kv_heads=2 group=3 width=32 position=39 tiles=2 space=2 window=0: passed",
        "choose n=288: passed",
        "sample n=288 kept=40 window=64 ",
    ):
        assert any(expected in case for case in cases), expected


@pytest.mark.device
def test_a_model_that_no_kernel_computes_ends_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_random_model(
        tmp_path / "tiny.gguf", RandomModel(type="F32", width=60, heads=3, kv_heads=3, head_length=20, feed_forward=60)
    )
    assert main(["prove", str(path)]) == 2
    assert "components, which the device" in capsys.readouterr().err
    assert main(["prove", str(tmp_path / "none.gguf")]) == 2
    assert "none.gguf is not a file" in capsys.readouterr().err


def test_sizes_that_run_through_a_range_share_a_line(tmp_path: Path) -> None:
    cases = [CaseReport(name=f"tokens=1 position={place}", status="passed", derived=False) for place in range(6)]
    wrong = CaseReport(name="tokens=4 position=2", status="failed", derived=False)
    kernels = (
        ValidationReport(shader=tmp_path / "a.wgsl", contract="tile", entry="tile", status="failed", cases=(*cases, wrong)),
        ValidationReport(
            shader=tmp_path / "b.wgsl",
            contract="norm",
            entry="norm",
            status="inconclusive",
            cases=(CaseReport(name="tokens=1", status="passed", derived=False),),
            findings=(Finding(code="PX391", severity=Severity.WARNING, message="", location=Location(tmp_path / "b.wgsl")),),
        ),
    )
    dispatch = ObservedDispatch(shader="c.wgsl", entry="new", macros={}, constants={}, workgroups=(7, 1, 1), bindings={})
    fitted = FittedDispatches(shaders=(), unfitted=(Unfitted(dispatch=dispatch, reason="c.wgsl has no contract"),), dispatches=9)
    text = render_proof(
        Observed(name="tiny", context_tokens=8, dispatches=()),
        fitted,
        CheckReport(kernels=kernels, findings=(), sources={}),
        Medium(encoding="utf-8"),
    )
    assert text.plain.splitlines() == [
        "✓ tile  6 cases  tokens=1 position=0…5",
        "✗ tile  1 case   tokens=4 position=2",
        "? norm  1 case   tokens=1",
        "? new   none     (7, 1, 1): c.wgsl has no contract",
        "",
        "tiny, 8 tokens of context: 9 different dispatches; 6 cases passed, 1 failed, 1 inconclusive, 1 without a case, so inconclusive",
    ]
