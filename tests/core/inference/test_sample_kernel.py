"""Honest mistakes in shaders/model/sample.wgsl, each of which its contract finds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from pixel_core.inference.model_kernels import model_shaders
from pixel_core.kernels import CheckOptions, check

MISTAKES = {
    "a token is penalised as often as it came": ("if (recent[i] == token)", "if (recent[i] == token && false)"),
    "of equals the last comes first": ("a.index < b.index", "a.index > b.index"),
    "the token that makes the sum is cut off": ("count = i + 1u;", "count = max(i, 1u);"),
    "the cut is made after the temperature": (
        "exact_exp(likeliest[count - 1u].value - top) <",
        "exact_exp((likeliest[count - 1u].value - top) * settings.inverse_temperature) <",
    ),
    "every token of a run draws the same number": ("settings.drawn + state.chosen", "settings.drawn"),
    "a round too few": ("round < 10u", "round < 9u"),
    "a carry is lost": ("+ (cross >> 16u) + (other >> 16u)", "+ (cross >> 16u)"),
}


@pytest.mark.device
def test_every_mistake_is_found(tmp_path: Path) -> None:
    folder = shutil.copytree(model_shaders(), tmp_path / "model")
    text = (folder / "sample.wgsl").read_text(encoding="utf-8")
    paths: list[Path] = []
    for number, (old, new) in enumerate(MISTAKES.values()):
        assert text.count(old) == 1, old
        paths.append(folder / f"wrong{number}.wgsl")
        paths[-1].write_text(text.replace(old, new), encoding="utf-8")
    report = check(paths, CheckOptions(interpreter=Path(sys.executable)))
    found = {name: kernel.status for name, kernel in zip(MISTAKES, report.kernels, strict=True)}
    assert found == dict.fromkeys(MISTAKES, "failed")
    assert {finding.code for kernel in report.kernels for finding in kernel.findings if finding.severity.name == "ERROR"} == {"PX401"}
