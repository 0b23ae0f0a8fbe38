"""What goes wrong while a text is prepared, as findings."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.findings import Finding, Label, Location, Severity
from pixel_core.rules import RULES

MAX_FINDINGS = 100
"""Findings of one preparation; a file of another language has one in every line."""

MAX_CHARACTERS = 1 << 21
"""Of an expanded text. Its tree takes a hundred times the memory."""


class TooMuch(Exception):  # noqa: N818 -- not an error of ours: it ends an expansion, and becomes a finding
    """The expansion reached a bound.

    Args:
        location: Where it was reached.
        message: Which bound.
    """

    def __init__(self, location: Location, message: str) -> None:
        super().__init__(message)
        self.location = location
        self.message = message


class Problems(msgspec.Struct, frozen=True):
    """The findings so far."""

    findings: list[Finding] = msgspec.field(default_factory=list[Finding])

    def tell(
        self,
        code: str,
        location: Location,
        message: str,
        *,
        hint: str | None = None,
        labels: Iterable[Label] = (),
        severity: Severity | None = None,
    ) -> None:
        """Add a finding at a place of an original text; when there are too many, only one that says why the work ended."""
        if len(self.findings) < MAX_FINDINGS or code == "PX342":
            chosen = RULES[code].severity if severity is None else severity
            found = Finding(code=code, severity=chosen, message=message, location=location, labels=tuple(labels), hint=hint)
            self.findings.append(found)

    @property
    def has_errors(self) -> bool:
        """Whether one of them is an error."""
        return any(one.severity is Severity.ERROR for one in self.findings)


def place(home: ExpandedText, start: int, end: int) -> Location:
    """Where a range of a text was written."""
    return home.written(start, end)
