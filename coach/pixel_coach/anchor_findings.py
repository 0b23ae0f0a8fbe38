"""Which of a reviewer's remarks are shown: those whose quoted line is there and is the author's, each once, and not too many."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

from msgspec.structs import replace

from pixel_coach.attempts import ReviewFinding

MAX_FINDINGS: Final = 10
_WEIGHT: Final = {"error": 0, "warning": 1, "info": 2}


def anchor_findings(
    findings: Sequence[ReviewFinding], path: str, text: str, lines: Collection[int], dismissed: Collection[str] = ()
) -> tuple[ReviewFinding, ...]:
    """Keep what can be shown on a line.

    A finding whose quote stands on another line than it says is moved there if that is the only one; one whose quote is nowhere, or on a
    line that the author did not write, is dropped, and so are repetitions and what a person dismissed for good.

    Args:
        findings: As the reviewer wrote them.
        path: Of the file, as in the task.
        text: What was reviewed.
        lines: Those the author wrote, from 1.
        dismissed: Fingerprints.

    Returns:
        At most `MAX_FINDINGS`, the gravest first, then by line; quotes are the lines as they stand.
    """
    stripped = [line.strip() for line in text.splitlines()]
    whole = text.splitlines()
    kept: dict[tuple[str, int], ReviewFinding] = {}
    told: set[tuple[str, str]] = set()
    for finding in sorted(findings, key=lambda entry: _WEIGHT.get(entry.severity, 1)):
        line = _line_of(finding, stripped)
        if line is None or line not in lines:
            continue
        anchored = replace(finding, line=line, quote=whole[line - 1], message=" ".join(finding.message.split()))
        said = (finding.rule, anchored.message.lower())
        if (finding.rule, line) in kept or said in told or fingerprint(path, anchored) in dismissed:
            continue
        kept[finding.rule, line] = anchored
        told.add(said)
    chosen = list(kept.values())[:MAX_FINDINGS]
    return tuple(sorted(chosen, key=lambda entry: (_WEIGHT.get(entry.severity, 1), entry.line)))


def fingerprint(path: str, finding: ReviewFinding) -> str:
    """What a dismissal remembers of a finding: file, rule and the words of the line, so that it holds wherever the line moves."""
    return hashlib.sha256(f"{path}\0{finding.rule}\0{' '.join(finding.quote.split())}".encode("utf-8", "replace")).hexdigest()[:24]


def _line_of(finding: ReviewFinding, stripped: Sequence[str]) -> int | None:
    quote = finding.quote.strip()
    if not quote or "\n" in quote:
        return None
    if 1 <= finding.line <= len(stripped) and stripped[finding.line - 1] == quote:
        return finding.line
    places = [number for number, line in enumerate(stripped, start=1) if line == quote]
    return places[0] if len(places) == 1 else None
