"""What a program calls that imports us: `from pixel_core.kernels import check, check_text`. docs/library.md shows it at work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from pixel_core.kernels import load_shader as files
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_core.source import SourceText


def check(shaders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], options: CheckOptions | None = None) -> CheckReport:
    """Check shader files. They are executed: naming them is consent.

    Starts a kernel worker and ends it; where many checks follow each other, a `Checker` keeps it warm.

    Args:
        shaders: A path or several. No globs and no folders.
        options: What the check is asked; the defaults of `pixel-lsp check` when None.

    Raises:
        EngineUnavailable: No engine can run kernels on this machine.
        RuntimeError: An event loop runs in this thread already (a notebook); await `Checker.check` there.
    """
    paths = [shaders] if isinstance(shaders, (str, os.PathLike)) else list(shaders)

    async def run() -> CheckReport:
        async with Checker(options) as checker:
            return await checker.check([Path(path) for path in paths])

    return asyncio.run(run())


def check_text(
    source: str, *, contract: str | None = None, name: str | os.PathLike[str] = "kernel.wgsl", options: CheckOptions | None = None
) -> CheckReport:
    """Check a kernel that is held in a string. It is executed; no file is read or written, but for those that its contract names.

    Args:
        source: WGSL. Its head holds the contract unless `contract` does.
        contract: The contract as TOML, as it would stand in `NAME.contract.toml`; for WGSL that is generated.
        name: What findings call the text; references are looked for beside it.
        options: What the check is asked; the defaults of `pixel-lsp check` when None.

    Returns:
        The report; whatever is wrong with the texts is a finding in it.

    Raises:
        EngineUnavailable: No engine can run kernels on this machine.
        RuntimeError: An event loop runs in this thread already (a notebook); await `Checker.check_loaded([read_kernel(…)])` there.
    """
    chosen = options or CheckOptions()
    surroundings = Surroundings(workspace=chosen.workspace, may_run=chosen.trusted)
    loaded = files.understand(*_texts(source, contract, name), surroundings)

    async def run() -> CheckReport:
        async with Checker(options) as checker:
            return await checker.check_loaded([loaded])

    return asyncio.run(run())


def read_kernel(source: str, *, contract: str | None = None, name: str | os.PathLike[str] = "kernel.wgsl") -> files.LoadedShader:
    """Understand a kernel that is held in a string, without running it: for `Checker.check_loaded`. Arguments as in `check_text`."""
    return files.understand(*_texts(source, contract, name))


def _texts(source: str, contract: str | None, name: str | os.PathLike[str]) -> tuple[SourceText, SourceText | None]:
    path = Path(name)
    return SourceText(path, source), None if contract is None else SourceText(files.sidecar_path(path), contract)
