"""Where findings stand, as reports for other programs say it: lines from 1, columns from 1 in UTF-16 code units, paths below a root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from pixel_core.findings import Location, Span
from pixel_core.source import SourceText


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """A half-open range of a text; lines and columns count from 1, columns in UTF-16 code units."""

    line: int
    column: int
    end_line: int
    end_column: int


def region_of(location: Location, sources: Mapping[Path, SourceText]) -> Region:
    """The region of a location; the first place of the file where it has no span or its text is not known."""
    source = sources.get(location.path)
    if source is None or location.span is None:
        return Region(line=1, column=1, end_line=1, end_column=1)
    return region_of_span(location.span, source)


def region_of_span(span: Span, source: SourceText) -> Region:
    """The region of a span of a text."""
    line, column = _position(source, span.start)
    end_line, end_column = _position(source, span.end)
    return Region(line=line, column=column, end_line=end_line, end_column=end_column)


def path_below(path: Path, root: Path) -> str | None:
    """The path from a root downwards with forward slashes; None when it lies elsewhere. Links are not followed."""
    try:
        relative = os.path.relpath(path, root)
    except ValueError:  # another drive
        return None
    relative = Path(relative).as_posix()
    return None if relative == ".." or relative.startswith("../") else relative


def uri_below(path: Path, root: Path) -> str | None:
    """The same as a relative URI reference, percent-encoded (RFC 3986); None when the path lies elsewhere."""
    relative = path_below(path, root)
    return None if relative is None else quote(os.fsencode(relative), safe="/")


def repository_root(folder: Path) -> Path:
    """The nearest folder upwards that holds `.git`; the folder itself when none does."""
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links and change the names
    return next((one for one in (absolute, *absolute.parents) if (one / ".git").exists()), absolute)


def _position(source: SourceText, offset: int) -> tuple[int, int]:
    line, column = source.position(offset)
    start = source.line_starts[line - 1]
    before = source.text[start : start + column - 1]
    return line, column + sum(ord(character) > 0xFFFF for character in before)
