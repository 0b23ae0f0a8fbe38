"""A task's test command as it runs in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.prove_command import is_contract_check, resolve_command

HARNESS = "-p no:cacheprovider -p no:pixel_lsp -p prove_pytest_report --color=no --tb=short --continue-on-collection-errors"


def check(command: str, expected: str, *, is_pytest: bool, selects: bool = False) -> None:
    found = resolve_command(command.split(), Path("/venv/bin/python"))
    assert (" ".join(found.arguments), found.is_pytest, found.selects) == (expected, is_pytest, selects)


@pytest.mark.parametrize(
    "command",
    [
        "pytest -q tests",
        "python -m pytest -q tests",
        "python3.12 -m pytest -q tests",
        "uv run pytest -q tests",
        ".venv/bin/pytest -q tests",
    ],
)
def test_pytest_in_all_its_forms(command: str) -> None:
    check(command, f"/venv/bin/python -m pytest -q tests {HARNESS}", is_pytest=True)


def test_options_that_choose_tests() -> None:
    check("pytest tests/test_a.py::test_b", f"/venv/bin/python -m pytest tests/test_a.py::test_b {HARNESS}", is_pytest=True, selects=True)
    check("pytest -k fast", f"/venv/bin/python -m pytest -k fast {HARNESS}", is_pytest=True, selects=True)


def test_other_commands() -> None:
    check("python -m unittest -v", "/venv/bin/python -m unittest -v", is_pytest=False)
    check("make test", "make test", is_pytest=False)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pixel-lsp check shaders/a.wgsl", True),
        ("pixel-lsp check shaders", True),
        ("pixel-lsp check ./shaders/ --strict", True),
        ("pixel-lsp check", True),
        ("pixel-lsp check shaders/b.wgsl", False),
        ("pixel-lsp bench shaders/a.wgsl", False),
        ("pytest", False),
    ],
)
def test_what_the_contract_answers_already(command: str, expected: bool) -> None:
    assert is_contract_check(command.split(), "shaders/a.wgsl") is expected
