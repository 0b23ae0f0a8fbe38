"""The report as SARIF 2.1.0, for code scanning and for viewers of static analysis.

Format: OASIS, Static Analysis Results Interchange Format 2.1.0 with Errata 01; section numbers below are its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pixel_core import __version__
from pixel_core.findings import Finding, Fix, Severity
from pixel_core.kernels.report import STATUSES, CheckReport, ValidationReport
from pixel_core.rules import RULES, Rule
from pixel_core.source import SourceText
from pixel_server.exit_codes import NOTHING_CODE, exit_code_of
from pixel_server.json_report import Json
from pixel_server.regions import Region, path_below, region_of, region_of_span, uri_below
from pixel_server.rule_pages import rule_page

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT_ID: Final = "%SRCROOT%"
FINGERPRINT: Final = "pixelLspFinding/v1"

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.HINT: "note"}

_LINE_BREAKS: Final = ("\r\n", "\n", "\r", "\v", "\f", "\u0085", "\u2028", "\u2029")
"""Where a line of WGSL ends; SARIF's default is the first two alone."""


def sarif_report(report: CheckReport, root: Path) -> str:
    """The report as the text of a SARIF log with one run, ASCII alone, with a final line break.

    Args:
        report: What the check came to.
        root: Folder that paths are named from, `%SRCROOT%` in the log; files elsewhere get absolute URIs.
    """
    findings = [(finding, None) for finding in report.findings]
    findings += [(finding, kernel.contract) for kernel in report.kernels for finding in kernel.findings]
    codes = sorted({finding.code for finding, _ in findings})
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "pixel-lsp",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(RULES[code]) for code in codes],
            }
        },
        "invocations": [{"executionSuccessful": exit_code_of(report, strict=False) != NOTHING_CODE}],
        "originalUriBaseIds": {ROOT_ID: {"description": {"text": "The root of the repository, else the folder in which pixel-lsp ran."}}},
        "columnKind": "utf16CodeUnits",
        "newlineSequences": list(_LINE_BREAKS),
        "results": _results(findings, codes, report.sources, root),
        "properties": {
            "kernels": [_kernel(kernel, root) for kernel in report.kernels],
            "summary": {status: report.count(status) for status in STATUSES},
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _rule(rule: Rule) -> Json:
    page = rule_page(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": f"{rule.summary}\n\n{rule.explanation}\n\nWhat to do: {rule.remedy}", "markdown": page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _results(
    findings: Sequence[tuple[Finding, str | None]], codes: Sequence[str], sources: Mapping[Path, SourceText], root: Path
) -> list[Json]:
    seen: Counter[str] = Counter()
    results: list[Json] = []
    for finding, contract in findings:
        key = _identity(finding, contract, sources, root)
        seen[key] += 1
        fingerprint = hashlib.sha256(f"{key}\0{seen[key]}".encode(errors="surrogatepass")).hexdigest()
        result: dict[str, Json] = {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": _LEVELS[finding.severity],
            "message": _message("\n".join((finding.message, *finding.notes, *((f"hint: {finding.hint}",) if finding.hint else ())))),
            "locations": [{"physicalLocation": _place(finding.location.path, region_of(finding.location, sources), root)}],
            "partialFingerprints": {FINGERPRINT: fingerprint},
        }
        if finding.labels:
            result["relatedLocations"] = [
                {
                    "id": number,
                    "message": _message(label.message),
                    "physicalLocation": _place(label.location.path, region_of(label.location, sources), root),
                }
                for number, label in enumerate(finding.labels)
            ]
        source = sources.get(finding.location.path)
        if finding.fix is not None and source is not None:
            result["fixes"] = [_fix(finding.fix, source, root)]
        results.append(result)
    return results


def _identity(finding: Finding, contract: str | None, sources: Mapping[Path, SourceText], root: Path) -> str:
    """What stays the same about a finding while other lines move and numbers in its message change (section 3.27.16)."""
    source = sources.get(finding.location.path)
    line = "" if source is None else source.line(region_of(finding.location, sources).line)
    place = path_below(finding.location.path, root) or finding.location.path.name
    return "\0".join((finding.code, place, contract or "", " ".join(line.split())))


def _message(text: str) -> Json:
    # Section 3.11.5: braces delimit placeholders, so those that are meant stand twice. Section 3.11.6: `[text](target)` is a link.
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")}


def _place(path: Path, region: Region, root: Path) -> Json:
    return {"artifactLocation": _artifact(path, root), "region": _region(region)}


def _artifact(path: Path, root: Path) -> Json:
    uri = uri_below(path, root)
    if uri is None:
        return {"uri": Path(os.path.abspath(path)).as_uri()}  # noqa: PTH100 - resolve() would follow links and change the name
    return {"uri": uri, "uriBaseId": ROOT_ID}


def _region(region: Region) -> Json:
    return {"startLine": region.line, "startColumn": region.column, "endLine": region.end_line, "endColumn": region.end_column}


def _fix(fix: Fix, source: SourceText, root: Path) -> Json:
    replacement: Json = {"deletedRegion": _region(region_of_span(fix.span, source)), "insertedContent": {"text": fix.new_text}}
    return {
        "description": _message(fix.title),
        "artifactChanges": [{"artifactLocation": _artifact(source.path, root), "replacements": [replacement]}],
    }


def _kernel(kernel: ValidationReport, root: Path) -> Json:
    return {
        "shader": uri_below(kernel.shader, root) or os.fspath(kernel.shader),
        "contract": kernel.contract,
        "status": kernel.status,
        "cases": len(kernel.cases),
        "adapter": kernel.adapter.name if kernel.adapter else None,
    }
