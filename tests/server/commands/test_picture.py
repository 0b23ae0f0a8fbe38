"""`pixel-lsp picture` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixel_core.weights.ggml_types import GgmlType
from pixel_server.cli import main
from tiny_models import write_tiny_model


def test_pictures_of_a_model_and_of_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    same = {"token_embd.weight": (GgmlType.I8, (32, 4)), "blk.0.up.weight": (GgmlType.Q8_0, (32, 4))}
    write_tiny_model(tmp_path / "a.gguf", same)
    write_tiny_model(tmp_path / "b.gguf", same, seed=1)
    assert main(["picture", "a.gguf", "-o", "out"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("out: 3 files, ")
    assert second == "  left out 1 tensor, such as token_embd.weight: their type cannot be computed"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0001-blk.0.up.weight.png", "layers.json", "map.png"]
    assert main(["picture", "a.gguf", "-o", "out"]) == 2
    assert capsys.readouterr().err.splitlines() == ["pixel-lsp: out/0001-blk.0.up.weight.png exists", "  hint: `--force` overwrites it"]
    assert main(["picture", "a.gguf", "-o", "diff", "--against", "b.gguf", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["tensor"] for one in report["differences"]] == ["blk.0.up.weight"]
    assert report["files"] == ["diff/0001-blk.0.up.weight.png", "diff/difference.png"]
    assert main(["picture", "a.gguf", "-o", "diff", "--against", "a.gguf", "--force"]) == 0
    assert "  1 tensor identical, 0 different\n" in capsys.readouterr().out
    assert main(["picture", "none", "-o", "out"]) == 2
    assert capsys.readouterr().err == "pixel-lsp: none is not a file\n"
