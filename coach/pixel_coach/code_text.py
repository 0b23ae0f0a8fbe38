"""A program's text without what only people read: for the second look at code whose comments speak to its reviewer."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pixel_core.source import SourceText
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.syntax import TokenKind


def without_prose(path: PurePosixPath, text: str) -> str:
    """The text with comments and strings blanked, its lines where they were. Files in other languages lose every line that has letters."""
    suffix = path.suffix.lower()
    if suffix == ".wgsl":
        spans = _wgsl_prose(text)
    elif suffix == ".py":
        spans = _python_prose(text)
    else:
        spans = None
    if spans is None:
        return "\n".join("" if any(c.isalpha() for c in line) else line for line in text.split("\n"))
    parts: list[str] = []
    position = 0
    for start, end in spans:
        parts += [text[position:start], "\n" * text.count("\n", start, end)]
        position = end
    return "".join((*parts, text[position:]))


def _wgsl_prose(text: str) -> list[tuple[int, int]]:
    tokens, _ = lex(SourceText(Path("review.wgsl"), text))
    return [(token.start, token.end) for token in tokens if token.kind is TokenKind.COMMENT]


def _python_prose(text: str) -> list[tuple[int, int]] | None:
    try:
        return list(_python_spans(text))
    except (SyntaxError, tokenize.TokenError):
        return None


def _python_spans(text: str) -> Iterator[tuple[int, int]]:
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    opened = None
    f_string = {getattr(tokenize, "FSTRING_START", -1): 1, getattr(tokenize, "FSTRING_END", -1): -1}
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start, end = (starts[line - 1] + column for line, column in (token.start, token.end))
        if token.type in f_string:  # Python 3.12 cuts f-strings into pieces
            depth += f_string[token.type]
            if f_string[token.type] == 1 and depth == 1:
                opened = start
            elif depth == 0 and opened is not None:
                yield opened, end
        elif depth == 0 and token.type in (tokenize.COMMENT, tokenize.STRING):
            yield start, end
