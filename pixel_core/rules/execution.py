"""Rules about execution (PX7xx) and the environment (PX9xx)."""

from __future__ import annotations

from pixel_core.rules.rule import Rule

EXECUTION_RULES: tuple[Rule, ...] = ()

ENVIRONMENT_RULES: tuple[Rule, ...] = ()
