"""The rules of ARCHITECTURE.md that a machine can check: layers, what an import loads, and that importing does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = {"pixel_core": REPOSITORY, "pixel_server": REPOSITORY / "server", "pixel_coach": REPOSITORY / "coach"}

NEEDS_WGPU = {"pixel_core.engines.device", "pixel_core.engines.device_program"}
"""Only a kernel worker and a model's worker load them."""

IMPORT_ALL = """
import importlib, json, sys, threading
import numpy  # sets a variable for OpenBLAS; what we do is the question here
events = []
WATCHED = ("subprocess.", "os.fork", "os.posix_spawn", "os.spawn", "os.exec", "os.mkdir", "os.remove", "os.rename", "os.chdir", "os.putenv",
    "os.kill", "socket.", "signal.", "shutil.", "tempfile.")
def hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(mode, str) and set(mode) & set("wax+"):
            events.append(f"open {path} {mode}")
    elif event.startswith(WATCHED):
        events.append(f"{event} {arguments}")
sys.addaudithook(hook)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
assert not events, events
assert threading.active_count() == 1, threading.enumerate()
"""

LOADED = "import sys\n{code}\nprint(*sorted(sys.modules))"


def modules() -> Iterator[str]:
    for package, folder in PACKAGES.items():
        for file in sorted((folder / package).rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def run_python(code: str, *arguments: str, folder: Path) -> str:
    """Run code in an interpreter of its own, in a folder, writing no byte code. Returns what it printed."""
    command = (sys.executable, "-B", "-W", "error", "-c", code, *arguments)
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_layers() -> None:
    command = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def empty_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o500)
    yield folder
    assert list(folder.iterdir()) == []


def test_importing_does_nothing_but_import(empty_folder: Path) -> None:
    """No file is written, no process or thread started, no signal or folder changed, nothing printed: by any module."""
    names = [name for name in modules() if name not in NEEDS_WGPU]
    assert len(names) > 50
    assert run_python(IMPORT_ALL, json.dumps(names), folder=empty_folder) == ""


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import pixel_server.cli", {"numpy", "wgpu", "rich", "asyncio", "msgspec", "tomli", "watchdog", "pathspec"}),
        ("import pixel_server.commands.check", {"numpy", "wgpu", "watchdog"}),
        ("import pixel_server.commands.doctor", {"numpy", "wgpu", "watchdog"}),
        ("import pixel_server.watch", {"numpy", "wgpu"}),
        (
            "from pixel_server.cli import main; assert main(['check', '--untrusted', '--format', 'json', sys.argv[1]]) == 0",
            {"numpy", "wgpu"},
        ),
    ],
)
def test_the_door_loads_no_more_than_it_needs(code: str, unwanted: set[str], empty_folder: Path) -> None:
    printed = run_python(LOADED.format(code=code), str(REPOSITORY / "shaders"), folder=empty_folder)
    assert not unwanted & {name.partition(".")[0] for name in printed.splitlines()[-1].split()}


def test_files_stay_small() -> None:
    """Big files hide two things in one; 450 lines is where this project stops."""
    files = [file for package, folder in PACKAGES.items() for file in (folder / package).rglob("*.py")]
    assert {file.name: lines for file in files if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 450} == {}
