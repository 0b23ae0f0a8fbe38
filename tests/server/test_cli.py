"""The command line as a user types it; what `check` finds is tested with the kernels, what it prints with the renderers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pixel_core import __version__
from pixel_core.errors import PixelError
from pixel_server.cli import main
from pixel_server.commands import rule as rule_command

SHADERS = Path(__file__).parents[2] / "shaders"
PIXEL_LSP = (sys.executable, "-m", "pixel_server.cli")


def check_usage(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that is refused: exit code 2, and a sentence on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == expected


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"pixel-lsp {__version__}\n"


@pytest.mark.parametrize("address", ["0.0.0.0:9257", "example.org:80", "9257", "127.0.0.1:", "127.0.0.1:65536"])
def test_the_language_server_listens_to_this_machine_alone(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tcp", address]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"pixel-lsp: `{address}` is not an address of this machine alone\n")


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    check_usage(["check", "-j", "0"], "pixel-lsp check: error: argument -j/--jobs: 0 is not a positive number", capsys)
    check_usage(["check", "--watch", "--format", "json"], "pixel-lsp: error: --watch writes text; leave out --format", capsys)
    check_usage(
        ["contract", "a", "--write", "--sidecar"],
        "pixel-lsp contract: error: argument --sidecar: not allowed with argument --write",
        capsys,
    )
    check_usage(["rule"], "pixel-lsp rule: error: one of the arguments CODE --all is required", capsys)


def test_what_names_nothing_cannot_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "error[PX903]: no shader found in `.`",
        "  ┌─ .",
        "  = hint: a folder is searched for `*.wgsl` files that `.gitignore` does not exclude",
        "",
        "nothing was checked",
    ]
    assert main(["check", "--format", "json", "nowhere.wgsl"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert [finding["message"] for finding in report["findings"]] == ["`nowhere.wgsl` does not exist"]


def test_an_untrusted_check_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", "--untrusted", "--format", "json", str(SHADERS)]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["summary"]) - {"skipped"} == {status for status, number in report["summary"].items() if number == 0}
    assert all(kernel["cases"] == [] for kernel in report["kernels"])
    assert main([*arguments, "--strict"]) == 1


@pytest.mark.parametrize("engine", ["interpreter", "both"])
def test_an_engine_that_is_not_there(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--engine", engine, "--format", "json", str(SHADERS)]) == 2
    report = json.loads(capsys.readouterr().out)
    assert [(finding["code"], finding["message"]) for finding in report["findings"]] == [
        ("PX901", "the interpreter engine is not part of this version")
    ]


def test_a_file_whose_name_is_no_text(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"k\xff\x1b.wgsl")  # noqa: PTH118 - bytes
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(b"@compute @workgroup_size(1) fn k() {}")

    def said(*arguments: str | bytes) -> bytes:
        done = subprocess.run([*PIXEL_LSP, *arguments], cwd=tmp_path, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    assert "┌─ k\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.wgsl:1:32".encode() in said("check", "--untrusted")
    assert json.loads(said("check", "--untrusted", "--format", "json"))["kernels"][0]["shader"] == "k\udcff\x1b.wgsl"
    assert said("contract", name, "--write").startswith(b"wrote the contract to ")


def test_a_rule_by_code_and_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "px401"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("# PX401 wrong-result\n\n*Error.* ")
    assert main(["rule", "wrong-result"]) == 0
    assert capsys.readouterr().out == page


def test_an_unknown_rule_names_its_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "wrong-resolt"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == "pixel-lsp: no rule is called `wrong-resolt`"
    assert lines[1].startswith("  did you mean PX401 wrong-result: ")


def test_every_rule_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:5] for line in lines] == list(rule_command.RULES)


def test_a_problem_of_the_environment_is_a_sentence_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise PixelError("the disk is full", hint="make room")

    monkeypatch.setattr(rule_command, "rule", fail)
    assert main(["rule", "PX401"]) == 2
    assert capsys.readouterr().err == "pixel-lsp: the disk is full\n  hint: make room\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen((*PIXEL_LSP, "rule", "--all"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


def children_of(process_id: int) -> set[int]:
    tasks = Path(f"/proc/{process_id}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text(encoding="ascii").split()}


def is_running(process_id: int) -> bool:
    status = Path(f"/proc/{process_id}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.device
@pytest.mark.parametrize(("sent", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_check_leaves_no_process_behind(sent: signal.Signals, expected: int, tmp_path: Path) -> None:
    shutil.copy(SHADERS / "matmul.wgsl", tmp_path)
    command = (*PIXEL_LSP, "check", "--watch", ".")
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("watching"):
                break
        children = children_of(process.pid)
        assert children
        process.send_signal(sent)
        assert process.wait(timeout=30) == expected
        assert process.stderr.read() == ""
    deadline = time.monotonic() + 5
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, children))


def test_colours_are_a_matter_of_the_terminal(tmp_path: Path) -> None:
    """rich reads NO_COLOR and FORCE_COLOR; `--no-color` wins."""

    def colours(arguments: list[str], **variables: str) -> bool:
        environment = {**{name: value for name, value in os.environ.items() if not name.endswith("_COLOR")}, **variables}
        command = (*PIXEL_LSP, "check", *arguments)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, env=environment, timeout=60)
        return "\x1b[" in done.stdout and any(f"{number}m" in done.stdout for number in (31, 34))

    assert colours([], FORCE_COLOR="1", TERM="xterm")
    assert not colours([], FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")
    assert not colours(["--no-color"], FORCE_COLOR="1", TERM="xterm")


def test_a_pipe_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "nowhere.wgsl"])
    assert "\x1b" not in capsys.readouterr().out
