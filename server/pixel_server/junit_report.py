"""The report as JUnit XML, as Jenkins, GitLab and others read it: a suite for each kernel, a test case for each of its cases.

What failed is a `failure`, what was inconclusive an `error`, what did not run or is partly proved `skipped`; nothing of that ever
counts as passed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import msgspec

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.report import (
    FAILED,
    INCONCLUSIVE,
    PARTLY_PROVED,
    PASSED,
    SKIPPED,
    CaseReport,
    CheckReport,
    ValidationReport,
    status_words,
)
from pixel_core.source import SourceText
from pixel_server.discover import sidecar_of
from pixel_server.regions import path_below, region_of

_TAGS: Final = {FAILED: "failure", INCONCLUSIVE: "error", SKIPPED: "skipped", PARTLY_PROVED: "skipped"}

_WHOLE: Final = "contract"
"""The test case for what a kernel as a whole came to, where its cases do not say it."""


def junit_report(report: CheckReport, root: Path) -> str:
    """The report as the text of an XML document, ASCII alone, with a final line break.

    Args:
        report: What the check came to.
        root: Folder that paths are named from.
    """
    suites = [_suite(kernel, report, root) for kernel in report.kernels]
    known = {path for kernel in report.kernels for path in _files(kernel)}
    stray = [finding for finding in report.findings if finding.severity is Severity.ERROR and finding.location.path not in known]
    if stray or not report.kernels:
        suites.append(_stray_suite(stray, report.sources, root))
    whole = ElementTree.Element("testsuites", {"name": "pixel-lsp", **_totals(suites)})
    whole.extend(suites)
    ElementTree.indent(whole)
    # ASCII with character references is the same document in any encoding of the stream.
    return ElementTree.tostring(whole, encoding="us-ascii", xml_declaration=True).decode("ascii") + "\n"


def _suite(kernel: ValidationReport, report: CheckReport, root: Path) -> ElementTree.Element:
    file = path_below(kernel.shader, root) or os.fspath(kernel.shader)
    name = f"{file}::{kernel.contract}" if kernel.contract else file
    told = (*kernel.findings, *(finding for finding in report.findings if finding.location.path in _files(kernel)))
    cases = [_test_case(_said(kernel, case, told), name, file, report.sources, root) for case in kernel.cases]
    if all(case.status != kernel.status for case in kernel.cases):
        # The shader does not compile, the contract is mistaken, or too few of its cases are informative.
        shown = [finding for finding in told if kernel.status != FAILED or finding.severity is Severity.ERROR] or told
        cases.append(_test_case(_Said(name=_WHOLE, status=kernel.status, findings=tuple(shown)), name, file, report.sources, root))
    suite = ElementTree.Element("testsuite", {"name": _text(name), "file": _text(file)})
    if kernel.adapter is not None:
        properties = ElementTree.SubElement(suite, "properties")
        for key, value in (("engine", kernel.engine or ""), ("adapter", kernel.adapter.name), ("driver", kernel.adapter.driver)):
            ElementTree.SubElement(properties, "property", {"name": key, "value": _text(value)})
    suite.extend(cases)
    suite.attrib.update(_totals([suite]))
    return suite


def _files(kernel: ValidationReport) -> tuple[Path, Path]:
    return kernel.shader, sidecar_of(kernel.shader)


def _stray_suite(findings: Iterable[Finding], sources: Mapping[Path, SourceText], root: Path) -> ElementTree.Element:
    """What belongs to no kernel: a path that names nothing, an engine that is not there. An error, so that no reader sees success."""
    suite = ElementTree.Element("testsuite", {"name": "pixel-lsp"})
    for number, finding in enumerate(findings, 1):
        said = _Said(name=f"{finding.code} {number}", status=INCONCLUSIVE, findings=(finding,))
        file = path_below(finding.location.path, root) or os.fspath(finding.location.path)
        suite.append(_test_case(said, "pixel-lsp", file, sources, root))
    if not len(suite):
        suite.append(_test_case(_Said(name="nothing was checked", status=INCONCLUSIVE), "pixel-lsp", "", sources, root))
    suite.attrib.update(_totals([suite]))
    return suite


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """A test case to be, with the findings that explain it."""

    name: str
    status: str
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0


def _said(kernel: ValidationReport, case: CaseReport, told: Iterable[Finding]) -> _Said:
    """A case with the findings that name it; with all that speak of errors where none does."""
    about = [finding for finding in told if any(case.name in text for text in (finding.message, *finding.notes))]
    errors = [finding for finding in kernel.findings if finding.severity is Severity.ERROR or finding.code == "PX394"]
    return _Said(name=case.name, status=case.status, findings=tuple(about or errors), seconds=case.seconds)


def _test_case(said: _Said, group: str, file: str, sources: Mapping[Path, SourceText], root: Path) -> ElementTree.Element:
    attributes = {"classname": _text(group), "name": _text(said.name), "file": _text(file), "time": f"{said.seconds:.6f}"}
    element = ElementTree.Element("testcase", attributes)
    if said.status != PASSED:
        first = said.findings[0] if said.findings else None
        message = first.message if first else status_words(said.status)
        outcome = ElementTree.SubElement(element, _TAGS.get(said.status, "error"), {"message": _text(message)})
        if said.status not in (SKIPPED, PARTLY_PROVED):
            outcome.set("type", first.code if first else said.status)
        outcome.text = _text("\n\n".join("\n".join(_lines(finding, sources, root)) for finding in said.findings))
    return element


def _lines(finding: Finding, sources: Mapping[Path, SourceText], root: Path) -> Iterator[str]:
    yield f"{finding.severity.name.lower()}[{finding.code}]: {finding.message}"
    region = region_of(finding.location, sources)
    yield f"{path_below(finding.location.path, root) or finding.location.path}:{region.line}:{region.column}"
    for label in finding.labels:
        place = region_of(label.location, sources)
        yield f"{path_below(label.location.path, root) or label.location.path}:{place.line}:{place.column}: {label.message}"
    yield from finding.notes
    if finding.hint:
        yield f"hint: {finding.hint}"


def _totals(suites: Iterable[ElementTree.Element]) -> dict[str, str]:
    cases = [case for suite in suites for case in suite.iter("testcase")]
    counts = {"tests": len(cases)}
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[plural] = sum(case.find(tag) is not None for case in cases)
    seconds = sum(float(case.get("time", "0")) for case in cases)
    return {**{name: str(number) for name, number in counts.items()}, "time": f"{seconds:.6f}"}


def _text(text: str) -> str:
    """The text without what XML 1.0 (section 2.2) cannot hold, not even as a reference: controls, halves of surrogate pairs."""
    return "".join(
        one if one in "\t\n\r" or (one >= " " and not _is_no_character(ord(one))) else "\N{REPLACEMENT CHARACTER}" for one in text
    )


def _is_no_character(code: int) -> bool:
    return 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)
