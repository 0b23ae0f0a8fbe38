"""The coach in Neovim: a task, its progress, its candidate, one hunk of it, and a run that is cancelled."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lsp_testing.coach import CANDIDATE, CoachDesk, generated, reviewed
from lsp_testing.kernels import RIGHT
from pixel_coach.hunks import apply_hunks
from pixel_testing.editors import STEP_SECONDS, documented_setup, run_editor

SCRIPT = Path(__file__).with_name("nvim_coach.lua")


@pytest.mark.editor
def test_task_progress_candidate_one_hunk_and_cancel(editors: Path, environment: dict[str, str], tmp_path: Path) -> None:
    desk = CoachDesk(tmp_path, Path(environment["HOME"]))
    desk.write_script(generated(task="Tidy the kernel", seconds=2.0), generated(seconds=50.0), reviewed(8))
    shader = desk.write_kernel()
    desk.add("Tidy the kernel", contract="twice")
    desk.add("Take all day")
    scenario = tmp_path / "scenario.json"
    facts = {
        "file": str(shader),
        "setup": str(documented_setup("lua", tmp_path / "init.lua")),
        "wanted": apply_hunks(RIGHT, CANDIDATE, {2}),
        "entry": 10,
        "line": 11,
        "hunk": "accept hunk 3 of 3 (line 11)",
        "added": "+    y[id.x] = x[id.x] + x[id.x];",
        "show_task": [str(Path(sys.executable).parent / "pixel-lsp"), "show-task", "--format", "json"],
        "seconds": STEP_SECONDS,
    }
    scenario.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    command = (editors / "neovim" / "bin" / "nvim", "--headless", "--clean", "-n", "-l", SCRIPT, scenario)
    said = run_editor(command, environment, seconds=300)
    assert said.splitlines()[-1].startswith("PASS nvim coach"), said
    with desk.store() as store:
        assert store.lease_of(2) is None
    assert sorted(one.name for one in desk.workspace.iterdir()) == ["k.wgsl"]
