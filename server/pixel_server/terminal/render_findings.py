"""Findings as a person reads them in a terminal: what, where, why, and what to do.

error[PX401]: c is wrong in 33 of 2,145 elements  (case M=65 N=33 K=20, device llvmpipe)
   ┌─ matmul.wgsl:31:5
31 │     c[row * size.n + col] = sum;
   │     ^^^^^^^^^^^^^^^^^^^^^ this store writes them
   = all in the last row (row 64), the only row of the second workgroup row
   = hint: compare `row` with `size.m` before the store
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from pixel_core.findings import Finding, Severity
from pixel_core.source import SourceText
from pixel_server.terminal.excerpt import GUTTER_STYLE, Mark, excerpt, gutter_width
from pixel_server.terminal.medium import Medium

MAX_FINDINGS: Final = 50
"""Findings shown in one go; the JSON report holds them all."""

SEVERITY_STYLES: Final = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFO: "bold cyan",
    Severity.HINT: "bold green",
}
_LABEL_STYLE: Final = "blue"


def render_findings(findings: Sequence[Finding], sources: Mapping[Path, SourceText], medium: Medium) -> Text:
    """All findings, worst first within a file, a blank line after each.

    Args:
        findings: At most `MAX_FINDINGS` of them are shown, and the number of the rest.
        sources: The texts that the findings point into; a finding in another file is shown without an excerpt.
        medium: What the text is written to.
    """
    blocks = [_finding(finding, sources, medium) for finding in findings[:MAX_FINDINGS]]
    if len(findings) > MAX_FINDINGS:
        blocks.append(Text(f"… and {len(findings) - MAX_FINDINGS:,} more (`--format json` has them all)".replace("…", medium.glyphs.cut)))
    return Text("").join(block.append("\n\n") for block in blocks)


def _finding(finding: Finding, sources: Mapping[Path, SourceText], medium: Medium) -> Text:
    style = SEVERITY_STYLES[finding.severity]
    lines = [
        Text.assemble(
            (f"{finding.severity.name.lower()}[{finding.code}]", style), ": ", (_indent_rest(medium.printable(finding.message), 2), "bold")
        )
    ]
    groups = _marks_by_file(finding, style)
    gutter = max((gutter_width(sources[path], marks) for path, marks in groups.items() if path in sources), default=1)
    for path, marks in groups.items():
        lines.extend(_place(path, marks, sources.get(path), medium, gutter))
    said = [*finding.notes, *([f"hint: {finding.hint}"] if finding.hint else [])]
    for sentence in said:
        text = _indent_rest(medium.printable(sentence), gutter + 3)
        lines.append(Text.assemble((" " * gutter + " = ", GUTTER_STYLE), text))
    return Text("\n").join(lines)


def _marks_by_file(finding: Finding, style: str) -> dict[Path, list[Mark]]:
    """The finding's own place first. A label on exactly that place is what is said beside its underline."""
    own = [label.message for label in finding.labels if label.location == finding.location]
    groups = {finding.location.path: [Mark(span=finding.location.span, sign="^", message="; ".join(own), style=style)]}
    for label in finding.labels:
        if label.location != finding.location:
            mark = Mark(span=label.location.span, sign="-", message=label.message, style=_LABEL_STYLE)
            groups.setdefault(label.location.path, []).append(mark)
    return groups


def _place(path: Path, marks: Sequence[Mark], source: SourceText | None, medium: Medium, gutter: int) -> list[Text]:
    corner = Text.assemble((" " * gutter + f" {medium.glyphs.corner} ", GUTTER_STYLE), medium.path(path))
    if source is not None and marks[0].span is not None:
        line, column = source.position(marks[0].span.start)
        corner.append(f":{line}:{column}")
    drawn = [mark for mark in marks if mark.span is not None] if source is not None else []
    said = [medium.printable(mark.message) for mark in marks if mark not in drawn and mark.message]
    if said:
        corner.append(f": {'; '.join(said)}")
    return [corner, *(excerpt(source, drawn, medium, gutter) if source is not None else [])]


def _indent_rest(text: str, indent: int) -> str:
    """A text of several lines with all but the first indented."""
    return text.replace("\n", "\n" + " " * indent)
