"""The TOML of a contract inside its file: in the `//!` lines at the top of a shader, or a whole sidecar."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import msgspec

from pixel_core.findings import Span
from pixel_core.kernels.contract_keys import CONTRACT_KEYS
from pixel_core.source import SourceText
from pixel_core.wgsl.syntax import Token, TokenKind


class EmbeddedText(msgspec.Struct, frozen=True, kw_only=True):
    """A text whose lines stand somewhere in a file.

    Attributes:
        source: The file.
        text: The lines, joined with line feeds.
        starts: Offset in `text` at which each line starts.
        origins: Offset in the file at which each line starts.
    """

    source: SourceText
    text: str
    starts: tuple[int, ...]
    origins: tuple[int, ...]

    def span(self, span: Span) -> Span:
        """The place in the file of a range of `text`."""
        return Span(self._offset(span.start), self._offset(span.end))

    def _offset(self, offset: int) -> int:
        line = max(bisect_right(self.starts, offset) - 1, 0)
        return self.origins[line] + offset - self.starts[line]


class DocBlock(msgspec.Struct, frozen=True, kw_only=True):
    """What the `//!` lines of a shader hold.

    Attributes:
        contract: The contract's lines, without what introduces a comment; None where there is no contract.
        misplaced: Headers of contracts that stand after the first code and are not read.
    """

    contract: EmbeddedText | None
    misplaced: tuple[Span, ...]


class _Line(msgspec.Struct, frozen=True):
    text: str
    origin: int


_MARK = "//!"
_HEADER = re.compile(r"\s*\[\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+)\s*[.=]")
_KNOWN_KEYS = tuple(CONTRACT_KEYS)


def find_doc_block(shader: SourceText, tokens: Sequence[Token]) -> DocBlock:
    """Find the contract in the `//!` lines above the first code.

    Prose comes first: the contract starts at the first line that is a bare `[name]` header followed by a key of contracts.
    """
    first_code = next((number for number, token in enumerate(tokens) if not _is_trivia(token)), len(tokens))
    lines = _doc_lines(tokens[:first_code])
    start = next(iter(_headers(lines)), None)
    later = _doc_lines(tokens[first_code:])
    misplaced = tuple(_line_span(later[number]) for number in _headers(later))
    return DocBlock(contract=None if start is None else _join(shader, lines[start:]), misplaced=misplaced)


def embed_whole(source: SourceText) -> EmbeddedText:
    """A whole file as TOML; line ends become line feeds, as the parser counts them."""
    lines: list[_Line] = []
    offset = 0
    for line in source.text.split("\n"):
        lines.append(_Line(line.removesuffix("\r"), offset))
        offset += len(line) + 1
    return _join(source, lines)


def _is_trivia(token: Token) -> bool:
    return token.kind in (TokenKind.BLANKSPACE, TokenKind.COMMENT)


def _doc_lines(tokens: Iterable[Token]) -> list[_Line]:
    lines: list[_Line] = []
    for token in tokens:
        if token.kind is TokenKind.COMMENT and token.text.startswith(_MARK):
            skipped = len(_MARK) + token.text.startswith(" ", len(_MARK))
            lines.append(_Line(token.text[skipped:], token.start + skipped))
    return lines


def _headers(lines: Sequence[_Line]) -> list[int]:
    """Numbers of the lines at which a contract starts."""
    return [number for number, line in enumerate(lines) if _HEADER.fullmatch(line.text) and _key_follows(lines, number + 1)]


def _key_follows(lines: Sequence[_Line], number: int) -> bool:
    while number < len(lines) and (not lines[number].text.strip() or lines[number].text.lstrip().startswith("#")):
        number += 1
    match = _KEY.match(lines[number].text) if number < len(lines) else None
    # A misspelt first key must not turn the whole contract into prose.
    return match is not None and bool(get_close_matches(match["key"], _KNOWN_KEYS, n=1))


def _line_span(line: _Line) -> Span:
    stripped = line.text.strip()
    start = line.origin + line.text.index(stripped)
    return Span(start, start + len(stripped))


def _join(source: SourceText, lines: Sequence[_Line]) -> EmbeddedText:
    starts: list[int] = []
    offset = 0
    for line in lines:
        starts.append(offset)
        offset += len(line.text) + 1
    return EmbeddedText(
        source=source,
        text="\n".join(line.text for line in lines),
        starts=tuple(starts),
        origins=tuple(line.origin for line in lines),
    )
