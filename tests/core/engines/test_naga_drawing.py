from __future__ import annotations

from pixel_core.engines.naga_drawing import naga_offset, read_naga_drawing


def check(source: str, drawing: str, *expected: tuple[int, str, str]) -> None:
    """The marks of a drawing as offset, marked text and words."""
    found = read_naga_drawing(f"Shader '' parsing error: title\n{drawing}\n\n", source)
    assert [(label.start, source[label.start : label.end], label.text) for label in found] == list(expected)


def test_one_mark() -> None:
    check(
        "fn f() { let x: f32 = bar; }",
        "  ┌─ wgsl:1:23\n  │\n1 │ fn f() { let x: f32 = bar; }\n  │                       ^^^ unknown identifier\n  │",
        (22, "bar", "unknown identifier"),
    )


def test_two_marks_in_one_line_have_their_words_below() -> None:
    check(
        "fn f() {\n o[0] = 1.5f;\n}",
        "  ┌─ wgsl:2:2\n  │\n2 │  o[0] = 1.5f;\n  │  ^^^^   ^^^^ this expression has type f32\n  │  │\n"
        "  │  a value of type u32 is required here\n  │",
        (10, "o[0]", "a value of type u32 is required here"),
        (17, "1.5f", "this expression has type f32"),
    )


def test_a_mark_inside_of_another_is_a_point() -> None:
    check(
        "fn f() {\n g(1u);\n}",
        "  ┌─ :1:1\n  │\n1 │ ╭ fn f() {\n2 │ │  g(1u);\n  │ │  ^^^^^\n  │ │  │ │\n  │ │  │ naga::ir::Expression [0]\n"
        "  │ │  invalid function call\n3 │ │ }\n  │ ╰─^ naga::ir::Function [1]\n  │\n  = Call to [0] is invalid",
        (10, "g(1u)", "invalid function call"),
        (12, "", "naga::ir::Expression [0]"),
    )


def test_tabs_and_wide_characters_take_more_cells() -> None:
    source = "fn f() {\n\tlet x =\t/* 😀é\u0301 漢 */\tbar; }"
    check(
        source,
        "  ┌─ wgsl:2:22\n  │\n2 │     let x = /* 😀é\u0301 漢 */    bar; }\n  │                             ^^^ unknown identifier",
        (source.index("bar"), "bar", "unknown identifier"),
    )


def test_a_drawing_of_another_text_marks_nothing() -> None:
    check("fn g() {}", "  ┌─ wgsl:1:4\n  │\n1 │ fn f() {}\n  │    ^ redefinition of `f`")
    check("fn g() {}", "  ┌─ wgsl:7:4\n  │\n7 │ fn f() {}\n  │    ^ redefinition of `f`")
    check("fn g() {}", "no drawing at all")


def test_lines_end_at_line_feeds_alone() -> None:
    source = "a\rb\u2028c\nd\r\ne"
    assert [naga_offset(source, line, 1) for line in (0, 1, 2, 3, 4)] == [-1, 0, 6, 9, len(source)]
    assert naga_offset(source, 1, 3) == 2
    assert naga_offset(source, 3, 99) == len(source)
