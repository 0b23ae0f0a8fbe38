"""Leaves out what is not WGSL: lines that begin in some way, what stands around the shader, or regions in it. Line ends stay."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_core.dialects.build_text import TextBuilder
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.problems import Problems
from pixel_core.dialects.steps import Preparation, StripAround, StripBetween, StripLines, Written

_LINE_ENDS = "\r\n"


def strip_text(
    text: ExpandedText, step: StripLines | StripAround | StripBetween, preparation: Preparation, problems: Problems
) -> ExpandedText:
    """Leave out what a `strip` step names.

    A mark that does not occur is a PX345 finding on it: most likely the file has changed, and what would be checked is not the shader.
    """
    if isinstance(step, StripLines):
        removed, missing = _lines(text.text, step.beginnings)
    elif isinstance(step, StripAround):
        removed, missing = _around(text.text, step)
    else:
        removed, missing = _between(text.text, step)
    for mark in missing:
        location = preparation.source.location(mark.span)
        problems.tell("PX345", location, f"`{mark.text[:60]}` does not occur in the text, so `strip` finds nothing here")
    builder = TextBuilder()
    position = 0
    for start, end in removed:
        builder.copy(text, position, start)
        for offset in range(start, end):
            if text.text[offset] in _LINE_ENDS:
                builder.copy(text, offset, offset + 1)
        position = end
    builder.copy(text, position, len(text.text))
    return builder.finish(text.sources, text.included_from, text)


def _lines(text: str, beginnings: Sequence[Written]) -> tuple[list[tuple[int, int]], list[Written]]:
    removed: list[tuple[int, int]] = []
    unseen = list(beginnings)
    offset = 0
    for line in text.splitlines(keepends=True):
        stripped = line.lstrip()
        found = [one for one in beginnings if stripped.startswith(one.text)]
        if found:
            unseen = [one for one in unseen if one not in found]
            removed.append((offset, offset + len(line)))
        offset += len(line)
    return removed, unseen


def _around(text: str, step: StripAround) -> tuple[list[tuple[int, int]], list[Written]]:
    start, end = 0, len(text)
    if step.after is not None:
        found = text.find(step.after.text)
        if found < 0:
            return [], [step.after]
        start = found + len(step.after.text)
    if step.before is not None:
        end = text.find(step.before.text, start)
        if end < 0:
            return [], [step.before]
    return [(0, start), (end, len(text))], []


def _between(text: str, step: StripBetween) -> tuple[list[tuple[int, int]], list[Written]]:
    removed: list[tuple[int, int]] = []
    position = text.find(step.start.text)
    if position < 0:
        return [], [step.start]
    while position >= 0:
        end = text.find(step.end.text, position + len(step.start.text))
        if end < 0:
            return removed, [step.end]
        end += len(step.end.text)
        removed.append((position, end))
        position = text.find(step.start.text, end)
    return removed, []
