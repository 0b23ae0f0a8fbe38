from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from pixel_core.findings import Span
from pixel_core.source import SourceText
from pixel_server.terminal.excerpt import Mark, excerpt, gutter_width
from pixel_server.terminal.medium import Medium


def check(text: str, expected: str, *, width: int = 80, encoding: str = "utf-8", message: str = "here") -> None:
    """`‹…›` marks the span in the source."""
    start = text.index("‹")
    end = text.index("›") - 1
    source = SourceText(Path("k.wgsl"), text.replace("‹", "").replace("›", ""))
    marks = [Mark(span=Span(start, end), sign="^", message=message, style="red")]
    lines = excerpt(source, marks, Medium(width=width, encoding=encoding), gutter_width(source, marks))
    assert "\n".join(line.plain for line in lines) == expected.strip("\n")


def test_a_span_is_underlined_below_its_line() -> None:
    check(
        "let a = 1;\n    ‹c[i]› = a;\n",
        """
2 │     c[i] = a;
  │     ^^^^ here
""",
    )


def test_line_numbers_share_one_gutter() -> None:
    check(
        "\n" * 99 + "‹x›",
        """
100 │ x
    │ ^ here
""",
    )


def test_an_empty_span_is_one_cell_wide() -> None:
    check(
        "let a = 1‹›\n",
        """
1 │ let a = 1
  │          ^ here
""",
    )


def test_an_empty_span_at_the_end_of_the_file() -> None:
    check(
        "fn f() {\n‹›",
        """
2 │
  │ ^ here
""",
    )


def test_tabs_are_shown_as_tab_stops() -> None:
    check(
        "\ta\t‹bc›\td",
        """
1 │     a   bc  d
  │         ^^ here
""",
    )


def test_wide_characters_take_two_cells() -> None:
    check(
        "// 行列 ‹積の›和",
        """
1 │ // 行列 積の和
  │         ^^^^ here
""",
    )


def test_combining_characters_take_no_cell() -> None:
    check(
        "e\u0301e\u0301 ‹x›",
        """
1 │ e\u0301e\u0301 x
  │    ^ here
""",
    )


def test_a_span_over_two_lines_is_underlined_on_both() -> None:
    check(
        "if ‹(a\n    && b)› {",
        """
1 │ if (a
  │    ^^
2 │     && b) {
  │     ^^^^^ here
""",
    )


def test_of_a_long_span_the_first_and_the_last_line_are_shown() -> None:
    check(
        "‹loop {\n  a();\n  b();\n}›\n",
        """
1 │ loop {
  │ ^^^^^^
  ┊
4 │ }
  │ ^ here
""",
    )


def test_a_span_that_ends_with_its_line_break_stays_on_its_line() -> None:
    check(
        "‹let a = 1\n›let b = 2;",
        """
1 │ let a = 1
  │ ^^^^^^^^^ here
""",
    )


def test_line_breaks_of_windows_are_not_shown() -> None:
    check(
        "a\r\n‹b›\r\nc\r\n",
        """
2 │ b
  │ ^ here
""",
    )


def test_a_long_line_is_cut_at_its_end() -> None:
    check(
        "‹short› = " + "x" * 100,
        """
1 │ short = xxxxxxxxxxxxxxxxxxxxxxxxxxx…
  │ ^^^^^ here
""",
        width=40,
    )


def test_a_long_line_is_cut_around_a_span_in_its_middle() -> None:
    check(
        "x" * 1000 + "‹middle›" + "y" * 1000,
        """
1 │ …xxxxxxxxxxxxmiddleyyyyyyyyyyyyyyyy…
  │              ^^^^^^ here
""",
        width=40,
    )


def test_a_long_line_is_cut_before_a_span_at_its_end() -> None:
    check(
        "x" * 1000 + "‹end›",
        """
1 │ …xxxxxxxxxxxxend
  │              ^^^ here
""",
        width=40,
    )


def test_a_span_longer_than_the_width_is_cut_too() -> None:
    check(
        "x" * 50 + "‹" + "m" * 500 + "›",
        """
1 │ …xxxxmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm…
  │      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here
""",
        width=40,
    )


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\x9b", "\u202e", "\u2066"])
def test_characters_that_drive_the_terminal_are_replaced(hidden: str) -> None:
    check(
        f"a {hidden}[2J ‹b›",
        """
1 │ a \N{REPLACEMENT CHARACTER}[2J b
  │        ^ here
""",
    )


def test_an_encoding_without_the_signs_gets_ascii() -> None:
    check(
        "// 行 ‹ü›\n",
        """
1 | // ? ?
  |      ^ a -> b <= 1
""",
        encoding="ascii",
        message="a → b ≤ 1",
    )


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("start", [0, 10, 39, 40, 41, 100, 499])
@pytest.mark.parametrize("text", ["x" * 500, "積" * 500, "\t" * 500, "a\t積" * 170])
def test_no_source_line_is_wider_than_the_medium(text: str, start: int, width: int) -> None:
    source = SourceText(Path("k.wgsl"), text)
    mark = Mark(span=Span(start, start + 3), sign="^", message="", style="red")
    lines = [line.plain for line in excerpt(source, [mark], Medium(width=max(width, 24)), 1)]
    assert all(cell_len(line) <= max(width, 24) for line in lines)
    shown, underline = lines
    assert "^" in underline
    assert len(shown) > 4
