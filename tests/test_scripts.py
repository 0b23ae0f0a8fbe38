"""The scripts are run by hand and by continuous integration; what can be said about them without running them is said here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SHELL_SCRIPTS = sorted(
    path
    for path in (*(REPOSITORY / "scripts").iterdir(), REPOSITORY / ".ci" / "run", REPOSITORY / "bench" / "fresh_clone")
    if path.is_file() and path.suffix == ""
)


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_stop_at_the_first_failure(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "\nset -euo pipefail\n" in text
    assert script.stat().st_mode & 0o111
    subprocess.run(("bash", "-n", script), check=True)


CI_STEPS = ("scripts/setup", ".venv/bin/ruff", ".venv/bin/lint-imports", ".venv/bin/basedpyright", "scripts/test", "scripts/test_editors")


@pytest.mark.parametrize("broken", [None, *CI_STEPS])
def test_continuous_integration_fails_with_any_of_its_steps(tmp_path: Path, broken: str | None) -> None:
    for step in (".ci/run", *CI_STEPS):
        path = tmp_path / step
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{step} $*"\nexit {3 if step == broken else 0}\n')
        path.chmod(0o755)
    shutil.copy(REPOSITORY / ".ci" / "run", tmp_path / ".ci" / "run")
    done = subprocess.run((tmp_path / ".ci" / "run", "--durations=5"), capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == (0 if broken is None else 3), done.stderr
    if broken is None:
        assert {line.split()[0] for line in done.stdout.splitlines()} == set(CI_STEPS)
        assert "scripts/test --durations=5" in done.stdout.splitlines()


def test_the_demo_breaks_one_line(tmp_path: Path) -> None:
    """The change that the demo shows, and that the picture in the README shows, is a change of the shipped kernel."""
    demo = (REPOSITORY / "scripts" / "demo").read_text(encoding="utf-8")
    (expression,) = re.findall(r"^sed '([^']+)' shaders/matmul\.wgsl ", demo, flags=re.MULTILINE)
    shipped = (REPOSITORY / "shaders" / "matmul.wgsl").read_text(encoding="utf-8")
    broken = subprocess.run(("sed", expression), input=shipped, capture_output=True, encoding="utf-8", check=True).stdout
    changed = [(old, new) for old, new in zip(shipped.splitlines(), broken.splitlines(), strict=True) if old != new]
    assert len(changed) == 1
    right, wrong = re.findall(
        r'^RIGHT, WRONG = "(.+)", "(.+)"$', (REPOSITORY / "scripts" / "generate_docs.py").read_text(), flags=re.MULTILINE
    )[0]
    assert shipped.replace(right, wrong) == broken


def test_a_stranger_is_told_what_setup_takes() -> None:
    done = subprocess.run((REPOSITORY / "scripts" / "setup", "--nonsense"), capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "setup: unknown argument --nonsense\n")
