"""Where the keys and values of a TOML document stand; the parser, tomli, says what they are and gives no positions.

The scan follows TOML 1.1 (toml.io/en/v1.1.0), runs once over the text, and takes for granted that tomli accepted it. On a document
that tomli refuses it still ends, and its positions mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Union

import msgspec
import tomli

from pixel_core.findings import Span

TomlPath = tuple[Union[str, int], ...]
"""Keys and, inside arrays, indices from 0: `("matmul", "cases", 2)`."""

MAX_DEPTH = 16
"""Arrays and inline tables nested more deeply are passed over without positions."""

MAX_PLACES = 50_000
"""The scan ends after so many; no contract within its own limits comes near."""


class KeyPlace(msgspec.Struct, frozen=True):
    """Where one key and its value stand, in code points.

    Attributes:
        key: The key itself, for a dotted key its last part; for an array element its value.
        value: The whole value with its quotes; for a table made by a header, that header.
        text: Inside the quotes of a string, None for other values.
    """

    key: Span
    value: Span
    text: Span | None = None


def scan_keys(document: str) -> Mapping[TomlPath, KeyPlace]:
    """The place of every key and array element, in the order of the document; of at most `MAX_PLACES`."""
    scan = _Scan(document)
    scan.document()
    return scan.places


_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_LINE_REST = re.compile(r"[^\n]*\n?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
# The closing delimiter may follow one or two quotes that belong to the text.
_LONG_BASIC = re.compile(r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{3,5}', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''[^']*(?:'(?!'')[^']*)*'{3,5}")
_ATOM = re.compile(r"[^,\]}#\n]*")
_BRACKET_OR_STRING = re.compile(r'[\[\]{}#"\']')


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.places: dict[TomlPath, KeyPlace] = {}
        self._last_index: dict[TomlPath, int] = {}

    def document(self) -> None:
        table: TomlPath = ()
        while True:
            self._skip(_GAP)
            if self.position >= len(self.text):
                return
            start = self.position
            if self._peek() == "[":
                table = self._header(table)
            else:
                self._key_and_value(table, 1)
            if self.position == start:
                self._skip(_LINE_REST)

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _skip(self, pattern: re.Pattern[str]) -> Span:
        match = pattern.match(self.text, self.position)
        start = self.position
        if match is not None:
            self.position = match.end()
        return Span(start, self.position)

    def _header(self, table: TomlPath) -> TomlPath:
        start = self.position
        is_array = self.text.startswith("[[", start)
        self.position += 2 if is_array else 1
        parts = self._key()
        self._skip(_BLANK)
        closing = "]]" if is_array else "]"
        if not parts or not self.text.startswith(closing, self.position):
            self.position = start
            return table
        self.position += len(closing)
        header = Span(start, self.position)
        path: TomlPath = ()
        for number, (name, span) in enumerate(parts):
            path = (*path, name)
            last = number == len(parts) - 1
            if last and is_array:
                index = self._last_index.get(path, -1) + 1
                self._last_index[path] = index
                self.places.setdefault(path, KeyPlace(span, header))
                path = (*path, index)
                self.places[path] = KeyPlace(span, header)
            elif last:
                # A header beats what an earlier `[table.inner]` said about its table.
                self.places[path] = KeyPlace(span, header)
            else:
                self.places.setdefault(path, KeyPlace(span, span))
                if path in self._last_index:
                    path = (*path, self._last_index[path])
        return path

    def _key(self) -> list[tuple[str, Span]]:
        """A dotted key: its parts, decoded, with their places; empty where there is none."""
        parts: list[tuple[str, Span]] = []
        while True:
            self._skip(_BLANK)
            quote = self._peek()
            if quote in {'"', "'"}:
                span = self._skip(_BASIC if quote == '"' else _LITERAL)
                name = _decode(self.text[span.start : span.end])
            else:
                span = self._skip(_BARE_KEY)
                name = self.text[span.start : span.end]
            if span.start == span.end:
                return parts
            parts.append((name, span))
            self._skip(_BLANK)
            if self._peek() != ".":
                return parts
            self.position += 1

    def _key_and_value(self, table: TomlPath, depth: int) -> None:
        parts = self._key()
        self._skip(_BLANK)
        if not parts or self._peek() != "=":
            return
        self.position += 1
        self._skip(_BLANK)
        path = table
        for name, span in parts[:-1]:
            path = (*path, name)
            self.places.setdefault(path, KeyPlace(span, span))
        name, span = parts[-1]
        self._value((*path, name), span, depth)

    def _value(self, path: TomlPath, key: Span | None, depth: int) -> None:
        start = self.position
        first = self._peek()
        if len(self.places) >= MAX_PLACES:
            self.position = len(self.text)
            return
        # Entered before its inner keys, so that places come in the order of the document.
        self.places[path] = KeyPlace(key or Span(start, start), Span(start, start))
        inside: Span | None = None
        if first in {'"', "'"}:
            inside = self._string(first)
        elif first in {"[", "{"} and depth >= MAX_DEPTH:
            self._skip_brackets()
        elif first == "[":
            self._array(path, depth)
        elif first == "{":
            self._inline_table(path, depth)
        else:
            atom = self._skip(_ATOM)
            self.position = start + len(self.text[atom.start : atom.end].rstrip())
        value = Span(start, self.position)
        self.places[path] = KeyPlace(key or value, value, inside)

    def _string(self, quote: str) -> Span:
        is_long = self.text.startswith(quote * 3, self.position)
        basic, literal = (_LONG_BASIC, _LONG_LITERAL) if is_long else (_BASIC, _LITERAL)
        span = self._skip(basic if quote == '"' else literal)
        if span.start == span.end:
            self.position += 1
        width = 3 if is_long else 1
        inside = Span(span.start + width, max(span.end - width, span.start + width))
        if is_long and self.text.startswith("\n", inside.start):
            inside = Span(inside.start + 1, max(inside.end, inside.start + 1))
        return inside

    def _array(self, path: TomlPath, depth: int) -> None:
        self.position += 1
        index = 0
        while True:
            self._skip(_GAP)
            if self._peek() in {"]", ""}:
                break
            start = self.position
            self._value((*path, index), None, depth + 1)
            index += 1
            self._skip(_GAP)
            if self._peek() == ",":
                self.position += 1
            elif self.position == start:
                break
        self.position = min(self.position + 1, len(self.text))

    def _inline_table(self, path: TomlPath, depth: int) -> None:
        self.position += 1
        while True:
            self._skip(_GAP)
            if self._peek() in {"}", ""}:
                break
            start = self.position
            self._key_and_value(path, depth + 1)
            self._skip(_GAP)
            if self._peek() == ",":
                self.position += 1
            elif self.position == start:
                break
        self.position = min(self.position + 1, len(self.text))

    def _skip_brackets(self) -> None:
        """Pass over a bracketed value of any depth."""
        depth = 0
        while True:
            match = _BRACKET_OR_STRING.search(self.text, self.position)
            if match is None:
                self.position = len(self.text)
                return
            self.position = match.start()
            character = match.group()
            if character in {'"', "'"}:
                self._string(character)
                continue
            if character == "#":
                self._skip(_LINE_REST)
                continue
            self.position += 1
            depth += 1 if character in "[{" else -1
            if depth == 0:
                return


def _decode(quoted: str) -> str:
    try:
        return str(tomli.loads(f"key = {quoted}")["key"])
    except tomli.TOMLDecodeError:
        return quoted
