"""What is known of the thing under the cursor beside the diagnostics: the last report of its kernel, what the rules of its line mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from lsprotocol import types

from pixel_core.findings import Finding
from pixel_core.kernels.report import ValidationReport, status_words
from pixel_core.rules import RULES
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.features.code_lens import verdict_of
from pixel_server.features.diagnostics import findings_of
from pixel_server.session import ShaderView
from pixel_server.verdict_words import seconds

MAX_CASES: Final = 20
"""Cases listed in a hover; the report holds them all."""


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a hover: a title, paragraphs of our own in Markdown, and lines as they stand."""

    title: str
    prose: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


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
    found = [one for one in findings_of(view) if _is_on_line(one, view, content, position.line)]
    contracts = [contract for kernel in _kernels(view) if any(one in kernel.findings for one in found) and (contract := kernel.contract)]
    if content.text == source.text:
        for entry in view.analysis.loaded.entry_points:
            if entry.span.start <= offset <= entry.span.end:
                contracts.extend(contract.name for contract in view.contracts_of(entry.name))
    sections = [_rule(code) for code in dict.fromkeys(one.code for one in found) if code in RULES]
    sections.extend(_last_report(view, contract) for contract in dict.fromkeys(contracts))
    if not sections:
        return None
    kind, draw = (types.MarkupKind.Markdown, _markdown) if client.markdown_hover else (types.MarkupKind.PlainText, _plain)
    return types.Hover(contents=types.MarkupContent(kind=kind, value="\n\n".join(map(draw, sections))))


def _kernels(view: ShaderView) -> Sequence[ValidationReport]:
    return view.verdict.report.kernels if view.is_current and view.verdict is not None else ()


def _last_report(view: ShaderView, contract: str) -> _Section:
    report = view.report_of(contract)
    lines = () if report is None else tuple(_report(report))
    return _Section(title=f"{contract}: {verdict_of(view, contract) or 'not executed yet'}", lines=lines)


def _report(report: ValidationReport) -> Iterator[str]:
    if report.adapter is not None:
        yield f"on {report.adapter.name}, {report.adapter.driver}"
    width = max((len(case.name) for case in report.cases[:MAX_CASES]), default=0)
    for case in report.cases[:MAX_CASES]:
        error = "" if case.max_absolute_error is None else f"  max error {case.max_absolute_error:.2g}"
        took = f"  {seconds(case.seconds)}" if case.seconds else ""
        yield f"{case.name:<{width}}  {status_words(case.status)}{error}{took}"
    if len(report.cases) > MAX_CASES:
        yield f"and {len(report.cases) - MAX_CASES} more cases"


def _rule(code: str) -> _Section:
    """What is to be known of a rule beside its finding, whose own words the editor shows anyway."""
    rule = RULES[code]
    return _Section(title=f"{code} {rule.name}", prose=(rule.summary, f"What to do: {rule.remedy}"))


def _is_on_line(found: Finding, view: ShaderView, content: ClientText, line: int) -> bool:
    source = view.source_of(found.location.path)
    if source is None or source.text != content.text:
        return False
    place = content.range(found.location.span)
    return place.start.line <= line <= place.end.line


def _plain(section: _Section) -> str:
    return "\n".join((section.title, *section.prose, *section.lines))


def _markdown(section: _Section) -> str:
    """Lines go into a block of text: they hold code, and whatever names a shader has."""
    heading = re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", section.title)
    parts = [f"**{heading}**", *section.prose]
    if section.lines:
        text = "\n".join(section.lines)
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
        parts.append(f"{fence}text\n{text}\n{fence}")
    return "\n\n".join(parts)
