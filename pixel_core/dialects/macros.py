"""Macros: what `#define` says, and what a contract's `define` adds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pixel_core.dialects.lex_macros import TRIVIA, Kind, Token

VARIADIC = "__VA_ARGS__"
PASTE = "##"


class Macro(msgspec.Struct, frozen=True, kw_only=True):
    """One macro.

    Attributes:
        name: The token that names it, where it is defined.
        parameters: Names of its parameters; None for a macro without parentheses.
        is_variadic: Whether the last parameter takes all further arguments.
        body: What it stands for, without blanks at its ends.
    """

    name: Token
    parameters: tuple[str, ...] | None
    is_variadic: bool
    body: tuple[Token, ...]

    def is_same(self, other: Macro) -> bool:
        """Whether two definitions say the same, as C asks it: blanks count, how many does not."""
        return (self.parameters, self.is_variadic, _shape(self.body)) == (other.parameters, other.is_variadic, _shape(other.body))


def read_macro(name: Token, rest: Sequence[Token]) -> Macro | tuple[Token, str]:
    """Read what follows `#define NAME`.

    Args:
        name: The name.
        rest: The tokens behind it up to the end of the line; a macro has parameters if a parenthesis follows without a blank.

    Returns:
        The macro, or the token that is wrong and what is wrong with it.
    """
    parameters: list[str] | None = None
    is_variadic = False
    if rest and rest[0].text == "(":
        parameters = []
        closed = next((index for index, token in enumerate(rest) if token.text == ")"), None)
        if closed is None:
            return rest[0], "the list of parameters is never closed"
        inside = [token for token in rest[1:closed] if token.kind not in TRIVIA]
        for index, token in enumerate(inside):
            if index % 2:
                if token.text != ",":
                    return token, f"`{token.text}` where a comma or a parenthesis is expected"
            elif token.text == "..." and index == len(inside) - 1:
                is_variadic = True
                parameters.append(VARIADIC)
            elif token.kind is not Kind.WORD or token.text in parameters:
                return token, f"`{token.text}` cannot be the name of a parameter" + (" twice" if token.text in parameters else "")
            else:
                parameters.append(token.text)
        if inside and len(inside) % 2 == 0:
            return inside[-1], "a parameter is missing behind this comma"
        rest = rest[closed + 1 :]
    body = _trimmed(rest)
    if body and PASTE in (body[0].text, body[-1].text):
        return body[0] if body[0].text == PASTE else body[-1], "`##` needs a token on both sides"
    return Macro(name=name, parameters=None if parameters is None else tuple(parameters), is_variadic=is_variadic, body=body)


def _trimmed(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Without comments, and without blanks at the ends; a comment inside is a blank."""
    start, end = 0, len(tokens)
    while start < end and tokens[start].kind in TRIVIA:
        start += 1
    while end > start and tokens[end - 1].kind in TRIVIA:
        end -= 1
    return tuple(tokens[start:end])


def _shape(body: Sequence[Token]) -> list[str]:
    shape: list[str] = []
    for token in body:
        text = " " if token.kind in TRIVIA else token.text
        if text != " " or shape[-1:] != [" "]:
            shape.append(text)
    return shape
