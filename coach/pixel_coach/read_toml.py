"""Reading a TOML file into typed data; a mistake in it is one sentence with file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import tomli

from pixel_coach.errors import CoachError
from pixel_core.kernels.toml_keys import KeyPlace, TomlPath, scan_keys
from pixel_core.source import SourceText

MAX_BYTES: Final = 1024 * 1024

T = TypeVar("T")

# msgspec names a place as "$.tasks[2].limits.rounds".
_STEP: Final = re.compile(r"\.(?P<key>[^.\[\]`]+)|\[(?P<index>\d+)\]")
_UNKNOWN_FIELD: Final = re.compile(r"unknown field `(?P<key>[^`]*)`")


class TomlDocument(msgspec.Struct, Generic[T], frozen=True):
    """A document that was read.

    Attributes:
        path: The file.
        value: What it holds.
        text: Its text.
    """

    path: Path
    value: T
    text: SourceText

    def mistake(self, place: TomlPath, message: str, hint: str | None = None) -> CoachError:
        """The error of a key or value of the document: `phase.toml:12: message`."""
        return CoachError(f"{self.path}:{_line(self.text, place)}: {message}", hint=hint)


def read_toml(path: Path, kind: type[T]) -> TomlDocument[T]:
    """Read a file.

    Args:
        path: Of the file.
        kind: A msgspec struct that its top level must fit.

    Raises:
        CoachError: It cannot be read, is no TOML, or does not fit; the message names file and line.
    """
    text = SourceText(path, _read(path))
    try:
        raw: dict[str, Any] = tomli.loads(text.text)
    except tomli.TOMLDecodeError as error:
        raise CoachError(f"{path}:{error.lineno}: {error.msg[:1].lower()}{error.msg[1:]}", hint="toml.io describes the format") from error
    except (RecursionError, ValueError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "a number in it is too long"
        raise CoachError(f"{path}: the file cannot be read: {why}") from error
    try:
        return TomlDocument(path, msgspec.convert(raw, kind), text)
    except msgspec.ValidationError as error:
        raise _explain(text, str(error)) from error


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CoachError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise CoachError(f"{path} holds {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise CoachError(f"{path}:{data.count(10, 0, error.start) + 1}: the file is not UTF-8") from error


def _explain(text: SourceText, message: str) -> CoachError:
    what, _, where = message.partition(" - at ")
    place: TomlPath = tuple(step["key"] if step["key"] is not None else int(step["index"]) for step in _STEP.finditer(where))
    unknown = _UNKNOWN_FIELD.search(what)
    named = ".".join(str(step) for step in place if isinstance(step, str))
    if unknown:
        place = (*place, unknown["key"])
        what = f"there is no key `{unknown['key']}` here"
    elif named and "missing" not in what:
        what = f"`{named}`: {what[:1].lower()}{what[1:]}"
    else:
        what = what[:1].lower() + what[1:]
    return CoachError(f"{text.path}:{_line(text, place)}: {what.replace('object', 'table')}")


def _line(text: SourceText, place: TomlPath) -> int:
    """Of the innermost part of a place that the document has."""
    places = scan_keys(text.text)
    found: KeyPlace | None = None
    for length in range(len(place), 0, -1):
        found = places.get(place[:length])
        if found is not None:
            break
    return text.position(found.key.start)[0] if found is not None else 1
