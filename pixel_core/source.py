"""A text with its path, and the arithmetic between offsets, lines and columns.

Offsets and columns count Unicode code points. Lines and columns count from 1, as compilers and the JSON report do.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from pixel_core.findings import Location, Span


@dataclass(frozen=True, slots=True)
class SourceText:
    """One version of one file.

    A line ends at line feed, carriage return or both, and at the other line breaks of WGSL (VT, FF, U+0085, U+2028, U+2029).
    """

    path: Path
    text: str
    line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "line_starts", _line_starts(self.text))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a code-point offset; offsets past the end give the end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Code-point offset of a line and column, both from 1, clamped to the text."""
        line = min(max(line, 1), len(self.line_starts))
        start = self.line_starts[line - 1]
        return min(max(start + column - 1, start), self._line_end(line))

    def line(self, number: int) -> str:
        """The text of a line (from 1) without its line break; empty outside the file."""
        if not 1 <= number <= len(self.line_starts):
            return ""
        return self.text[self.line_starts[number - 1] : self._line_end(number)]

    def location(self, span: Span) -> Location:
        """The location of a span of this text."""
        return Location(self.path, span)

    def _line_end(self, number: int) -> int:
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        while end > self.line_starts[number - 1] and self.text[end - 1] in _LINE_BREAKS:
            end -= 1
        return end


_LINE_BREAKS = "\n\r\v\f\u0085\u2028\u2029"


def _line_starts(text: str) -> tuple[int, ...]:
    starts = [0]
    position = 0
    for line in text.splitlines(keepends=True):
        position += len(line)
        # str.splitlines also breaks at the separators U+001C..U+001E, which WGSL does not.
        if line[-1] in _LINE_BREAKS:
            starts.append(position)
    return tuple(starts)
