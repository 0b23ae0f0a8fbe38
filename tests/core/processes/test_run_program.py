"""Programs that are run once: their output, their limits, and what they leave behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from pixel_core.processes.run_program import ProgramEnd, run_program


def run(program: str, text: bytes = b"", *, timeout_s: float = 20.0, output_bytes: int = 1000, memory_bytes: int = 1 << 30) -> ProgramEnd:
    command = (sys.executable, "-c", program)
    folder = Path(__file__).parent
    return run_program(command, text, folder=folder, timeout_s=timeout_s, output_bytes=output_bytes, memory_bytes=memory_bytes)


def test_text_goes_in_and_comes_out() -> None:
    end = run("import os, sys; sys.stdout.write(sys.stdin.read().upper()); print(os.getcwd(), file=sys.stderr)", b"abc")
    assert (end.reason, end.exit_code, end.output) == ("ended", 0, b"ABC")
    assert end.errors.strip() == str(Path(__file__).parent)


def test_it_sees_no_key_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    assert run("import os; print(os.environ.get('SOME_API_KEY'))").output.strip() == b"None"


def test_memory_is_limited() -> None:
    end = run("x = bytearray(1 << 33)")
    assert end.exit_code == 1
    assert "MemoryError" in end.errors


def test_what_a_program_started_ends_with_it() -> None:
    sleep = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    program = f"import subprocess, sys, time; p = subprocess.Popen({sleep}); print(p.pid, flush=True)"
    end = run(f"{program}; time.sleep(600)", timeout_s=5.0)
    assert end.reason == "timeout"
    child = int(end.output)
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").exists() and Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{child} lives on")
