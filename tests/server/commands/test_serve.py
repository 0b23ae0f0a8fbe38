"""`pixel-lsp serve` as a user types it: what it says, which token it takes, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from model_testing.random_models import RandomModel, write_random_model
from pixel_core.errors import PixelError
from pixel_server.cli import main
from pixel_server.commands.serve import find_token

PIXEL_LSP = (sys.executable, "-m", "pixel_server.cli")
GIVEN = "a-token-that-somebody-gave"


def test_a_token_is_found_in_a_file_in_the_environment_or_made(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{GIVEN}\nsomething else\n")
    assert find_token(str(file), {"PIXEL_LSP_TOKEN": "x"}) == (GIVEN, False)
    assert find_token(None, {"PIXEL_LSP_TOKEN": GIVEN}) == (GIVEN, False)
    made, is_new = find_token(None, {"PIXEL_LSP_TOKEN": ""})
    assert (is_new, len(made)) == (True, 32)
    assert find_token(None, {})[0] != made


@pytest.mark.parametrize("token", ["", "short", "with spaces in it all", "ümlaut-and-so-on-and-on", "x" * 513])
def test_what_cannot_be_a_token_is_refused_and_not_repeated(token: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token, encoding="utf-8")
    with pytest.raises(PixelError) as caught:
        find_token(str(file), {})
    assert caught.value.message == f"the first line of {file} is no token: it needs 16 to 512 ASCII characters without spaces"


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(tmp_path / "absent.gguf"), "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"pixel-lsp: port {port} cannot be used: Address already in use\n  hint: choose another one with --port\n"
    )


def test_a_model_that_is_none_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(tmp_path / "absent.gguf"), "--port", "0"]) == 2
    assert capsys.readouterr().err == f"pixel-lsp: {tmp_path / 'absent.gguf'} is not a file\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize(("sent", "code", "given"), [(signal.SIGINT, 130, None), (signal.SIGTERM, 143, GIVEN)])
def test_it_says_where_it_is_and_ends_when_told(sent: signal.Signals, code: int, given: str | None, tmp_path: Path) -> None:
    model = write_random_model(tmp_path / "tiny.gguf", RandomModel(width=64, head_length=16, feed_forward=64))
    command = (*PIXEL_LSP, "serve", str(model), "--port", "0", "--backend", "reference")
    environment = os.environ | ({"PIXEL_LSP_TOKEN": given} if given else {})
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, encoding="utf-8") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        lines = [process.stderr.readline().strip() for _ in range(4)]
        assert lines[:2] == ["tiny on reference (numpy, float32), context of 256 tokens", "model: tiny"]
        address = lines[2].removeprefix("address: ")
        token = given or lines[3].removeprefix("token: ")
        assert given is None or lines[3] == "the token is the one you gave"
        answer = httpx.get(f"{address}/models", headers={"authorization": f"Bearer {token}"})
        assert answer.json()["data"][0]["id"] == "tiny"
        process.send_signal(sent)
        assert (process.wait(30), process.stdout.read(), process.stderr.read()) == (code, "", "")
