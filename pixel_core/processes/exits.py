"""How a child ended, as a value."""

from __future__ import annotations

import signal
from typing import Literal

import msgspec

ExitReason = Literal["timeout", "cancelled", "killed", "crashed", "memory", "protocol"]


class ChildExit(msgspec.Struct, frozen=True, kw_only=True):
    """A request that got no answer, because the child ended, was killed, or was told to stop.

    Attributes:
        reason: `timeout` and `cancelled`: it was told to stop, and killed when it did not; `killed`: a signal from outside; `memory`: it
            ran into its memory limit; `protocol`: it sent what is no frame or no answer; `crashed`: everything else.
        exit_code: As `subprocess` gives it (negative for a signal); None when it lives on or never started.
        stderr_tail: Last lines of its standard error.
    """

    reason: ExitReason
    exit_code: int | None
    stderr_tail: str


_MEMORY_SIGNS = ("memory allocation of", "MemoryError", "out of memory", "Cannot allocate memory", "bad_alloc", "LLVM ERROR: out of")


def reason_of_exit(exit_code: int | None, stderr_tail: str) -> ExitReason:
    """Why a child that nobody told to stop has ended."""
    if any(sign in stderr_tail for sign in _MEMORY_SIGNS):
        return "memory"
    # Windows has no SIGKILL; a negative code never occurs there.
    if exit_code is not None and exit_code in (-getattr(signal, "SIGKILL", 9), -signal.SIGTERM):
        return "killed"
    return "crashed"
