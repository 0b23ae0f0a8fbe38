"""WGSL with its expected findings written under the lines they are about.

    fn f() { let x = 1 }
                      | PX104 expected `;` after this declaration

Carets mark the span of a finding, a bar an insertion point between two characters.
"""

from __future__ import annotations

from pathlib import Path

from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.syntax import SyntaxTree


def parse_text(text: str) -> SyntaxTree:
    """Parse a text that comes from no file."""
    return parse(SourceText(Path("test.wgsl"), text))


def annotate(text: str) -> str:
    """The text with each syntax finding on a line of its own, under the line where it starts."""
    tree = parse_text(text)
    notes: dict[int, list[str]] = {}
    for finding in tree.findings:
        span = finding.location.span
        assert span is not None, "a syntax finding needs a span"
        line, column = tree.source.position(span.start)
        width = min(span.end, span.start + len(tree.source.line(line)) - column + 1) - span.start
        mark = "^" * width if width > 0 else "|"
        notes.setdefault(line, []).append(f"{' ' * (column - 1)}{mark} {finding.code} {finding.message}")
    lines: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        lines += [line, *notes.get(number, [])]
    return "\n".join(lines)


def strip_notes(annotated: str) -> str:
    """The text alone, without the lines that `annotate` adds."""
    return "\n".join(line for line in annotated.split("\n") if not _is_note(line))


def _is_note(line: str) -> bool:
    mark, _, message = line.strip().partition(" ")
    return bool(mark) and not mark.strip("^|") and message.startswith("PX")


def split_cases(text: str) -> list[str]:
    """Annotated texts that are separated by lines of three dashes."""
    return text.strip("\n").split("\n---\n")
