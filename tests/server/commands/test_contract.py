from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_server.cli import main

SHADER = """//! y = 2 x
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn twice(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = 2.0 * x[id.x];
}
"""


@pytest.fixture
def shader(tmp_path: Path) -> Path:
    path = tmp_path / "twice.wgsl"
    path.write_text(SHADER, encoding="utf-8", newline="")
    return path


def codes(path: Path) -> list[str]:
    """What is wrong with the contracts of a shader."""
    loaded = load_shader(path)
    assert isinstance(loaded, LoadedShader)
    return [finding.code for finding in loaded.contracts.findings]


def check_refusal(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"pixel-lsp: {expected}\n"


def test_it_is_printed(shader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", str(shader)]) == 0
    assert capsys.readouterr().out.startswith("[twice]\n")
    assert shader.read_text(encoding="utf-8") == SHADER


def test_it_is_written_into_the_shader(shader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["contract", str(shader)])
    printed = capsys.readouterr().out
    assert main(["contract", str(shader), "--write"]) == 0
    assert capsys.readouterr().out == f"wrote the contract to {shader}; the `?` in it are yours to fill in\n"
    head = "".join(f"//! {line}".rstrip() + "\n" for line in printed.splitlines())
    first, rest = SHADER.split("\n", 1)
    assert shader.read_text(encoding="utf-8") == f"{first}\n//!\n{head}\n{rest}"
    assert codes(shader) == ["PX312"]


def test_it_is_written_beside_the_shader(shader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["contract", str(shader)])
    printed = capsys.readouterr().out
    assert main(["contract", str(shader), "--sidecar"]) == 0
    assert shader.with_name("twice.contract.toml").read_text(encoding="utf-8") == printed
    assert shader.read_text(encoding="utf-8") == SHADER
    assert codes(shader) == ["PX312"]


@pytest.mark.parametrize("existing", ["--write", "--sidecar"])
@pytest.mark.parametrize("option", ["--write", "--sidecar"])
def test_an_existing_contract_is_never_overwritten(existing: str, option: str, shader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["contract", str(shader), existing])
    capsys.readouterr()
    holder = shader if existing == "--write" else shader.with_name("twice.contract.toml")
    before = {path: path.read_bytes() for path in shader.parent.iterdir()}
    check_refusal(
        [str(shader), option], f"{holder} holds a contract already\n  hint: `pixel-lsp contract FILE` prints a new one to compare", capsys
    )
    assert {path: path.read_bytes() for path in shader.parent.iterdir()} == before


def test_what_has_no_kernel_gets_no_contract(shader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shader.write_text("const a = 1;", encoding="utf-8")
    check_refusal(
        [str(shader)],
        f"{shader} has no compute entry point, so there is nothing to promise\n  hint: pixel-lsp check {shader}",
        capsys,
    )
    check_refusal([str(shader.with_name("nowhere.wgsl"))], "nowhere.wgsl does not exist", capsys)


def test_a_folder_that_cannot_be_written_to(shader: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pixel_server.commands.contract.replace_file", refuse)
    check_refusal([str(shader), "--write"], f"{shader} cannot be written: Permission denied", capsys)
