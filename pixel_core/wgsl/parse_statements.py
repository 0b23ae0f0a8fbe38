"""Blocks and control flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from pixel_core.findings import Span
from pixel_core.source import SourceText
from pixel_core.wgsl.cursor import END
from pixel_core.wgsl.parse_simple_statements import TARGET_STARTS, SimpleStatementParser
from pixel_core.wgsl.syntax import (
    Attribute,
    Block,
    Break,
    Continuing,
    DeclarationStatement,
    ErrorStatement,
    Expression,
    For,
    If,
    Loop,
    Statement,
    Switch,
    SwitchClause,
    Token,
    While,
)

_HINTS = {
    "continuing": "`continuing` is the last thing in the body of a `loop`",
    "else": "`else` follows the closing brace of an `if`",
    "case": "`case` stands directly in the braces of a `switch`",
    "default": "`default` stands directly in the braces of a `switch`",
}
_CLAUSE_STARTS = frozenset(("case", "default"))
_CONTINUING = frozenset(("continuing",))


class StatementParser(SimpleStatementParser):
    """Adds the grammar of blocks and of the statements made of them.

    Attributes:
        stops: Keywords that belong to a surrounding `switch` or `loop`: where one stands, the blocks in between are not closed.
        break_if: The condition of the `break if` that was read last.
        break_if_depth: The depth at which `break if` may stand: directly in a `continuing` block.
    """

    __slots__ = ("break_if", "break_if_depth", "stops")

    def __init__(self, source: SourceText, tokens: list[Token]) -> None:
        super().__init__(source, tokens)
        self.stops: frozenset[str] = frozenset()
        self.break_if: Expression | None = None
        self.break_if_depth = -1

    # ------------------------------------------------------------ blocks

    def block(self, what: str, attributes: list[Attribute] | None = None) -> Block:
        """`compound_statement`: attributes, then statements in braces."""
        block, opening = self._open_block(what, attributes)
        if opening is not None:
            self._statement_list(block.statements)
            self._close_block(block, opening, what)
        return block

    def _open_block(self, what: str, attributes: list[Attribute] | None) -> tuple[Block, Token | None]:
        """Attributes and `{`; no token where the whole block is missing."""
        if attributes is None:
            attributes = self.attributes() if self.symbol == "@" else []
        opening = self.tokens[self.index]
        start = attributes[0].start if attributes else opening.start
        if self.symbol == "{":
            self.index += 1
            self.symbol = self.symbols[self.index]
        else:
            where = self.insertion_point()
            self.report("PX104", f"expected `{{` to open {what}", where)
            start = attributes[0].start if attributes else where.start
            if self.symbol in ("}", ";", END) or self.at_declaration():
                self.accept(";")
                return Block(start=start, end=max(start, self.end()), attributes=attributes, statements=[]), None
            if not self.on_new_line():
                # As in C: the one statement on the same line is the body.
                statement = self.statement()
                statements = [] if statement is None else [statement]
                return Block(start=start, end=max(start, self.end()), attributes=attributes, statements=statements), None
        self.depth += 1
        return Block(start=start, end=opening.end, attributes=attributes, statements=[]), opening

    def _close_block(self, block: Block, opening: Token, what: str) -> None:
        self.depth -= 1
        self.expect_brace(opening, f"to close {what}")
        block.end = self.tokens[self.index - 1].end

    def _statement_list(self, statements: list[Statement]) -> None:
        """Statements up to the closing brace, or to what shows that it is missing."""
        if self.too_deep():
            while self.symbol not in ("}", END) and not self.at_declaration():
                if self.symbol == "{":
                    self.skip_braces()
                else:
                    self.advance()
            return
        while self.symbol != "}":
            if self.symbol in self.stops or self.at_declaration():
                return
            self.recovering = False
            index = self.index
            statement = self.statement()
            if statement is not None:
                statements.append(statement)
            if self.index == index and self.symbol not in ("}", END):
                token = self.advance()
                statements.append(ErrorStatement(start=token.start, end=token.end))
        self.recovering = False

    # ------------------------------------------------------------ statements

    def statement(self) -> Statement | None:
        """`statement`; None for a `break if`, which is kept aside for its `continuing`."""
        symbol = self.symbol
        if symbol in TARGET_STARTS:
            return self.updating_statement(";")
        parse = self._statements.get(symbol)
        if parse is not None:
            return parse(self, [])
        if symbol == "break":
            return self._break()
        start = self.start()
        if symbol == "@":
            attributes = self.attributes()
            if self.symbol in self._attributed:
                return self._statements[self.symbol](self, attributes)
            self.report_unexpected("a statement that can have attributes (a block, `if`, `switch` or a loop)")
            if self.symbol in self._statements or self.symbol in TARGET_STARTS:
                return self.statement()
            return ErrorStatement(start=start, end=self.end())
        self.report_unexpected("a statement", hint=_HINTS.get(symbol))
        self.skip_statement()
        return ErrorStatement(start=start, end=max(start, self.end()))

    def _block_statement(self, attributes: list[Attribute]) -> Statement:
        return self.block("this block", attributes)

    def _break(self) -> Statement | None:
        """`break_statement`, or the `break_if_statement` of a `continuing` block."""
        token = self.advance()
        if self.symbol != "if":
            self.expect_semicolon("after `break`")
            return Break(start=token.start, end=self.end())
        head = Span(token.start, self.tokens[self.index].end)
        self.advance()
        condition = self.expression()
        self.expect_semicolon("after this `break if`")
        if self.break_if_depth != self.depth:
            self.tell("PX114", "`break if` can only end a `continuing` block", head, hint="write `if condition { break; }`")
            return Break(start=token.start, end=self.end())
        if self.symbol != "}":
            self.tell("PX114", "`break if` must be the last statement of its `continuing` block", head)
        self.break_if = condition
        return None

    # ------------------------------------------------------------ control flow

    def _if(self, attributes: list[Attribute]) -> If:
        """`if_statement`."""
        keyword = self.advance()
        condition = self.expression()
        then = self.block("the body of this `if`")
        otherwise: Block | If | None = None
        if self.symbol == "else":
            self.advance()
            if self.symbol == "if":
                self.depth += 1
                if self.too_deep():
                    self._skip_else_chain()
                else:
                    otherwise = self._if([])
                self.depth -= 1
            else:
                otherwise = self.block("the `else` block")
        start = attributes[0].start if attributes else keyword.start
        return If(start=start, end=self.end(), attributes=attributes, condition=condition, then=then, otherwise=otherwise)

    def _skip_else_chain(self) -> None:
        while True:
            while self.symbol not in ("{", "}", ";", END):
                self.advance()
            if self.symbol == "{":
                self.skip_braces()
            if not self.accept("else"):
                return

    def _while(self, attributes: list[Attribute]) -> Statement:
        """`while_statement`."""
        keyword = self.advance()
        condition = self.expression()
        body = self.block("the body of this `while`")
        start = attributes[0].start if attributes else keyword.start
        return While(start=start, end=self.end(), attributes=attributes, condition=condition, body=body)

    def _for(self, attributes: list[Attribute]) -> Statement:
        """`for_statement`."""
        keyword = self.advance()
        opening = self.tokens[self.index]
        self.expect("(", "after `for`")
        initializer = condition = update = None
        if self.symbol != ";":
            initializer = self._for_part(("var", "let", "const"))
        self.expect(";", "after the start of this `for`")
        if self.symbol != ";":
            condition = self.expression()
        self.expect(";", "after the condition of this `for`")
        if self.symbol != ")":
            update = self._for_part(())
        self.expect_closing(")", opening, "to close the head of this `for`")
        body = self.block("the body of this `for`")
        start = attributes[0].start if attributes else keyword.start
        return For(
            start=start, end=self.end(), attributes=attributes, initializer=initializer, condition=condition, update=update, body=body
        )

    def _for_part(self, keywords: tuple[str, ...]) -> Statement | None:
        """`for_init` and `for_update`."""
        start = self.start()
        if self.symbol in keywords:
            declaration = self.variable_declaration([])
            return DeclarationStatement(start=start, end=declaration.end, declaration=declaration)
        if self.symbol in TARGET_STARTS:
            return self.updating_statement("")
        self.report_unexpected("an assignment, a call or a declaration" if keywords else "an assignment or a call")
        if self.symbol in ("var", "let", "const"):
            self.variable_declaration([])
        return None

    def _switch(self, attributes: list[Attribute]) -> Statement:
        """`switch_statement`."""
        keyword = self.advance()
        selector = self.expression()
        body_attributes = self.attributes() if self.symbol == "@" else []
        opening = self.tokens[self.index]
        clauses: list[SwitchClause] = []
        if self.expect("{", "to open the body of this `switch`"):
            self.depth += 1
            while self.symbol in _CLAUSE_STARTS or self._skip_to_clause():
                clauses.append(self._clause())
                self.recovering = False
            self.depth -= 1
            self.expect_brace(opening, "to close the body of this `switch`")
        return Switch(
            start=attributes[0].start if attributes else keyword.start,
            end=self.end(),
            attributes=attributes,
            selector=selector,
            body_attributes=body_attributes,
            clauses=clauses,
            body_start=opening.start,
        )

    def _skip_to_clause(self) -> bool:
        """Whether another clause follows a little text that belongs to none; the text is skipped."""
        at = None if self.symbol == "}" else self.find_ahead(_CLAUSE_STARTS)
        if at is None:
            return False
        hint = "the attributes of a clause stand before its `{`" if self.symbol == "@" else None
        self.report_unexpected("`case`, `default` or `}`", hint=hint)
        self.move_to(at)
        return True

    def _clause(self) -> SwitchClause:
        """`case_clause` and `default_alone_clause`."""
        keyword = self.advance()
        selectors: list[Expression | None] = []
        if keyword.text == "default":
            selectors.append(None)
        else:
            while True:
                if self.symbol == "default":
                    self.advance()
                    selectors.append(None)
                else:
                    selectors.append(self.expression())
                if not self.accept(",") or self.symbol in (":", "{", "@"):
                    break
        self.accept(":")
        stops, self.stops = self.stops, self.stops | _CLAUSE_STARTS
        body = self.block("this clause")
        self.stops = stops
        return SwitchClause(start=keyword.start, end=self.end(), selectors=selectors, body=body)

    def _loop(self, attributes: list[Attribute]) -> Statement:
        """`loop_statement`."""
        keyword = self.advance()
        what = "the body of this `loop`"
        body, opening = self._open_block(what, None)
        continuing = None
        if opening is not None:
            stops, self.stops = self.stops, self.stops | _CONTINUING
            self._statement_list(body.statements)
            self.stops = stops
            if self.symbol == "continuing":
                continuing = self._continuing()
                if self.symbol != "}":
                    self.report_unexpected("`}`", hint="`continuing` is the last thing in the body of a `loop`")
                    self._statement_list(body.statements)
            self._close_block(body, opening, what)
        start = attributes[0].start if attributes else keyword.start
        return Loop(start=start, end=self.end(), attributes=attributes, body=body, continuing=continuing)

    def _continuing(self) -> Continuing:
        """`continuing_statement`, with the `break_if_statement` that may end it."""
        keyword = self.advance()
        outer, outer_depth = self.break_if, self.break_if_depth
        self.break_if, self.break_if_depth = None, self.depth + 1
        body = self.block("this `continuing` block")
        condition = self.break_if
        self.break_if, self.break_if_depth = outer, outer_depth
        return Continuing(start=keyword.start, end=self.end(), body=body, break_if=condition)

    _statements: ClassVar[dict[str, Callable[[StatementParser, list[Attribute]], Statement]]] = {
        ";": SimpleStatementParser.empty_statement,
        "{": _block_statement,
        "if": _if,
        "for": _for,
        "while": _while,
        "loop": _loop,
        "switch": _switch,
        "return": SimpleStatementParser.return_statement,
        "continue": SimpleStatementParser.continue_statement,
        "discard": SimpleStatementParser.discard_statement,
        "var": SimpleStatementParser.declaration_statement,
        "let": SimpleStatementParser.declaration_statement,
        "const": SimpleStatementParser.declaration_statement,
        "const_assert": SimpleStatementParser.const_assert,
    }
    _attributed: ClassVar[frozenset[str]] = frozenset(("{", "if", "for", "while", "loop", "switch"))
