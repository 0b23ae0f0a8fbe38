"""What a rule is."""

from __future__ import annotations

import msgspec

from pixel_core.findings import Severity


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, explained once for every surface.

    Attributes:
        code: `PX` and three digits; never reused.
        name: Short kebab-case name, such as `wrong-result`.
        severity: The severity its findings have unless they say otherwise.
        summary: What it reports, one sentence.
        explanation: Why it matters and how it is found, one or more paragraphs of Markdown.
        example: WGSL, TOML or terminal text that shows it; may be empty.
        remedy: What to do, one paragraph of Markdown.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    explanation: str
    example: str = ""
    remedy: str
