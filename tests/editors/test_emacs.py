"""The server in Emacs (eglot), which knows only plain text and UTF-16, and leaves it to the server to ask about trust."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_testing.editors import add_to_scenario, documented_setup, run_editor

SCRIPT = Path(__file__).with_name("emacs_e2e.el")


@pytest.mark.editor
def test_open_finding_fix_save_cleared(editors: Path, scenario: Path, environment: dict[str, str], tmp_path: Path) -> None:
    add_to_scenario(scenario, setup=str(documented_setup("elisp", tmp_path / "init.el")))
    assert editors.exists()
    # Not -Q: Debian's site-start puts the packaged eglot on the path.
    said = run_editor(("emacs", "--batch", "--load", SCRIPT, scenario), environment, seconds=300)
    assert said.splitlines()[-1].startswith("PASS emacs"), said
