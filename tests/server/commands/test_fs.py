"""`pixel-lsp fs` as a user types it."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pixel_core.pixels.map_header import TILE_SIDES
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.tile_writer import DEFAULT_TILE_SIDE
from pixel_server import cli_fs
from pixel_server.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("ls", "a.map")` gives exit code, standard output and standard error, in a folder with a map `a.map` of small tiles."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str) -> tuple[int, str, str]:
        code = main(["fs", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    assert run_command("init", "a.map", "--tile-side", "16") == (0, "made the map a.map, with tiles of 16 × 16 texels (4 KiB)\n", "")
    return run_command


def flip(path: Path, offset: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= mask
    path.write_bytes(data)


def record_offset(path: Path, name: str) -> int:
    with PixelFS.open(path) as files:
        return files.store.tiles[files.stat(name).first].offset


def test_the_parser_knows_what_maps_may_be() -> None:
    assert (cli_fs.TILE_SIDES, cli_fs.DEFAULT_TILE_SIDE) == (TILE_SIDES, DEFAULT_TILE_SIDE)


def test_files_go_in_and_come_out(run: Run, tmp_path: Path) -> None:
    content = hashlib.shake_256(b"x").digest(10_000)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.bin").write_bytes(content)
    (tmp_path / "in" / "sub" / "b.txt").write_bytes(b"text")
    (tmp_path / "in" / "out").symlink_to("/etc/passwd")
    assert run("put", "a.map", "in", "--as", "data") == (
        0,
        "put 2 files, 10,004 bytes, into a.map\n",
        "pixel-lsp: `in/out` was left out: it is a link that leads out of `in`\n",
    )
    code, out, _ = run("ls", "a.map")
    assert code == 0
    assert [line.split()[0::2] for line in out.splitlines()] == [["10,000", "data/a.bin"], ["4", "data/sub/b.txt"]]
    code, out, _ = run("ls", "a.map", "data/sub", "--format", "json")
    (listed,) = json.loads(out)["files"]
    assert (listed["name"], listed["size"], listed["sha256"]) == ("data/sub/b.txt", 4, hashlib.sha256(b"text").hexdigest())
    (tmp_path / "out").mkdir()
    assert run("get", "a.map", "--to", "out") == (0, "wrote 2 files\n", "")
    assert (tmp_path / "out" / "data" / "a.bin").read_bytes() == content
    assert run("get", "a.map", "--to", "out")[0] == 2
    assert run("get", "a.map", "data/a.bin", "-o", "one.bin")[0] == 0
    assert (tmp_path / "one.bin").read_bytes() == content
    assert (
        run("get", "a.map", "data", "-o", "two.bin")[2] == "pixel-lsp: --output writes one file, and the names are not those of one file\n"
    )


def test_bytes_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.chdir(tmp_path)
    with PixelFS.create(tmp_path / "a.map", tile_side=16) as files:
        files.put("file", bytes(range(256)) * 40)
    assert main(["fs", "cat", "a.map", "file", "--offset", "4090", "--length", "12"]) == 0
    assert capfdbinary.readouterr().out == bytes((*range(250, 256), *range(6)))
    assert main(["fs", "cat", "a.map", "file", "--offset", "10230", "--length", "99"]) == 0
    assert capfdbinary.readouterr().out == bytes(range(246, 256))
    assert main(["fs", "cat", "a.map", "file", "--offset", "10241"]) == 2
    assert capfdbinary.readouterr().err == b"pixel-lsp: `file` has 10,240 bytes, and none at 10,241\n"


def test_names_snapshots_and_differences(run: Run, tmp_path: Path) -> None:
    for name, content in (("changed", b"old" * 2000), ("gone", b"gone"), ("moved", b"moved")):
        (tmp_path / name).write_bytes(content)
        run("put", "a.map", name)
    assert run("snapshot", "a.map", "first") == (0, "", "")
    assert run("diff", "a.map", "first") == (0, "", "")
    (tmp_path / "changed").write_bytes(b"old" * 1999 + b"new")
    run("put", "a.map", "changed")
    assert run("rm", "a.map", "gone") == (0, "removed 1 file; `pixel-lsp fs compact` gives back the room\n", "")
    assert run("mv", "a.map", "moved", "sub/moved") == (0, "", "")
    assert run("diff", "a.map", "first") == (1, "changed  changed  (1 tile of 2)\nremoved  gone\nmoved    sub/moved  (was moved)\n", "")
    changes = json.loads(run("diff", "a.map", "first", "--format", "json")[1])["changes"]
    assert [(change["kind"], change["tiles"]) for change in changes] == [("changed", [1]), ("removed", []), ("moved", [])]
    assert run("ls", "a.map", "--snapshot", "first")[1].split()[2::3] == ["changed", "gone", "moved"]
    assert [one["name"] for one in json.loads(run("snapshot", "a.map", "--format", "json")[1])["snapshots"]] == ["first"]
    assert run("snapshot", "a.map")[1].split()[1] == "first"
    assert run("snapshot", "a.map", "first")[0] == 2
    assert run("rm", "a.map", "sub") == (
        2,
        "",
        "pixel-lsp: `sub` is a folder\n  hint: remove it with all that it holds: pixel-lsp fs rm --recursive\n",
    )
    assert run("rm", "a.map", "changed", "nothing")[0] == 2
    assert "changed" in run("ls", "a.map")[1]
    assert run("snapshot", "a.map", "first", "--remove") == (0, "", "")
    assert run("rm", "-r", "a.map", "sub")[0] == 0
    before = (tmp_path / "a.map").stat().st_size
    code, out, _ = run("compact", "a.map")
    assert (code, out) == (0, f"a.map has {(tmp_path / 'a.map').stat().st_size:,} bytes now, and had {before:,}\n")
    assert (tmp_path / "a.map").stat().st_size < before


def test_what_is_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345" * 1000)
    run("put", "a.map", "file", "--compress")
    facts = json.loads(run("stat", "a.map", "--format", "json")[1])
    assert {key: facts[key] for key in ("files", "size", "tiles", "tile_side", "snapshots")} == {
        "files": 1,
        "size": 5000,
        "tiles": 2,
        "tile_side": 16,
        "snapshots": [],
    }
    fact = json.loads(run("stat", "a.map", "file", "--format", "json")[1])
    assert (fact["tiles"], fact["region"]) == (2, [0, 0, 32, 16])
    assert fact["stored_bytes"] < 500
    assert "region        0, 0, 32, 16\n" in run("stat", "a.map", "file")[1]


def test_a_flipped_bit_is_found_and_corrected(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    run("put", "a.map", "file")
    path = tmp_path / "a.map"
    whole = path.read_bytes()
    assert run("verify", "a.map") == (0, f"everything is what was written: {len(whole):,} bytes, 2 tiles, 1 file\n", "")
    flip(path, record_offset(path, "file") + 100)
    code, out, _ = run("verify", "a.map")
    assert code == 1
    assert out.splitlines() == [
        "`file`: tile 0, bytes 0 to 4,095: a flipped bit, which can be corrected",
        f"1 damaged place in {len(whole):,} bytes, 2 tiles, 1 file; 1 can be corrected: pixel-lsp fs repair a.map",
    ]
    report = json.loads(run("verify", "a.map", "--format", "json")[1])
    assert report["damaged_tiles"][0]["path"] == "file"
    assert report["damages"][0]["tiles"] == [[0, 0]]
    assert run("repair", "a.map") == (0, "1 flipped bit corrected, 0 tiles taken from another place\n", "")
    assert path.read_bytes() == whole


def test_a_lost_tile_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    (tmp_path / "other").write_bytes(b"other")
    run("put", "a.map", "file", "other")
    path = tmp_path / "a.map"
    (tmp_path / "backup.map").write_bytes(path.read_bytes())
    flip(path, record_offset(path, "file") + 100, 0xFF)
    damaged = path.read_bytes()
    assert run("get", "a.map", "--to", ".", "--force")[:2] == (1, "wrote 1 file, and not 1 damaged file\n")
    assert run("repair", "a.map", "--from", "backup.map") == (0, "0 flipped bits corrected, 1 tile taken from another place\n", "")
    assert run("verify", "a.map")[0] == 0
    path.write_bytes(damaged)
    code, out, _ = run("repair", "a.map")
    assert code == 1
    assert out.splitlines() == [
        "lost: tile 0 of `file`, zeros now; the file is `damaged/file`",
        f"the map as it was is kept: {path}.damaged-1",
        "0 flipped bits corrected, 0 tiles taken from another place",
    ]
    assert [line.split()[2] for line in run("ls", "a.map")[1].splitlines()] == ["damaged/file", "other"]
    path.write_bytes(damaged)
    report = json.loads(run("repair", "a.map", "--format", "json")[1])
    assert [one["moved_to"] for one in report["lost"]] == ["damaged/file"]


def test_old_files_are_taken_over(run: Run, tmp_path: Path) -> None:
    content = b"from long ago"
    header = b"PXIF" + struct.pack(">BBQIIB", 1, 0, len(content), 5, 1, 0) + hashlib.sha256(content).digest() + bytes(9)
    (tmp_path / "old.pxi").write_bytes(header + content.ljust(15, b"\0"))
    assert run("import", "a.map", "old.pxi") == (0, "imported 1 file, 13 bytes, into a.map\n", "")
    assert run("ls", "a.map")[1].split()[2] == "old"
    (tmp_path / "text.pxi").write_bytes(b"text")
    assert run("import", "a.map", "old.pxi", "text.pxi") == (2, "", "pixel-lsp: `text.pxi` is no PXIF file\n")


def test_a_picture(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 20)
    run("put", "a.map", "file")
    assert run("png", "a.map", "file", "file.png") == (0, "drew 128 × 64 pixels into file.png\n", "")
    with Image.open(tmp_path / "file.png") as picture:
        assert picture.size == (128, 64)
    (tmp_path / "empty").write_bytes(b"")
    run("put", "a.map", "empty")
    assert run("png", "a.map", "empty", "empty.png") == (2, "", "pixel-lsp: `empty` is empty: there is nothing to draw\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ls", "nothing.map"), "pixel-lsp: there is no map `nothing.map`\n  hint: make one: pixel-lsp fs init nothing.map\n"),
        (("init", "a.map"), "pixel-lsp: there is already a file `a.map`\n"),
        (("put", "a.map", "a.map", "a.map", "--as", "x"), "pixel-lsp: --as names one file or folder, and several were given\n"),
        (("ls", "a.map", "x"), "pixel-lsp: `x` is not there\n  hint: list the files: pixel-lsp fs ls MAP\n"),
        (("snapshot", "a.map", "--remove"), "pixel-lsp: no snapshot is named\n  hint: list them: pixel-lsp fs snapshot MAP\n"),
        (("get", "a.map", "--to", "nowhere"), "pixel-lsp: there is no folder `nowhere`\n"),
    ],
)
def test_what_cannot_be_done(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    assert run(*arguments) == (2, "", sentence)


def test_the_verbs_without_arrays_load_no_numpy(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    verbs = [["put", "a.map", "file"], ["ls", "a.map"], ["verify", "a.map"], ["compact", "a.map"]]
    code = f"import sys; from pixel_server.cli import main; [main(['fs', *verb]) for verb in {verbs}]; print('numpy' in sys.modules)"
    done = subprocess.run((sys.executable, "-c", code), cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "False"
