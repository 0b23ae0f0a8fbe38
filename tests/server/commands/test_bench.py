"""`pixel-lsp bench` as a user runs it, on the adapter of this machine. No time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from pixel_server.cli import main
from pixel_server.commands import bench as bench_command

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "docs" / "bench.schema.json").read_text(encoding="utf-8"))

PRODUCT = """\
//! [NAME]
//! dims     = "n"
//! where    = ["n % 4 == 0"]
//! shapes   = { a = "n n", b = "n n", c = "n n" }
//! dispatch = "n / 4, n / 4"
//! expect   = { c = "a @ b" }
//! flops    = "2 * n ** 3"
//! cases    = ["n=4", "n=8", "n=12"]
//! derive   = false

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(4, 4)
fn NAME(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let n = groups.x * 4u;
    var sum = 0.0;
    for (var k = 0u; k < n; k++) {
        sum += a[id.y * n + k] * b[k * n + id.x];
    }
    c[id.y * n + id.x] = sum;
}
"""
WRONG = PRODUCT.replace("NAME", "wrong").replace("b[k * n + id.x]", "b[k * n + id.y]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kernels and a shader without a contract, timed once: bench.json, roofline.svg and speed.json are what it left."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "first.wgsl").write_text(PRODUCT.replace("NAME", "first"), encoding="utf-8")
    (folder / "second.wgsl").write_text(PRODUCT.replace("NAME", "second"), encoding="utf-8")
    (folder / "bare.wgsl").write_text("@compute @workgroup_size(1) fn bare() {}\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["bench", "--rounds", "3", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def report(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    found = json.loads(run(capsys, "--format", "json", *arguments, code=code))
    jsonschema.validate(found, SCHEMA)
    return found


@pytest.mark.device
def test_what_is_measured_saved_drawn_and_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, ".", "--case", "n=16", "--save-baseline", "speed.json", "--plot", "roofline.svg")
    first, second = found["measurements"]
    assert (first["contract"], second["contract"], first["case"]) == ("first", "second", "n=16")
    assert (first["flops"], first["bytes"], first["intensity"]) == (2 * 16**3, 3 * 4 * 16**2, 2 * 16**3 / (3 * 4 * 16**2))
    assert first["flops_per_s"] == pytest.approx(first["flops"] / first["seconds"]["median"])
    assert (first["numpy_seconds"] is not None, second["numpy_seconds"]) == (True, None)
    assert first["baseline"] is None
    assert [refusal["reason"] for refusal in found["refusals"]] == ["it has no contract"]
    assert found["clock"] in {"cpu", "timestamps", "wall"}
    assert (found["clock"] == "cpu") == found["adapter"]["is_software"]

    svg = ElementTree.parse(folder / "roofline.svg")
    texts = " ".join("".join(element.itertext()) for element in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert "GFLOP/s multiply-add, f32" in texts
    assert "first, n=16" in texts
    assert "second, n=16" in texts

    # A baseline in which everything was a thousand times faster.
    baseline = json.loads((folder / "speed.json").read_text(encoding="utf-8"))
    assert [(entry["shader"], entry["contract"], entry["case"]) for entry in baseline["entries"]] == [
        ("first.wgsl", "first", "n=16"),
        ("second.wgsl", "second", "n=16"),
    ]
    baseline["entries"][0]["share"] = {name: 1000 * value for name, value in baseline["entries"][0]["share"].items()}
    (folder / "fast.json").write_text(json.dumps(baseline), encoding="utf-8")
    text = run(capsys, "first.wgsl", "--case", "n=16", "--baseline", "fast.json", code=1)
    assert "error[PX601]: `first` is " in text
    assert "first.wgsl:16:4" in text
    assert "the shader's text is the one of the baseline" in text
    assert " times slower" in text


@pytest.mark.device
def test_what_fails_its_contract_is_not_timed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrong.wgsl").write_text(WRONG, encoding="utf-8")
    text = run(capsys, "wrong.wgsl", "--save-baseline", "wrong.json", code=1)
    (folder / "wrong.wgsl").unlink()
    assert "error[PX401]: c is wrong" in text
    assert "wrong, n=192: it fails its contract, and is not timed\n\nnothing was timed\n" in text
    assert not (folder / "wrong.json").exists()


def test_nothing_to_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(tmp_path)]) == 2
    assert "nothing was timed" in capsys.readouterr().out


def check_refusal(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"pixel-lsp: {expected}\n")


def test_what_cannot_be_of_use_is_said_before_anything_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_command, "measure", None)  # nothing may get so far
    hint = "\n  hint: save one: pixel-lsp bench FILES --save-baseline"
    check_refusal(["--baseline", "none.json"], f"there is no baseline `none.json`{hint} none.json", capsys)
    check_refusal(["--plot", "roofline.pdf"], "`roofline.pdf` is neither .svg nor .png", capsys)
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    reason = "JSON is malformed: invalid character (byte 0)"
    check_refusal(["--save-baseline", "notes.txt"], f"`notes.txt` is no baseline: {reason}{hint} notes.txt", capsys)


def test_without_matplotlib_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pixel_server.draw_roofline.find_spec", lambda _: None)
    check_refusal(
        ["--plot", "a.svg"], "pictures are drawn by matplotlib, which is not installed\n  hint: pip install 'pixel-lsp[plot]'", capsys
    )


def test_the_command_loads_neither_numpy_nor_matplotlib() -> None:
    code = "import sys, pixel_server.commands.bench; print(*sorted({'numpy', 'matplotlib', 'wgpu'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, timeout=60).stdout == "\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--rounds", "2"], "argument --rounds: `2` is not a number from 3 to 1,000"),
        (["--rounds", "x"], "argument --rounds: `x` is not a number from 3 to 1,000"),
        (["--threshold", "-1"], "argument --threshold: `-1` is not a number from 0 to 1,000"),
        (["--threshold", "nan"], "argument --threshold: `nan` is not a number from 0 to 1,000"),
    ],
)
def test_usage(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"pixel-lsp bench: error: {expected}"
