"""What `prepare` says, as data: steps that make WGSL of a dialect, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

import msgspec

from pixel_core.findings import Span
from pixel_core.source import SourceText

STEP_KEYS: Mapping[str, str] = {
    "define": 'names for the preprocessor: define = { TILE = 16, TYPE = "f32" }',
    "include": 'folders that are searched for included files: include = ["common"]',
    "strip": 'beginnings of lines to leave out, or marks: strip = ["import "], strip = { after = "`", before = "`" }',
    "template": "values for jinja2: template = { n = 4 }",
    "concat": 'files to join, `.` being this one: concat = ["types.wgsl", "."]',
    "command": 'a program and its arguments: command = ["python3", "expand.py"]',
}

MAX_STEPS = 16


class Written(msgspec.Struct, frozen=True):
    """A text with its place in the contract's file."""

    text: str
    span: Span


class Preprocess(msgspec.Struct, frozen=True, kw_only=True):
    """`define`, `include`, or both: the macro preprocessor.

    Attributes:
        macros: Name → what it stands for.
        folders: Searched for included files, relative to the contract.
    """

    macros: Mapping[str, Written]
    folders: tuple[Written, ...]
    span: Span


class StripLines(msgspec.Struct, frozen=True, kw_only=True):
    """`strip = ["import "]`: lines that begin so, blanks before it aside, are left out; their line ends stay."""

    beginnings: tuple[Written, ...]
    span: Span


class StripAround(msgspec.Struct, frozen=True, kw_only=True):
    """`strip = { after = "A", before = "B" }`: only what stands behind the first A and before the next B is kept."""

    after: Written | None
    before: Written | None
    span: Span


class StripBetween(msgspec.Struct, frozen=True, kw_only=True):
    """`strip = { from = "A", to = "B" }`: everything from each A to the next B, both included, is left out."""

    start: Written
    end: Written
    span: Span


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """`template = { n = 4 }`: jinja2 with these values; `delimiters` are those of expressions."""

    values: Mapping[str, Any]
    delimiters: tuple[str, str]
    span: Span


class Concat(msgspec.Struct, frozen=True, kw_only=True):
    """`concat = ["a.wgsl", "."]`: files in this order; `.` is the text so far, which comes last where it is not named."""

    files: tuple[Written, ...]
    span: Span


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """`command = ["python3", "expand.py"]`: a program that reads the text and writes WGSL."""

    arguments: tuple[Written, ...]
    span: Span


Step = Union[Preprocess, StripLines, StripAround, StripBetween, Template, Concat, Command]


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one contract.

    Attributes:
        steps: In order; at least one.
        source: The file that they are written in.
        span: Of all of them there.
    """

    steps: tuple[Step, ...]
    source: SourceText
    span: Span

    @property
    def runs_programs(self) -> bool:
        """Whether it starts a program, which only a trusted workspace may."""
        return any(isinstance(step, (Template, Command)) for step in self.steps)

    def is_same(self, other: Preparation) -> bool:
        """Whether two make the same of every text."""
        return [_meaning(step) for step in self.steps] == [_meaning(step) for step in other.steps]


def _meaning(step: Step) -> tuple[object, ...]:
    """What a step does, without its places."""
    if isinstance(step, Preprocess):
        return ("preprocess", {name: value.text for name, value in step.macros.items()}, [one.text for one in step.folders])
    if isinstance(step, StripLines):
        return ("lines", [one.text for one in step.beginnings])
    if isinstance(step, StripAround):
        return ("around", step.after and step.after.text, step.before and step.before.text)
    if isinstance(step, StripBetween):
        return ("between", step.start.text, step.end.text)
    if isinstance(step, Template):
        return ("template", repr(step.values), step.delimiters)
    if isinstance(step, Concat):
        return ("concat", [one.text for one in step.files])
    return ("command", [one.text for one in step.arguments])
