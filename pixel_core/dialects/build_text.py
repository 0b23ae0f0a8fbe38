"""Puts an expanded text together from parts of others, keeping where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pixel_core.dialects.expanded_text import ExpandedText, Segment
from pixel_core.findings import Location, Span
from pixel_core.source import SourceText


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a macro: where, and of which."""

    location: Location
    macro: str


class TextBuilder:
    """Grows from left to right."""

    def __init__(self) -> None:
        self.length = 0
        self._pieces: list[str] = []
        self._segments: list[Segment] = []

    def copy(self, home: ExpandedText, start: int, end: int, use: Use | None = None, *, is_argument: bool = False) -> None:
        """Add a part of another text.

        Args:
            home: The other text.
            start: Where the part starts in it.
            end: Where it ends.
            use: The macro whose body it stands in.
            is_argument: Whether it is an argument of a macro, which may come out more than once.
        """
        for segment, begin, stop in home.pieces(Span(start, end)):
            part = replace(segment, start=self.length, spelled=segment.part(begin, stop))
            if use is not None:
                part = replace(part, used=use.location, macro=use.macro, is_editable=False)
            elif is_argument:
                part = replace(part, is_editable=False)
            self._append(home.text[begin:stop], part)

    def put(self, text: str, home: ExpandedText, start: int, end: int, use: Use | None = None) -> None:
        """Add a text that is written nowhere; a range of another text stands for it."""
        if not text:
            return
        location = home.origin(Span(start, end)).location
        span = location.span or Span(0, 0)
        used, macro = (use.location, use.macro) if use else (None, "")
        segment = Segment(start=self.length, path=location.path, spelled=span, is_exact=False, is_editable=False, used=used, macro=macro)
        self._append(text, segment)

    def finish(self, sources: Mapping[Path, SourceText], included_from: Mapping[Path, Location], empty: ExpandedText) -> ExpandedText:
        """The text; one without characters has the beginning of `empty` as its origin."""
        segments = self._segments or [replace(empty.segments[0], spelled=Span(0, 0), is_editable=False)]
        return ExpandedText(text="".join(self._pieces), segments=tuple(segments), sources=sources, included_from=included_from)

    def _append(self, text: str, segment: Segment) -> None:
        self._pieces.append(text)
        self.length += len(text)
        last = self._segments[-1] if self._segments else None
        if last is not None and _continues(last, segment):
            self._segments[-1] = replace(last, spelled=Span(last.spelled.start, segment.spelled.end))
        else:
            self._segments.append(segment)


def _continues(last: Segment, following: Segment) -> bool:
    return (
        last.is_exact
        and following.is_exact
        and last.is_editable == following.is_editable
        and last.path == following.path
        and last.used is following.used
        and last.spelled.end == following.spelled.start
    )
