"""Attributes, variables, and the statements that hold no others."""

from __future__ import annotations

from pixel_core.wgsl.cursor import IDENTIFIER, NUMBER, TEMPLATE_START
from pixel_core.wgsl.parse_expressions import ExpressionParser
from pixel_core.wgsl.syntax import (
    Assignment,
    Attribute,
    Call,
    CallStatement,
    ConstAssert,
    Continue,
    DeclarationStatement,
    Discard,
    EmptyStatement,
    ErrorExpression,
    ErrorStatement,
    Expression,
    Identifier,
    Increment,
    Index,
    Member,
    Name,
    Parenthesized,
    Return,
    Statement,
    TokenKind,
    Unary,
    VariableDeclaration,
)

TARGET_STARTS = frozenset((IDENTIFIER, "(", "*", "&", "_"))
"""What an assignment, increment or call can start with."""

_ASSIGNMENT_OPERATORS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="))


class SimpleStatementParser(ExpressionParser):
    """Adds the grammar of attributes, variable declarations and one-line statements."""

    __slots__ = ()

    # ------------------------------------------------------------ attributes

    def attributes(self) -> list[Attribute]:
        """`attribute *`."""
        attributes: list[Attribute] = []
        while self.symbol == "@":
            at = self.advance()
            token = self.tokens[self.index]
            if self.symbol == IDENTIFIER or (token.kind is TokenKind.KEYWORD and token.start == at.end):
                self.advance()
                name = Name(start=token.start, end=token.end, text=token.text)
            else:
                self.report_unexpected("the name of an attribute")
                name = Name(start=at.end, end=at.end, text="")
            arguments = self.argument_list() if self.symbol == "(" else None
            attributes.append(Attribute(start=at.start, end=self.tokens[self.index - 1].end, name=name, arguments=arguments))
        return attributes

    # ------------------------------------------------------------ statements

    def empty_statement(self, _attributes: list[Attribute]) -> Statement:
        """A lone `;`."""
        token = self.advance()
        return EmptyStatement(start=token.start, end=token.end)

    def return_statement(self, _attributes: list[Attribute]) -> Statement:
        """`return_statement`."""
        token = self.advance()
        ends = self.symbol in (";", "}") or ((self.symbol not in (IDENTIFIER, NUMBER, "(")) and self.on_new_line())
        value = None if ends else self.expression()
        self.expect_semicolon("after this `return`")
        return Return(start=token.start, end=self.end(), value=value)

    def continue_statement(self, _attributes: list[Attribute]) -> Statement:
        """`continue_statement`."""
        token = self.advance()
        self.expect_semicolon("after `continue`")
        return Continue(start=token.start, end=self.end())

    def discard_statement(self, _attributes: list[Attribute]) -> Statement:
        """`discard`."""
        token = self.advance()
        self.expect_semicolon("after `discard`")
        return Discard(start=token.start, end=self.end())

    def const_assert(self, _attributes: list[Attribute]) -> ConstAssert:
        """`const_assert_statement`."""
        token = self.advance()
        condition = self.expression()
        self.expect_semicolon("after this `const_assert`")
        return ConstAssert(start=token.start, end=self.end(), condition=condition)

    # ------------------------------------------------------------ variables

    def declaration_statement(self, _attributes: list[Attribute]) -> Statement:
        """`variable_or_value_statement` with its `;`."""
        start = self.start()
        declaration = self.variable_declaration([])
        self.expect_semicolon("after this declaration")
        return DeclarationStatement(start=start, end=self.end(), declaration=declaration)

    def variable_declaration(self, attributes: list[Attribute]) -> VariableDeclaration:
        """`variable_decl`, `global_value_decl`, `let` and `const`, up to the `;`."""
        keyword = self.advance()
        text = keyword.text
        template_arguments = None
        if text == "var" and self.symbol in (TEMPLATE_START, "<"):
            template_arguments = self.template_list()
        what = f"this `{text}`"
        name = self.name(what)
        declared_type = None
        if self.symbol == ":":
            self.advance()
            declared_type = self.type_specifier(f"the type of {what}")
        initializer = None
        if self.symbol == "=":
            self.advance()
            initializer = self.expression()
        elif self.symbol in (IDENTIFIER, NUMBER, "(") and not self.on_new_line():
            self.expect("=" if declared_type or text != "var" else ":", f"after `{name.text}`")
            self.expression()
        elif text in ("let", "const") and not self.recovering:
            where = self.insertion_point()
            self.tell("PX119", f"`{text} {name.text}` needs a value", where, hint=f"write `{text} {name.text} = …;`")
        return VariableDeclaration(
            start=attributes[0].start if attributes else keyword.start,
            end=self.tokens[self.index - 1].end,
            attributes=attributes,
            keyword=text,
            template_arguments=template_arguments,
            name=name,
            type=declared_type,
            initializer=initializer,
        )

    # ------------------------------------------------------------ assignments, increments, calls

    def updating_statement(self, terminator: str) -> Statement:
        """`variableupdating_statement` and `func_call_statement`; without `;` where the terminator is not one."""
        start = self.start()
        if self.symbol == "_":
            statement = self._phony_assignment(start)
        else:
            target = self.unary_expression()
            statement = self._after_target(start, target)
        if terminator == ";":
            self.expect_semicolon("after this statement")
            statement.end = self.tokens[self.index - 1].end
        return statement

    def _phony_assignment(self, start: int) -> Statement:
        self.advance()
        self.expect("=", "after `_`")
        value = self.expression()
        return Assignment(start=start, end=self.end(), target=None, operator="=", value=value)

    def _after_target(self, start: int, target: Expression) -> Statement:
        symbol = self.symbol
        if symbol in _ASSIGNMENT_OPERATORS:
            self._check_target(target)
            self.index += 1
            self.symbol = self.symbols[self.index]
            value = self.expression()
            return Assignment(start=start, end=self.tokens[self.index - 1].end, target=target, operator=symbol, value=value)
        if symbol in ("++", "--"):
            self._check_target(target)
            self.advance()
            return Increment(start=start, end=self.end(), target=target, operator=symbol)
        if isinstance(target, Call):
            return CallStatement(start=start, end=target.end, call=target)
        if not self.recovering and (symbol in (";", "}") or self.on_new_line()):
            self.report("PX105", "an expression alone is not a statement", target.span, hint="assign it: `_ = …;`")
        else:
            self.report_unexpected("`=`", hint="only assignments, `++`, `--` and calls are statements")
        return ErrorStatement(start=start, end=max(start, self.end()))

    def _check_target(self, target: Expression) -> None:
        """`lhs_expression`: only names, members, elements, `*` and `&` of them, and parentheses."""
        base = target
        while True:
            if isinstance(base, Parenthesized):
                base = base.inner
            elif isinstance(base, Unary) and base.operator in ("*", "&"):
                base = base.operand
            else:
                break
        if isinstance(base, (Index, Member)):
            self._check_target(base.base)
        elif not isinstance(base, (Identifier, ErrorExpression)) or (isinstance(base, Identifier) and base.template_arguments is not None):
            self.tell(
                "PX105", "this cannot be assigned to", target.span, hint="the left side names a variable, a part of one, or `*pointer`"
            )
