"""What the parser expects, and how it finds its feet where something else stands."""

from __future__ import annotations

from bisect import bisect_left

from pixel_core.findings import Fix, Label, Span
from pixel_core.wgsl.cursor import END, IDENTIFIER, TEMPLATE_END, TEMPLATE_START, TokenCursor
from pixel_core.wgsl.syntax import Name, Token, TokenKind

MAX_NESTING = 160
"""Brackets, blocks and `else if` may nest this deep. The specification promises 127 levels of braces."""

_LOOKAHEAD = 48
_NOT_EXPRESSIONS = {
    "=": "an assignment is a statement, it has no value",
    "++": "`++` is a statement of its own, it has no value",
    "--": "`--` is a statement of its own, it has no value",
}
_DECLARATION_STARTS = frozenset(("fn", "struct", "alias", "override", "enable", "requires", END))
_STATEMENT_STARTS = frozenset(
    ("if", "for", "while", "loop", "switch", "let", "var", "const", "const_assert", "return", "break", "continue", "discard", "continuing")
)
MODULE_ATTRIBUTES = frozenset(("compute", "vertex", "fragment", "workgroup_size", "group", "binding", "id", "must_use"))
_MODULE_ADDRESS_SPACES = frozenset(("storage", "uniform", "workgroup", "private", "immediate"))


