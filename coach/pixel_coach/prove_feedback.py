"""Findings as plain text, as `pixel-lsp check` prints them: what a generator is told about the cases that it may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pixel_core.findings import Finding, Location, Severity
from pixel_core.source import SourceText

MAX_FINDINGS: Final = 8
MAX_CHARACTERS: Final = 6_000
_MAX_LINE: Final = 160
_RERUN: Final = ("re-run:", "run it again:")


def findings_text(findings: Iterable[Finding], sources: Mapping[Path, SourceText]) -> str:
    """The worst findings first, each with its line; at most `MAX_FINDINGS` and `MAX_CHARACTERS`.

    ```
    error[PX401]: c is wrong in 33 of 2,145 elements  (case M=65 N=33 K=20)
      matmul.wgsl:31:5
      31 |     c[row * size.n + col] = sum;
         |     ^^^^^^^^^^^^^^^^^^^^^ this store writes them
      = all in the last row (row 64)
      = hint: compare `row` with `size.m` before the store
    ```
    """
    ordered = sorted(findings, key=lambda one: one.severity)
    blocks = [_finding(one, sources) for one in ordered[:MAX_FINDINGS]]
    if len(ordered) > MAX_FINDINGS:
        blocks.append(f"… and {len(ordered) - MAX_FINDINGS:,} more")
    text = "\n".join(blocks)
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + " …"


def errors_of(findings: Sequence[Finding]) -> list[Finding]:
    """Only the errors."""
    return [one for one in findings if one.severity is Severity.ERROR]


def _finding(finding: Finding, sources: Mapping[Path, SourceText]) -> str:
    lines = [f"{finding.severity.name.lower()}[{finding.code}]: {finding.message}"]
    own = [label.message for label in finding.labels if label.location == finding.location]
    lines += _excerpt(finding.location, sources, "; ".join(own), "^")
    for label in finding.labels:
        if label.location != finding.location:
            lines += _excerpt(label.location, sources, label.message, "-")
    lines += [f"  = {note}" for note in finding.notes if not note.startswith(_RERUN)]
    if finding.hint:
        lines.append(f"  = hint: {finding.hint}")
    return "\n".join(lines)


def _excerpt(location: Location, sources: Mapping[Path, SourceText], message: str, sign: str) -> list[str]:
    source = sources.get(location.path)
    if source is None or location.span is None:
        return [f"  {location.path.name}" + (f": {message}" if message else "")]
    line, column = source.position(location.span.start)
    text = source.line(line)
    width = max(min(location.span.end - location.span.start, len(text) - column + 1), 1)
    number = str(line)
    shown = text[:_MAX_LINE].replace("\t", " ")
    marks = " " * (column - 1) + sign * min(width, _MAX_LINE)
    underline = [f"  {' ' * len(number)} | {marks} {message}".rstrip()] if column <= _MAX_LINE else []
    return [f"  {location.path.name}:{line}:{column}", f"  {number} | {shown}", *underline]
