"""A text that was made of others, and for each of its characters the place where somebody wrote it.

Two places matter, as in a C compiler: where characters are *spelled*, and where a macro was *used* that brought them here. For plain text
both are the same. A finding stands at the use, because that is what its reader looks at, and a label leads to the spelling.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from pixel_core.findings import Label, Location, Span
from pixel_core.source import SourceText


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A run of characters with one origin.

    Attributes:
        start: Offset in the expanded text; the run ends where the next one starts.
        path: File of the spelling.
        spelled: Where it is spelled.
        is_exact: Whether it is spelled character by character; else the whole of `spelled` stands for the whole run.
        is_editable: Whether a change of the spelling changes this run and nothing else.
        used: Where the outermost macro was used that brought it; None for text that stands for itself.
        macro: Name of that macro; empty for none.
    """

    start: int
    path: Path
    spelled: Span
    is_exact: bool
    is_editable: bool
    used: Location | None = None
    macro: str = ""

    def part(self, start: int, end: int) -> Span:
        """Where a part of the run is spelled; offsets in the expanded text."""
        if not self.is_exact:
            return self.spelled
        return Span(self.spelled.start + start - self.start, self.spelled.start + end - self.start)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a range of an expanded text comes from: one place, and the macro's definition as a label."""

    location: Location
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedText:
    """A text with its origins.

    Attributes:
        text: The text.
        segments: Runs that cover it without a gap, in order; at least one.
        sources: Every text that was read for it, by path.
        included_from: File → where the directive or step stands that brought it; none for the first file.
    """

    text: str
    segments: tuple[Segment, ...]
    sources: Mapping[Path, SourceText]
    included_from: Mapping[Path, Location] = field(default_factory=dict[Path, Location])
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(segment.start for segment in self.segments))

    @classmethod
    def of(cls, source: SourceText) -> ExpandedText:
        """A file as it is."""
        whole = Segment(start=0, path=source.path, spelled=Span(0, len(source.text)), is_exact=True, is_editable=True)
        return cls(text=source.text, segments=(whole,), sources={source.path: source})

    def origin(self, span: Span) -> Origin:
        """Where a range comes from.

        A range that begins and ends in the same file stands for everything between; else its beginning counts alone.
        """
        first, last = self._segment(span.start), self._segment(max(span.end - 1, span.start))
        begin = _seen(first, *self._clip(first, span))
        end = _seen(last, *self._clip(last, span))
        location = begin
        if begin.path == end.path and begin.span and end.span and end.span.start >= begin.span.start:
            location = Location(begin.path, Span(begin.span.start, max(begin.span.end, end.span.end)))
        labels: list[Label] = []
        if first.used is not None and first.used == last.used:
            labels.append(Label(Location(first.path, first.part(*self._clip(first, span))), f"from the macro `{first.macro}`"))
        if location.path in self.included_from:
            labels.append(Label(self.included_from[location.path], "included from here"))
        return Origin(location=location, labels=tuple(labels))

    def written(self, start: int, end: int) -> Location:
        """The one place that a range comes from, without labels."""
        first = self.segments[0]
        if len(self.segments) == 1 and first.is_exact and first.used is None:
            return Location(first.path, first.part(start, end))
        return self.origin(Span(start, end)).location

    def editable(self, span: Span) -> Location | None:
        """The place that can be changed to change exactly this range; None where there is none."""
        index = self._index(span.start)
        segment = self.segments[index]
        if span.start == span.end and span.start == segment.start and index > 0 and not segment.is_editable:
            index, segment = index - 1, self.segments[index - 1]  # an insertion belongs to either side
        if not segment.is_editable:
            return None
        start = segment.spelled.start + span.start - segment.start
        reached = segment.spelled.start
        for one in self._from(index, span.end):
            if not one.is_editable or one.path != segment.path or one.spelled.start != reached:
                return None
            reached = one.spelled.end
        end = start + span.end - span.start
        return Location(segment.path, Span(start, end)) if end <= reached else None

    def places(self, path: Path, offset: int) -> tuple[int, ...]:
        """Where a character of a file stands in this text: nowhere, once, or as often as it was copied."""
        found = (
            one.start + offset - one.spelled.start
            for one in self.segments
            if one.is_exact and one.path == path and one.spelled.start <= offset < one.spelled.end
        )
        return tuple(found)

    def pieces(self, span: Span) -> Iterator[tuple[Segment, int, int]]:
        """The segments of a range, each with the part of it that lies in the range."""
        if span.start < span.end and len(self.segments) == 1:
            yield self.segments[0], span.start, span.end
        elif span.start < span.end:
            for segment in self._from(self._index(span.start), span.end):
                yield (segment, *self._clip(segment, span))

    def with_text(self, text: str) -> ExpandedText:
        """The same origins for a text of the same length."""
        assert len(text) == len(self.text)
        return replace(self, text=text)

    def _from(self, index: int, end: int) -> Iterator[Segment]:
        yield self.segments[index]
        for number in range(index + 1, len(self.segments)):
            if self.starts[number] >= end:
                return
            yield self.segments[number]

    def _index(self, offset: int) -> int:
        return max(bisect_right(self.starts, offset) - 1, 0)

    def _segment(self, offset: int) -> Segment:
        return self.segments[self._index(offset)]

    def _clip(self, segment: Segment, span: Span) -> tuple[int, int]:
        following = bisect_right(self.starts, segment.start)
        end = self.starts[following] if following < len(self.starts) else len(self.text)
        start = min(max(span.start, segment.start), end)
        return start, max(min(span.end, end), start)


def _seen(segment: Segment, start: int, end: int) -> Location:
    return segment.used or Location(segment.path, segment.part(start, end))
