"""The server in Neovim, which counts columns in bytes and can say that the folder is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_testing.editors import add_to_scenario, documented_setup, run_editor

SCRIPT = Path(__file__).with_name("nvim_e2e.lua")


@pytest.mark.editor
def test_open_finding_fix_save_cleared(editors: Path, scenario: Path, environment: dict[str, str], tmp_path: Path) -> None:
    add_to_scenario(scenario, setup=str(documented_setup("lua", tmp_path / "init.lua")))
    command = (editors / "neovim" / "bin" / "nvim", "--headless", "--clean", "-n", "-l", SCRIPT, scenario)
    said = run_editor(command, environment, seconds=300)
    assert said.splitlines()[-1].startswith("PASS nvim"), said
