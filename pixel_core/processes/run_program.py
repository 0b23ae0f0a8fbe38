"""Runs a program once: text in, text out, within limits on time, memory and output. What it does is a value, never an exception."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import msgspec

from pixel_core.processes.launcher import child_environment, module_command

_CHUNK_BYTES = 1 << 16
_ERRORS_BYTES = 1 << 14
_STEP_S = 0.02
_GRACE_S = 1.0


class ProgramEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended.

    Attributes:
        reason: `ended`, by itself; `timeout` and `output`: it was killed at that limit; `not_started`.
        exit_code: As `subprocess` gives it; None when it did not start.
        output: What it wrote to standard output, up to the limit.
        errors: The beginning of what it wrote to standard error, or why it did not start.
    """

    reason: Literal["ended", "timeout", "output", "not_started"]
    exit_code: int | None
    output: bytes
    errors: str


def run_program(command: Sequence[str], text: bytes, *, folder: Path, timeout_s: float, output_bytes: int, memory_bytes: int) -> ProgramEnd:
    """Run a program to its end, or to one of its limits; then it and all that it started are killed.

    Args:
        command: Program and arguments; the program is looked for as the shell does.
        text: Its standard input.
        folder: Its working folder.
        timeout_s: Wall time.
        output_bytes: Of its standard output.
        memory_bytes: Of its address space, where the system has such limits.
    """
    limited = (*module_command("pixel_core.processes.limited_program"), str(os.getpid()), str(memory_bytes), *command)
    with tempfile.TemporaryFile() as given:
        given.write(text)
        given.seek(0)
        try:
            process = subprocess.Popen(
                limited,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=child_environment(os.environ),
                start_new_session=True,
            )
        except OSError as problem:
            return ProgramEnd(reason="not_started", exit_code=None, output=b"", errors=problem.strerror or str(problem))
    assert process.stdout is not None
    assert process.stderr is not None
    output, errors = _Pipe(process.stdout, output_bytes, is_kept_reading=False), _Pipe(process.stderr, _ERRORS_BYTES, is_kept_reading=True)
    deadline = time.monotonic() + timeout_s
    reason: Literal["ended", "timeout", "output"] = "ended"
    while output.thread.is_alive() or process.poll() is None:
        output.thread.join(_STEP_S)
        if output.is_full.is_set():
            reason = "output"
            break
        if time.monotonic() >= deadline:
            reason = "timeout"
            break
        if not output.thread.is_alive() and process.poll() is None:
            time.sleep(_STEP_S)
    _kill(process)
    code = process.wait()
    output.close()
    errors.close()
    return ProgramEnd(reason=reason, exit_code=code, output=bytes(output.data), errors=errors.data.decode("utf-8", "replace"))


class _Pipe:
    """Reads a pipe in a thread, up to a limit; behind it, either everything is thrown away or reading ends."""

    def __init__(self, pipe: IO[bytes], limit: int, *, is_kept_reading: bool) -> None:
        self.data = bytearray()
        self.is_full = threading.Event()
        self._pipe = pipe
        self._limit = limit
        self._is_kept_reading = is_kept_reading
        self.thread = threading.Thread(target=self._read, name="program output", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Wait for the rest; the writers are dead, except one that left the session and keeps the pipe: it is not waited for."""
        self.thread.join(_GRACE_S)
        if not self.thread.is_alive():
            self._pipe.close()

    def _read(self) -> None:
        descriptor = self._pipe.fileno()
        while piece := os.read(descriptor, _CHUNK_BYTES):
            room = self._limit - len(self.data)
            self.data += piece[: max(room, 0)]
            if len(piece) > room:
                self.is_full.set()
                if not self._is_kept_reading:
                    return


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and everything in its session, whether the program itself is still there or not."""
    if sys.platform == "win32":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
