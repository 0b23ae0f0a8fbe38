"""The hunks of a candidate in the text that is open: which of them it has taken already, and where the others would go.

Nothing but the text says which hunks are taken. So undoing an accepted hunk offers it again, and a text that is neither the one the
candidate was made from nor that with some of its hunks takes none.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from pixel_coach.hunks import Hunk
from pixel_core.findings import Span
from pixel_server.client_text import ClientText

_MOST_READINGS: Final = 64
"""Ways to read a text that are followed at once; more need lines that all look alike."""

MARK: Final = "\ufeff"
"""A byte order mark, which files have and editors do not show."""


class PlacedHunk(msgspec.Struct, frozen=True, kw_only=True):
    """A hunk in a text.

    Attributes:
        hunk: The hunk.
        span: Of its new lines where they were taken, of the old ones else; empty where there are none.
        is_taken: Whether the text has the new lines.
    """

    hunk: Hunk
    span: Span
    is_taken: bool


def place_hunks(base: str, changes: Sequence[Hunk], text: str) -> tuple[PlacedHunk, ...] | None:
    """Find the hunks in a text.

    Args:
        base: What the candidate was made from.
        changes: From `hunks(base, candidate)`.
        text: As it is now.

    Returns:
        Every hunk in order; None when the text is not the base with some of them.
    """
    base, text = base.removeprefix(MARK), text.removeprefix(MARK)
    readings: dict[int, tuple[PlacedHunk, ...]] = {0: ()}
    lines = _line_starts(base)
    position = 0
    for change in changes:
        old_text, new_text = change.old_text.removeprefix(MARK), change.new_text.removeprefix(MARK)
        start = lines[change.old_line - 1]
        same = base[position:start]
        following: dict[int, tuple[PlacedHunk, ...]] = {}
        for reached, placed in readings.items():
            if not text.startswith(same, reached):
                continue
            at = reached + len(same)
            for is_taken, piece in ((False, old_text), (True, new_text)):
                end = at + len(piece)
                if text.startswith(piece, at) and end not in following and len(following) < _MOST_READINGS:
                    following[end] = (*placed, PlacedHunk(hunk=change, span=Span(at, end), is_taken=is_taken))
        readings, position = following, start + len(old_text)
    rest = base[position:]
    return next((placed for reached, placed in readings.items() if text[reached:] == rest), None)


def replacement(placed: PlacedHunk) -> str:
    """The text that takes a hunk, to be put where it stands."""
    return placed.hunk.new_text.removeprefix(MARK)


def said_lines(placed: PlacedHunk, content: ClientText) -> str:
    """`line 4`, `lines 4–9`, or `after line 3` for lines that only come."""
    first = content.position(placed.span.start).line + 1
    if placed.span.start == placed.span.end:
        return f"after line {first - 1}" if first > 1 else "before line 1"
    last = content.position(placed.span.end)
    end = last.line if last.character == 0 else last.line + 1
    return f"line {first}" if end <= first else f"lines {first}–{end}"


def untaken(placed: Iterable[PlacedHunk]) -> tuple[PlacedHunk, ...]:
    """The hunks that the text has not taken."""
    return tuple(one for one in placed if not one.is_taken)


def _line_starts(text: str) -> list[int]:
    """Where each line begins, and where the text ends; lines as `hunks` counts them."""
    # With `newline=""` nothing is translated.
    return [0, *accumulate(map(len, io.StringIO(text, newline="")))]
