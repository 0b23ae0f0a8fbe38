"""Rules about syntax (PX10x-PX12x)."""

from __future__ import annotations

from pixel_core.rules.rule import Rule

SYNTAX_RULES: tuple[Rule, ...] = ()
