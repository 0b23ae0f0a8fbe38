"""Edits of a shader's text, collected first and applied at once, and names that the text does not use."""

from __future__ import annotations

from bisect import bisect_left

from pixel_core.wgsl.syntax import SyntaxTree, Token, TokenKind


class TextEdits:
    """Insertions and replacements in one source, by offset. Those at one offset are applied in the order of the calls."""

    def __init__(self, tree: SyntaxTree) -> None:
        self._text = tree.source.text
        self._tokens = [token for token in tree.tokens if token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT)]
        self._edits: list[tuple[int, int, str]] = []

    def insert(self, offset: int, text: str) -> None:
        """Put text before the character at an offset."""
        self._edits.append((offset, offset, text))

    def replace(self, token: Token, text: str) -> None:
        """Put text in place of a token."""
        self._edits.append((token.start, token.end, text))

    def blank(self, start: int, end: int) -> None:
        """Remove a range, except for its line breaks."""
        self._edits.append((start, end, "".join(c if c in "\r\n" else "" for c in self._text[start:end]) or " "))

    def token_at(self, offset: int) -> Token:
        """The token that starts at an offset, or the next one, blanks and comments aside."""
        return self._tokens[self._index(offset)]

    def find(self, text: str, offset: int) -> Token:
        """The first token with that text at or after an offset; the last token of the file when there is none."""
        index = self._index(offset)
        while index < len(self._tokens) - 1 and self._tokens[index].text != text:
            index += 1
        return self._tokens[index]

    def find_closing(self, opening: Token) -> Token:
        """The `)` that closes a `(`."""
        index = self._index(opening.start)
        depth = 0
        while index < len(self._tokens) - 1:
            text = self._tokens[index].text
            depth += (text == "(") - (text == ")")
            if depth == 0:
                break
            index += 1
        return self._tokens[index]

    def on_one_line(self, start: int, end: int) -> str:
        """The tokens of a range with single blanks between them, comments left out."""
        tokens: list[str] = []
        index = self._index(start)
        while index < len(self._tokens) and self._tokens[index].end <= end and self._tokens[index].text:
            tokens.append(self._tokens[index].text)
            index += 1
        return " ".join(tokens)

    def apply(self) -> str:
        """The text with all edits."""
        pieces: list[str] = []
        position = 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[0]):
            pieces.append(self._text[position:start])
            pieces.append(text)
            position = max(position, end)
        pieces.append(self._text[position:])
        return "".join(pieces)

    def _index(self, offset: int) -> int:
        return min(bisect_left(self._tokens, offset, key=lambda token: token.start), len(self._tokens) - 1)


def free_prefix(tree: SyntaxTree, wish: str) -> str:
    """A prefix that no identifier of the text has; `wish` where it is free."""
    used = {token.text for token in tree.tokens if token.kind is TokenKind.IDENTIFIER and token.text.startswith(wish)}
    prefix, number = wish, 2
    while any(name.startswith(prefix) for name in used):
        prefix, number = f"{wish}{number}x", number + 1
    return prefix
