"""How a finding about syntax is made."""

from __future__ import annotations

from pixel_core.findings import Finding, Fix, Label, Severity, Span
from pixel_core.source import SourceText


def syntax_finding(
    source: SourceText,
    code: str,
    message: str,
    span: Span,
    *,
    severity: Severity = Severity.ERROR,
    hint: str | None = None,
    fix: Fix | None = None,
    labels: tuple[tuple[Span, str], ...] = (),
) -> Finding:
    """A finding on a span of a text; labels are other spans of the same text with what is to be said there."""
    return Finding(
        code=code,
        severity=severity,
        message=message,
        location=source.location(span),
        labels=tuple(Label(source.location(place), text) for place, text in labels),
        hint=hint,
        fix=fix,
    )
