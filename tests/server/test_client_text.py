from __future__ import annotations

import pytest
from lsprotocol.types import Position

from pixel_server.client_text import ClientText


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
