from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol.types import DiagnosticSeverity, Position, Range

from pixel_core.findings import Finding, Label, Location, Severity, Span
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.to_lsp import Places, to_diagnostic

PATH = Path("/w/k.wgsl")
TEXT = "fn f() {\r\n  /* 😀é */ x = 1;\u2028 y;\n}\n"


def places(client: Client) -> Places:
    return Places(client=client, uri_of=Path.as_uri, texts={PATH: ClientText(TEXT, client.encoding)}, rules="file:///rules.md")


def span(words: str) -> Span:
    start = TEXT.index(words)
    return Span(start, start + len(words))


FOUND = Finding(
    code="PX401",
    severity=Severity.ERROR,
    message="y is wrong",
    location=Location(PATH, span("x = 1")),
    labels=(Label(Location(PATH, span("x = 1")), "this store writes it"), Label(Location(PATH, span("f()")), "called here")),
    notes=("first y[0]",),
    hint="look",
)


@pytest.mark.parametrize(("encoding", "start"), [("utf-8", 15), ("utf-16", 12), ("utf-32", 11)])
def test_columns_count_as_agreed(encoding: str, start: int) -> None:
    shown = to_diagnostic(FOUND, places(Client(encoding=encoding)))
    assert shown.range == Range(Position(1, start), Position(1, start + 5))


def test_a_line_separator_of_wgsl_is_none_of_the_protocol() -> None:
    text = ClientText(TEXT, "utf-16")
    assert text.position(TEXT.index("y;")) == Position(1, 20)
    assert text.offset(Position(1, 20)) == TEXT.index("y;")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_and_offsets_are_each_others_inverse(encoding: str) -> None:
    text = ClientText(TEXT, encoding)
    for offset in range(len(TEXT) + 1):
        if TEXT[offset - 1 : offset + 1] != "\r\n":
            assert text.offset(text.position(offset)) == offset


@pytest.mark.parametrize(("line", "character", "offset"), [(0, 99, 8), (99, 0, len(TEXT)), (1, 99, TEXT.index("\n}"))])
def test_positions_outside_are_taken_for_the_nearest(line: int, character: int, offset: int) -> None:
    assert ClientText(TEXT, "utf-16").offset(Position(line, character)) == offset


def test_everything_that_the_client_can_show() -> None:
    shown = to_diagnostic(FOUND, places(Client(related_information=True, code_description=True)))
    assert shown.message == "y is wrong: this store writes it\nfirst y[0]\nhint: look"
    assert (shown.code, shown.severity, shown.source) == ("PX401", DiagnosticSeverity.Error, "pixel-lsp")
    assert shown.code_description is not None
    assert shown.code_description.href == "file:///rules.md#px401-wrong-result"
    assert shown.related_information is not None
    (related,) = shown.related_information
    assert (related.message, related.location.uri, related.location.range.start) == ("called here", "file:///w/k.wgsl", Position(0, 3))


def test_what_the_client_cannot_show_stands_in_the_message() -> None:
    shown = to_diagnostic(FOUND, places(Client()))
    assert shown.message == "y is wrong: this store writes it\nk.wgsl:1: called here\nfirst y[0]\nhint: look"
    assert shown.related_information is None
    assert shown.code_description is None


def test_a_finding_of_a_whole_file_stands_at_its_beginning() -> None:
    whole = Finding(code="PX901", severity=Severity.ERROR, message="no", location=Location(Path("/w/other.wgsl")))
    assert to_diagnostic(whole, places(Client())).range == Range(Position(0, 0), Position(0, 0))
