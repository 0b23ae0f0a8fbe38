"""Hunks: any subset of them applied is exactly those."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_coach import hunks as hunks_module
from pixel_coach.hunks import apply_hunks, hunks

LINES = st.sampled_from(["a\n", "b\n", "c\n", "a\r\n", "b\r", "\n", "x\x0cy\n", "\u2028\n"])
TEXTS = st.builds(lambda lines, end: "".join(lines) + end, st.lists(LINES, max_size=12), st.sampled_from(["", "a", "end"]))


def check(old: str, new: str, expected: list[str]) -> None:
    assert [f"{hunk.header} {hunk.old_text!r} -> {hunk.new_text!r}" for hunk in hunks(old, new)] == expected


def test_one_line_changes() -> None:
    check("a\nb\nc\n", "a\nB\nc\n", ["@@ -2 +2 @@ 'b\\n' -> 'B\\n'"])


def test_lines_come_and_go() -> None:
    check("a\nb\nc\nd\n", "0\na\nb\nd\n", ["@@ -0,0 +1 @@ '' -> '0\\n'", "@@ -3 +3,0 @@ 'c\\n' -> ''"])


def test_last_line_without_an_end() -> None:
    check("a\nb", "a\nb\n", ["@@ -2 +2 @@ 'b' -> 'b\\n'"])


def test_line_ends_are_part_of_the_line() -> None:
    check("a\r\nb\r\n", "a\nb\r\n", ["@@ -1 +1 @@ 'a\\r\\n' -> 'a\\n'"])


def test_from_and_to_nothing() -> None:
    check("", "a\nb\n", ["@@ -0,0 +1,2 @@ '' -> 'a\\nb\\n'"])
    check("a\n", "", ["@@ -1 +0,0 @@ 'a\\n' -> ''"])
    check("", "", [])


def test_some_of_them() -> None:
    old, new = "a\nb\nc\nd\ne\n", "A\nb\nC\nd\nE\n"
    assert len(hunks(old, new)) == 3
    assert apply_hunks(old, new, [1]) == "a\nb\nC\nd\ne\n"
    assert apply_hunks(old, new, {0, 2}) == "A\nb\nc\nd\nE\n"


def test_unknown_hunk() -> None:
    with pytest.raises(ValueError, match="there is no hunk 1; the texts have 1"):
        apply_hunks("a\n", "b\n", [1])


def test_texts_that_differ_too_much_are_one_hunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunks_module, "MAX_COMPARED", 3)
    check("s\na\nb\ne\n", "s\nA\nb\nB\ne\n", ["@@ -2,2 +2,3 @@ 'a\\nb\\n' -> 'A\\nb\\nB\\n'"])


@given(old=TEXTS, new=TEXTS, data=st.data())
def test_any_subset_is_exactly_those(old: str, new: str, data: st.DataObject) -> None:
    found = hunks(old, new)
    numbers = range(len(found))
    assert apply_hunks(old, new, numbers) == new
    assert apply_hunks(old, new, ()) == old
    chosen = data.draw(st.sets(st.sampled_from(numbers))) if found else set()
    mixed = apply_hunks(old, new, chosen)
    # Replayed by hand: each hunk's old text stands where it says, and is replaced or kept.
    lines = hunks_module._lines(old)
    pieces: list[str] = []
    position = 0
    for hunk in found:
        start = hunk.old_line - 1
        count = len(hunks_module._lines(hunk.old_text))
        assert "".join(lines[start : start + count]) == hunk.old_text
        pieces += [*lines[position:start], hunk.new_text if hunk.number in chosen else hunk.old_text]
        position = start + count
    assert mixed == "".join([*pieces, *lines[position:]])
    assert [hunk.number for hunk in found] == list(numbers)
