"""Puts an expanded text together from parts of others, keeping where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pixel_core.dialects.expanded_text import ExpandedText, Segment
from pixel_core.findings import Location, Span
from pixel_core.source import SourceText


class Use(msgspec.Struct, frozen=True):
    """One use of a macro: where, and of which."""

    location: Location
    macro: str


class _Run(msgspec.Struct):
    """A segment that may still grow."""

    start: int
    path: Path
    spelled_start: int
    spelled_end: int
    is_exact: bool
    is_editable: bool
    used: Location | None
    macro: str


class TextBuilder:
    """Grows from left to right."""

    def __init__(self) -> None:
        self.length = 0
        self._pieces: list[str] = []
        self._runs: list[_Run] = []

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
            used, macro = (segment.used, segment.macro) if use is None else (use.location, use.macro)
            part = segment.part(begin, stop)
            is_editable = segment.is_editable and use is None and not is_argument
            self._append(home.text[begin:stop], segment.path, part, segment.is_exact, is_editable, used, macro)

    def put(self, text: str, home: ExpandedText, start: int, end: int, use: Use | None = None) -> None:
        """Add a text that is written nowhere; a range of another text stands for it."""
        if not text:
            return
        location = home.written(start, end)
        used, macro = (use.location, use.macro) if use else (None, "")
        self._append(text, location.path, location.span or Span(0, 0), False, False, used, macro)

    def finish(self, sources: Mapping[Path, SourceText], included_from: Mapping[Path, Location], empty: ExpandedText) -> ExpandedText:
        """The text; one without characters has the beginning of `empty` as its origin."""
        segments = [
            Segment(
                start=run.start,
                path=run.path,
                spelled=Span(run.spelled_start, run.spelled_end),
                is_exact=run.is_exact,
                is_editable=run.is_editable,
                used=run.used,
                macro=run.macro,
            )
            for run in self._runs
        ]
        if not segments:
            segments = [replace(empty.segments[0], spelled=Span(0, 0), is_editable=False)]
        return ExpandedText(text="".join(self._pieces), segments=tuple(segments), sources=sources, included_from=included_from)

    def _append(self, text: str, path: Path, spelled: Span, is_exact: bool, is_editable: bool, used: Location | None, macro: str) -> None:
        last = self._runs[-1] if self._runs else None
        if (
            last is not None
            and is_exact
            and last.is_exact
            and last.spelled_end == spelled.start
            and last.is_editable == is_editable
            and last.used is used
            and last.path == path
        ):
            last.spelled_end = spelled.end
        else:
            self._runs.append(_Run(self.length, path, spelled.start, spelled.end, is_exact, is_editable, used, macro))
        self._pieces.append(text)
        self.length += len(text)
