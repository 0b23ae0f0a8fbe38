"""`pixel-lsp bench` on a model: what the table and the JSON say, beside llama.cpp."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from model_testing.random_models import RandomModel, write_random_model
from pixel_server.cli import main

SHORT = ("--rounds", "3", "--prompt-tokens", "10", "--reply-tokens", "4")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = RandomModel(type="Q8_0", width=64, heads=2, kv_heads=1, head_length=32, feed_forward=64, context=256)
    return write_random_model(tmp_path_factory.mktemp("model") / "tiny.gguf", shape)


@pytest.mark.device
def test_a_model_is_timed_beside_llama_cpp(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(model), *SHORT]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("tiny on device ")
    for name in ("pixel_core", "llama.cpp", "beside it", "q8_0_matvec", "attention_tile", "norm_quantise"):
        assert re.search(rf"^{re.escape(name)} +\d", shown, re.MULTILINE), name
    assert max(len(line) for line in shown.splitlines() if line.startswith(("pixel_core", "q8_0"))) <= 80
    assert "by the wall: 10 of prompt, 4 of reply" in shown


@pytest.mark.device
def test_a_model_is_measured_as_json_from_a_pxi_too(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = tmp_path / "tiny.pxi"
    assert main(["convert", str(model), str(pixels)]) == 0
    capsys.readouterr()
    assert main(["bench", str(pixels), *SHORT, "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["rounds"]) == len(report["llama_cpp"]) == 3
    assert report["llama_cpp_absence"] == ""
    assert all(one["prompt"]["wall"] > 0 and one["reply"]["cpu"] > 0 for one in (*report["rounds"], *report["llama_cpp"]))
    # Two blocks: each has two norms, and there is one before the head.
    assert {one["kernel"]: one["dispatches"] for one in report["kernels"]}["norm_quantise"] == 5
    assert report["file_bytes"] == pixels.stat().st_size


def test_what_is_no_model_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    assert main(["bench", str(broken), *SHORT]) == 2
    assert "broken.gguf" in capsys.readouterr().err
