"""From a shader's path to its verdict: read, plan, run every case in the workers, explain. Loads neither numpy nor wgpu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixel_core.kernels.report import CheckReport


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What a check is asked to do.

    Attributes:
        engine: `auto`, `device`, `interpreter` or `both`.
        case: Run only the cases of this name; None runs all.
        seed: Added to every case's seed.
        trusted: Whether kernels and references may run; else static findings only, and every kernel is skipped.
        interpreter: The user's Python for references; None finds one (workspace `.venv`, `VIRTUAL_ENV`, `python3`).
        workspace: Folder that files named by a contract must stay inside; None is each shader's own project root.
        jobs: Kernel workers at most.
        memory_bytes: Address space of one worker.
    """

    engine: str = "auto"
    case: str | None = None
    seed: int = 0
    trusted: bool = True
    interpreter: Path | None = None
    workspace: Path | None = None
    jobs: int = 1
    memory_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of a check: `done` of `total` cases so far, and what is running now."""

    shader: Path
    contract: str
    case: str
    done: int
    total: int


@dataclass(slots=True)
class Checker:
    """Checks shaders, keeping its workers warm in between (`--watch`, the language server).

    Use as an async context manager; leaving it ends every child process.
    """

    options: CheckOptions = field(default_factory=CheckOptions)

    async def check(self, shaders: Sequence[Path], on_progress: Callable[[Progress], None] | None = None) -> CheckReport:
        """Check shaders.

        Raises:
            EngineUnavailable: The engine that was asked for cannot run on this machine.
        """
        raise NotImplementedError


def check(shaders: Sequence[Path], options: CheckOptions | None = None) -> CheckReport:
    """Check shaders once, starting and ending the workers. See `Checker.check`."""
    raise NotImplementedError
