"""A text as the editor counts it: its lines, and columns in the units that were agreed on.

LSP breaks lines at line feed, carriage return or both, and nowhere else; WGSL and Python know more line breaks. So lines of
`SourceText` never meet lines of LSP: everything between them passes through code-point offsets, here.
Source: LSP 3.17, "Text Documents" and "Position".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from lsprotocol.types import Position, Range

from pixel_core.findings import Span

_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")


class ClientText:
    """One version of one text.

    Args:
        text: The text.
        encoding: `utf-8`, `utf-16` or `utf-32`.
    """

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self._encoding = encoding
        breaks = list(_LINE_BREAK.finditer(text))
        self._starts = [0, *(match.end() for match in breaks)]
        self._ends = [*(match.start() for match in breaks), len(text)]

    def position(self, offset: int) -> Position:
        """The editor's position of a code-point offset, clamped to the text."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        # Between carriage return and line feed is still the end of the line.
        before = self.text[self._starts[line] : min(offset, self._ends[line])]
        return Position(line=line, character=self._units(before))

    def offset(self, position: Position) -> int:
        """The code-point offset of an editor's position, clamped to its line and the text."""
        if position.line >= len(self._starts):
            return len(self.text)
        start = self._starts[position.line]
        return start + self._column(self.text[start : self._ends[position.line]], position.character)

    def range(self, span: Span | None) -> Range:
        """The editor's range of a span; of no span, the beginning of the text."""
        if span is None:
            return Range(start=Position(line=0, character=0), end=Position(line=0, character=0))
        return Range(start=self.position(span.start), end=self.position(span.end))

    def span(self, given: Range) -> Span:
        """The span of an editor's range."""
        start = self.offset(given.start)
        return Span(start, max(start, self.offset(given.end)))

    def edited(self, edits: Iterable[tuple[Range | None, str]]) -> ClientText:
        """The text after edits, each of which speaks of the text after those before it; no range is all of it.

        To replace a word everywhere is one notification with thousands of edits, so each of them touches the lines of its range alone.
        """
        lines = _lines(self.text)
        for given, new_text in edits:
            if given is None:
                lines = _lines(new_text)
            else:
                self._edit(lines, given, new_text)
        return ClientText("".join(lines), self._encoding)

    def position_in(self, other: ClientText, position: Position) -> Position | None:
        """The position in another version of the text; None unless all up to the end of its line, or all from its start, is the same."""
        if position.line >= len(self._starts):
            return None
        if other.text.startswith(self.text[: self._ends[position.line]]):
            end = other.text[self._ends[position.line] : self._ends[position.line] + 1]
            return position if end in ("", "\n", "\r") else None
        start = self._starts[position.line] + len(other.text) - len(self.text)
        line = bisect_right(other._starts, start) - 1
        if start < 0 or other._starts[line] != start or not other.text.endswith(self.text[self._starts[position.line] :]):
            return None
        return Position(line=line, character=position.character)

    def _edit(self, lines: list[str], given: Range, new_text: str) -> None:
        """Replace a range of a text that is given as its lines."""
        last = len(lines) - 1
        (first, begin), (final, end) = (self._place(lines, position) for position in (given.start, given.end))
        final, end = max((first, begin), (final, end))
        changed = lines[first][:begin] + new_text + lines[final][end:]
        if first and changed.startswith("\n") and lines[first - 1].endswith("\r"):
            first -= 1
            changed = lines[first] + changed
        made = _lines(changed)
        lines[first : final + 1] = made if final == last else made[:-1]

    def _place(self, lines: list[str], position: Position) -> tuple[int, int]:
        """Line and column, in code points, of an editor's position, clamped to its line and the text."""
        if position.line >= len(lines):
            return len(lines) - 1, len(lines[-1])
        return position.line, self._column(lines[position.line].rstrip("\r\n"), position.character)

    def _column(self, line: str, character: int) -> int:
        """The code points before a column of a line without its break."""
        if self._encoding == "utf-32" or line.isascii():
            return min(character, len(line))
        for index, one in enumerate(line):
            if character <= 0:
                return index
            character -= self._units(one)
        return len(line)

    def _units(self, text: str) -> int:
        if self._encoding == "utf-32" or text.isascii():
            return len(text)
        # Lone surrogates come through JSON, and take one unit of UTF-16 or three of UTF-8.
        if self._encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _lines(text: str) -> list[str]:
    """The lines of a text with their breaks; the last one has none, and may be empty."""
    starts = [0, *(match.end() for match in _LINE_BREAK.finditer(text))]
    return [text[start:end] for start, end in zip(starts, (*starts[1:], len(text)), strict=True)]
