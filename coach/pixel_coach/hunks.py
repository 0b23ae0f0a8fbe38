"""The differences between two texts, one by one, so that a person can take some of them and leave the others."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from typing import Final

import msgspec

MAX_COMPARED: Final = 25_000_000
"""Pairs of lines that are compared at most; texts that differ more than that are one hunk. Bounds the time, which is quadratic."""


class Hunk(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring lines of the old text, and what the new text has in their place.

    Attributes:
        number: From 0, in the order of the texts.
        old_line: First line in the old text, from 1; where `old_text` is empty, the line before which `new_text` is put.
        new_line: Likewise in the new text.
        old_text: The lines that go, with their line ends.
        new_text: The lines that come, with their line ends.
    """

    number: int
    old_line: int
    new_line: int
    old_text: str
    new_text: str

    @property
    def header(self) -> str:
        """`@@ -3,2 +3,4 @@`, as unified diffs have it."""
        return f"@@ -{_range(self.old_line, self.old_text)} +{_range(self.new_line, self.new_text)} @@"


def hunks(old: str, new: str) -> tuple[Hunk, ...]:
    """The hunks that make `new` of `old`, without context; none when they are equal.

    Lines end at line feed, carriage return, or both, as editors count them; a line end that changes is a change of its line.
    """
    old_lines, new_lines = _lines(old), _lines(new)
    found: list[Hunk] = []
    for old_start, old_end, new_start, new_end in _changes(old_lines, new_lines):
        hunk = Hunk(
            number=len(found),
            old_line=old_start + 1,
            new_line=new_start + 1,
            old_text="".join(old_lines[old_start:old_end]),
            new_text="".join(new_lines[new_start:new_end]),
        )
        found.append(hunk)
    return tuple(found)


def apply_hunks(old: str, new: str, chosen: Collection[int]) -> str:
    """The old text with the chosen hunks of `hunks(old, new)`: all of them give `new`, none give `old`.

    Raises:
        ValueError: A number that no hunk has.
    """
    old_lines, new_lines = _lines(old), _lines(new)
    changes = _changes(old_lines, new_lines)
    unknown = sorted(set(chosen) - set(range(len(changes))))
    if unknown:
        raise ValueError(f"there is no hunk {unknown[0]}; the texts have {len(changes)}")
    pieces: list[str] = []
    position = 0
    for number, (old_start, old_end, new_start, new_end) in enumerate(changes):
        pieces += old_lines[position:old_start]
        pieces += new_lines[new_start:new_end] if number in chosen else old_lines[old_start:old_end]
        position = old_end
    return "".join([*pieces, *old_lines[position:]])


def _lines(text: str) -> list[str]:
    # With `newline=""` nothing is translated, so that the lines joined are the text.
    return list(io.StringIO(text, newline=""))


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Ranges of old and new lines that differ."""
    start = 0
    shorter = min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < shorter - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    old_end, new_end = len(old) - tail, len(new) - tail
    if start == old_end and start == new_end:
        return []
    if (old_end - start) * (new_end - start) > MAX_COMPARED:
        return [(start, old_end, start, new_end)]
    matcher = SequenceMatcher(None, old[start:old_end], new[start:new_end])
    codes = matcher.get_opcodes()
    return [(start + i1, start + i2, start + j1, start + j2) for tag, i1, i2, j1, j2 in codes if tag != "equal"]


def _range(line: int, text: str) -> str:
    count = len(_lines(text))
    # A range without lines is named by the line before it.
    return f"{line - 1},0" if count == 0 else f"{line}" if count == 1 else f"{line},{count}"
