"""Module scope: directives and declarations."""

from __future__ import annotations

from pixel_core.findings import Span
from pixel_core.wgsl.cursor import END, IDENTIFIER
from pixel_core.wgsl.enable_fix import enable_fix
from pixel_core.wgsl.parse_statements import StatementParser
from pixel_core.wgsl.recovery import MODULE_ATTRIBUTES
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Attribute,
    Declaration,
    DiagnosticDirective,
    Directive,
    EmptyDeclaration,
    EnableDirective,
    ErrorDeclaration,
    Expression,
    FunctionDeclaration,
    Name,
    Parameter,
    RequiresDirective,
    StructDeclaration,
    StructMember,
    Token,
    VariableDeclaration,
)

_DIRECTIVES = frozenset(("enable", "requires", "diagnostic"))
_BODY_OR_BEYOND = frozenset(("{", ";", "fn", "struct", "alias", "override"))


class DeclarationParser(StatementParser):
    """Adds the grammar of a whole file."""

    __slots__ = ()

    def translation_unit(self) -> tuple[list[Directive], list[Declaration]]:
        """`translation_unit`: directives, then declarations."""
        directives: list[Directive] = []
        declarations: list[Declaration] = []
        while self.symbol != END:
            self.recovering = False
            if self.symbol in _DIRECTIVES:
                self._check_directive_place(declarations)
                directives.append(self._directive())
            else:
                declarations.append(self._declaration())
        self._check_half_literal(directives, declarations)
        return directives, declarations

    # ------------------------------------------------------------ directives

    def _check_half_literal(self, directives: list[Directive], declarations: list[Declaration]) -> None:
        literal = self.half_literal
        enabled = any(name.text == "f16" for directive in directives if isinstance(directive, EnableDirective) for name in directive.names)
        if literal is not None and not enabled:
            self.tell(
                "PX102",
                f"`{literal.text}` needs `enable f16;`",
                Span(literal.start, literal.end),
                hint="without half precision, use the suffix `f`",
                fix=enable_fix(directives, declarations, "f16"),
            )

    def _check_directive_place(self, declarations: list[Declaration]) -> None:
        if any(not isinstance(declaration, ErrorDeclaration) for declaration in declarations[:1]):
            token = self.tokens[self.index]
            self.tell(
                "PX109",
                f"`{token.text}` must stand before all declarations",
                Span(token.start, token.end),
                hint="move it to the top of the file",
            )

    def _directive(self) -> Directive:
        """`global_directive`."""
        keyword = self.advance()
        if keyword.text == "diagnostic":
            return self._diagnostic_directive(keyword.start)
        names: list[Name] = []
        what = "an extension" if keyword.text == "enable" else "a language feature"
        while True:
            names.append(self.name(what))
            if not self.accept(",") or self.symbol == ";":
                break
        self.expect_semicolon(f"after this `{keyword.text}`")
        directive = EnableDirective if keyword.text == "enable" else RequiresDirective
        return directive(start=keyword.start, end=self.end(), names=names)

    def _diagnostic_directive(self, start: int) -> Directive:
        """`diagnostic_directive`: `diagnostic ( severity , rule , ? ) ;`."""
        opening = self.tokens[self.index]
        self.expect("(", "after `diagnostic`")
        severity = self.name("a severity")
        self.expect(",", "after the severity")
        first = self.name("a diagnostic rule")
        rule = first.text
        if self.accept("."):
            rule += "." + self.name("a diagnostic rule").text
        self.accept(",")
        self.expect_closing(")", opening, "to close this `diagnostic`")
        self.expect_semicolon("after this `diagnostic`")
        return DiagnosticDirective(start=start, end=self.end(), severity=severity, rule=rule)

    # ------------------------------------------------------------ declarations

    def _declaration(self) -> Declaration:
        """`global_decl`."""
        start = self.start()
        attributes = self.attributes() if self.symbol == "@" else []
        symbol = self.symbol
        if symbol == "fn":
            return self._function(attributes)
        if symbol in ("var", "const", "override"):
            return self._module_variable(attributes)
        if attributes and symbol in ("struct", "alias", "const_assert", ";"):
            self.tell("PX113", f"{self.found()} takes no attributes", attributes[0].span)
        if symbol == "struct":
            return self._structure()
        if symbol == "alias":
            return self._alias()
        if symbol == "const_assert":
            return self.const_assert([])
        if symbol == ";":
            token = self.advance()
            return EmptyDeclaration(start=token.start, end=token.end)
        self._report_no_declaration()
        if symbol == "let":
            # A constant under the wrong keyword: keep its name for whoever uses it.
            return self._module_variable(attributes)
        self.skip_declaration()
        return ErrorDeclaration(start=start, end=max(start, self.end()))

    def _report_no_declaration(self) -> None:
        token = self.tokens[self.index]
        span = Span(token.start, token.end)
        if self.symbol == "let":
            self.report("PX105", "`let` is only for functions", span, hint="at module scope use `const` or `override`")
        elif self.symbol == "}":
            self.report("PX105", "this `}` closes nothing", span, hint="remove it, or add the `{` it belongs to")
        elif self.symbol == IDENTIFIER and token.text in ("function", "def", "func", "void", "fun"):
            self.report_unexpected("a declaration", hint="a function starts with `fn`")
        else:
            self.report_unexpected("a declaration (`fn`, `var`, `const`, `override`, `struct`, `alias`)")

    def _module_variable(self, attributes: list[Attribute]) -> VariableDeclaration:
        """`global_variable_decl` and `global_value_decl`, with the `;`."""
        declaration = self.variable_declaration(attributes)
        self.expect_semicolon("after this declaration")
        declaration.end = self.end()
        return declaration

    def _alias(self) -> AliasDeclaration:
        """`type_alias_decl`."""
        keyword = self.advance()
        name = self.name("this `alias`")
        self.expect("=", "after the name of this `alias`")
        target = self.type_specifier("the type of this `alias`")
        self.expect_semicolon("after this `alias`")
        return AliasDeclaration(start=keyword.start, end=self.end(), name=name, type=target)

    def _structure(self) -> StructDeclaration:
        """`struct_decl`."""
        keyword = self.advance()
        name = self.name("this `struct`")
        opening = self.tokens[self.index]
        members: list[StructMember] = []
        semicolons = False
        if self.expect("{", f"to open `struct {name.text}`"):
            while self.symbol in (IDENTIFIER, "@"):
                self.recovering = False
                member = self._member()
                if member is None:
                    break
                members.append(member)
                if self.accept(","):
                    continue
                if self.symbol in (IDENTIFIER, "@") and not self.at_declaration():
                    self.expect(",", "after this member")
                elif self.symbol == ";":
                    if not semicolons:
                        self.report_unexpected("`,` after this member", hint="the members of a structure are separated by commas")
                    semicolons = True
                    self.advance()
                else:
                    break
            if not members and self.symbol == "}":
                self.tell("PX119", f"`struct {name.text}` needs at least one member", Span(keyword.start, name.end))
            if self.symbol != "}":
                self.recovering = False
            self._close_structure(name, opening)
        return StructDeclaration(start=keyword.start, end=self.end(), name=name, members=members)

    def _close_structure(self, name: Name, opening: Token) -> None:
        if self.symbol == "}":
            self.advance()
            return
        if not self.at_declaration() and self.symbol not in ("const", "var", "const_assert", "@"):
            self.report_unexpected(f"a member of `struct {name.text}` or `}}`")
            while self.symbol not in ("}", END) and not self.at_declaration():
                self.advance()
            self.accept("}")
            return
        self.expect_brace(opening, f"to close `struct {name.text}`")

    def _member(self) -> StructMember | None:
        """`struct_member`; None where a declaration comes instead, which then is still to be read."""
        index = self.index
        start = self.start()
        attributes = self.attributes()
        if self.symbol != IDENTIFIER and attributes and self.at_declaration_keyword():
            self.move_to(index)
            return None
        name = self.name("a member")
        self.expect(":", f"after the member `{name.text}`")
        member_type = self.type_specifier(f"the type of the member `{name.text}`")
        return StructMember(start=start, end=self.end(), attributes=attributes, name=name, type=member_type)

    def at_declaration_keyword(self) -> bool:
        """Whether the next token is the keyword of a declaration that can have attributes."""
        return self.symbol in ("fn", "var", "override", "const")

    def _function(self, attributes: list[Attribute]) -> FunctionDeclaration:
        """`function_decl`."""
        keyword = self.advance()
        name = self.name("this function")
        what = f"`fn {name.text}`" if name.text else "this function"
        opening = self.tokens[self.index]
        parameters: list[Parameter] = []
        if self.expect("(", f"after the name of {what}"):
            while self.symbol in (IDENTIFIER, "@"):
                parameters.append(self._parameter())
                if self.symbol in (IDENTIFIER, "@") and not self.on_new_line():
                    self.expect(",", "after this parameter")
                elif not self.accept(","):
                    break
            self.expect_closing(")", opening, f"after the parameters of {what}")
        return_attributes: list[Attribute] = []
        return_type: Expression | None = None
        if self.accept("->") or self._half_an_arrow(what):
            return_attributes = self.attributes()
            return_type = self.type_specifier(f"the return type of {what}")
        self._skip_to_body(what)
        self.stops = frozenset()
        self.break_if_depth = -1
        body = None
        if self.symbol not in (END, ";") and not (self.at_declaration() and self.tokens[self.index + 1].text in MODULE_ATTRIBUTES):
            body = self.block(f"the body of {what}")
        else:
            where = self.insertion_point()
            self.report("PX104", f"expected `{{` to open the body of {what}", where)
            self.accept(";")
        return FunctionDeclaration(
            start=attributes[0].start if attributes else keyword.start,
            end=self.end(),
            attributes=attributes,
            name=name,
            parameters=parameters,
            return_attributes=return_attributes,
            return_type=return_type,
            body=body,
        )

    def _half_an_arrow(self, what: str) -> bool:
        """Take what is left of the `->` before a return type."""
        if self.symbol not in ("-", ">"):
            return False
        self.report_unexpected(f"`->` before the return type of {what}")
        self.advance()
        return True

    def _skip_to_body(self, what: str) -> None:
        """Skip what a broken head has left over, so that the body is read as one."""
        if self.symbol in ("{", "@", END) or self.at_statement() or self.at_declaration():
            return
        at = self.find_ahead(_BODY_OR_BEYOND)
        if at is not None and self.symbols[at] == "{":
            self.report_unexpected(f"`{{` to open the body of {what}")
            self.move_to(at)

    def _parameter(self) -> Parameter:
        """`param`."""
        start = self.start()
        attributes = self.attributes() if self.symbol == "@" else []
        name = self.name("a parameter")
        self.expect(":", f"after the parameter `{name.text}`")
        parameter_type = self.type_specifier(f"the type of the parameter `{name.text}`")
        return Parameter(start=start, end=self.end(), attributes=attributes, name=name, type=parameter_type)
