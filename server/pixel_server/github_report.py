"""The report as workflow commands, which GitHub Actions turns into annotations of the lines that they name.

Escaping and order of the properties are those of @actions/core (packages/core/src/command.ts and utils.ts of actions/toolkit, version 3).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.report import STATUSES, CheckReport, status_words
from pixel_core.rules import RULES
from pixel_core.source import SourceText
from pixel_server.regions import path_below, region_of
from pixel_server.verdict_words import count

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice", Severity.HINT: "notice"}


def github_report(report: CheckReport, root: Path) -> str:
    """One command a line: a finding each, and a notice that counts the kernels.

    Args:
        report: What the check came to.
        root: The repository; GitHub wants paths from there.
    """
    lines = [_annotation(finding, report.sources, root) for finding in report.all_findings()]
    lines.append(_command("notice", {"title": "pixel-lsp"}, _summary(report)))
    return "".join(f"{line}\n" for line in lines)


def _annotation(finding: Finding, sources: Mapping[Path, SourceText], root: Path) -> str:
    properties = {
        "title": f"{finding.code} {RULES[finding.code].name}",
        "file": path_below(finding.location.path, root) or os.fspath(finding.location.path),
    }
    if finding.location.span is not None and finding.location.path in sources:
        region = region_of(finding.location, sources)
        is_one_line = region.line == region.end_line
        properties["line"] = str(region.line)
        properties["endLine"] = str(region.end_line)
        if is_one_line:  # The runner drops columns of an annotation that spans lines.
            properties["col"] = str(region.column)
            properties["endColumn"] = str(region.end_column)
    places = (f"{_label_place(label.location.path, root)}: {label.message}" for label in finding.labels)
    hint = (f"hint: {finding.hint}",) if finding.hint else ()
    return _command(_COMMANDS[finding.severity], properties, "\n".join((finding.message, *places, *finding.notes, *hint)))


def _label_place(path: Path, root: Path) -> str:
    return path_below(path, root) or os.fspath(path)


def _summary(report: CheckReport) -> str:
    if not report.kernels:
        return "nothing was checked"
    said = ", ".join(f"{report.count(status):,} {status_words(status)}" for status in STATUSES if report.count(status))
    return f"{count(len(report.kernels), 'kernel')}: {said}"


def _command(name: str, properties: Mapping[str, str], message: str) -> str:
    said = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {said}::{_escape_data(message)}"


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
