from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol.types import Position

from pixel_core.kernels.examine import examine
from pixel_core.kernels.load_shader import understand
from pixel_core.source import SourceText
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.session import Analysis, Document, OpenShader, Session, Texts
from pixel_server.trust import Trust, TrustStore

PATH = Path("/nowhere/k.wgsl")
ANALYSED = "// first\n@compute @workgroup_size(1)\nfn main() {}\n// last\n"


def check(present: str, line: int, expected: int | None) -> None:
    """Which line of the text that was analysed a line of the present one was."""
    source = SourceText(PATH, ANALYSED)
    loaded = understand(source, None)
    analysis = Analysis(texts=Texts(shader=source, sidecar=None), loaded=loaded, examination=examine(loaded))
    shader = OpenShader(uri=PATH.as_uri(), path=PATH, is_file=True, analysis=analysis)
    session = Session(client=Client(), trust=Trust(TrustStore(Path("/nowhere"))))
    content = ClientText(present, session.client.encoding)
    document = Document(uri=shader.uri, path=PATH, is_file=True, version=2, language="wgsl", content=content)
    found = session.earlier_place(shader, document, Position(line, 3))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        view, text, position = found
        assert (view.analysis, view.is_current, view.version) == (analysis, False, None)
        assert (text.text, position) == (ANALYSED, Position(expected, 3))


@pytest.mark.parametrize(
    ("present", "line", "expected"),
    [
        (ANALYSED, 2, None),
        (ANALYSED + "fn f() {}\n", 2, 2),
        ("// more\n" + ANALYSED, 3, 2),
        (ANALYSED.replace("main", "mein"), 2, None),
        (ANALYSED.replace("main", "mein"), 3, 3),
    ],
)
def test_a_line_that_was_not_edited_is_found_in_the_text_that_was_analysed(present: str, line: int, expected: int | None) -> None:
    check(present, line, expected)


def test_an_analysis_that_read_an_oracle_is_forgotten_when_its_file_changes(tmp_path: Path) -> None:
    text = (
        '//! [main]\n//! shapes = { y = "1" }\n//! dispatch = 1\n//! TRUTH\n@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n'
    )
    text += "@compute @workgroup_size(1)\nfn main() { y[0] = 1u; }\n"
    session = Session(client=Client(), trust=Trust(TrustStore(tmp_path)))
    for truth, is_kept in (('expect = { y = "1" }', True), ('oracle = "sub/../other.wgsl:main"', False)):
        source = SourceText(tmp_path / "k.wgsl", text.replace("TRUTH", truth))
        loaded = understand(source, None)
        analysis = Analysis(texts=Texts(shader=source, sidecar=None), loaded=loaded, examination=examine(loaded))
        shader = OpenShader(uri=source.path.as_uri(), path=source.path, is_file=True, analysis=analysis)
        session.shaders[shader.uri] = shader
        assert session.shaders_resting_on([tmp_path / "other.wgsl"]) == (() if is_kept else (shader,))
        session.forget_oracle(shader)
        assert (shader.analysis is analysis) == is_kept
