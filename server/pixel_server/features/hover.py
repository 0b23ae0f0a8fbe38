"""What is known of the thing under the cursor: an entry point's last report, the findings of its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lsprotocol import types

from pixel_core.findings import Finding
from pixel_core.kernels.report import ValidationReport
from pixel_core.rules import RULES
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.features.code_lens import verdict_of
from pixel_server.features.diagnostics import findings_of
from pixel_server.session import ShaderView
from pixel_server.verdict_words import seconds

MAX_CASES: Final = 20
"""Cases listed in a hover; the report holds them all."""


def hover(view: ShaderView, content: ClientText, position: types.Position, client: Client) -> types.Hover | None:
    """The hover at a position of the shader or its sidecar, from what is known already; None where nothing is.

    Args:
        view: The shader.
        content: The document that is hovered over.
        position: In the editor's units.
        client: Says whether Markdown is understood.
    """
    source = view.analysis.texts.shader
    offset = content.offset(position)
    sections: list[tuple[str, list[str]]] = []
    if content.text == source.text:
        for entry in view.analysis.loaded.interface.entry_points:
            if entry.span.start <= offset <= entry.span.end:
                sections.extend(_reports(view, entry.name))
    sections.extend(_finding(found) for found in findings_of(view) if _is_on_line(found, view, content, position.line))
    if not sections:
        return None
    if client.markdown_hover:
        value = "\n\n".join(_markdown(title, lines) for title, lines in sections)
        return types.Hover(contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=value))
    value = "\n\n".join("\n".join((title, *lines)) for title, lines in sections)
    return types.Hover(contents=types.MarkupContent(kind=types.MarkupKind.PlainText, value=value))


def _reports(view: ShaderView, entry: str) -> Iterator[tuple[str, list[str]]]:
    for contract in view.contracts_of(entry):
        report = view.report_of(contract.name)
        lines = [] if report is None else list(_report(report))
        yield f"{contract.name}: {verdict_of(view, contract.name) or 'not executed yet'}", lines


def _report(report: ValidationReport) -> Iterator[str]:
    if report.adapter is not None:
        yield f"on {report.adapter.name}, {report.adapter.driver}"
    width = max((len(case.name) for case in report.cases[:MAX_CASES]), default=0)
    for case in report.cases[:MAX_CASES]:
        error = "" if case.max_absolute_error is None else f"  max error {case.max_absolute_error:.2g}"
        took = f"  {seconds(case.seconds)}" if case.seconds else ""
        yield f"{case.name:<{width}}  {case.status}{error}{took}"
    if len(report.cases) > MAX_CASES:
        yield f"and {len(report.cases) - MAX_CASES} more cases"


def _finding(found: Finding) -> tuple[str, list[str]]:
    rule = RULES.get(found.code)
    title = f"{found.severity.name.lower()}[{found.code}]" + (f" {rule.name}" if rule else "")
    lines = [found.message, *found.notes]
    if found.hint:
        lines.append(f"hint: {found.hint}")
    if rule is not None:
        lines.append(f"{found.code}: {rule.summary}")
    return title, lines


def _is_on_line(found: Finding, view: ShaderView, content: ClientText, line: int) -> bool:
    source = view.source_of(found.location.path)
    if source is None or source.text != content.text:
        return False
    place = content.range(found.location.span)
    return place.start.line <= line <= place.end.line


def _markdown(title: str, lines: list[str]) -> str:
    """A heading and a block of text as it stands: messages hold code and whatever names a shader has."""
    heading = re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", title)
    if not lines:
        return f"**{heading}**"
    text = "\n".join(lines)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return f"**{heading}**\n\n{fence}text\n{text}\n{fence}"
