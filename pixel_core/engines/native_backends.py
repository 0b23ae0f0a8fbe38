"""Which of a system's graphics interfaces wgpu is to load; another one only costs time, for adapters that nobody computes on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NATIVE_BACKENDS: Mapping[str, tuple[str, ...]] = MappingProxyType({"linux": ("Vulkan",), "darwin": ("Metal",), "win32": ("DX12", "Vulkan")})
"""By `sys.platform`."""
