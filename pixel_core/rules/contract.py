"""Rules about contract (PX3xx)."""

from __future__ import annotations

from pixel_core.rules.rule import Rule

CONTRACT_RULES: tuple[Rule, ...] = ()
