"""Notices that a text is no plain WGSL but a dialect of it, from which its syntax errors come."""

from __future__ import annotations

from collections.abc import Iterable

from pixel_core.findings import Finding, Severity, Span
from pixel_core.source import SourceText

LAST_SYNTAX_CODE = "PX107"

_DIRECTIVES = ("define", "include", "import", "if", "ifdef", "ifndef", "elif", "else", "endif", "undef", "define_import_path", "pragma")
_PLACEHOLDERS = (("{%", "%}"), ("{{", "}}"), ("#{", "}"), ("${", "}"))
_MAX_LINES = 1000
"""Lines with errors that are looked at; the first sign of a dialect comes earlier."""


def find_dialect(source: SourceText, findings: Iterable[Finding]) -> tuple[Span, str] | None:
    """The first sign of a dialect on a line with a syntax error: where it is, and how `prepare` would begin.

    Args:
        source: The text.
        findings: Of the text as plain WGSL.
    """
    seen: set[int] = set()
    for found in findings:
        if found.code > LAST_SYNTAX_CODE or found.severity is not Severity.ERROR or found.location.span is None:
            continue
        line = source.position(found.location.span.start)[0]
        if line in seen:
            continue
        seen.add(line)
        sign = _sign(source.line(line))
        if sign is not None:
            start = source.offset(line, 1) + sign[0]
            return Span(start, start + sign[1]), sign[2]
        if len(seen) >= _MAX_LINES:
            return None
    return None


def _sign(line: str) -> tuple[int, int, str] | None:
    """Column from 0, length and first step."""
    stripped = line.strip()
    if stripped.startswith("#"):
        word = stripped[1:].strip().split(None, 1)[:1]
        if word and word[0] in _DIRECTIVES:
            return line.index("#"), len(stripped), "{ define = {} }"
    for opening, closing in _PLACEHOLDERS:
        start = line.find(opening)
        end = line.find(closing, start + len(opening)) if start >= 0 else -1
        if end >= 0:
            steps = {"#{": "{ define = {…} }", "${": '{ template = {…}, delimiters = ["${", "}"] }'}
            return start, end + len(closing) - start, steps.get(opening, "{ template = {…} }")
    return None
