"""A whole report in the terminal: the findings, then the summary."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from pixel_core.kernels.report import CheckReport
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.render_findings import render_findings
from pixel_server.terminal.render_summary import render_summary


def write_report(report: CheckReport, console: Console) -> None:
    """Write a report. Sentences are wrapped by the terminal, never by us, so that they can be searched and copied whole."""
    medium = medium_of(console, Path.cwd())
    findings = report.all_findings()
    if findings:
        console.print(render_findings(findings, report.sources, medium), end="", soft_wrap=True)
    console.print(render_summary(report, medium), soft_wrap=True)
