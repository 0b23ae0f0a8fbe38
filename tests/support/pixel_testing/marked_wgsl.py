"""Shader snippets whose expected findings are marked in the text: `let a = «bar»;`."""

from __future__ import annotations

from pathlib import Path

from pixel_core.findings import Finding
from pixel_core.source import SourceText
from pixel_core.wgsl.check import CheckedShader, check


def check_text(text: str) -> CheckedShader:
    return check(SourceText(Path("k.wgsl"), text))


def assert_findings(marked: str, *expected: str) -> None:
    """Check a snippet; its findings must be those expected, on exactly the marked spans, in order of position.

    Args:
        marked: WGSL with `«` and `»` around each place where a finding is expected; marks do not nest.
        expected: For each mark `CODE message`, or `CODE message | hint` where the hint matters.
    """
    text, spans = _unmark(marked)
    findings = check_text(text).findings
    found = [
        _described(finding, with_hint=" | " in wish) for finding, wish in zip(findings, (*expected, *[""] * len(findings)), strict=False)
    ]
    assert found == list(expected)
    places = [(finding.location.span.start, finding.location.span.end) for finding in findings if finding.location.span]
    assert [text[start:end] for start, end in places] == [text[start:end] for start, end in spans]
    assert places == spans


def assert_clean(text: str) -> None:
    """Check a snippet that nothing must be said about."""
    assert_findings(text)


def _described(finding: Finding, *, with_hint: bool) -> str:
    return f"{finding.code} {finding.message}" + (f" | {finding.hint}" if with_hint else "")


def _unmark(marked: str) -> tuple[str, list[tuple[int, int]]]:
    spans: list[tuple[int, int]] = []
    text = ""
    for piece in marked.split("«"):
        if "»" in piece:
            inside, after = piece.split("»")
            spans.append((len(text), len(text) + len(inside)))
            piece = inside + after
        text += piece
    return text, spans
