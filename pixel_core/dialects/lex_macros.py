"""Cuts a text for the macro preprocessor: words, numbers, comments, line ends, and everything else. Lossless and linear."""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from pixel_core.dialects.build_text import Use
from pixel_core.dialects.expanded_text import ExpandedText


class Kind(Enum):
    """What a token is to the preprocessor."""

    BLANK = "blank"
    LINE_END = "line_end"
    COMMENT = "comment"
    WORD = "word"
    NUMBER = "number"
    MARK = "mark"


TRIVIA = frozenset((Kind.BLANK, Kind.LINE_END, Kind.COMMENT))

_TOKEN = re.compile(
    r"(?P<line_end>\r\n|[\n\r\v\f\u0085\u2028\u2029])"
    r"|(?P<blank>(?:[ \t\ufeff]|\\(?:\r\n|[\n\r]))+)"
    r"|(?P<word>[A-Za-z_\u00a0-\u2027\u202a-\U0010ffff][A-Za-z0-9_\u00a0-\u2027\u202a-\U0010ffff]*)"
    # A preprocessing number of C: longest match.
    r"|(?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)"
    r"|(?P<comment>//[^\n\r\v\f\u0085\u2028\u2029]*)"
    r"|(?P<block>/\*)"
    r"|(?P<mark>##|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|->|\+=|-=|\*=|/=|%=|&=|\|=|\^=|::|\.\.\.|.)",
    re.DOTALL,
)
_EDGE = re.compile(r"/\*|\*/")
_KINDS = {"line_end": Kind.LINE_END, "blank": Kind.BLANK, "word": Kind.WORD, "number": Kind.NUMBER, "comment": Kind.COMMENT}
_NOTHING: frozenset[str] = frozenset()


class Token(msgspec.Struct, eq=False):
    """One token, with where it is from.

    Attributes:
        kind: What it is.
        text: Its characters.
        home: The text it was cut from.
        start: Its place in `home`.
        end: Where it ends there.
        hidden: Names of macros that must not be expanded in it, because it came out of them.
        use: The outermost macro that brought it; None for text as it stands.
        is_argument: Whether it was written as an argument of a macro.
        is_exact: Whether `home` has these characters at that place.
    """

    kind: Kind
    text: str
    home: ExpandedText
    start: int
    end: int
    hidden: frozenset[str] = _NOTHING
    use: Use | None = None
    is_argument: bool = False
    is_exact: bool = True


def lex_macros(home: ExpandedText) -> list[Token]:
    """Cut a whole text. Block comments nest, as in WGSL; a line end after a backslash is a blank."""
    text = home.text
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        for match in _TOKEN.finditer(text, position):
            group = match.lastgroup or "mark"
            if group == "block":
                break
            tokens.append(Token(_KINDS.get(group, Kind.MARK), match[0], home, match.start(), match.end()))
        else:
            return tokens
        position = _end_of_comment(text, match.start())
        tokens.append(Token(Kind.COMMENT, text[match.start() : position], home, match.start(), position))
    return tokens


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for edge in _EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
