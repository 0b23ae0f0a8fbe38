"""A task's test command as it runs in the sandbox."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

HARNESS: Final = "/harness"
"""Where the plugin is in the sandbox."""

_PYTHON: Final = re.compile(r"python(?:3(?:\.[0-9]+)?)?(?:\.exe)?")
_SELECTING: Final = ("-k", "-m", "--deselect", "--ignore", "--ignore-glob", "--lf", "--ff", "-x", "--exitfirst", "--maxfail", "--sw")


class TestCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What is run.

    Attributes:
        arguments: Program and arguments, the interpreter in full.
        is_pytest: It reports every test by itself.
        selects: Options of it choose among the tests of a file, or end early.
    """

    __test__ = False

    arguments: tuple[str, ...]
    is_pytest: bool
    selects: bool = False


def resolve_command(command: Sequence[str], interpreter: Path) -> TestCommand:
    """Find the interpreter and pytest in a command.

    Args:
        command: As the task has it: `pytest tests/test_a.py`, `python -m pytest -q`, `python -m unittest`, any program.
        interpreter: The user's Python, which runs in place of any other one; programs beside it are found too.
    """
    program, *rest = command
    name = program.rpartition("/")[2]
    while name in {"uv", "poetry", "hatch", "pdm", "rye"} and rest[:1] == ["run"] and len(rest) > 1:
        program, *rest = rest[1:]
        name = program.rpartition("/")[2]
    if _PYTHON.fullmatch(name) and rest[:2] == ["-m", "pytest"]:
        return _pytest(interpreter, rest[2:])
    if name in {"pytest", "py.test"}:
        return _pytest(interpreter, rest)
    if _PYTHON.fullmatch(name):
        return TestCommand(arguments=(str(interpreter), *rest), is_pytest=False)
    beside = interpreter.parent / name
    found = str(beside) if "/" not in program and beside.is_file() else program
    return TestCommand(arguments=(found, *rest), is_pytest=False)


def is_contract_check(command: Sequence[str], target: str) -> bool:
    """Whether a command is `pixel-lsp check` of the target or a folder around it, which evidence answers without a process of its own."""
    if len(command) < 2 or (command[0].rpartition("/")[2], command[1]) != ("pixel-lsp", "check"):
        return False
    paths = [word.removeprefix("./").rstrip("/") for word in command[2:] if not word.startswith("-")]
    return not paths or any(path in ("", ".", target) or target.startswith(f"{path}/") for path in paths)


def _pytest(interpreter: Path, arguments: Sequence[str]) -> TestCommand:
    # The last option wins: the harness's stand behind the task's.
    # pixel-lsp's own plug-in would be loaded in every run, and cannot be where pixel-lsp is installed from a folder that the sandbox lacks.
    plugins = ("-p", "no:cacheprovider", "-p", "no:pixel_lsp", "-p", "prove_pytest_report")
    harness = (*plugins, "--color=no", "--tb=short", "--continue-on-collection-errors")
    selects = any(argument.startswith(_SELECTING) or "::" in argument for argument in arguments)
    return TestCommand(arguments=(str(interpreter), "-m", "pytest", *arguments, *harness), is_pytest=True, selects=selects)
