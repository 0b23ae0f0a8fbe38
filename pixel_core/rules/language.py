"""Rules about names, types and layout (PX13x-PX19x)."""

from __future__ import annotations

from pixel_core.rules.rule import Rule

LANGUAGE_RULES: tuple[Rule, ...] = ()
