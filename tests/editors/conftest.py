"""The fixtures of the drives of real editors. scripts/setup_editors installs the editors; a missing one is an error, never a skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_testing.editors import new_user, write_broken_matmul, write_scenario

INSTALLED = Path(__file__).parents[2] / ".editors"


@pytest.fixture(scope="session")
def editors() -> Path:
    """The folder of what scripts/setup_editors installed."""
    if not (INSTALLED / ".setup").exists():
        pytest.fail("the editors are not installed; run scripts/setup_editors")
    return INSTALLED


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has never used the program."""
    return new_user(tmp_path / "home")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A scenario file; the workspace with the broken kernel is beside it."""
    shader = write_broken_matmul(tmp_path / "workspace")
    return write_scenario(tmp_path / "scenario.json", shader)
