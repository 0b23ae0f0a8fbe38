"""A few lines of a source text with the interesting parts underlined.

31 │     c[row * size.n + col] = sum;
   │     ^^^^^^^^^^^^^^^^^^^^^ this store writes them
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from pixel_core.findings import Span
from pixel_core.source import SourceText
from pixel_server.terminal.medium import Medium

TAB_WIDTH: Final = 4
GUTTER_STYLE: Final = "blue"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the source that is underlined.

    Attributes:
        span: Which part; an empty span is shown one cell wide, and None is the whole file, which is not drawn.
        sign: `^` for the place of the finding, `-` for places that explain it.
        message: What is said beside the underline.
        style: Of the underline and the message.
    """

    span: Span | None
    sign: str
    message: str
    style: str


class _Underline(msgspec.Struct, frozen=True):
    """The part of a mark on one line: code-point columns from 0, end exclusive."""

    start: int
    end: int
    mark: Mark
    is_last: bool


def excerpt(source: SourceText, marks: Sequence[Mark], medium: Medium, gutter: int) -> list[Text]:
    """The lines that hold the marks, each underline below its line.

    Args:
        source: The text that the marks point into.
        marks: In the order in which several on one line are shown.
        medium: Source lines are cropped to its width, around their first mark.
        gutter: Cells of the line-number column; at least `gutter_width`.
    """
    rows = _underlines(source, marks)
    texts: list[Text] = []
    previous: int | None = None
    for number in sorted(rows):
        if previous is not None and number > previous + 1:
            texts.append(Text(" " * gutter + f" {medium.glyphs.gap}", GUTTER_STYLE))
        texts.extend(_row(source.line(number), number, rows[number], medium, gutter))
        previous = number
    return texts


def gutter_width(source: SourceText, marks: Sequence[Mark]) -> int:
    """Cells that the greatest line number of the marks needs."""
    spans = [mark.span for mark in marks if mark.span is not None]
    return max((len(str(source.position(max(span.end - 1, span.start))[0])) for span in spans), default=1)


def _underlines(source: SourceText, marks: Sequence[Mark]) -> dict[int, list[_Underline]]:
    """The underlines of each line; of a mark over several lines, only the first and the last are shown."""
    rows: dict[int, list[_Underline]] = {}
    for mark in marks:
        if mark.span is None:
            continue
        first, start = source.position(mark.span.start)
        last, end = source.position(max(mark.span.end - 1, mark.span.start))
        end += 1 if mark.span.end > mark.span.start else 0
        if first == last:
            # A line break has no cell of its own.
            end = min(end, len(source.line(first)) + 1)
            rows.setdefault(first, []).append(_Underline(start - 1, end - 1, mark, is_last=True))
            continue
        rows.setdefault(first, []).append(_Underline(start - 1, len(source.line(first)), mark, is_last=False))
        line = source.line(last)
        indent = len(line) - len(line.lstrip())
        rows.setdefault(last, []).append(_Underline(min(indent, end - 1), end - 1, mark, is_last=True))
    return rows


def _row(line: str, number: int, underlines: Sequence[_Underline], medium: Medium, gutter: int) -> list[Text]:
    bar = medium.glyphs.bar
    window = _window(line, underlines[0], medium, max(medium.width - gutter - 3, 20))
    texts = [Text.assemble((f"{number:>{gutter}} {bar}", GUTTER_STYLE), f" {window.shown}".rstrip())]
    for underline in underlines:
        left, right = window.cell(underline.start), window.cell(underline.end)
        text = Text.assemble((" " * gutter + f" {bar} ", GUTTER_STYLE), " " * left)
        text.append(underline.mark.sign * max(right - left, 1), underline.mark.style)
        if underline.is_last and underline.mark.message:
            text.append(" " + medium.printable(underline.mark.message), underline.mark.style)
        texts.append(text)
    return texts


class _Window(msgspec.Struct, frozen=True):
    """The part of a line that is shown: its text, its first code point, and the cell of each code point and of the end."""

    shown: str
    first: int
    cells: Sequence[int]

    def cell(self, column: int) -> int:
        return self.cells[min(max(column - self.first, 0), len(self.cells) - 1)]


def _window(line: str, around: _Underline, medium: Medium, width: int) -> _Window:
    """As much of the line as fits, around an underline. A line may be megabytes long, so only that neighbourhood is looked at."""
    whole = _lay_out(line, 0, medium, width)
    if whole.first + len(whole.cells) > around.end or around.start == 0:
        return whole
    marked = _lay_out(line[: around.end], around.start, medium, width)
    lead = max(min(width // 3, width - marked.cells[-1] - 2), 4)
    first = around.start
    while first > 0 and cell_len(_piece(line[first - 1], 0, medium)) <= lead:
        first -= 1
        lead -= max(cell_len(_piece(line[first], 0, medium)), 1)
    return _lay_out(line, first, medium, width)


def _lay_out(line: str, first: int, medium: Medium, width: int) -> _Window:
    """A line from a code point on, until the width is used up."""
    cut = medium.glyphs.cut
    pieces = [cut] if first > 0 else []
    cell = cell_len("".join(pieces))
    cells: list[int] = []
    for index in range(first, len(line)):
        piece = _piece(line[index], cell, medium)
        size = cell_len(piece)
        is_end = index == len(line) - 1
        if cell + size > (width if is_end else width - 1) or len(cells) > 4 * width:
            pieces.append(cut)
            break
        cells.append(cell)
        pieces.append(piece)
        cell += size
    cells.append(cell)
    return _Window("".join(pieces), first, cells)


def _piece(character: str, cell: int, medium: Medium) -> str:
    return " " * (TAB_WIDTH - cell % TAB_WIDTH) if character == "\t" else medium.cell(character)
