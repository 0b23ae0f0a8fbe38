"""Writes expanded tokens into a text, with a blank where two of them would otherwise become one."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_core.dialects.build_text import TextBuilder
from pixel_core.dialects.lex_macros import TRIVIA, Kind, Token
from pixel_core.dialects.problems import MAX_CHARACTERS, TooMuch, place

_JOINING = frozenset("+-*/%<>=&|^!:.#")
"""Characters of which two tokens can become another token."""

_WORDS = frozenset((Kind.WORD, Kind.NUMBER))


def emit_tokens(tokens: Sequence[Token], builder: TextBuilder) -> None:
    """Add tokens to a text.

    Raises:
        TooMuch: The text became too long.
    """
    before: Token | None = None
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if not token.text:
            before = token
            continue
        if before is not None and _would_join(before, token):
            builder.put(" ", token.home, token.start, token.end, token.use)
        if token.is_exact:
            last = token
            while index < len(tokens) and _goes_on(last, tokens[index]):
                last = tokens[index]
                index += 1
            builder.copy(token.home, token.start, last.end, token.use, is_argument=token.is_argument)
            token = last
        else:
            builder.put(token.text, token.home, token.start, token.end, token.use)
        if builder.length > MAX_CHARACTERS:
            where = token.use.location if token.use else place(token.home, token.start, token.end)
            raise TooMuch(where, f"the expanded text has more than {MAX_CHARACTERS:,} characters")
        before = token


def _goes_on(left: Token, right: Token) -> bool:
    """Whether two tokens stand beside each other in one text, for the same reason."""
    return (
        right.is_exact
        and left.end == right.start
        and left.home is right.home
        and left.use is right.use
        and left.is_argument == right.is_argument
    )


def _would_join(left: Token, right: Token) -> bool:
    if left.home is right.home and left.end == right.start and left.is_exact and right.is_exact:
        return False
    if left.kind in TRIVIA or right.kind in TRIVIA:
        return False
    if left.kind in _WORDS and (right.kind in _WORDS or (left.kind is Kind.NUMBER and right.text[0] in ".+-")):
        return True
    if right.kind is Kind.NUMBER and left.text[-1:] == ".":
        return True
    return left.kind is Kind.MARK and right.kind is Kind.MARK and left.text[-1] in _JOINING and right.text[0] in _JOINING
