"""The drawing in naga's text: which places it marks, and what it says at each.

naga (through codespan-reporting) draws the source with carets under it, and only the drawing tells one place from another:

      ┌─ wgsl:3:2
      │
    3 │  o[0] = 1.5f;
      │  ^^^^   ^^^^ this expression has type f32
      │  │
      │  a value with elements of type u32 is required here

Columns of the drawing are cells of a terminal: a tab fills up to a multiple of four, wide characters take two cells, combining ones none.
Lines end at line feeds alone, whatever WGSL takes for a line break.
"""

from __future__ import annotations

import unicodedata

import msgspec

from pixel_core.engines.compilers import MessageLabel

_TAB = 4
_MARGIN = "╭│╰╮╯─ "
_CARET = "^"
_PLACE = "┌─ "
_GUTTER = "│"
_MAX_ROWS = 200
"""Rows of a drawing that are read; naga marks a handful of places."""


class _Snippet(msgspec.Struct):
    """One line of the source as it is drawn.

    Attributes:
        start: Code-point offset of the line.
        cells: For each cell of the drawn line, the code point of the line that it shows; one more for its end.
        margin: Cells before the line, in which marks over several lines are drawn.
        runs: The caret runs under the line, as first cell and the cell after the last one.
    """

    start: int
    cells: list[int]
    margin: int
    runs: list[tuple[int, int]]

    def offset(self, cell: int) -> int:
        """Code-point offset of a cell."""
        return self.start + self.cells[min(max(cell, 0), len(self.cells) - 1)]


def read_naga_drawing(text: str, source: str) -> tuple[MessageLabel, ...]:
    """The marks of a drawing within one line each, in source order; marks over several lines (a whole function) are left out.

    A mark inside of another one shows only where it starts: its `end` equals its `start`.

    Args:
        text: naga's whole text.
        source: What was compiled. A drawing that does not show its lines gives nothing.
    """
    lines = source.split("\n")
    starts = _starts(lines)
    labels: dict[int, MessageLabel] = {}
    snippet: _Snippet | None = None
    for row in _rows(text):
        left, _, content = row.partition(_GUTTER)
        content = content[1:]
        number = left.strip()
        if number.isascii() and number.isdigit():
            snippet = _snippet(int(number), content, lines, starts)
        elif snippet is not None:
            # A mark over several lines ends in the margin.
            for label in () if content.startswith("╰") else _marks(snippet, content[snippet.margin :]):
                known = labels.get(label.start)
                if known is None or not known.text:
                    end = label.end if known is None else max(known.end, label.end)
                    labels[label.start] = MessageLabel(start=label.start, end=end, text=label.text)
    return tuple(labels[start] for start in sorted(labels))


def naga_offset(source: str, line: int, column: int) -> int:
    """The code-point offset of naga's line and column, both from 1; -1 for line 0, which means none."""
    if line <= 0:
        return -1
    start = 0
    for _ in range(line - 1):
        end = source.find("\n", start)
        if end < 0:
            return len(source)
        start = end + 1
    return min(start + max(column, 1) - 1, len(source))


def _rows(text: str) -> list[str]:
    rows = text.split("\n")
    for number, row in enumerate(rows):
        if row.strip().startswith(_PLACE):
            drawn: list[str] = []
            for below in rows[number + 1 : number + 1 + _MAX_ROWS]:
                if _GUTTER not in below:
                    break
                drawn.append(below)
            return drawn
    return []


def _starts(lines: list[str]) -> list[int]:
    starts: list[int] = []
    position = 0
    for line in lines:
        starts.append(position)
        position += len(line) + 1
    return starts


def _snippet(number: int, content: str, lines: list[str], starts: list[int]) -> _Snippet | None:
    if not 1 <= number <= len(lines):
        return None
    drawn = ""
    cells: list[int] = []
    for position, character in enumerate(lines[number - 1].rstrip("\r")):
        width = _TAB - len(cells) % _TAB if character == "\t" else _width(character)
        drawn += " " * width if character == "\t" else character
        cells += [position] * width
    cells.append(len(lines[number - 1].rstrip("\r")))
    if not content.rstrip().endswith(drawn.rstrip()):
        return None
    return _Snippet(starts[number - 1], cells, len(content.rstrip()) - len(drawn.rstrip()) if drawn.strip() else 0, [])


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _marks(snippet: _Snippet, content: str) -> list[MessageLabel]:
    if not snippet.runs and content.lstrip().startswith(_CARET):
        return _carets(snippet, content)
    hanging = content.lstrip(_MARGIN)
    if not snippet.runs or not hanging or hanging.startswith(_CARET):
        return []
    start = len(content) - len(hanging)
    end = next((last for first, last in snippet.runs if first == start), start)
    return [MessageLabel(start=snippet.offset(start), end=snippet.offset(end), text=hanging.rstrip())]


def _carets(snippet: _Snippet, content: str) -> list[MessageLabel]:
    cell = 0
    while cell < len(content) and content[cell] in " ^":
        if content[cell] == _CARET:
            start = cell
            while cell < len(content) and content[cell] == _CARET:
                cell += 1
            snippet.runs.append((start, cell))
        else:
            cell += 1
    words = content[cell:].rstrip()
    last = len(snippet.runs) - 1
    return [
        MessageLabel(start=snippet.offset(start), end=snippet.offset(end), text=words if number == last else "")
        for number, (start, end) in enumerate(snippet.runs)
    ]
