"""What the drives of real editors share: a workspace with one broken kernel, and runs that leave no process behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pixel_testing.check_command import SHADERS

DOCS = SHADERS.parent / "docs"
RIGHT = "c[row * size.n + col] = sum;"
WRONG = "c[row * size.n + col] = sum * 1.5;"
STEP_SECONDS = 60
"""For one step of a drive: what a busy machine with a cold driver may take, not what is expected."""
GRACE_SECONDS = 10
"""For the processes of a run to end after the editor has."""


def write_broken_matmul(folder: Path) -> Path:
    """A copy of the matmul whose store is wrong, with an emoji and an accent before it on its line."""
    shipped = (SHADERS / "matmul.wgsl").read_text(encoding="utf-8")
    assert shipped.count(RIGHT) == 1
    folder.mkdir()
    shader = folder / "matmul.wgsl"
    shader.write_text(shipped.replace(RIGHT, f"/* 😀é */ {WRONG}"), encoding="utf-8")
    return shader


def write_scenario(path: Path, shader: Path) -> Path:
    """What a drive expects, as JSON: the drives are written in their editors' languages.

    Args:
        path: The file to write.
        shader: The broken kernel.
    """
    lines = shader.read_text(encoding="utf-8").splitlines()
    (index,) = (index for index, line in enumerate(lines) if WRONG in line)
    facts = {
        "file": str(shader),
        "line": index + 1,
        "broken": lines[index],
        "mended": lines[index].replace(WRONG, RIGHT),
        "underlined": WRONG.removesuffix(";"),
        "seconds": STEP_SECONDS,
    }
    path.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return path


def add_to_scenario(path: Path, **facts: str | int) -> None:
    """Add what one editor needs besides."""
    known = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**known, **facts}, ensure_ascii=False), encoding="utf-8")


def documented_setup(language: str, file: Path) -> Path:
    """Write the set-up of docs/editors.md in one language, which a reader would copy, to a file. Returns the file."""
    page = (DOCS / "editors.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    file.write_text(block, encoding="utf-8")
    return file


def new_user(home: Path) -> dict[str, str]:
    """The environment of a user who never trusted a folder and never checked a kernel, and who finds `pixel-lsp` on PATH.

    `home` marks all processes that inherit it.
    """
    home.mkdir()
    private = ("XDG_", "PIXEL_LSP_", "PYTEST_", "PYTHON", "COVERAGE_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return {**inherited, "HOME": str(home), "PATH": programs, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def run_editor(command: Sequence[str | Path], environment: dict[str, str], seconds: float) -> str:
    """Run an editor to its end and return what it said. It fails when a step failed, or when a process of the run is still there.

    Args:
        command: The editor and its arguments.
        environment: From `new_user`.
        seconds: For the whole run.
    """
    words = [str(word) for word in command]
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            end_leftovers(environment["HOME"])
            said, _ = process.communicate()
            pytest.fail(f"{words[0]} did not end within {seconds} s; it said:\n{said}")
    leftovers = end_leftovers(environment["HOME"])
    assert process.returncode == 0, said
    assert leftovers == [], f"processes outlived {words[0]}; it said:\n{said}"
    return said


def end_leftovers(home: str) -> list[str]:
    """Kill what still runs `GRACE_SECONDS` after the editor's end, and return the command lines."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (alive := _processes(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    return list(alive.values())


def _processes(home: str) -> dict[int, str]:
    """Process ids and command lines of all that inherited this HOME, whatever group or parent they have now."""
    mark = f"HOME={home}".encode()
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile, or belongs to another user
            continue
    return found
