"""Where the passes over a tree put what they find."""

from __future__ import annotations

import msgspec

from pixel_core.findings import Finding, Fix, Label, Severity, Span
from pixel_core.source import SourceText
from pixel_core.wgsl.syntax import Node


class Collector(msgspec.Struct, frozen=True):
    """Findings about one source, in the order in which they were found."""

    source: SourceText
    findings: list[Finding] = msgspec.field(default_factory=list)

    def error(
        self,
        code: str,
        place: Node | Span,
        message: str,
        *,
        hint: str | None = None,
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Add an error at a node or span."""
        self._add(code, Severity.ERROR, place, message, hint, labels, fix)

    def warning(
        self,
        code: str,
        place: Node | Span,
        message: str,
        *,
        hint: str | None = None,
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Add a warning at a node or span."""
        self._add(code, Severity.WARNING, place, message, hint, labels, fix)

    def label(self, place: Node | Span, message: str) -> Label:
        """A second place that explains a finding."""
        return Label(self.source.location(_span(place)), message)

    def _add(
        self,
        code: str,
        severity: Severity,
        place: Node | Span,
        message: str,
        hint: str | None,
        labels: tuple[Label, ...],
        fix: Fix | None,
    ) -> None:
        location = self.source.location(_span(place))
        self.findings.append(Finding(code=code, severity=severity, message=message, location=location, labels=labels, hint=hint, fix=fix))


def _span(place: Node | Span) -> Span:
    return place if isinstance(place, Span) else place.span
