"""`#import` as naga_oil writes it, as far as files can be put together by it: names are not mangled, and qualified ones lose their path."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pixel_core.dialects.lex_macros import TRIVIA, Kind, Token

MAX_IMPORTS = 256
"""Of one directive."""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One imported path.

    Attributes:
        path: Module, or module and item: `lib::math::square`.
        alias: The name given by `as`; empty for none.
        start: First token.
        end: Last token.
    """

    path: tuple[str, ...]
    alias: str
    start: Token
    end: Token


def read_imports(tokens: Sequence[Token]) -> list[Import] | Token | None:
    """Read `a::b`, `a::b as c`, `a::b::{c, d}` and lists of them.

    Returns:
        The imports; the token that cannot be understood; None where there are none.
    """
    significant = [token for token in tokens if token.kind not in TRIVIA]
    found: list[Import] = []
    prefix: tuple[str, ...] = ()
    outer: list[tuple[str, ...]] = []
    words: list[Token] = []
    index = 0
    while index < len(significant):
        token = significant[index]
        following = significant[index + 1].text if index + 1 < len(significant) else ""
        if token.kind is Kind.WORD and token.text != "as":
            words.append(token)
            index += 2 if following == "::" else 1
            if following == "::":
                continue
            alias = ""
            if index + 1 < len(significant) and significant[index].text == "as":
                alias = significant[index + 1].text
                index += 2
            path = (*prefix, *(word.text for word in words))
            if len(found) >= MAX_IMPORTS:
                return token
            found.append(Import(path=path, alias=alias, start=words[0], end=significant[index - 1]))
            words = []
        elif token.text == "{":
            outer.append(prefix)
            prefix = (*prefix, *(word.text for word in words))
            words = []
            index += 1
        elif token.text == "}" and outer:
            prefix = outer.pop()
            index += 1
        elif token.text == "," and not words:
            index += 1
        else:
            return token
    return found or None


def unqualified(tokens: Sequence[Token], qualifiers: frozenset[tuple[str, ...]]) -> list[Token]:
    """The tokens without the paths of imported modules: `math::square` becomes `square`."""
    if not qualifiers:
        return list(tokens)
    kept: list[Token] = []
    index = 0
    while index < len(tokens):
        end = index
        words: list[str] = []
        while end + 1 < len(tokens) and tokens[end].kind is Kind.WORD and tokens[end + 1].text == "::":
            words.append(tokens[end].text)
            end += 2
        if tuple(words) in qualifiers:
            index = end
        kept.append(tokens[index])
        index += 1
    return kept
