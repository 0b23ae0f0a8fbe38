"""Expressions and types: recursive descent, with an explicit stack for binary operators.

The specification restricts how operators mix: `a && b || c`, `a & b == c` and `x << 1 + y` need parentheses. They are read here
by the usual precedence, so that the tree is what was meant, and reported with the parentheses as a fix.
"""

from __future__ import annotations

from pixel_core.findings import Fix, Span
from pixel_core.source import SourceText
from pixel_core.wgsl.cursor import IDENTIFIER, NUMBER, TEMPLATE_END, TEMPLATE_START
from pixel_core.wgsl.literals import read_number
from pixel_core.wgsl.recovery import RecoveringCursor
from pixel_core.wgsl.syntax import (
    Binary,
    BooleanLiteral,
    Call,
    ErrorExpression,
    Expression,
    Identifier,
    Index,
    Member,
    Name,
    NumberLiteral,
    Parenthesized,
    Token,
    Unary,
)

MAX_EXPRESSION_HEIGHT = 256
"""How many operators and brackets may lie above one operand; keeps recursive readers of the tree safe."""

_LEVELS = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "==": 6,
    "!=": 6,
    "<": 6,
    "<=": 6,
    ">": 6,
    ">=": 6,
    "<<": 7,
    ">>": 7,
    "+": 8,
    "-": 8,
    "*": 9,
    "/": 9,
    "%": 9,
}
_UNARY_OPERATORS = frozenset(("-", "!", "~", "*", "&"))
_ARITHMETIC = frozenset("+-*/%")
_COMPARISON = frozenset(("==", "!=", "<", "<=", ">", ">="))
_COMPARED = _ARITHMETIC | {"<<", ">>"}
_JOINED = _COMPARED | _COMPARISON
# Which binary expressions may stand, without parentheses, left and right of an operator; the others are right by their level.
_MAY_STAND_BESIDE: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "||": (_JOINED | {"||"}, _JOINED),
    "&&": (_JOINED | {"&&"}, _JOINED),
    **{operator: (frozenset((operator,)), frozenset()) for operator in ("|", "^", "&")},
    **dict.fromkeys(_COMPARISON, (_COMPARED, _COMPARED)),
    "<<": (frozenset(), frozenset()),
    ">>": (frozenset(), frozenset()),
}
# Names after which a `<` that template discovery left open is an unclosed template list rather than a comparison.
_GENERATORS = frozenset(("array", "atomic", "bitcast", "ptr", "vec2", "vec3", "vec4")) | {
    f"mat{columns}x{rows}" for columns in (2, 3, 4) for rows in (2, 3, 4)
}
_OPERAND_STARTS = frozenset((IDENTIFIER, NUMBER, "true", "false", "("))


