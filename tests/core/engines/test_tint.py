from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pixel_core.engines.compilers import AbsentCompiler, CompilerMessage
from pixel_core.engines.tint import TintCompiler, open_tint
from pixel_core.findings import Severity


@pytest.fixture(scope="module")
def tint() -> TintCompiler:
    opened = open_tint()
    assert isinstance(opened, TintCompiler)
    return opened


def shown(source: str, message: CompilerMessage) -> tuple[Severity, str, str, list[tuple[str, str]]]:
    labels = [(source[label.start : label.end], label.text) for label in message.labels]
    return message.severity, message.message, source[message.start : message.end], labels


def check(tint: TintCompiler, source: str, *expected: tuple[Severity, str, str, list[tuple[str, str]]]) -> None:
    assert [shown(source, message) for message in tint.compile(source)] == list(expected)


def test_a_shader_that_it_takes_gets_no_message(tint: TintCompiler) -> None:
    check(tint, "enable f16, subgroups;\n@compute @workgroup_size(32) fn main() { _ = subgroupAdd(1h); }")
    check(tint, "")


def test_places_are_code_points_whatever_stands_before(tint: TintCompiler) -> None:
    expected = (Severity.ERROR, "unresolved value 'bar'", "bar", [])
    check(tint, "fn f() { let x: f32 = bar; }", expected)
    check(tint, "/* 😀é */ fn f() { let x: f32 = bar; }", expected)
    check(tint, "// 😀\r\nfn f() {\u2028 /* é */ let x: f32 = bar; }", expected)


def test_every_syntax_error_is_there(tint: TintCompiler) -> None:
    found = tint.compile("fn f() { let = 1; }\nfn g() { let y 2; }\n")
    assert [message.severity for message in found] == [Severity.ERROR] * len(found)
    assert len(found) == 2


def test_notes_belong_to_the_message_before_them(tint: TintCompiler) -> None:
    source = "fn f() { let x = 1; /* é */ let x = 2; }"
    check(tint, source, (Severity.ERROR, "redeclaration of 'x'", "x", [("x", "'x' previously declared here")]))
    (message,) = tint.compile(source)
    assert message.start == source.rindex("x")
    assert message.labels[0].start == source.index("x")


def test_a_warning_is_none_of_its_errors(tint: TintCompiler) -> None:
    source = "@group(0) @binding(0) var<storage, read_write> o: u32;\nfn f() { return; o = 1u; }"
    check(tint, source, (Severity.WARNING, "code is unreachable", "=", []))


def test_candidates_are_detail(tint: TintCompiler) -> None:
    (message,) = tint.compile("fn f() -> f32 { return max(1.0f, 1u); }")
    assert message.message == "no matching call to 'max(f32, u32)'"
    assert message.detail.startswith("2 candidate functions:\n")


def test_text_that_is_no_shader_is_answered_too(tint: TintCompiler) -> None:
    for source in ("\0", "fn f() {\0}", "\ud800", "(" * 5_000, "fn f() { " + "{" * 5_000):
        assert any(message.severity is Severity.ERROR for message in tint.compile(source)), source[:20]


def test_a_thousand_modules_leave_no_memory_behind(tint: TintCompiler) -> None:
    filling = "// " + "x" * 20_000
    tint.compile(filling)
    before = resident_bytes()
    for number in range(1_000):
        tint.compile(f"{filling}\nfn f() {{ let x: f32 = {number}u; }}")
    assert resident_bytes() - before < 10_000_000, "1,000 modules of 20 kB would be 20 MB"


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_opening_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_TYPE", "Vulkan")
    assert isinstance(open_tint(), TintCompiler)
    assert os.environ["BACKEND_TYPE"] == "Vulkan"
    monkeypatch.delenv("BACKEND_TYPE")
    assert isinstance(open_tint(), TintCompiler)
    assert "BACKEND_TYPE" not in os.environ


def test_without_the_package_it_is_absent_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydawn", None)
    assert open_tint() == AbsentCompiler(
        compiler="tint", reason="the package `dawn-python` is not installed", hint='pip install "pixel-lsp[tint]"'
    )
