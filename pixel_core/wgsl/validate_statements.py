"""Statements: jumps in their place, `switch` with one `default`, and every path returning or leaving its loop.

The second half is the specification's "Behavior Analysis": what may happen after a statement, as a set of `next`, `break`,
`continue` and `return`, from the form of the statements alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixel_core.findings import Finding, Span
from pixel_core.source import SourceText
from pixel_core.wgsl import extensions as ext
from pixel_core.wgsl.syntax import (
    Assignment,
    Attribute,
    Block,
    Break,
    CallStatement,
    Continue,
    Continuing,
    DeclarationStatement,
    For,
    FunctionDeclaration,
    If,
    Loop,
    NumberLiteral,
    Return,
    Statement,
    Switch,
    While,
)
from pixel_core.wgsl.syntax_findings import syntax_finding
from pixel_core.wgsl.validate_attributes import validate_attributes
from pixel_core.wgsl.validate_variables import validate_local_variable

Behavior = frozenset[str]
_NEXT: Behavior = frozenset(("next",))
_BREAK: Behavior = frozenset(("break",))
_CONTINUE: Behavior = frozenset(("continue",))
_RETURN: Behavior = frozenset(("return",))


def validate_body(source: SourceText, function: FunctionDeclaration) -> Iterator[Finding]:
    """Check the statements of a function that has a body."""
    if function.body is None:
        return
    validator = _StatementValidator(source, function)
    behavior = validator.block(function.body)
    yield from validator.findings
    if function.return_type is not None and "next" in behavior:
        end = function.body.end
        yield syntax_finding(
            source,
            "PX120",
            f"`fn {function.name.text}` can end without returning a value",
            Span(end - 1, end),
            labels=((function.return_type.span, "it returns this"),),
            hint="add a `return` at the end",
        )


class _StatementValidator:
    """Walks one function.

    Attributes:
        jumps: What may be left from here by `break`, `continue` and `return`.
        continuing: Whether this is inside of a `continuing` block.
    """

    __slots__ = ("continuing", "findings", "function", "jumps", "source")

    def __init__(self, source: SourceText, function: FunctionDeclaration) -> None:
        self.source = source
        self.function = function
        self.findings: list[Finding] = []
        self.jumps: Behavior = _RETURN
        self.continuing = False

    def block(self, block: Block) -> Behavior:
        """Statements one after another: what comes after one without `next` is not reached."""
        self._attributes(block.attributes)
        behavior = _NEXT
        for statement in block.statements:
            kind = type(statement)
            if kind is Assignment or kind is CallStatement:
                continue
            after = self._statement(statement)
            if after is not _NEXT and "next" in behavior:
                behavior = (behavior - _NEXT) | after
        return behavior

    def _statement(self, statement: Statement) -> Behavior:
        behavior = _NEXT
        if isinstance(statement, DeclarationStatement):
            self.findings += validate_local_variable(self.source, statement.declaration)
        elif isinstance(statement, If):
            behavior = self._if(statement)
        elif isinstance(statement, Return):
            self._return_value(statement)
            behavior = self._jump(statement, "return", _RETURN)
        elif isinstance(statement, Break):
            behavior = self._jump(statement, "break", _BREAK)
        elif isinstance(statement, Continue):
            behavior = self._jump(statement, "continue", _CONTINUE)
        elif isinstance(statement, Block):
            behavior = self.block(statement)
        elif isinstance(statement, For):
            behavior = self._for(statement)
        elif isinstance(statement, While):
            self._attributes(statement.attributes)
            behavior = self._iterate(statement, statement.body, None, _NEXT | _BREAK)
        elif isinstance(statement, Loop):
            self._attributes(statement.attributes)
            behavior = self._iterate(statement, statement.body, statement.continuing, _NEXT)
        elif isinstance(statement, Switch):
            behavior = self._switch(statement)
        return behavior

    def _jump(self, statement: Statement, word: str, behavior: Behavior) -> Behavior:
        if word not in self.jumps:
            if self.continuing:
                message, hint = f"`{word}` cannot leave a `continuing` block", "use `break if condition;` as its last statement"
            else:
                where = "a loop or `switch`" if word == "break" else "a loop"
                message, hint = f"`{word}` stands outside of {where}", None
            self._tell("PX114", message, statement.span, hint)
        return behavior

    def _return_value(self, statement: Return) -> None:
        function, value = self.function, statement.value
        if value is None and function.return_type is not None:
            declared = self.source.text[function.return_type.start : function.return_type.end]
            label = (function.return_type.span, "declared here")
            message = f"this `return` needs a value of type `{declared}`"
            self.findings.append(syntax_finding(self.source, "PX120", message, statement.span, labels=(label,)))
        elif value is not None and function.return_type is None:
            hint = f"declare the type: `fn {function.name.text}(…) -> T`"
            self._tell("PX120", f"`fn {function.name.text}` returns nothing, but a value stands here", value.span, hint)

    def _if(self, statement: If) -> Behavior:
        self._attributes(statement.attributes)
        behavior = self.block(statement.then)
        otherwise = statement.otherwise
        if otherwise is None:
            return behavior | _NEXT
        return behavior | (self._if(otherwise) if isinstance(otherwise, If) else self.block(otherwise))

    def _for(self, statement: For) -> Behavior:
        self._attributes(statement.attributes)
        initializer = statement.initializer
        if isinstance(initializer, DeclarationStatement):
            self.findings += validate_local_variable(self.source, initializer.declaration)
        condition = _NEXT if statement.condition is None else _NEXT | _BREAK
        return self._iterate(statement, statement.body, None, condition)

    def _iterate(self, statement: Statement, body: Block, continuing: Continuing | None, condition: Behavior) -> Behavior:
        """A loop: it is left by `break` and `return` alone, so one of them must be possible."""
        jumps, inside, told = self.jumps, self.continuing, len(self.findings)
        # A `return` stays forbidden in a loop inside of a `continuing` block.
        self.jumps = (jumps & _RETURN) | _BREAK | _CONTINUE
        self.continuing = inside and "return" not in jumps
        behavior = condition | self.block(body)
        if continuing is not None:
            self.jumps, self.continuing = frozenset(), True
            behavior |= self.block(continuing.body)
            if continuing.break_if is not None:
                behavior |= _BREAK
        self.jumps, self.continuing = jumps, inside
        if "break" in behavior:
            return (behavior - _BREAK - _CONTINUE) | _NEXT
        behavior = behavior - _CONTINUE - _NEXT
        if not behavior and len(self.findings) == told:
            head = Span(statement.start, body.start)
            self._tell("PX121", "this loop never ends", head, "add a `break`, a `return` or a condition")
        return behavior

    def _switch(self, statement: Switch) -> Behavior:
        self._attributes(statement.attributes)
        self._attributes(statement.body_attributes)
        self._selectors(statement)
        jumps = self.jumps
        self.jumps = jumps | _BREAK
        behavior: Behavior = frozenset()
        for clause in statement.clauses:
            behavior |= self.block(clause.body)
        self.jumps = jumps
        return (behavior - _BREAK) | _NEXT if "break" in behavior else behavior

    def _selectors(self, statement: Switch) -> None:
        """One `default`, and no number twice."""
        defaults = [clause for clause in statement.clauses for selector in clause.selectors if selector is None]
        head = Span(statement.start, statement.selector.end)
        if not defaults:
            self._tell("PX115", "this `switch` has no `default`", head, "add `default: {}`")
        elif len(defaults) > 1:
            first = (Span(defaults[0].start, defaults[0].body.start), "first here")
            second = Span(defaults[1].start, defaults[1].body.start)
            self.findings.append(syntax_finding(self.source, "PX115", "this `switch` has a second `default`", second, labels=(first,)))
        seen: dict[int | float, NumberLiteral] = {}
        for clause in statement.clauses:
            for selector in clause.selectors:
                if isinstance(selector, NumberLiteral):
                    first_literal = seen.setdefault(selector.value, selector)
                    if first_literal is not selector:
                        label = (first_literal.span, "first here")
                        message = f"`case {selector.text}` stands here twice"
                        self.findings.append(syntax_finding(self.source, "PX115", message, selector.span, labels=(label,)))

    def _attributes(self, attributes: list[Attribute]) -> None:
        if attributes:
            self.findings += validate_attributes(self.source, attributes, ext.STATEMENT)

    def _tell(self, code: str, message: str, span: Span, hint: str | None) -> None:
        self.findings.append(syntax_finding(self.source, code, message, span, hint=hint))
