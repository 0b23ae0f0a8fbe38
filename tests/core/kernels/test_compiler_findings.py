from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.engines.compilers import AbsentCompiler, Compiler, CompilerMessage, CompilerVerdicts, MessageLabel, compile_with
from pixel_core.engines.device import open_device_engine
from pixel_core.engines.naga import NagaCompiler
from pixel_core.engines.tint import open_tint
from pixel_core.findings import Finding, Severity, Span
from pixel_core.kernels.compiler_findings import absence_findings, compiler_findings, place_message
from pixel_core.kernels.load_shader import LoadedShader, understand
from pixel_core.source import SourceText
from pixel_testing.invalid_shaders import INVALID_SHADERS, InvalidShader

STRANGE = "/* 😀é */ "
"""Four UTF-8 bytes and two UTF-16 units, then two bytes: whoever counts something else than code points is found out."""


@pytest.fixture(scope="module")
def compilers() -> dict[str, Compiler]:
    tint = open_tint()
    assert not isinstance(tint, AbsentCompiler)
    return {"naga": NagaCompiler(open_device_engine().refusal), "tint": tint}


def load(text: str) -> LoadedShader:
    return understand(SourceText(Path("k.wgsl"), text), None)


def marked_text(text: str, finding: Finding) -> str:
    span = finding.location.span
    assert span is not None
    return text[span.start : span.end]


def place_of(compilers: dict[str, Compiler], name: str, text: str) -> tuple[str, int]:
    """The text that the first error of a compiler is placed on, and its line; nothing and 0 where it takes the shader."""
    loaded = load(text)
    verdicts = compile_with(tuple(compilers.values()), text)
    errors = [one for one in verdicts.messages if one.compiler == name and one.severity is Severity.ERROR]
    if not errors:
        return "", 0
    span = place_message(errors[0], loaded, verdicts)
    return text[span.start : span.end], loaded.source.position(span.start)[0]


@pytest.mark.device
@pytest.mark.parametrize("shader", INVALID_SHADERS, ids=lambda shader: shader.name)
def test_each_compilers_error_stands_on_the_mistake(compilers: dict[str, Compiler], shader: InvalidShader) -> None:
    for name, expected in (("naga", shader.naga), ("tint", shader.tint)):
        assert place_of(compilers, name, shader.text) == (expected, shader.line if expected else 0), name


@pytest.mark.device
@pytest.mark.parametrize("shader", INVALID_SHADERS, ids=lambda shader: shader.name)
def test_it_does_so_behind_characters_of_several_bytes(compilers: dict[str, Compiler], shader: InvalidShader) -> None:
    text = "\n".join(STRANGE + line for line in shader.text.split("\n"))
    for name, expected in (("naga", shader.naga), ("tint", shader.tint)):
        wanted = expected.replace("\n", f"\n{STRANGE}")
        line = shader.line if expected else 0
        if shader.name == "missing-brace":
            # What follows the last token is a comment now, and the error still belongs to the token.
            wanted = expected
        assert place_of(compilers, name, text) == (wanted, line), name


def message(compiler: str, text: str, start: int, end: int, **more: object) -> CompilerMessage:
    return CompilerMessage(compiler=compiler, severity=Severity.ERROR, message=text, start=start, end=end, **more)  # type: ignore[arg-type]


def check(text: str, messages: tuple[CompilerMessage, ...], *expected: tuple[str, Severity, str, str]) -> list[Finding]:
    findings = compiler_findings(load(text), CompilerVerdicts(messages=messages))
    assert [(one.code, one.severity, one.message, marked_text(text, one)) for one in findings] == list(expected)
    return findings


def test_each_compiler_has_a_finding_of_its_own() -> None:
    text = "fn f() { var a = 1u; a = 1.5f; }"
    start = text.index("1.5f")
    messages = (
        message("naga", "automatic conversions cannot convert elements of `f32` to `u32`", start, start + 4),
        message("tint", "cannot assign 'f32' to 'u32'", text.index("= 1.5f"), text.index("= 1.5f") + 1),
    )
    check(
        text,
        messages,
        ("PX201", Severity.ERROR, "naga refuses the shader: automatic conversions cannot convert elements of `f32` to `u32`", "1.5f"),
        ("PX203", Severity.ERROR, "Tint refuses the shader: cannot assign 'f32' to 'u32'", "1.5f"),
    )


def test_what_our_own_front_end_says_on_the_line_is_not_repeated() -> None:
    text = "fn f() { let x: f32 = bar; }\nfn g() { let y: f32 = 1u; }"
    start = text.index("1u")
    unknown = message("naga", "no definition in scope for identifier: `bar`", text.index("bar"), text.index("bar") + 3)
    other = message("tint", "cannot initialize 'let' of type 'f32' with value of type 'u32'", text.index("y:"), text.index("y:") + 1)
    findings = check(
        text,
        (unknown, other),
        ("PX203", Severity.ERROR, "Tint refuses the shader: cannot initialize 'let' of type 'f32' with value of type 'u32'", "1u"),
    )
    assert findings[0].location.span == Span(start, start + 2)


