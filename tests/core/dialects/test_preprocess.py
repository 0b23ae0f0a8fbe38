"""The preprocessor by example: what it makes, what it says, and where."""

from __future__ import annotations

import pytest

from dialect_testing import PATH, Expansion
from pixel_core.findings import Severity, Span


def expanded(text: str, **others: str) -> str:
    expansion = Expansion(text, **others)
    assert expansion.messages == []
    return " ".join(expansion.result.text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#define N 4\narray<f32, N>", "array<f32, 4>"),
        ("#define MUL(a, b) ((a) * (b))\nMUL(x + 1, f(2, 3))", "((x + 1) * (f(2, 3)))"),
        ("#define M(x) x\nM\n(2) M", "2 M"),
        ("#define A B\n#define B A\nA B", "A B"),
        ("#define F(x) F(x)\nF(F(1))", "F(F(1))"),
        ("#define CAT(a, b) a ## b\nCAT(buffer_, 2)", "buffer_2"),
        ("#define ALL(...) f(__VA_ARGS__)\nALL(1, 2)", "f(1, 2)"),
        ("#define NEG -1\n-NEG", "- -1"),
        ("#define OP +\na OP b", "a + b"),
        ("#define T vec2<f32>\narray<T>", "array<vec2<f32> >"),
        ("#define A 1 // one\nA /* A */ // A", "1 /* A */ // A"),
        ("#define LONG a \\\n  + b\nLONG", "a + b"),
        ("#ifdef X\n1\n#else ifdef Y\n2\n#else\n3\n#endif", "3"),
        ("#if 1 ? 2 - 2 : 1\na\n#elif true && !false\nb\n#endif", "b"),
        ("#if 0 && 1 / 0\na\n#endif\nb", "b"),
        ("#if -1 > 0u\na\n#endif", "a"),
        ("#if 0x10 == 020 && 1 << 4 == 16\na\n#endif", "a"),
        ("#define SIZE 16\nx[#{SIZE}] #{OTHER}", "x[16] #{OTHER}"),
        ("#define SIZE 16\n#{SIZE}u; vec#{SIZE}<f32>; a_#{SIZE}_b; #{SIZE} u; x #{SIZE}", "16u; vec16<f32>; a_16_b; 16 u; x 16"),
        ("#define A 1\n#define B A\n#{A}#{B}; #{A}A; A#{A}", "11; 11; 11"),
        ("#pragma once\n#undef NEVER\nx", "x"),
    ],
)
def test_it_makes(text: str, expected: str) -> None:
    assert expanded(text) == expected


def test_lines_stay_where_they_are() -> None:
    assert Expansion("#define A 1\n#if 0\nx\n#endif\nA\r\ny").result.text == "\n\n\n\n1\r\ny"


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("a\n#fi 1", "`#fi` is no directive", (2, 2, "fi")),
        ("#endif", "`#endif` without `#if`", (1, 2, "endif")),
        ("é\n #if 1\nx", "`#if` without `#endif`", (2, 3, "if")),
        ("#if 1 / 0\n#endif", "this condition cannot be evaluated: division by zero", (1, 7, "/")),
        ("#if 1.5\n#endif", "this condition cannot be evaluated: `1.5` is no whole number", (1, 5, "1.5")),
        ("#if (1\n#endif", "this condition cannot be evaluated: `)` is missing", (1, 6, "1")),
        ("#define M(a, a) a", "`a` cannot be the name of a parameter twice", (1, 14, "a")),
        ("#define M(a) a\nx = M(1, 2);", "`M` takes 1 argument, and 2 are given", (2, 5, "M")),
        ("#define M(a) a\nM(1", "the arguments of `M` are never closed", (2, 1, "M")),
        ("#define C(a) a ## +\nC(x)", "`##` makes no token of `x` and `+`", (2, 1, "C(x)")),
        ("#error too small", "`#error`: too small", (1, 2, "error")),
        ('#include "gone.wgsl"', "`gone.wgsl` does not exist", (1, 10, '"gone.wgsl"')),
        ('#include "kernel.wgsl"', "`kernel.wgsl` includes itself: kernel.wgsl → kernel.wgsl", (1, 10, '"kernel.wgsl"')),
        ("#import a::b", "no file defines the import path `a::b`", (1, 9, "a::b")),
    ],
)
def test_it_says(text: str, message: str, at: tuple[int, int, str]) -> None:
    expansion = Expansion(text)
    assert expansion.messages == [message]
    assert expansion.shown() == [at]


