"""`pixel-lsp map` as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pixel_core.weights.write_pxi import write_pxi
from pixel_server.http.run_server import open_port
from tiny_models import tiny_llama, write_tiny_model

COMMAND = (sys.executable, "-m", "pixel_server.cli", "map")


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_shows_a_model_until_it_is_ended(tmp_path: Path, ending: signal.Signals, code: int) -> None:
    source, path = write_tiny_model(tmp_path / "a.gguf", tiny_llama()), tmp_path / "a.pxi"
    write_pxi(source, path)
    process = subprocess.Popen((*COMMAND, "--port", "0", path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(3)]
        assert lines[0] == f"20 tensors of {path.name}\n"
        told = re.fullmatch(r"open (http://127\.0\.0\.1:\d+)/#(\S+)\n", lines[1])
        assert told
        with httpx.Client(base_url=told[1], trust_env=False, timeout=30) as browser:
            assert browser.post("/login", content=told[2]).status_code == 204
            assert browser.get("/tiles/0/0/0.png").content.startswith(b"\x89PNG\r\n\x1a\n")
        os.kill(process.pid, ending)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (code, "", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not a file"),
        (b"hello", "is not a model: it begins with b'hello'"),
        (b"GGUF\x03\x00\x00\x00", "ends"),
    ],
)
def test_what_is_no_model_is_told(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "a.gguf"
    if content is not None:
        path.write_bytes(content)
    done = subprocess.run((*COMMAND, "--port", "0", path), capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pixel-lsp: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "a.gguf", tiny_llama())
    with open_port(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run((*COMMAND, "--port", str(port), path), capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"pixel-lsp: port {port} cannot be used: ")