class ExpressionParser(RecoveringCursor):
    """Adds the grammar of expressions.

    Attributes:
        height: Of the expression that was read last, in nodes.
        half_literal: The first number with the suffix `h`, which only `enable f16;` allows.
    """

    __slots__ = ("half_literal", "height")

    def __init__(self, source: SourceText, tokens: list[Token]) -> None:
        super().__init__(source, tokens)
        self.height = 0
        self.half_literal: Token | None = None

    def expression(self) -> Expression:
        """`expression`."""
        operand = self.unary_expression()
        level = _LEVELS.get(self.symbol)
        if level is None:
            return operand
        pending: list[tuple[Expression, int, Token, int]] = []
        while True:
            height = self.height
            while pending and pending[-1][3] >= (level or 0):
                left, left_height, operator, _ = pending.pop()
                operand = self._binary(left, operator, operand)
                height = max(left_height, height) + 1
            self.height = height
            if level is None:
                return operand
            if height > MAX_EXPRESSION_HEIGHT:
                return self._too_high(pending[0][0].start if pending else operand.start)
            operator = self.tokens[self.index]
            self.index += 1
            self.symbol = self.symbols[self.index]
            pending.append((operand, height, operator, level))
            operand = self.unary_expression()
            level = _LEVELS.get(self.symbol)

    def _binary(self, left: Expression, operator: Token, right: Expression) -> Binary:
        text = operator.text
        beside = _MAY_STAND_BESIDE.get(text)
        if beside is not None:
            if type(left) is Binary and left.operator not in beside[0]:
                self._tell_mixed(operator, left)
            elif type(right) is Binary and right.operator not in beside[1]:
                self._tell_mixed(operator, right)
        return Binary(start=left.start, end=right.end, operator=text, left=left, right=right)

    def _tell_mixed(self, operator: Token, inner: Binary) -> None:
        span = inner.span
        text = self.source.text[span.start : span.end]
        if operator.text in _COMPARISON and inner.operator in _COMPARISON:
            message, hint = "comparisons cannot be chained", "compare in steps joined by `&&`, or put parentheses around one"
        else:
            message = f"`{inner.operator}` next to `{operator.text}` needs parentheses"
            hint = "WGSL leaves their precedence undefined; put parentheses around one of them"
        self.tell("PX108", message, span, hint=hint, fix=Fix("add parentheses", span, f"({text})"))

    def unary_expression(self) -> Expression:
        """`unary_expression` and `singular_expression`: prefix operators, an operand, and what follows it."""
        operators: list[Token] | None = None
        while self.symbol in _UNARY_OPERATORS:
            operators = operators or []
            operators.append(self.advance())
        symbol = self.symbol
        token = self.tokens[self.index]
        operand: Expression
        if symbol == IDENTIFIER:
            operand = self.template_elaborated_identifier()
            if self.symbol == "(":
                arguments = self.argument_list()
                operand = Call(start=operand.start, end=self.tokens[self.index - 1].end, callee=operand, arguments=arguments)
                self.height += 1
        elif symbol == NUMBER:
            operand = self._number()
        elif symbol == "(":
            operand = self._parenthesized()
        elif symbol == "true" or symbol == "false":
            self.advance()
            operand = BooleanLiteral(start=token.start, end=token.end, value=symbol == "true")
            self.height = 1
        else:
            operand = self._missing_operand()
        if self.symbol == "." or self.symbol == "[":
            operand = self.component_or_swizzle(operand)
        if operators is None:
            return operand
        return self._prefix(operators, operand)

    def _prefix(self, operators: list[Token], operand: Expression) -> Expression:
        self.height += len(operators)
        if self.height > MAX_EXPRESSION_HEIGHT:
            return self._too_high(operators[0].start)
        for operator in reversed(operators):
            operand = Unary(start=operator.start, end=operand.end, operator=operator.text, operand=operand)
        return operand

    def _number(self) -> Expression:
        """`int_literal` and `float_literal`."""
        token = self.advance()
        self.height = 1
        number = read_number(token.text)
        if number.problem is not None:
            self.tell("PX102", number.problem, Span(token.start, token.end))
        elif number.suffix == "h" and self.half_literal is None:
            self.half_literal = token
        return NumberLiteral(start=token.start, end=token.end, text=token.text, suffix=number.suffix, value=number.value)

    def _parenthesized(self) -> Expression:
        """`paren_expression`."""
        opening = self.advance()
        self.depth += 1
        if self.too_deep():
            self.skip_nested()
            inner: Expression = self.error_expression(opening.end)
        else:
            inner = self.expression()
        self.depth -= 1
        self.expect_closing(")", opening, "to close the `(`")
        self.height += 1
        return Parenthesized(start=opening.start, end=self.tokens[self.index - 1].end, inner=inner)

    def _missing_operand(self) -> Expression:
        start = self.end()
        token = self.tokens[self.index]
        if self.symbol in ("++", "--"):
            self.report(
                "PX105",
                f"`{self.symbol}` is a statement in WGSL, not part of an expression",
                Span(token.start, token.end),
                hint="put it on a line of its own",
            )
            self.advance()
            return self.unary_expression() if self.symbol in (IDENTIFIER, NUMBER) else self.error_expression(start)
        self.report_unexpected("an expression")
        return self.error_expression(start)

    def error_expression(self, start: int) -> ErrorExpression:
        """What stands for an expression that could not be read."""
        self.height = 1
        return ErrorExpression(start=start, end=max(start, self.end()))

    def _too_high(self, start: int) -> Expression:
        token = self.tokens[self.index]
        self.report(
            "PX107",
            f"more than {MAX_EXPRESSION_HEIGHT} operators in one expression",
            Span(token.start, token.end),
            hint="give parts a name with `let`, or use a loop",
        )
        self.skip_nested()
        return self.error_expression(start)

    def component_or_swizzle(self, base: Expression) -> Expression:
        """`component_or_swizzle_specifier`: `[index]` and `.member`, any number of them."""
        height = self.height
        while True:
            if height > MAX_EXPRESSION_HEIGHT:
                return self._too_high(base.start)
            if self.symbol == ".":
                self.advance()
                member = self.name("a member")
                base = Member(start=base.start, end=member.end, base=base, member=member)
                height += 1
            elif self.symbol == "[":
                opening = self.advance()
                self.depth += 1
                if self.too_deep():
                    self.skip_nested()
                    index: Expression = self.error_expression(opening.end)
                else:
                    index = self.expression()
                self.depth -= 1
                height = max(height, self.height) + 1
                self.expect_closing("]", opening, "to close the `[`")
                base = Index(start=base.start, end=self.tokens[self.index - 1].end, base=base, index=index)
            else:
                self.height = height
                return base

    def argument_list(self) -> list[Expression]:
        """`argument_expression_list`: `( … )`, a trailing comma allowed; leaves the height of the tallest argument."""
        opening = self.tokens[self.index]
        self.index += 1
        self.symbol = self.symbols[self.index]
        return self._list(opening, ")", "after the arguments")

    def template_elaborated_identifier(self) -> Identifier:
        """`template_elaborated_ident`: an identifier with its template list, if it has one."""
        token = self.tokens[self.index]
        self.index += 1
        self.symbol = self.symbols[self.index]
        name = Name(start=token.start, end=token.end, text=token.text)
        self.height = 1
        if self.symbol != TEMPLATE_START and (self.symbol != "<" or token.text not in _GENERATORS):
            return Identifier(start=token.start, end=token.end, name=name)
        arguments = self.template_list()
        self.height += 1
        return Identifier(start=token.start, end=self.tokens[self.index - 1].end, name=name, template_arguments=arguments)

    def template_list(self) -> list[Expression]:
        """`template_list`: `< … >`, at least one argument, a trailing comma allowed."""
        opening = self.advance()
        arguments = self._list(opening, TEMPLATE_END, "to close the template list")
        if not arguments:
            self.tell("PX105", "a template list needs at least one argument", Span(opening.start, self.end()))
        return arguments

    def _list(self, opening: Token, closing: str, context: str) -> list[Expression]:
        items: list[Expression] = []
        tallest = 1
        self.depth += 1
        if self.too_deep():
            self.skip_nested()
        elif self.symbol != closing:
            before_last = self.index
            while True:
                items.append(self.expression())
                if self.height > tallest:
                    tallest = self.height
                if self.symbol != ",":
                    if self.symbol in _OPERAND_STARTS and opening.text != "<" and not self.on_new_line():
                        self.expect(",", "between two arguments")
                        continue
                    break
                before_last = self.index
                self.index += 1
                self.symbol = self.symbols[self.index]
                if self.symbol == closing:
                    break
                if self.symbol == "@" and closing == TEMPLATE_END:
                    # An unclosed `<` has swallowed the comma before the attributes of the next parameter or member.
                    self.move_to(before_last)
                    break
            if self.symbol == ":" and closing == TEMPLATE_END and len(items) > 1:
                # An unclosed `<` has swallowed the name of the next parameter or member.
                self.move_to(before_last)
                items.pop()
        self.depth -= 1
        self.height = tallest
        self.expect_closing(closing, opening, context)
        return items

    def type_specifier(self, what: str) -> Expression:
        """`type_specifier`."""
        if self.symbol != IDENTIFIER:
            self.report_unexpected(what)
            return self.error_expression(self.end())
        token = self.tokens[self.index]
        if self.symbols[self.index + 1] == "<":
            # In a type every `<` opens a template list, also one that discovery could not pair.
            self.advance()
            name = Name(start=token.start, end=token.end, text=token.text)
            arguments = self.template_list()
            return Identifier(start=token.start, end=self.end(), name=name, template_arguments=arguments)
        return self.template_elaborated_identifier()
