"""Rules about what the compilers (PX2xx) and the results (PX4xx) say."""

from __future__ import annotations

from pixel_core.rules.rule import Rule

COMPILER_RULES: tuple[Rule, ...] = ()

RESULT_RULES: tuple[Rule, ...] = ()
