"""Where the lines of a program's output come from: `#line` markers say it, else lines that are equal to the program's input."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from pixel_core.dialects.build_text import TextBuilder
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.files import Files
from pixel_core.findings import Location
from pixel_core.source import SourceText

_MARKER = re.compile(r'\s*#\s*(?:line\s+)?(?P<line>[0-9]{1,9})(?:\s+"(?P<file>[^"]*)")?[\s0-9]*')

_MAX_COMPARED_LINES = 5_000
"""More lines are compared at the beginning and the end alone: looking for moved ones takes the square of their number."""

_MAX_TRIED_LINES = 20
"""Lines of a changed block that one changed line is compared with."""


def align_output(output: str, before: ExpandedText, path: Path, files: Files) -> ExpandedText:
    """Give each line of an output an origin.

    With `#line 12` or `#line 12 "file"` (`# 12 "file"` too), the next line is line 12 of the input, or of that file beside it; the
    markers are left out. Without any, lines that occur in the input stand for themselves, and what stands between two of them for what
    stood there. Of a line that differs, the beginning and the end that are the same are exact.

    Args:
        output: What the program wrote.
        before: What it read.
        path: Of the shader, which markers without a name, or with this one or `-`, speak of.
        files: Reads other files that markers name.
    """
    lines = output.splitlines(keepends=True)
    if any(_MARKER.fullmatch(line.rstrip("\r\n")) for line in lines):
        return _by_markers(lines, before, path, files)
    return _by_comparison(lines, before)


def _by_markers(lines: Sequence[str], before: ExpandedText, path: Path, files: Files) -> ExpandedText:
    builder = TextBuilder()
    sources: dict[Path, SourceText] = dict(before.sources)
    included: dict[Path, Location] = dict(before.included_from)
    home, number = before, 0
    known: Mapping[int, tuple[int, int]] = _line_ranges(before.text)
    for line in lines:
        marker = _MARKER.fullmatch(line.rstrip("\r\n"))
        if marker is None:
            number += 1
            _put_line(builder, line, home, known.get(number, (0, len(home.text))))
            continue
        number = int(marker["line"]) - 1
        name = marker["file"]
        if name is None:
            continue
        text = before
        if name not in ("", "-", "<stdin>") and Path(name).name != path.name:
            found = files.find(name, path)
            if isinstance(found, SourceText):
                text = ExpandedText.of(found)
                sources[found.path] = found
        if text is not home:
            home, known = text, _line_ranges(text.text)
    return builder.finish(sources, included, before)


def _by_comparison(lines: Sequence[str], before: ExpandedText) -> ExpandedText:
    ranges = list(_line_ranges(before.text).values())
    old = [before.text[start:end] for start, end in ranges]
    builder = TextBuilder()
    for tag, first, last, start, end in _differences(old, lines):
        likely = first
        for index in range(start, end):
            if tag == "equal" or (tag == "replace" and last - first == end - start):
                _put_line(builder, lines[index], before, ranges[first + index - start])
            elif first < last and (similar := _most_similar(lines[index], old, likely, last)) is not None:
                _put_line(builder, lines[index], before, ranges[similar])
                likely = similar + 1
            elif first < last:
                builder.put(lines[index], before, ranges[first][0], max(ranges[last - 1][1] - 1, ranges[first][0] + 1))
            else:
                # Nothing stood here: the line before it, from which it was made.
                place = ranges[max(first - 1, 0)] if ranges else (0, 0)
                builder.put(lines[index], before, *place)
    return builder.finish(before.sources, before.included_from, before)


def _differences(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    if max(len(old), len(new)) <= _MAX_COMPARED_LINES:
        return SequenceMatcher(None, old, new).get_opcodes()
    least = min(len(old), len(new))
    head = next((index for index in range(least) if old[index] != new[index]), least)
    tail = next((index for index in range(least - head) if old[-1 - index] != new[-1 - index]), least - head)
    return [
        ("equal", 0, head, 0, head),
        ("replace", head, len(old) - tail, head, len(new) - tail),
        ("equal", len(old) - tail, len(old), len(new) - tail, len(new)),
    ]


def _most_similar(line: str, old: Sequence[str], first: int, last: int) -> int | None:
    """The line of a block that a changed line was made of: the one it has most in common with, if that is half of it."""
    best, most = None, len(line.strip()) // 2
    for number in range(first, min(last, first + _MAX_TRIED_LINES)):
        head = _common(line, old[number])
        shared = len(line[:head].strip()) + len(line[len(line) - _common(line[head:][::-1], old[number][head:][::-1]) :].strip())
        if shared > most:
            best, most = number, shared
    return best


def _put_line(builder: TextBuilder, line: str, home: ExpandedText, place: tuple[int, int]) -> None:
    """A line of the output that stands for a line of another text."""
    start, end = place
    original = home.text[start:end]
    if line == original:
        builder.copy(home, start, end)
        return
    head = _common(line, original)
    # Not in the middle of a word: half of it would be exact, and the other half not.
    while head and head < len(line) and line[head - 1].isalnum() and line[head].isalnum():
        head -= 1
    tail = _common(line[head:][::-1], original[head:][::-1])
    while tail and tail < len(line) - head and line[-tail].isalnum() and line[-tail - 1].isalnum():
        tail -= 1
    builder.copy(home, start, start + head)
    changed = line[head : len(line) - tail]
    from_start, from_end = start + head, end - tail
    if from_start == from_end:
        from_start, from_end = start, max(end - 1, start)
    builder.put(changed, home, from_start, from_end)
    builder.copy(home, end - tail, end)


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    least = min(len(one), len(other))
    return next((index for index in range(least) if one[index] != other[index]), least)


def _line_ranges(text: str) -> dict[int, tuple[int, int]]:
    ranges: dict[int, tuple[int, int]] = {}
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        ranges[number] = (offset, offset + len(line))
        offset += len(line)
    return ranges
