"""The other steps by example, and what becomes of findings: each stands on what somebody wrote, or is not told as if it did."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pixel_core.dialects.align_output import align_output
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.files import Files
from pixel_core.findings import Finding, Span
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.source import SourceText


def load(folder: Path, prepare: str, text: str, **others: str) -> LoadedShader:
    (folder / "pyproject.toml").touch()
    for name, other in others.items():
        (folder / name.replace("__", ".")).write_text(other, encoding="utf-8")
    path = folder / "k.wgsl"
    path.write_text(text, encoding="utf-8")
    contract = f'[k]\ndims = "n"\nprepare = {prepare}\ndispatch = 1\nexpect = {{ y = "x" }}\n'
    path.with_name("k.contract.toml").write_text(contract, encoding="utf-8")
    loaded = load_shader(path, Surroundings(may_run=True))
    assert not isinstance(loaded, Finding)
    return loaded


def places(loaded: LoadedShader, folder: Path) -> list[tuple[str, str, str]]:
    """Of every finding its message, its file and the text that it stands at."""
    shown: list[tuple[str, str, str]] = []
    for one in loaded.told(loaded.findings):
        text = loaded.sources[one.location.path].text
        assert one.location.span is not None
        shown.append((one.message, one.location.path.name, text[one.location.span.start : one.location.span.end]))
    return shown


@pytest.mark.parametrize(
    ("prepare", "text", "wgsl"),
    [
        ("[{ strip = ['import ', 'export '] }]", "import a;\n  export b;\nconst x = 1;\n", "\n\nconst x = 1;\n"),
        ("[{ strip = { after = 'wgsl`', before = '`' } }]", "let a = wgsl`\nconst x = 1;\n`;\nmore`", "\nconst x = 1;\n\n"),
        ("[{ strip = { from = '<!--', to = '-->' } }]", "a<!-- b\n -->c<!----> d", "a\nc d"),
        ("[{ template = { n = 3, type = 'f32' } }]", "{% for i in range(n) %}{{ type }} {{ i }};{% endfor %}\n", "f32 0;f32 1;f32 2;\n"),
        ("[{ template = { N = 3 }, delimiters = ['${', '}'] }]", "const n = ${N * 2}; {{ x }}\n", "const n = 6; {{ x }}\n"),
        ("[{ template = { } }]", "a  {%- if true -%}  b\r\n{%- endif %}\r\nc", "ab\nc"),
        ("[{ concat = ['a.wgsl', '.'] }]", "second", "first\nsecond"),
        ("[{ concat = 'a.wgsl' }]", "second", "first\nsecond"),
        ("[{ strip = ['import '] }, { define = { N = 4 } }]", "import x;\nN", "\n4"),
        ("{ define = { T = 'vec2<f32>', B = true, F = 1.5 } }", "T B F", "vec2<f32> true 1.5"),
    ],
)
def test_it_makes(tmp_path: Path, prepare: str, text: str, wgsl: str) -> None:
    loaded = load(tmp_path, prepare, text, a__wgsl="first")
    assert loaded.wgsl.text == wgsl
    assert loaded.is_prepared


@pytest.mark.parametrize(
    ("prepare", "text", "message", "at"),
    [
        ("[{ strip = ['import '] }]", "import ä;\nconst é = größe;\n", "unknown name `größe`", ("k.wgsl", "größe")),
        ("[{ strip = { after = '`', before = '`' } }]", "🎉`const a = b;`", "unknown name `b`", ("k.wgsl", "b")),
        ("[{ template = { n = 'b' } }]", "/* é */ const a = {{ n }};\n", "unknown name `b`", ("k.wgsl", "{{ n }}")),
        ("[{ template = {} }]", "{# é #}const a{{ 1 }} = b;\n", "unknown name `b`", ("k.wgsl", "b")),
        ("[{ concat = ['a.wgsl', '.'] }]", "const c = 1;", "unknown name `b`", ("a.wgsl", "b")),
        ("[{ define = { N = 'b' } }]", "const é = N;", "unknown name `b`", ("k.wgsl", "N")),
    ],
)
def test_a_finding_stands_on_what_was_written(tmp_path: Path, prepare: str, text: str, message: str, at: tuple[str, str]) -> None:
    loaded = load(tmp_path, prepare, text, a__wgsl="const a = b;")
    assert places(loaded, tmp_path) == [(message, *at)]


def test_a_template_that_includes_is_told_what_to_do(tmp_path: Path) -> None:
    loaded = load(tmp_path, "[{ template = {} }]", "const a = 1;\n{% include 'a.wgsl' %}\n", a__wgsl="const b = 1;\n")
    (finding,) = loaded.findings
    assert finding.message == "the template cannot be rendered: there are no other files for it to include"
    assert finding.hint == 'leave the line out with `strip`, and put the file before this one: `{ concat = ["structs.wgsl", "."] }`'
    prepare = "[{ strip = ['{% include'] }, { concat = ['a.wgsl', '.'] }, { template = {} }]"
    mended = load(tmp_path, prepare, "const a = b;\n{% include 'a.wgsl' %}\n", a__wgsl="const b = 1;\n")
    assert mended.findings == ()


def test_a_program_says_by_markers_where_its_lines_are_from(tmp_path: Path) -> None:
    program = "import sys; lines = sys.stdin.read().splitlines(); print(lines[2]); print('#line 1'); print(lines[0].upper())"
    other = "print('# 2 \\\"a.wgsl\\\"'); print('const d = e;')"
    prepare = f'[{{ command = [{str(sys.executable)!r}, "-c", "{program}; {other}"] }}]'
    loaded = load(tmp_path, prepare, "alias b = c;\nx\n// é\n", a__wgsl="\nconst d = e;\n")
    assert loaded.wgsl.text == "// é\nALIAS B = C;\nconst d = e;\n"
    assert ("unknown name `e`", "a.wgsl", "e") in places(loaded, tmp_path)
    assert {file for _, file, _ in places(loaded, tmp_path)} == {"k.wgsl", "a.wgsl"}


def test_a_program_without_markers_is_compared_line_by_line() -> None:
    text = "first\nconst a = ONE;\nthird\nfourth é b\n"
    source = SourceText(Path("/k.wgsl"), text)
    made = align_output(
        "new\nfirst\nconst a = 1.0;\nfourth é b\n", ExpandedText.of(source), source.path, Files(read=lambda _: "is no file")
    )

    def at(part: str) -> str:
        start = made.text.index(part)
        span = made.origin(Span(start, start + len(part))).location.span
        assert span is not None
        return text[span.start : span.end]

    assert at("first") == "first"
    assert at("const a") == "const a"
    assert at("1.0") == "ONE"
    assert at(";") == ";"
    assert at("é b") == "é b"
    start = made.text.index("1.0")
    assert made.editable(Span(start, start + 3)) is None
    assert made.editable(Span(start - 4, start)) is not None


def test_a_fix_is_kept_where_it_changes_just_that_and_dropped_elsewhere(tmp_path: Path) -> None:
    broken = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;\n@compute @workgroup_size(1) fn k() { y[0] = 1.0 BRACE"
    plain = load(tmp_path, "[{ define = {} }]", "#define X 1\n" + broken.replace("BRACE", "}"))
    fixed = [one for one in plain.told(plain.findings) if one.fix is not None]
    assert [one.fix.new_text for one in fixed if one.fix] == [";"]
    assert [plain.source.text[one.fix.span.start - 3 : one.fix.span.start] for one in fixed if one.fix] == ["1.0"]
    macro = load(tmp_path, "[{ define = {} }]", "#define STORE y[0] = 1.0 }\n" + broken.replace("y[0] = 1.0 BRACE", "STORE"))
    told = macro.told(macro.findings)
    assert [(one.message, one.fix) for one in told] == [(fixed[0].message, None)]
    assert [macro.source.text[one.location.span.start : one.location.span.end] for one in told if one.location.span] == ["STORE"]


def test_contracts_with_other_steps_are_other_shaders_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "k.wgsl"
    head = '[{name}]\nentry = "main"\nprepare = {{ define = {{ {define} }} }}\ndispatch = 1\nexpect = {{ y = "ones((1,))" }}\n'
    toml = head.format(name="a", define="A = 1") + head.format(name="b", define="B = 1") + head.format(name="c", define="A = 1")
    text = "#ifdef A\nfn only_a() -> f32 { return q; }\n#else\nfn only_b() -> f32 { return r; }\n#endif\n"
    path.write_text(text, encoding="utf-8")
    path.with_name("k.contract.toml").write_text(toml, encoding="utf-8")
    loaded = load_shader(path)
    assert isinstance(loaded, LoadedShader)
    assert [[contract.name for contract in one.contracts.contracts] for one in loaded.all_variants] == [["a", "c"], ["b"]]
    assert [one.told(one.findings)[0].message for one in loaded.all_variants] == ["unknown name `q`", "unknown name `r`"]


def test_included_files_are_files_of_the_shader_whether_they_exist_or_not(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    loaded = load(tmp_path, "[{ define = {}, include = ['lib'] }]", '#include "a.wgsl"\n#include "gone.wgsl"\n', a__wgsl="const a = 1;")
    assert set(loaded.files) >= {tmp_path / "a.wgsl", tmp_path / "gone.wgsl", tmp_path / "lib" / "gone.wgsl"}


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ("[]", "`prepare` is an array"),
        ("'x'", "`prepare` is a string"),
        ("[{}]", "this step does nothing"),
        ("[{ defne = {} }]", "unknown key `defne`"),
        ("[{ define = {}, strip = 'x' }]", "a step does one thing, and this one has `define` and `strip`"),
        ("[{ define = { '1' = 2 } }]", "`1` cannot be the name of a macro"),
        ("[{ define = { A = [] } }]", "`prepare[0].define.A` is an array"),
        ("[{ strip = '' }]", "every line begins with an empty text"),
        ("[{ strip = { after = 'a', to = 'b' } }]", "these marks do not say what is left out"),
        ("[{ strip = { after = '' } }]", "an empty text is no mark"),
        ("[{ template = 1 }]", "`prepare[0].template` is an integer"),
        ("[{ template = {}, delimiters = ['a'] }]", "two different texts are needed"),
        ("[{ concat = 1 }]", "`prepare[0].concat` is an integer"),
        ("[{ command = [] }]", "a program is needed"),
        (f"[{', '.join(['{ define = {} }'] * 17)}]", "17 steps in `prepare`; at most 16 are taken"),
    ],
)
def test_a_mistake_in_prepare_is_told(prepare: str, message: str) -> None:
    toml = f'[k]\ndispatch = 1\nprepare = {prepare}\nexpect = {{ y = "x" }}\n'
    read = read_contracts(SourceText(Path("k.wgsl"), ""), None, SourceText(Path("k.contract.toml"), toml))
    assert [one.message for one in read.findings][:1] == [message]
    assert read.preparations == ()


def test_what_is_searched_are_folders(tmp_path: Path) -> None:
    for name, why in (("a.wgsl", "is no folder"), ("gone", "does not exist")):
        loaded = load(tmp_path, f"[{{ include = '{name}' }}]", "", a__wgsl="")
        assert places(loaded, tmp_path) == [(f"`{name}` {why}", "k.contract.toml", name)]


def test_marks_that_do_not_occur_are_told_in_the_contract(tmp_path: Path) -> None:
    for prepare in ("[{ strip = ['gone'] }]", "[{ strip = { before = 'gone' } }]", "[{ strip = { from = 'gone', to = 'x' } }]"):
        loaded = load(tmp_path, prepare, "const a = 1;\n")
        assert places(loaded, tmp_path) == [("`gone` does not occur in the text, so `strip` finds nothing here", "k.contract.toml", "gone")]
