"""What to do on a machine that has no adapter."""

from __future__ import annotations

import sys


def driver_hint() -> str:
    """The command that brings a driver, where there is one."""
    if sys.platform == "linux":
        return "install a Vulkan driver; without a GPU a software one will do: sudo apt-get install mesa-vulkan-drivers"
    return "install the graphics driver of this machine; `pixel-lsp doctor` shows what was found"
