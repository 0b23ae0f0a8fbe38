"""What the user is told: a finding, where it is, and how to mend it.

Plain data without behaviour. Knows no LSP, no terminal and no colour: the doors (editor, terminal, coach) draw it.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import msgspec


class Severity(IntEnum):
    """How bad a finding is. The numbers are those of LSP's `DiagnosticSeverity`."""

    ERROR = 1
    WARNING = 2
    INFO = 3
    HINT = 4


class Span(msgspec.Struct, frozen=True):
    """A half-open range of code points in one text."""

    start: int
    end: int


class Location(msgspec.Struct, frozen=True):
    """A place in a file; without a span, the whole file."""

    path: Path
    span: Span | None = None


class Label(msgspec.Struct, frozen=True):
    """A second place that explains the finding."""

    location: Location
    message: str


class Fix(msgspec.Struct, frozen=True):
    """One replacement that mends the finding, offered to the user and never applied unasked."""

    title: str
    span: Span
    new_text: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the user is told.

    Attributes:
        code: Stable identifier of the rule, such as `PX401`; every code has a page (`pixel-lsp rule PX401`).
        severity: How bad it is.
        message: One sentence, lower case first, no full stop at the end.
        location: The place that caused it.
        labels: Other places that explain it.
        notes: Further facts, one line each (first and worst element, the pattern, how to run it again).
        hint: What to do about it, in one sentence.
        fix: A replacement that mends it.
    """

    code: str
    severity: Severity
    message: str
    location: Location
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    hint: str | None = None
    fix: Fix | None = None
