"""How long a model takes for a prompt, for a reply, and for each kernel of one token."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from pixel_core.errors import ContextFull
from pixel_core.inference.backend import Backend, GreedyBackend
from pixel_core.inference.messages import KernelTime, Measured, Split
from pixel_core.inference.stopwatch import Stopwatch


@runtime_checkable
class KernelBackend(Backend, Protocol):
    """A backend that can say what its kernels take."""

    def time_kernels(self) -> list[KernelTime]:
        """Of one token of a reply, at the length that the cache has now."""
        ...


def measure_model(backend: Backend, prompt: Sequence[int], reply_tokens: int) -> Measured:
    """Feed a prompt into an empty cache and go on greedily, whatever ends a text. The cache is empty afterwards.

    Raises:
        ContextFull: They do not fit.
        DeviceFailed: The device was lost.
    """
    if len(prompt) + reply_tokens > backend.context_length:
        raise ContextFull(f"{len(prompt) + reply_tokens:,} tokens do not fit into the context of {backend.context_length:,}")
    backend.truncate(0)
    watch = Stopwatch()
    token = int(backend.feed(prompt).argmax())
    read = watch.read()
    watch = Stopwatch()
    if isinstance(backend, GreedyBackend):
        backend.decode_greedy(token, reply_tokens)
    else:
        for _ in range(reply_tokens):
            token = int(backend.feed([token]).argmax())
    written = watch.read()
    backend.truncate(0)
    return Measured(prompt=read, reply=written, resident_bytes=resident_bytes())


def split_model(backend: Backend, position: int) -> Split:
    """The kernels of the token at a position, the longest first. The cache is empty afterwards.

    Raises:
        ContextFull: There is no such position.
        DeviceFailed: The device was lost.
    """
    if not isinstance(backend, KernelBackend):
        return Split(kernels=())
    backend.truncate(0)
    if position:
        backend.feed([0] * position)
    kernels = backend.time_kernels()
    backend.truncate(0)
    return Split(kernels=tuple(sorted(kernels, key=lambda one: -one.taken.wall)))


def resident_bytes() -> int:
    """What this process holds in memory; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)
