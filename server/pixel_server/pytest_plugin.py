"""pytest collects contracts as tests: `pytest --pixel-kernels`, or `pixel_kernels = true` in its configuration.

Installed as an entry point, so every pytest run in the environment loads this module: it imports nothing until the plug-in is turned on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; without one of them nothing else happens."""
    group = parser.getgroup("pixel-lsp", "WGSL compute kernels")
    group.addoption("--pixel-kernels", action="store_true", help="collect the contracts of .wgsl files as tests; they execute the kernels")
    group.addoption("--pixel-seed", type=int, default=0, metavar="N", help="draw other inputs for kernels (default: 0)")
    parser.addini("pixel_kernels", "collect the contracts of .wgsl files as tests, as --pixel-kernels does", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark that every kernel carries, for `-m` and `--strict-markers`."""
    config.addinivalue_line("markers", "pixel_kernel: proves a WGSL kernel by its contract (set by pixel-lsp)")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A collector for a shader, where the plug-in is turned on."""
    if file_path.suffix.lower() != ".wgsl" or not (parent.config.getoption("pixel_kernels") or parent.config.getini("pixel_kernels")):
        return None
    from pixel_server.pytest_kernels import ShaderFile

    return ShaderFile.from_parent(parent, path=file_path)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the kernel workers that the session started."""
    import sys

    started = sys.modules.get("pixel_server.pytest_kernels")
    if started is not None:
        started.end_checks(config)
