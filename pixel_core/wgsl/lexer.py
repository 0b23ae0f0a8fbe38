"""From text to tokens: lossless, linear in the length of the text, for any text.

One compiled pattern finds every token but block comments, which nest. Template lists are marked afterwards, in `templates`.
"""

from __future__ import annotations

import re

from pixel_core.findings import Finding, Severity, Span
from pixel_core.source import SourceText
from pixel_core.wgsl.keywords import KEYWORDS, RESERVED_WORDS
from pixel_core.wgsl.syntax import Token, TokenKind

_LINE_BREAKS = "\n\v\f\r\x85\u2028\u2029"
_LINE_BREAK_SET = frozenset(_LINE_BREAKS)
_BLANKSPACE = f" \t{_LINE_BREAKS}\u200e\u200f"
# Every code point above ASCII that is not blankspace; `_read_word` finds out which of them may stand in an identifier.
_JOINERS = frozenset("\u200c\u200d")
_BEYOND_ASCII = "\x80-\x84\x86-\u200d\u2010-\u2027\u202a-\U0010ffff"

_TOKEN = re.compile(
    rf"(?P<blankspace>[{_BLANKSPACE}]+)"
    rf"|(?P<word>[A-Za-z_{_BEYOND_ASCII}][A-Za-z0-9_{_BEYOND_ASCII}]*)"
    # Longest match on purpose: whatever runs into a number makes it malformed, and `read_number` says how.
    r"|(?P<number>0[xX](?:[pP][+-]|[\w.])*|\.?[0-9](?:[eE][+-]|[\w.])*)"
    rf"|(?P<line_comment>//[^{_LINE_BREAKS}]*)"
    r"|(?P<block_comment>/\*)"
    # A run that starts with `>` stays whole: only template discovery can tell `>>=` from `>`, `>`, `=`.
    r"|(?P<greater>>[>=]*)"
    r"|(?P<punctuation><<=|<<|<=|&&|\|\||->|\+\+|--|==|!=|\+=|-=|\*=|/=|%=|&=|\|=|\^=|[-(){}\[\],;:.@=<!~*/%+&|^])"
    r"|(?P<invalid>[^A-Za-z0-9_(){}\[\],;:.@=<>!~*/%+&|^\s\x80-\U0010ffff-]+|.)",
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_DIRECTIVE_LINE = re.compile(rf"#[ \t]*(?P<name>[A-Za-z_]+)[^{_LINE_BREAKS}]*")

_HINTS = {
    "?": "WGSL has no `?:`; `select(if_false, if_true, condition)` does it",
    '"': "WGSL has no strings",
    "'": "WGSL has no characters and no strings",
}

MAX_LEXICAL_FINDINGS = 100
"""How many lexical mistakes of one file are told; a binary file has one in every few bytes."""


class _Lexer:
    """State of one pass over one text."""

    __slots__ = ("findings", "source", "text", "tokens", "told")

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.tokens: list[Token] = []
        self.findings: list[Finding] = []
        self.told: set[str] = set()

    def run(self) -> None:
        position = 0
        while position is not None:
            position = self._run_from(position)
        end = len(self.text)
        self.tokens.append(Token(TokenKind.END, "", end, end))

    def _run_from(self, position: int) -> int | None:
        """Append tokens from a position; gives where to go on after one that the pattern cannot delimit, None at the end."""
        append = self.tokens.append
        blankspace, number, punctuation, comment = TokenKind.BLANKSPACE, TokenKind.NUMBER, TokenKind.PUNCTUATION, TokenKind.COMMENT
        identifier, keyword, keywords = TokenKind.IDENTIFIER, TokenKind.KEYWORD, KEYWORDS
        has_null = "\0" in self.text
        for match in _TOKEN.finditer(self.text, position):
            text = match[0]
            start, end = match.span()
            group = match.lastgroup
            if group == "blankspace":
                append(Token(blankspace, text, start, end))
            elif group == "word":
                if text in keywords:
                    append(Token(keyword, text, start, end))
                elif text in RESERVED_WORDS or text[0] == "_" or not text.isascii():
                    self._read_word(text, start)
                else:
                    append(Token(identifier, text, start, end))
            elif group == "punctuation" or group == "greater":
                append(Token(punctuation, text, start, end))
            elif group == "number":
                append(Token(number, text, start, end))
            elif group == "line_comment":
                append(Token(comment, text, start, end))
                if has_null and "\0" in text:
                    self._tell_null(start + text.index("\0"))
            elif group == "block_comment":
                return self._read_block_comment(start)
            else:
                resume = self._read_invalid(text, start)
                if resume != end:
                    return resume
        return None

    def _read_word(self, text: str, start: int) -> None:
        """A word that is reserved, starts with an underscore or leaves ASCII."""
        if text.isascii() or _is_identifier(text):
            kind = TokenKind.PUNCTUATION if text == "_" else TokenKind.IDENTIFIER
            self.tokens.append(Token(kind, text, start, start + len(text)))
            if text in RESERVED_WORDS:
                self._tell_word(text, start, f"`{text}` is a reserved word", "choose another name")
            elif text.startswith("__"):
                self._tell_word(text, start, f"`{text}` starts with two underscores, which are reserved", "choose another name")
            return
        # Cut into identifiers and runs of code points that no identifier may have.
        begin = 0
        while begin < len(text):
            end = begin + 1
            valid = text[begin].isidentifier()
            if valid:
                while end < len(text) and (text[end].isascii() or _is_identifier("a" + text[end])):
                    end += 1
            else:
                while end < len(text) and not text[end].isascii() and not text[end].isidentifier():
                    end += 1
            piece = text[begin:end]
            if valid and (not piece.isascii() or (piece not in KEYWORDS and piece not in RESERVED_WORDS)):
                self.tokens.append(Token(TokenKind.IDENTIFIER, piece, start + begin, start + end))
            elif valid:
                self.tokens.append(Token(TokenKind.KEYWORD, piece, start + begin, start + end))
            else:
                self._invalid(start + begin, start + end, f"unexpected character {_describe(piece)}")
            begin = end

    def _read_block_comment(self, start: int) -> int:
        depth = 0
        end = len(self.text)
        for edge in _COMMENT_EDGE.finditer(self.text, start):
            depth += 1 if edge[0] == "/*" else -1
            if depth == 0:
                end = edge.end()
                break
        text = self.text[start:end]
        self.tokens.append(Token(TokenKind.COMMENT, text, start, end))
        if depth:
            missing = "`*/`" if depth == 1 else f"{depth} × `*/`: comments nest"
            self._tell("PX101", f"this comment is never closed: {missing} missing", Span(start, start + 2), hint="block comments nest")
        if "\0" in text:
            self._tell_null(start + text.index("\0"))
        return end

    def _read_invalid(self, text: str, start: int) -> int:
        if text[0] == "#":
            directive = _DIRECTIVE_LINE.match(self.text, start)
            if directive and self._at_line_start():
                self._invalid(
                    start,
                    directive.end(),
                    f"`#{directive['name']}` is not WGSL",
                    hint="WGSL has no preprocessor: check the expanded text",
                )
                return directive.end()
        end = start + len(text)
        if text[0] == "\0":
            self.tokens.append(Token(TokenKind.INVALID, text, start, end))
            self._tell_null(start)
        else:
            self._invalid(start, end, f"unexpected character {_describe(text)}", hint=_HINTS.get(text[0]))
        return end

    def _at_line_start(self) -> bool:
        if not self.tokens:
            return True
        previous = self.tokens[-1]
        return previous.kind is TokenKind.BLANKSPACE and (previous.start == 0 or not _LINE_BREAK_SET.isdisjoint(previous.text))

    def _invalid(self, start: int, end: int, message: str, hint: str | None = None) -> None:
        self.tokens.append(Token(TokenKind.INVALID, self.text[start:end], start, end))
        self._tell("PX100", message, Span(start, end), hint=hint)

    def _tell_null(self, at: int) -> None:
        if "\0" not in self.told:
            self.told.add("\0")
            self._tell("PX100", "null character U+0000: WGSL text must not contain any", Span(at, at + 1))

    def _tell_word(self, word: str, start: int, message: str, hint: str) -> None:
        """Once per word: its other occurrences are the same mistake."""
        if word not in self.told:
            self.told.add(word)
            self._tell("PX103", message, Span(start, start + len(word)), hint=hint)

    def _tell(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        if len(self.findings) < MAX_LEXICAL_FINDINGS:
            self.findings.append(
                Finding(code=code, severity=Severity.ERROR, message=message, location=self.source.location(span), hint=hint)
            )


def lex(source: SourceText) -> tuple[list[Token], list[Finding]]:
    """Cut a text into tokens.

    Returns:
        Every token in order, ending with `END`, their texts concatenating to the source; and what is wrong with them.
        A `>` and what follows it of `>` and `=` is still one token: `mark_template_lists` cuts it.
    """
    lexer = _Lexer(source)
    lexer.run()
    return lexer.tokens, lexer.findings


def _is_identifier(text: str) -> bool:
    # WGSL follows Unicode 14. Python 3.13 follows 15.1, which lets the two joiners continue an identifier.
    return text.isidentifier() and _JOINERS.isdisjoint(text)


def _describe(text: str) -> str:
    character = text[0]
    name = f"`{character}`" if character.isprintable() and character != "`" else ""
    return f"{name} (U+{ord(character):04X})".strip() if not name or not character.isascii() else name
