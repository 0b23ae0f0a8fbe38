from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pixel_core.inference.stop_texts import StopTexts


def shown(pieces: list[str], *stop: str) -> list[str]:
    texts = StopTexts(stop)
    return [*(texts.push(piece) for piece in pieces), texts.finish()]


def test_text_is_cut_where_a_stop_text_begins() -> None:
    assert shown(["one END two"], "END") == ["one ", ""]
    assert shown(["a", "b", "c"], "b", "ab") == ["", "", "", ""]


def test_a_stop_text_may_come_in_pieces() -> None:
    assert shown(["one E", "N", "D two"], "END") == ["one ", "", "", ""]


def test_what_only_looked_like_one_is_shown_after_all() -> None:
    assert shown(["one E", "NE", "x"], "END") == ["one ", "EN", "Ex", ""]
    assert shown(["one E"], "END") == ["one ", "E"]


def test_an_empty_stop_text_is_none() -> None:
    assert shown(["a"], "") == ["a", ""]


@given(pieces=st.lists(st.text("ab", max_size=4)), stop=st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_pieces_do_not_matter(pieces: list[str], stop: list[str]) -> None:
    text = "".join(pieces)
    ends = [at for at in map(text.find, stop) if at >= 0]
    got = "".join(shown(pieces, *stop))
    expected = text[: min(ends)] if ends else text
    # A stop text that is whole before an earlier one has ended is found first.
    assert got == expected or (bool(ends) and expected == got[: len(expected)] and any(text[len(got) :].startswith(each) for each in stop))
