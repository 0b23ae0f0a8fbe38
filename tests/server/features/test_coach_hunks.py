"""Hunks in a text: whatever was taken of them is found again, and a text of another kind takes none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_coach.hunks import apply_hunks, hunks
from pixel_server.client_text import ClientText
from pixel_server.features.coach_edits import with_hunks
from pixel_server.features.coach_hunks import place_hunks, said_lines, untaken

BASE = "a\nb\nc\nd\ne\n"
NEW = "head\na\nB\nc\ne\ntail"

LINES = st.lists(st.sampled_from(["a", "b", "", "  }"]), max_size=8)
TEXTS = st.builds(
    lambda lines, end, last: end.join(lines) + (end if last else ""), LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans()
)


@given(base=TEXTS, new=TEXTS, data=st.data())
@settings(deadline=None)
def test_taking_the_rest_gives_the_candidate(base: str, new: str, data: st.DataObject) -> None:
    changes = hunks(base, new)
    taken = data.draw(st.sets(st.sampled_from(range(len(changes))))) if changes else set[int]()
    text = apply_hunks(base, new, taken)
    placed = place_hunks(base, changes, text)
    assert placed is not None
    assert with_hunks(text, untaken(placed)) == new


@pytest.mark.parametrize("taken", [(), (0,), (1, 3), (0, 1, 2, 3)])
def test_what_is_taken_is_read_from_the_text(taken: tuple[int, ...]) -> None:
    changes = hunks(BASE, NEW)
    placed = place_hunks(BASE, changes, apply_hunks(BASE, NEW, taken))
    assert placed is not None
    assert tuple(one.hunk.number for one in placed if one.is_taken) == taken


@pytest.mark.parametrize("text", ["", "a\nb\nc\nd\n", BASE + "more\n", BASE.replace("c", "C"), "x" + BASE])
def test_another_text_takes_none(text: str) -> None:
    assert place_hunks(BASE, hunks(BASE, NEW), text) is None


def test_a_byte_order_mark_that_the_editor_does_not_show() -> None:
    placed = place_hunks("\ufeff" + BASE, hunks("\ufeff" + BASE, "\ufeff" + NEW), BASE)
    assert placed is not None
    assert with_hunks(BASE, placed) == NEW


def test_lines_are_said_as_the_editor_counts_them() -> None:
    placed = place_hunks(BASE, hunks(BASE, NEW), BASE)
    assert placed is not None
    assert [said_lines(one, ClientText(BASE, "utf-16")) for one in placed] == ["before line 1", "line 2", "line 4", "after line 5"]


def test_lines_that_all_look_alike_are_read_in_time() -> None:
    base = "}\n" * 2000
    new = "".join("}\n" * 10 + "x\n" for _ in range(200))
    placed = place_hunks(base, hunks(base, new), base)
    assert placed is not None
    assert with_hunks(base, placed) == new
