"""What is installed is what was meant: the wheel's content, its entry point, and that nobody's folder can run in our place."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from pixel_core import __version__

REPOSITORY = Path(__file__).parents[1]


def run(command: Sequence[str | Path], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, encoding="utf-8", timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the hatchling that is installed here: no download."""
    folder = tmp_path_factory.mktemp("dist")
    run((sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder), REPOSITORY)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pixel-lsp`, installed from the wheel into an environment of its own, which borrows the dependencies that are installed here."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    run((sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel), folder)
    borrowed = next(path for path in site.getsitepackages() if path.endswith("site-packages"))
    (packages,) = folder.glob("lib/python*/site-packages")
    # A line of a .pth file adds a folder without running the .pth files in it: our own editable install stays out.
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return folder / "bin" / "pixel-lsp"


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A workspace full of packages and modules with our names, our old names and those of our dependencies."""
    bomb = "raise SystemExit('code of the workspace ran')\n"
    for name in ("server", "coach", "core", "pixel_server", "pixel_core", "pixel_coach", "numpy", "msgspec"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(bomb, encoding="utf-8")
    for name in ("rich.py", "tomli.py", "argparse.py", "asyncio.py", "sitecustomize.py", "usercustomize.py"):
        (tmp_path / name).write_text(bomb, encoding="utf-8")
    return tmp_path


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "pixel_core",
        "pixel_server",
        "pixel_coach",
        f"pixel_lsp-{__version__}.dist-info",
    }
    assert [name for name in names if "__pycache__" in name or name.endswith((".pyc", "~"))] == []


def test_the_wheel_holds_every_module_shader_and_schema(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        file.relative_to(REPOSITORY / folder).as_posix()
        for folder, package in (("", "pixel_core"), ("server", "pixel_server"), ("coach", "pixel_coach"))
        for file in (REPOSITORY / folder / package).rglob("*.py")
    }
    folder = REPOSITORY / "shaders"
    shaders = {f"pixel_core/shaders/{file.relative_to(folder).as_posix()}" for file in folder.rglob("*.wgsl")}
    schemas = {f"pixel_core/schemas/{file.name}" for file in (REPOSITORY / "docs").glob("*.schema.json")}
    page = {f"pixel_server/http/map_page/{file.name}" for file in (REPOSITORY / "server" / "pixel_server" / "http" / "map_page").iterdir()}
    assert len(shaders) >= 6
    assert schemas
    assert page
    assert modules | shaders | schemas | page <= names


def test_the_program_says_its_version(program: Path, hostile_folder: Path) -> None:
    assert run((program, "--version"), hostile_folder) == f"pixel-lsp {__version__}\n"


def test_the_installed_program_reads_contracts_beside_hostile_packages(program: Path, hostile_folder: Path) -> None:
    (packages,) = program.parents[1].glob("lib/python*/site-packages/pixel_core/shaders")
    report = json.loads(run((program, "check", "--untrusted", "--format", "json", packages), hostile_folder))
    shaders = {Path(kernel["shader"]).name for kernel in report["kernels"]}
    assert report["summary"]["skipped"] == len(report["kernels"])
    assert shaders == {file.name for file in (REPOSITORY / "shaders").rglob("*.wgsl")}


@pytest.mark.device
def test_the_installed_program_runs_kernels_beside_hostile_packages(program: Path, hostile_folder: Path) -> None:
    (shader,) = program.parents[1].glob("lib/python*/site-packages/pixel_core/shaders/dot_product.wgsl")
    report = json.loads(run((program, "check", "--strict", "--format", "json", shader), hostile_folder))
    assert report["summary"] == {"passed": 1, "partly_proved": 0, "failed": 0, "inconclusive": 0, "skipped": 0}
