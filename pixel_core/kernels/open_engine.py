"""The engine of a worker, opened in the background: its driver loads while numpy is imported and inputs are drawn."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Union

from pixel_core.errors import EngineUnavailable

if TYPE_CHECKING:
    from pixel_core.engines.base import Engine
    from pixel_core.wgsl.analyse import Module

Opened = Union["tuple[Engine, Mapping[str, str]]", EngineUnavailable]


class EngineOpening:
    """Starts to open the device when it is made."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._analyse: Callable[[str], Module] | None = None
        self._thread = threading.Thread(target=self._open, name="open device", daemon=True)
        self._thread.start()

    def analyse_with(self, analyse: Callable[[str], Module]) -> None:
        """Let the engine's counter-measures use modules that are at hand."""
        self._analyse = analyse

    def wait(self) -> Opened:
        """The engine and the versions of its parts, or why there is none."""
        self._thread.join()
        assert self._opened is not None
        return self._opened

    def _open(self) -> None:
        try:
            # Imported here, in the background: the driver's library and wgpu take their time.
            from pixel_core.engines.load_wgpu import load_wgpu

            load_wgpu(cache_folder())
            from pixel_core.engines.device import open_device_engine, versions

            self._opened = (open_device_engine(cache_folder(), self._module), versions())
        except EngineUnavailable as problem:
            self._opened = problem
        except Exception as problem:  # noqa: BLE001 -- a wgpu that cannot be loaded fails in many ways
            self._opened = EngineUnavailable(f"wgpu cannot be used: {problem}", hint="`pixel-lsp doctor` shows what was found")

    def _module(self, source: str) -> Module:
        if self._analyse is not None:
            return self._analyse(source)
        from pixel_core.engines.device import analyse_text

        return analyse_text(source)


def cache_folder() -> Path | None:
    """Where what was found out about adapters is kept; None where the user has no such place."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if base and Path(base).is_absolute():
        return Path(base) / "pixel-lsp"
    try:
        return Path.home() / ".cache" / "pixel-lsp"
    except RuntimeError:
        return None
