"""`pixel-lsp generate` as a user types it, on a random model."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from model_testing.random_models import RandomModel, write_random_model
from pixel_core.errors import ModelFileError
from pixel_core.inference import find_model as find_model_module
from pixel_core.inference.find_model import find_model
from pixel_core.inference.messages import BackendName
from pixel_server.cli import main
from pixel_server.cli_models import BACKENDS

PIXEL_LSP = (sys.executable, "-m", "pixel_server.cli")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    shape = RandomModel(width=64, head_length=16, feed_forward=64, context=4096)
    return str(write_random_model(tmp_path_factory.mktemp("model") / "tiny.gguf", shape))


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["generate", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_backends_of_the_command_line_are_those_there_are() -> None:
    assert get_args(BackendName) == BACKENDS


def test_text_goes_to_standard_output_and_speed_to_standard_error(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("-n", "5", "--temperature", "0", "--backend", "reference")
    code, text, speed = run(model, "-p", "the", *options, capsys=capsys)
    assert code == 0
    assert text.endswith("\n")
    assert speed.startswith("tiny on reference (numpy, float32): loaded in ")
    assert "2 tokens at" in speed or "1 tokens at" in speed
    assert speed.endswith("of reply (cut at its length)\n")
    # Chatting is another prompt, and gives another text.
    assert run(model, "-p", "the", "--chat", *options, capsys=capsys)[1] != text


def test_the_prompt_may_come_on_standard_input(model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("-n", "4", "--seed", "3", "--backend", "reference")
    named = run(model, "-p", "hello", *options, capsys=capsys)
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello"))
    assert run(model, *options, capsys=capsys)[:2] == named[:2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("/no/such.gguf", "-p", "a"), "pixel-lsp: /no/such.gguf is not a file\n"),
        ((__file__, "-p", "a"), f"pixel-lsp: {__file__} is not a model: it begins with b"),
        (("--model", "gpt", "-p", "a"), "pixel-lsp: there is no model `gpt`\n  hint: known names: smollm2; other models"),
        (("a.gguf", "-p", "a", "--system", "b"), "pixel-lsp: --system is for conversations\n  hint: add --chat\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(*arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "one of the arguments FILE --model is required"),
        (("a", "--temperature", "nan"), "argument --temperature: `nan` is not a number from 0 to 100"),
        (("a", "--top-p", "2"), "argument --top-p: `2` is not a number from 0 to 1"),
        (("a", "-n", "-1"), "argument -n/--max-tokens: `-1` is not a number from 0 to 2,147,483,647"),
    ],
)
def test_usage(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["generate", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"pixel-lsp generate: error: {message}"


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_model_module, "_PACKAGES", {"smollm2": "no-such-distribution"})
    with pytest.raises(ModelFileError, match="which carries the model `smollm2`, is not installed"):
        find_model("smollm2")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_text_and_the_model(model: str, sent: signal.Signals, code: int) -> None:
    command = (
        *PIXEL_LSP,
        "generate",
        model,
        "-p",
        "the",
        "-n",
        "0",
        "--temperature",
        "50",
        "--top-k",
        "0",
        "--seed",
        "1",
        "--backend",
        "reference",
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(sent)
        process.stdout.read()
        errors = process.stderr.read().decode()
        assert (process.wait(30), errors) == (code, "")
    assert len(children) == 1
    deadline = time.monotonic() + 30
    while Path(f"/proc/{children[0]}/cmdline").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{children[0]}/cmdline").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no terminals of this kind")
def test_a_terminal_is_shown_no_escape_sequences(model: str) -> None:
    """The random model draws bytes, control characters among them."""
    import pty

    parent, child = pty.openpty()
    hot = ("--temperature", "90", "--top-k", "0", "--top-p", "1", "--min-p", "0")
    command = (*PIXEL_LSP, "generate", model, "-p", "the", "-n", "400", *hot, "--backend", "reference")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=child, stderr=subprocess.DEVNULL) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(parent, 4096)
            except OSError:  # the terminal was closed
                break
            if not piece:
                break
            shown += piece
        assert process.wait(30) == 0
    os.close(parent)
    assert len(shown) > 100
    assert not set(shown) & (set(range(32)) - set(b"\n\r\t"))
