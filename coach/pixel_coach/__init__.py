"""Tasks in, accepted patches out. Knows no LSP and no wgpu.

The public names are loaded when they are first used: `from pixel_coach import coach_task` costs what `library` costs, and `import
pixel_coach` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixel_coach.library import CoachedTask, GeminiAgent, LocalLLMAgent, coach_task, run_coaching_loop
    from pixel_coach.settings import CoachSettings
    from pixel_coach.tasks import Action, NewTask

__all__ = ["Action", "CoachSettings", "CoachedTask", "GeminiAgent", "LocalLLMAgent", "NewTask", "coach_task", "run_coaching_loop"]

_HOMES = {"Action": "tasks", "NewTask": "tasks", "CoachSettings": "settings"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'library')}"), name)