def test_another_definition_is_a_warning_with_both_places() -> None:
    expansion = Expansion("#define A 1\n#define A 1\n#define A 2\nA")
    (found,) = expansion.problems.findings
    assert found.severity is Severity.WARNING
    assert found.labels[0].location.span == Span(20, 21)
    assert expansion.result.text.strip() == "2"


def test_files_are_included_once_and_a_circle_is_told_where_it_closes() -> None:
    assert expanded('#include "a.wgsl"\n#include "b.wgsl"\n#include "a.wgsl"', a="first", b='#include "a.wgsl"\nsecond') == "first second"
    expansion = Expansion('#include "a.wgsl"', a='#include "b.wgsl"', b='\n#include "a.wgsl"')
    assert expansion.messages == ["`a.wgsl` includes itself: a.wgsl → b.wgsl → a.wgsl"]
    (found,) = expansion.problems.findings
    assert found.location.path == PATH.with_name("b.wgsl")


def test_what_is_included_knows_its_file_and_who_included_it() -> None:
    expansion = Expansion('é\n#include "a.wgsl"\n', a="// ß\nfn f() {}")
    start = expansion.result.text.index("f()")
    origin = expansion.result.origin(Span(start, start + 1))
    assert (origin.location.path.name, origin.location.span) == ("a.wgsl", Span(8, 9))
    (label,) = origin.labels
    assert (label.message, label.location.path, label.location.span) == ("included from here", PATH, Span(11, 19))


def test_a_token_of_a_macro_stands_at_its_use_with_a_label_at_the_definition() -> None:
    text = "#define BAD(x) foo(x)\né + BAD(1) + 2"
    result = Expansion(text).result
    start = result.text.index("foo")
    origin = result.origin(Span(start, start + 3))
    assert origin.location.span == Span(text.index("BAD(1)"), text.index("BAD(1)") + 6)
    assert [(label.message, label.location.span) for label in origin.labels] == [("from the macro `BAD`", Span(15, 18))]
    assert result.editable(Span(start, start + 3)) is None
    # The argument stands for itself, and is no place for an edit: it may come out several times.
    argument = result.text.index("1")
    assert result.origin(Span(argument, argument + 1)).location.span == Span(text.index("(1") + 1, text.index("(1") + 2)
    assert result.editable(Span(argument, argument + 1)) is None
    # Text beside macros can be edited; a range that reaches into one cannot.
    end = len(result.text)
    assert result.editable(Span(end - 1, end)).span == Span(len(text) - 1, len(text))  # pyright: ignore[reportOptionalMemberAccess]
    assert result.editable(Span(start - 2, end)) is None
    assert result.places(PATH, len(text) - 1) == (end - 1,)
    assert result.places(PATH, 3) == ()


def test_modules_are_imported_by_the_path_that_they_define(tmp_path_factory: pytest.TempPathFactory) -> None:
    from pixel_core.dialects.expanded_text import ExpandedText
    from pixel_core.dialects.files import Files
    from pixel_core.dialects.preprocess import preprocess
    from pixel_core.dialects.problems import Problems
    from pixel_core.kernels.surroundings import Surroundings
    from pixel_core.source import SourceText

    folder = tmp_path_factory.mktemp("modules")
    (folder / "sums.wgsl").write_text("#define_import_path lib::sums\nfn add(a: f32) -> f32 { return a; }\n", encoding="utf-8")
    path = folder / "kernel.wgsl"
    for text in (
        "#import lib::sums\nlib::sums::add(sums::add(1))",
        "#import lib::sums as s\ns::add(sums::add(1))",
        "#import lib::{\n  sums::{add},\n}\nadd(add(1))",
        '#import "sums.wgsl" as s\ns::add(add(1))',
    ):
        problems = Problems()
        reader = Surroundings(workspace=folder).reader(path)
        made = preprocess(ExpandedText.of(SourceText(path, text)), path, {}, Files(read=reader), problems)
        assert problems.findings == []
        assert " ".join(made.text.split()) == "fn add(a: f32) -> f32 { return a; } add(add(1))"
