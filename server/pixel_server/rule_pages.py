"""The pages of the rules in Markdown: one text for docs/rules.md, the terminal and the editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pixel_core.rules import Rule

GROUPS: Final[Mapping[str, str]] = {
    "PX1": "Language",
    "PX2": "Compilers",
    "PX3": "Contract",
    "PX4": "Results",
    "PX5": "Sanitizer",
    "PX6": "Performance",
    "PX7": "Execution",
    "PX8": "Review",
    "PX9": "Environment",
}
"""What the first digit of a code stands for."""


def rule_page(rule: Rule, *, level: int = 1) -> str:
    """One rule as Markdown, its title as a heading of the given level, with a final line break."""
    parts = [
        f"{'#' * level} {rule.code} {rule.name}",
        f"*{rule.severity.name.capitalize()}.* {rule.summary}",
        rule.explanation,
    ]
    if rule.example:
        parts.append(f"```text\n{rule.example.rstrip()}\n```")
    parts.append(f"**What to do.** {rule.remedy}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def rules_document(rules: Mapping[str, Rule]) -> str:
    """docs/rules.md: every rule under the heading of its group."""
    parts = [
        "# Rules\n",
        "Every finding carries a code. `pixel-lsp rule PX401` shows such a page in the terminal. Codes are stable and never reused.\n",
        "This page is generated from the rule table by `scripts/generate_docs`.\n",
    ]
    for prefix, title in GROUPS.items():
        members = [rule for rule in sorted(rules.values(), key=lambda rule: rule.code) if rule.code.startswith(prefix)]
        if members:
            parts.append(f"## {title} ({prefix}xx)\n")
            parts.extend(rule_page(rule, level=3) for rule in members)
    return "\n".join(parts)