def test_a_text_that_cannot_be_read_has_our_findings_alone() -> None:
    text = "fn f() { let x = 1 }\n\nfn g() {}"
    check(text, (message("naga", "expected `;`, found `}`", text.index("fn g"), text.index("fn g") + 2),))


def test_a_missing_enable_is_not_told_twice() -> None:
    text = "@compute @workgroup_size(32) fn main() { _ = subgroupAdd(1u); }"
    start = text.index("subgroupAdd")
    check(text, (message("tint", "cannot call built-in function 'subgroupAdd' without extension 'subgroups'", start, start + 15),))


def test_a_warning_is_a_warning() -> None:
    text = "fn f() { return; f2(); }\nfn f2() {}"
    warning = CompilerMessage(compiler="tint", severity=Severity.WARNING, message="code is unreachable", start=17, end=21)
    check(text, (warning,), ("PX204", Severity.WARNING, "Tint warns: code is unreachable", "f2()"))


def test_what_an_old_tint_does_not_know_is_a_warning() -> None:
    text = "@compute @workgroup_size(1) fn main(@builtin(subgroup_id) id: u32) {}"
    start = text.index("subgroup_id")
    (finding,) = compiler_findings(
        load(text), CompilerVerdicts(messages=(message("tint", "expected builtin value name", start, start + 11),))
    )
    assert (finding.code, finding.severity) == ("PX203", Severity.WARNING)
    assert finding.hint == "this Tint is the one of Chrome 133; a newer one may know it"


def test_other_places_become_labels() -> None:
    text = "fn g(p: ptr<function, f32>, q: ptr<function, f32>) {}\nfn f() { var x = 1.0; g(&x, &x); }"
    first, second = text.index("&x"), text.rindex("&x")
    label = MessageLabel(start=first, end=first + 2, text="aliases with another argument passed here")
    (finding,) = check(
        text,
        (message("tint", "invalid aliased pointer argument", second, second + 2, labels=(label,)),),
        ("PX203", Severity.ERROR, "Tint refuses the shader: invalid aliased pointer argument", "&x"),
    )
    assert [(one.message, one.location.span) for one in finding.labels] == [(label.text, Span(first, first + 2))]


def test_where_nagas_words_fit_two_places_tints_decides() -> None:
    text = "fn f() -> f32 {\n let a = array<f32, 9>();\n let v = vec3f();\n return a[5] + v[5];\n}"
    naga = CompilerMessage(
        compiler="naga",
        severity=Severity.ERROR,
        message="Index 5 is out of bounds for expression [0]",
        context=("Index 5 is out of bounds for expression [0]",),
    )
    place = text.rindex("5")
    verdicts = CompilerVerdicts(messages=(naga, message("tint", "index 5 out of bounds [0..2]", place, place + 1)))
    assert [one.location.span for one in compiler_findings(load(text), verdicts)] == [Span(place, place + 1)] * 2


def test_words_of_naga_that_fit_nowhere_stand_where_tint_stands() -> None:
    text = "fn f(a: mat2x2f) -> bool {\n return a < a;\n}"
    naga = message("naga", "Incompatible operands: Less(Matrix, _)", -1, -1)
    place = text.index("a < a")
    verdicts = CompilerVerdicts(
        messages=(naga, message("tint", "no matching overload for 'operator < (mat2x2<f32>, …)'", place, place + 5))
    )
    assert [one.location.span for one in compiler_findings(load(text), verdicts)] == [Span(place, place + 5)] * 2


def test_an_index_may_be_a_constant_by_name() -> None:
    text = "const five = 5;\nfn f() -> f32 {\n let v = vec3f();\n return v[five];\n}"
    place = text.rindex("five")
    naga = message("naga", "Index 5 is out of bounds for expression [0]", -1, -1)
    assert [one.location.span for one in compiler_findings(load(text), CompilerVerdicts(messages=(naga,)))] == [Span(place, place + 4)]


def test_a_message_without_any_place_stands_at_the_beginning() -> None:
    check(
        "fn f() {}",
        (message("naga", "something new", -1, -1),),
        ("PX201", Severity.ERROR, "naga refuses the shader: something new", "fn"),
    )
    check("", (message("naga", "something new", -1, -1),), ("PX201", Severity.ERROR, "naga refuses the shader: something new", ""))


def test_absent_compilers_are_one_notice_each() -> None:
    absent = AbsentCompiler(compiler="tint", reason="the package `dawn-python` is not installed", hint="pip install it")
    (finding,) = absence_findings(Path("k.wgsl"), CompilerVerdicts(absent=(absent,)))
    assert (finding.code, finding.severity, finding.message, finding.hint) == (
        "PX904",
        Severity.INFO,
        "Tint was not asked: the package `dawn-python` is not installed",
        "pip install it",
    )


def test_only_errors_refuse() -> None:
    warning = CompilerMessage(compiler="tint", severity=Severity.WARNING, message="code is unreachable")
    assert CompilerVerdicts(messages=(warning, message("naga", "no", 0, 1))).refused_by == {"naga"}