class RecoveringCursor(TokenCursor):
    """Adds taking what must come, and skipping what cannot."""

    __slots__ = ()

    # ------------------------------------------------------------ expecting

    def expect(self, symbol: str, context: str) -> bool:
        """Take a symbol; where it is missing, report that with its insertion as a fix and go on as if it stood there."""
        if self.symbol == symbol:
            self.index += 1
            self.symbol = self.symbols[self.index]
            return True
        where = self.insertion_point()
        self.report("PX104", f"expected `{symbol}` {context}", where, fix=Fix(f"insert `{symbol}`", where, symbol))
        return False

    def expect_semicolon(self, context: str) -> None:
        """Take the `;` after something; where it is missing, skip what cannot start the next statement or declaration."""
        if self.symbol == ";":
            self.index += 1
            self.symbol = self.symbols[self.index]
            return
        where = self.insertion_point()
        starts_next = self.symbol in _STATEMENT_STARTS or self.symbol == "}" or self.at_declaration() or self.on_new_line()
        if starts_next:
            self.report("PX104", f"expected `;` {context}", where, fix=Fix("insert `;`", where, ";"))
            return
        self.report_unexpected(f"`;` {context}", hint=_NOT_EXPRESSIONS.get(self.symbol))
        self.skip_statement()

    def expect_closing(self, closing: str, opening: Token, context: str) -> bool:
        """Take the bracket that closes `opening`; skip a little text that stands before it."""
        if self.symbol == closing:
            self.index += 1
            self.symbol = self.symbols[self.index]
            return True
        written = ">" if closing == TEMPLATE_END else closing
        where = self.insertion_point()
        label = Label(self.source.location(Span(opening.start, opening.end)), f"this `{opening.text}` is not closed")
        at = self._find_closing(closing)
        if at is None:
            self.report("PX106", f"expected `{written}` {context}", where, fix=Fix(f"insert `{written}`", where, written), labels=(label,))
            return False
        token = self.tokens[self.index]
        self.report("PX105", f"expected `{written}` {context}, found {self.found()}", Span(token.start, token.end), labels=(label,))
        self.move_to(at + 1)
        return True

    def expect_brace(self, opening: Token, context: str) -> None:
        """Take the `}` that closes `opening`; where it is missing, report that once, however many braces are.

        What is missing a brace shows only at the end of the function, so the place is guessed from the indentation.
        """
        if self.symbol == "}":
            self.index += 1
            self.symbol = self.symbols[self.index]
            return
        if self.unclosed_at != self.index and opening.text == "{":
            self.unclosed_at = self.index
            self.recovering = False
            where = self.insertion_point()
            suspect = self._unclosed_inside(opening)
            if suspect is not None:
                opening, before = suspect
                where = Span(before.end, before.end)
                context = f"to close the block that starts in line {self.source.position(opening.start)[0]}"
            label = Label(self.source.location(Span(opening.start, opening.end)), "this `{` is not closed")
            self.report("PX106", f"expected `}}` {context}", where, labels=(label,))
        self.recovering = True

    def _unclosed_inside(self, opening: Token) -> tuple[Token, Token] | None:
        """The first brace since `opening` whose partner is indented less than its line, and the token before that partner."""
        first = bisect_left(self.tokens, opening.start, key=_token_start)
        open_braces: list[Token] = []
        indentations: dict[int, int] = {}
        for index in range(first, self.index):
            symbol = self.symbols[index]
            if symbol == "{":
                open_braces.append(self.tokens[index])
            elif symbol == "}" and open_braces:
                brace, token = open_braces.pop(), self.tokens[index]
                line, column = self.source.position(token.start)
                opening_line = self.source.position(brace.start)[0]
                if opening_line not in indentations:
                    indentations[opening_line] = self._indentation(opening_line)
                before = self.tokens[index - 1]
                if line != opening_line and column <= indentations[opening_line] and self.source.position(before.end)[0] != line:
                    return brace, before
        return None

    def _indentation(self, line: int) -> int:
        start = end = self.source.line_starts[line - 1]
        while self.source.text[end] in " \t":
            end += 1
        return end - start

    def find_ahead(self, wanted: frozenset[str]) -> int | None:
        """Index of one of some symbols a little ahead, inside of the same braces."""
        depth = 0
        for index in range(self.index, min(self.index + 4 * _LOOKAHEAD, len(self.symbols))):
            symbol = self.symbols[index]
            if depth == 0 and symbol in wanted:
                return index
            if symbol == "{":
                depth += 1
            elif symbol == "}":
                depth -= 1
                if depth < 0:
                    return None
        return None

    def _find_closing(self, closing: str) -> int | None:
        """Index of a closing bracket a little ahead, in the same statement and on the same level."""
        depth = 0
        for index in range(self.index, min(self.index + _LOOKAHEAD, len(self.symbols))):
            symbol = self.symbols[index]
            if depth == 0 and symbol == closing:
                return index
            if symbol in ("(", "[", TEMPLATE_START):
                depth += 1
            elif symbol in (")", "]", TEMPLATE_END):
                depth -= 1
                if depth < 0:
                    return None
            elif symbol in (";", "{", "}", "@", "->", "=") or symbol in _STATEMENT_STARTS:
                return None
        return None

    def name(self, what: str) -> Name:
        """Take an identifier; where it is missing, report that and give an empty name."""
        if self.symbol == IDENTIFIER:
            token = self.tokens[self.index]
            self.index += 1
            self.symbol = self.symbols[self.index]
            return Name(start=token.start, end=token.end, text=token.text)
        token = self.tokens[self.index]
        span = Span(token.start, token.end)
        if self.symbol == "_":
            self.report("PX103", f"`_` cannot be the name of {what}", span, hint="choose another name")
        elif token.kind is TokenKind.KEYWORD and not (self.symbol in _STATEMENT_STARTS and self.on_new_line()):
            self.report("PX103", f"`{token.text}` is a keyword and cannot be the name of {what}", span, hint="choose another name")
        else:
            self.report_unexpected(f"the name of {what}")
            return Name(start=self.end(), end=self.end(), text="")
        self.advance()
        return Name(start=token.start, end=token.end, text=token.text)

    # ------------------------------------------------------------ finding one's feet

    def at_statement(self) -> bool:
        """Whether the next token can only begin a statement."""
        return self.symbol in _STATEMENT_STARTS

    def at_declaration(self) -> bool:
        """Whether what comes can only stand at module scope."""
        symbol = self.symbol
        if symbol in _DECLARATION_STARTS:
            return True
        if symbol == "@":
            return self._attributes_of_declaration()
        if symbol == "var" and self.symbols[self.index + 1] in (TEMPLATE_START, "<"):
            # Inside of a function it is more likely misplaced than the sign of a missing brace, unless it starts at the margin.
            name = self.tokens[min(self.index + 2, len(self.tokens) - 1)].text
            return name in _MODULE_ADDRESS_SPACES and self.source.position(self.start())[1] == 1
        return False

    def _attributes_of_declaration(self) -> bool:
        """Whether the attributes that come belong to a declaration."""
        index = self.index
        last = min(index + _LOOKAHEAD, len(self.symbols) - 2)
        names: list[str] = []
        while index < last and self.symbols[index] == "@":
            names.append(self.tokens[index + 1].text)
            index += 2
            if self.symbols[index] == "(":
                while index < last and self.symbols[index] not in (")", "fn", "var", "{", ";"):
                    index += 1
                index += self.symbols[index] == ")"
        keyword = self.symbols[index]
        if keyword in ("if", "for", "while", "loop", "switch", "{"):
            return False
        return keyword in _DECLARATION_STARTS or not MODULE_ATTRIBUTES.isdisjoint(names)

    def skip_statement(self) -> None:
        """Skip to the end of a broken statement: past its `;`, or before what belongs to another."""
        first = self.index
        while True:
            symbol = self.symbol
            if symbol == ";":
                self.advance()
                return
            if symbol in ("{", "}") or self.at_declaration() or (symbol in _STATEMENT_STARTS and self.index > first):
                return
            self.advance()

    def skip_declaration(self) -> None:
        """Skip to the end of a broken declaration: past its `;` or its braces, or before the next one."""
        self.advance()
        while self.symbol != END:
            if self.symbol == ";":
                self.advance()
                return
            if self.symbol == "{":
                self.skip_braces()
                return
            if self.at_declaration() or self.symbol in ("@", "const", "var", "const_assert", "diagnostic"):
                return
            self.advance()

    def skip_braces(self) -> None:
        """Skip a balanced pair of braces, or up to the next thing that can only stand at module scope."""
        depth = 0
        while self.symbol != END:
            if self.symbol == "{":
                depth += 1
            elif self.symbol == "}":
                depth -= 1
            elif self.at_declaration():
                return
            self.advance()
            if depth <= 0:
                return

    def skip_nested(self) -> None:
        """Skip what is nested too deep: up to the end of the statement, or to the bracket that closes its surroundings."""
        depth = 0
        while self.symbol not in (END, ";", "{", "}"):
            if self.symbol in ("(", "[", TEMPLATE_START):
                depth += 1
            elif self.symbol in (")", "]", TEMPLATE_END):
                if depth == 0:
                    return
                depth -= 1
            self.advance()

    def too_deep(self) -> bool:
        """Report nesting beyond `MAX_NESTING`."""
        if self.depth <= MAX_NESTING:
            return False
        token = self.tokens[self.index]
        self.report(
            "PX107",
            f"nested more than {MAX_NESTING} levels deep",
            Span(token.start, token.end),
            hint="give parts a name with `let`, or move them into functions",
        )
        return True


def _token_start(token: Token) -> int:
    return token.start
