from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pixel_core.findings import Finding, Label, Location, Severity, Span
from pixel_core.source import SourceText
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_findings import MAX_FINDINGS, render_findings

SHADER = SourceText(
    Path("/project/matmul.wgsl"),
    "struct Size { m: u32, n: u32, k: u32 }\n\nfn matmul() {\n    let row = global.y;\n    c[row * size.n + col] = sum;\n}\n",
)
SIDECAR = SourceText(Path("/project/matmul.contract.toml"), '[matmul]\nexpect = { c = "a @ b" }\n')


def location(source: SourceText, text: str) -> Location:
    start = source.text.index(text)
    return source.location(Span(start, start + len(text)))


WRONG = Finding(
    code="PX401",
    severity=Severity.ERROR,
    message="c is wrong in 33 of 2,145 elements  (case M=65 N=33 K=20, device llvmpipe)",
    location=location(SHADER, "c[row * size.n + col]"),
    labels=(Label(location(SHADER, "c[row * size.n + col]"), "this store writes them"),),
    notes=(
        "all in the last row (row 64), the only row of the second workgroup row",
        "first c[64, 0]: expected 3.2187, got 0 (error 3.2, bound 4.1e-6); worst c[64, 17]: expected -9.004, got 0",
    ),
    hint="compare `row` with `size.m`",
)


def rendered(*findings: Finding, medium: Medium | None = None) -> str:
    sources = {source.path: source for source in (SHADER, SIDECAR)}
    return render_findings(findings, sources, medium or Medium(width=100, folder=Path("/project"))).plain


def test_a_wrong_result_reads_as_the_design_says() -> None:
    assert (
        rendered(WRONG)
        == """\
error[PX401]: c is wrong in 33 of 2,145 elements  (case M=65 N=33 K=20, device llvmpipe)
  ┌─ matmul.wgsl:5:5
5 │     c[row * size.n + col] = sum;
  │     ^^^^^^^^^^^^^^^^^^^^^ this store writes them
  = all in the last row (row 64), the only row of the second workgroup row
  = first c[64, 0]: expected 3.2187, got 0 (error 3.2, bound 4.1e-6); worst c[64, 17]: expected -9.004, got 0
  = hint: compare `row` with `size.m`

"""
    )


def test_labels_in_other_places_and_other_files(golden: Callable[[str, str], None]) -> None:
    finding = Finding(
        code="PX302",
        severity=Severity.WARNING,
        message="`c` has no truth",
        location=location(SIDECAR, '"a @ b"'),
        labels=(
            Label(location(SHADER, "let row"), "declared here"),
            Label(location(SHADER, "sum"), "stored here"),
            Label(location(SIDECAR, "[matmul]"), "of this contract"),
            Label(Location(Path("/elsewhere/ref.py"), Span(3, 5)), "not shown"),
        ),
    )
    golden("terminal/labels.txt", rendered(finding))


def test_every_severity_says_its_name() -> None:
    findings = [Finding(code="PX999", severity=severity, message="m", location=Location(SHADER.path)) for severity in Severity]
    assert rendered(*findings).split("\n\n") == [
        "error[PX999]: m\n  ┌─ matmul.wgsl",
        "warning[PX999]: m\n  ┌─ matmul.wgsl",
        "info[PX999]: m\n  ┌─ matmul.wgsl",
        "hint[PX999]: m\n  ┌─ matmul.wgsl",
        "",
    ]


def test_a_file_that_is_not_known_is_named_without_excerpt() -> None:
    finding = Finding(
        code="PX903", severity=Severity.ERROR, message="no such file", location=Location(Path("/else/where.wgsl"), Span(0, 1))
    )
    assert rendered(finding) == "error[PX903]: no such file\n  ┌─ /else/where.wgsl\n\n"


def test_text_of_several_lines_is_indented() -> None:
    finding = Finding(code="PX201", severity=Severity.ERROR, message="one\ntwo", location=Location(SHADER.path), notes=("three\nfour",))
    assert rendered(finding) == "error[PX201]: one\n  two\n  ┌─ matmul.wgsl\n  = three\n    four\n\n"


def test_escape_sequences_in_messages_do_not_reach_the_terminal() -> None:
    finding = Finding(
        code="PX201", severity=Severity.ERROR, message="\x1b]0;title\x07", location=Location(Path("a\x1b.wgsl")), hint="\x9b2J"
    )
    assert not set(rendered(finding)) & {"\x1b", "\x07", "\x9b"}


def test_markup_of_rich_is_no_markup() -> None:
    finding = Finding(code="PX201", severity=Severity.ERROR, message="[red]a[/red] [link=x]", location=Location(SHADER.path))
    assert rendered(finding).startswith("error[PX201]: [red]a[/red] [link=x]\n")


def test_an_ascii_terminal(golden: Callable[[str, str], None]) -> None:
    text = rendered(WRONG, medium=Medium(width=100, encoding="ascii", folder=Path("/project")))
    assert text.isascii()
    golden("terminal/ascii.txt", text)


def test_a_flood_is_cut() -> None:
    text = rendered(*[WRONG] * (MAX_FINDINGS + 1234))
    assert text.count("error[PX401]") == MAX_FINDINGS
    assert text.endswith("\n\n… and 1,234 more (`--format json` has them all)\n\n")
