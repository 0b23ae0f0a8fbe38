"""The parser's place in the tokens, and what it reports there.

A finding is told once per break: the first one sets `recovering`, which silences others until the parser stands at the start
of a statement, member, clause or declaration again.
"""

from __future__ import annotations

from typing import NewType

from pixel_core.findings import Finding, Fix, Label, Severity, Span
from pixel_core.source import SourceText
from pixel_core.wgsl.syntax import Token, TokenKind

Symbol = NewType("Symbol", str)
IDENTIFIER = Symbol("identifier")
NUMBER = Symbol("number")
TEMPLATE_START = Symbol("template ‹")
TEMPLATE_END = Symbol("template ›")
END = Symbol("end of file")
"""Terminal symbols of the grammar that are not written as themselves; every other symbol is the text of its token."""

MAX_FINDINGS = 200
"""How many syntax mistakes of one file are told."""


class TokenCursor:
    """Where the parser stands, and what it has reported.

    Attributes:
        tokens: The significant tokens, ending with `END`.
        symbols: The terminal symbol of each of them.
        index: Of the next token.
        symbol: Of the next token.
        depth: How many brackets and blocks are open.
        recovering: Whether a break was reported that the parser has not yet recovered from.
        unclosed_at: Index of the token before which a missing `}` was reported last.
    """

    __slots__ = ("after_invalid", "depth", "findings", "index", "recovering", "source", "symbol", "symbols", "tokens", "unclosed_at")

    def __init__(self, source: SourceText, tokens: list[Token]) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.tokens: list[Token] = []
        self.symbols: list[Symbol] = []
        self.after_invalid: set[int] = set()
        self._keep_significant(tokens)
        self.index = 0
        self.symbol = self.symbols[0]
        self.depth = 0
        self.recovering = False
        self.unclosed_at = -1

    def _keep_significant(self, tokens: list[Token]) -> None:
        significant, symbols = self.tokens.append, self.symbols.append
        blankspace, comment = TokenKind.BLANKSPACE, TokenKind.COMMENT
        identifier, punctuation, keyword = TokenKind.IDENTIFIER, TokenKind.PUNCTUATION, TokenKind.KEYWORD
        others = {
            TokenKind.NUMBER: NUMBER,
            TokenKind.TEMPLATE_START: TEMPLATE_START,
            TokenKind.TEMPLATE_END: TEMPLATE_END,
            TokenKind.END: END,
        }
        for token in tokens:
            kind = token.kind
            if kind is blankspace or kind is comment:
                continue
            if kind is identifier:
                significant(token)
                symbols(IDENTIFIER)
            elif kind is punctuation or kind is keyword:
                significant(token)
                symbols(Symbol(token.text))
            elif kind is TokenKind.INVALID:
                self.after_invalid.add(len(self.tokens))
            else:
                significant(token)
                symbols(others[kind])

    # ------------------------------------------------------------ moving

    def advance(self) -> Token:
        """Take the next token. The `END` token is never passed."""
        token = self.tokens[self.index]
        if token.kind is not TokenKind.END:
            self.index += 1
            self.symbol = self.symbols[self.index]
        return token

    def move_to(self, index: int) -> None:
        """Stand at another token."""
        self.index = index
        self.symbol = self.symbols[index]

    def start(self) -> int:
        """Offset where the next token starts."""
        return self.tokens[self.index].start

    def end(self) -> int:
        """Offset where the previous token ends."""
        return self.tokens[self.index - 1].end if self.index else 0

    def accept(self, symbol: str) -> bool:
        """Take the next token if it is this symbol."""
        if self.symbol == symbol:
            self.advance()
            return True
        return False

    def on_new_line(self) -> bool:
        """Whether a line break lies before the next token."""
        if not self.index:
            return True
        position = self.source.position
        return position(self.end())[0] != position(self.start())[0]

    # ------------------------------------------------------------ reporting

    def report(
        self, code: str, message: str, span: Span, *, hint: str | None = None, fix: Fix | None = None, labels: tuple[Label, ...] = ()
    ) -> None:
        """Report a break, unless it follows from one reported before."""
        if self.recovering:
            return
        self.recovering = True
        # The lexer has told of the characters just before; what is missing is most likely what they stand for.
        if self.index not in self.after_invalid:
            self.tell(code, message, span, hint=hint, fix=fix, labels=labels)

    def tell(
        self, code: str, message: str, span: Span, *, hint: str | None = None, fix: Fix | None = None, labels: tuple[Label, ...] = ()
    ) -> None:
        """Report something that does not throw the parser off."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(
                Finding(
                    code=code,
                    severity=Severity.ERROR,
                    message=message,
                    location=self.source.location(span),
                    hint=hint,
                    fix=fix,
                    labels=labels,
                )
            )

    def report_unexpected(self, expected: str, *, hint: str | None = None) -> None:
        """Report the next token as none of what may stand here."""
        token = self.tokens[self.index]
        self.report("PX105", f"expected {expected}, found {self.found()}", Span(token.start, token.end), hint=hint)

    def found(self) -> str:
        """The next token in words."""
        if self.symbol == END:
            return END
        text = self.tokens[self.index].text
        return f"`{text if len(text) <= 40 else text[:37] + '…'}`"

    def insertion_point(self) -> Span:
        """Right after the previous token: where something is missing."""
        end = self.end()
        return Span(end, end)
