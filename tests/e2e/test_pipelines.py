"""Scratch projects as users have them: pytest with the plug-in, the real pre-commit, and the script of the GitHub Action."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
KERNEL = (REPOSITORY / "shaders" / "dot_product.wgsl").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a kernel that is right and one that is wrong."""
    (tmp_path / "right.wgsl").write_text(KERNEL, encoding="utf-8")
    broken = KERNEL.replace('"sum(a * b, keepdims=True)"', '"sum(a * b, keepdims=True) + 1"')
    assert broken != KERNEL
    (tmp_path / "wrong.wgsl").write_text(broken, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, command: Sequence[str], **variables: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GIT_", "COV_"))}
    environment |= {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", **variables}
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=300, check=False, env=environment
    )
    return done.returncode, done.stdout


@pytest.mark.device
def test_pytest_collects_contracts(project: Path) -> None:
    pytest_here = (sys.executable, "-m", "pytest", "--color=no")
    code, said = run(project, (*pytest_here, "--pixel-kernels", "--strict-markers", "-W", "error"))
    assert code == 1, said
    assert "1 failed, 1 passed" in said
    assert "error[PX401]" in said
    assert "FAILED wrong.wgsl::dot_product" in said
    code, said = run(project, (*pytest_here, "--pixel-kernels", "--last-failed", "--collect-only", "-q"))
    assert said.splitlines()[0] == "wrong.wgsl::dot_product", said
    code, said = run(project, (*pytest_here, "--pixel-kernels", "-k", "right", "-n", "1"))
    assert (code, "1 passed" in said) == (0, True), said


DIALECT = """//! [k]
//! dims = "n"
//! prepare = [{ define = { N = "n", TYPE = "f32" } }]
//! shapes = { y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect = { y = "arange(n)" }
//! cases = ["n=64", "n=65", "n=200"]
#include "part.inc"
@group(0) @binding(0) var<storage, read_write> y: array<TYPE>;
@compute @workgroup_size(64) fn k(@builtin(global_invocation_id) id: vec3<u32>) {
    /* 𝄞 */ if (id.x < N) { STORE(id.x, f32(id.x) * 2.0); }
}
"""
PART = "// 𝄞\n#define STORE(at, value) y[at] = value; scaled(at)\nfn scaled(at: u32) { y[at] = y[at] * FACTOR; }\n"


@pytest.fixture
def dialect(tmp_path: Path) -> Path:
    """A repository with a kernel that is made of macros and an included file; one is right, one wrong, one mistaken in what it includes."""
    kernels = {
        "right": (DIALECT, PART),
        "wrong": (DIALECT, PART.replace("FACTOR", "0.25")),
        "broken": (DIALECT, PART.replace("y[at] *", "y[et] *")),
    }
    for name, (kernel, part) in kernels.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "k.wgsl").write_text(kernel, encoding="utf-8")
        (tmp_path / name / "part.inc").write_text(part.replace("FACTOR", "0.5"), encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8")
    return tmp_path


@pytest.mark.device
def test_pytest_shows_findings_of_a_dialect_where_they_were_written(dialect: Path) -> None:
    code, said = run(dialect, (sys.executable, "-m", "pytest", "--color=no", "--pixel-kernels", "-W", "error"))
    # One item for each contract, however many texts its sizes make of the file.
    assert (code, "2 failed, 1 passed" in said) == (1, True), said
    assert "FAILED wrong/k.wgsl::k" in said
    line = DIALECT.split("\n").index("    /* 𝄞 */ if (id.x < N) { STORE(id.x, f32(id.x) * 2.0); }") + 1
    assert f"wrong/k.wgsl:{line}:29" in said
    assert f"broken/part.inc:3:{PART.splitlines()[2].index('y[at] *') + 3}" in said, said


@pytest.mark.device
def test_sarif_of_a_dialect_has_places_of_the_original_text(dialect: Path) -> None:
    code, said = run(dialect, (sys.executable, "-m", "pixel_server.cli", "check", "--format", "sarif", "."))
    assert code == 1, said
    (sarif_run,) = json.loads(said)["runs"]
    places = [
        (result["ruleId"], place["artifactLocation"]["uri"], place["region"])
        for result in sarif_run["results"]
        for place in (one["physicalLocation"] for one in result["locations"])
    ]
    line = DIALECT.split("\n").index("    /* 𝄞 */ if (id.x < N) { STORE(id.x, f32(id.x) * 2.0); }") + 1
    # Columns in UTF-16: the clef is two.
    wrong = {"startLine": line, "startColumn": 30, "endLine": line, "endColumn": 58}
    assert ("PX401", "wrong/k.wgsl", wrong) in places, places
    assert {uri for code, uri, _ in places if code == "PX130"} == {"broken/part.inc"}
    assert all(not uri.endswith("as prepared") for _, uri, _ in places)


def test_pytest_collects_nothing_unasked(project: Path) -> None:
    code, said = run(project, (sys.executable, "-m", "pytest", "--color=no", "-q"))
    assert (code, "no tests ran" in said) == (5, True), said
    loaded = "import sys, pixel_server.pytest_plugin; print(*({'pixel_core', 'numpy', 'pytest', 'asyncio'} & set(sys.modules)))"
    assert run(project, (sys.executable, "-c", loaded)) == (0, "\n")


@pytest.mark.device
def test_pre_commit_runs_the_hook(project: Path) -> None:
    """The shipped hook, as a local one of the language `system`: pre-commit would else install it from the network."""
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    home = {"PRE_COMMIT_HOME": str(project / ".git" / "pre-commit")}
    for command in (("git", "init", "-q"), ("git", "add", "right.wgsl", ".pre-commit-config.yaml")):
        assert run(project, command)[0] == 0
    code, said = run(project, ("pre-commit", "run", "--color=never"), **home)
    assert (code, "Passed" in said) == (0, True), said
    run(project, ("git", "add", "wrong.wgsl"))
    code, said = run(project, ("pre-commit", "run", "--color=never"), **home)
    assert (code, "error[PX401]" in said) == (1, True), said


def test_pre_commit_accepts_the_manifest() -> None:
    assert run(REPOSITORY, ("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")) == (0, "")


@pytest.mark.device
def test_the_script_of_the_action_checks(project: Path) -> None:
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
    assert action["runs"]["using"] == "composite"
    step = action["runs"]["steps"][-1]
    # GitHub runs `shell: bash` so.
    script = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
    inputs = {"PIXEL_PATHS": "right.wgsl\nwrong.wgsl\n", "PIXEL_FORMAT": "github", "PIXEL_OUTPUT": "", "PIXEL_STRICT": "true"}
    assert set(inputs) == set(step["env"])
    code, said = run(project, script, **inputs)
    assert (code, said.splitlines()[-1]) == (1, "::notice title=pixel-lsp::2 kernels: 1 passed, 1 failed")
    code, said = run(project, script, **{**inputs, "PIXEL_PATHS": "right.wgsl", "PIXEL_FORMAT": "sarif", "PIXEL_OUTPUT": "out.sarif"})
    assert (code, said, (project / "out.sarif").exists()) == (0, "", True)
