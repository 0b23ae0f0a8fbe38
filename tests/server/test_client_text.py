from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, Range, TextEdit

from lsp_testing.apply_edits import with_edits
from pixel_server.client_text import ClientText

texts = st.text(st.sampled_from("ab\r\né😀\u2028"), max_size=12)
places = st.tuples(st.integers(0, 5), st.integers(0, 6))


@pytest.mark.parametrize(
    ("now", "before", "line", "expected"),
    [
        ("a\nb\nc", "a\nb\nc", 1, 1),
        ("a\nb\nc", "a\nb\nx", 1, 1),
        ("a\nb\nc", "x\nb\nc", 1, 1),
        ("new\na\nb\nc", "a\nb\nc", 2, 1),
        ("b\nc", "a\nb\nc", 0, 1),
        ("a\nb\nc\nnew", "a\nb\nc", 1, 1),
        ("a\nb\nc", "a\nbb\nc", 1, None),
        ("a\nbb\nc", "a\nb\nc", 1, None),
        ("a\nb\nc", "a\nxb\nc", 1, None),
        ("x\nb\ny", "a\nb\nc", 1, None),
        ("a\nb\n", "a\nb", 2, None),
        ("a", "a", 7, None),
        ("a\r\nb", "a\rb", 0, 0),
        ("é\nb", "é\nb\n", 0, 0),
    ],
)
def test_a_place_is_found_in_an_earlier_text_where_its_line_is_the_same(now: str, before: str, line: int, expected: int | None) -> None:
    found = ClientText(now, "utf-16").position_in(ClientText(before, "utf-16"), Position(line, 1))
    assert found == (None if expected is None else Position(expected, 1))


@given(texts, st.lists(st.tuples(places, places, texts), max_size=5), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_edits_one_after_the_other(text: str, edits: list[tuple[tuple[int, int], tuple[int, int], str]], encoding: str) -> None:
    """Each is made on the text after those before it, as the specification has it; the lines of a text change under them."""
    content = ClientText(text, encoding)
    # A place in the middle of a character means the one after it; which the editor's own columns never are.
    ranges: list[tuple[Range, str]] = []
    for begin, end, new_text in edits:
        now = ClientText(text, encoding)
        start, stop = sorted(now.offset(Position(*place)) for place in (begin, end))
        where = Range(now.position(start), now.position(stop))
        ranges.append((where, new_text))
        text = with_edits(text, [TextEdit(where, new_text)], encoding)
    assert content.edited(ranges).text == text


def test_a_word_is_replaced_everywhere_in_one_notification() -> None:
    """Each edit once cost as much as the text is long, and 7,500 of them stopped the server for a minute."""
    line = "    let x: f32 = f32(y[id.x]); // é\n"
    columns = [column for column in range(len(line)) if line.startswith("f32", column)]
    edits = [
        (Range(Position(number, column), Position(number, column + 3)), "f16") for number in range(5000) for column in reversed(columns)
    ]
    assert ClientText(line * 5000, "utf-16").edited(reversed(edits)).text == line.replace("f32", "f16") * 5000


def test_an_edit_without_a_range_is_the_whole_text() -> None:
    edits = [(Range(Position(0, 0), Position(0, 1)), "b"), (None, "c\r"), (Range(Position(1, 0), Position(1, 0)), "\nd")]
    assert ClientText("a", "utf-16").edited(edits).text == "c\r\nd"
