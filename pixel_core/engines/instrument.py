"""Counter-measures against adapters that break WGSL's promises, by rewriting the shader's text along its tree."""

from __future__ import annotations

from pixel_core.engines.watch_loops import WatchedShader, watch_loops
from pixel_core.engines.zero_workgroup_memory import zero_workgroup_memory

__all__ = ["WatchedShader", "watch_loops", "zero_workgroup_memory"]
