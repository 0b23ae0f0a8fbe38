"""The WGSL syntax tree: tokens and nodes, as data.

Lossless: the texts of `SyntaxTree.tokens`, trivia included, concatenate to the source. Every node has an exact half-open
code-point span. Nodes are plain slotted classes, immutable by convention (frozen dataclasses cost three times as much to build).
A statement, directive or module-scope declaration includes its `;` and its attributes; the `VariableDeclaration` inside a
`DeclarationStatement` does not include the `;`. Where a name is missing, its text is empty and its span has no length.
Names follow the WGSL specification's grammar. Types are written as expressions (template-elaborated identifiers), as in the specification.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from pixel_core.findings import Finding, Span
from pixel_core.source import SourceText


class TokenKind(Enum):
    """The kinds of token; `TEMPLATE_START` and `TEMPLATE_END` are the `<` and `>` that template-list discovery marked."""

    BLANKSPACE = "blankspace"
    COMMENT = "comment"
    IDENTIFIER = "identifier"
    KEYWORD = "keyword"
    NUMBER = "number"
    PUNCTUATION = "punctuation"
    TEMPLATE_START = "template_start"
    TEMPLATE_END = "template_end"
    INVALID = "invalid"
    END = "end"


class Token(msgspec.Struct, eq=False):
    """One token; `text` is the exact source text (empty for `END`)."""

    kind: TokenKind
    text: str
    start: int
    end: int


class Node(msgspec.Struct, kw_only=True, eq=False):
    """Base of every node; `start` and `end` are code-point offsets into the source."""

    start: int
    end: int

    @property
    def span(self) -> Span:
        """The half-open range of this node."""
        return Span(self.start, self.end)


class Name(Node, kw_only=True, eq=False):
    """An identifier where it is declared, or a member name."""

    text: str


class Attribute(Node, kw_only=True, eq=False):
    """`@name` or `@name(arguments)`. `arguments` is None without parentheses."""

    name: Name
    arguments: list[Expression] | None


# ---------------------------------------------------------------- expressions


class Expression(Node, kw_only=True, eq=False):
    """Base of expressions; types are expressions too."""


class NumberLiteral(Expression, kw_only=True, eq=False):
    """A numeric literal.

    Attributes:
        text: As written.
        suffix: `""`, `i`, `u`, `f` or `h`.
        value: Exact value: int for integer literals, float (nearest double) for floating-point ones.
    """

    text: str
    suffix: str
    value: int | float


class BooleanLiteral(Expression, kw_only=True, eq=False):
    """`true` or `false`."""

    value: bool


class Identifier(Expression, kw_only=True, eq=False):
    """An identifier in use, with its template list where it has one (`array<f32, 4>`)."""

    name: Name
    template_arguments: list[Expression] | None = None


class Call(Expression, kw_only=True, eq=False):
    """A function call, value constructor or conversion."""

    callee: Identifier
    arguments: list[Expression]


class Index(Expression, kw_only=True, eq=False):
    """`base[index]`."""

    base: Expression
    index: Expression


class Member(Expression, kw_only=True, eq=False):
    """`base.member`: a structure member or a swizzle."""

    base: Expression
    member: Name


class Unary(Expression, kw_only=True, eq=False):
    """`operator operand`; operators `- ! ~ * &`."""

    operator: str
    operand: Expression


class Binary(Expression, kw_only=True, eq=False):
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression


class Parenthesized(Expression, kw_only=True, eq=False):
    """`( inner )`."""

    inner: Expression


class ErrorExpression(Expression, kw_only=True, eq=False):
    """Where an expression should be and none could be read; a finding says so."""


# ---------------------------------------------------------------- statements


class Statement(Node, kw_only=True, eq=False):
    """Base of statements."""


class Block(Statement, kw_only=True, eq=False):
    """A compound statement: `attributes { statements }`."""

    attributes: list[Attribute]
    statements: list[Statement]


class Assignment(Statement, kw_only=True, eq=False):
    """`target operator value`; operator `=` or compound (`+=`, `<<=`, …). `target` is None in a phony assignment `_ = value`."""

    target: Expression | None
    operator: str
    value: Expression


class Increment(Statement, kw_only=True, eq=False):
    """`target++` or `target--`."""

    target: Expression
    operator: str


class CallStatement(Statement, kw_only=True, eq=False):
    """A call whose value is not used."""

    call: Call


class DeclarationStatement(Statement, kw_only=True, eq=False):
    """A `var`, `let` or `const` inside a function."""

    declaration: VariableDeclaration


class If(Statement, kw_only=True, eq=False):
    """`if`; `otherwise` is the `else` block, another `If` for `else if`, or None."""

    attributes: list[Attribute]
    condition: Expression
    then: Block
    otherwise: Block | If | None


class SwitchClause(Node, kw_only=True, eq=False):
    """One clause of a switch. A `None` in `selectors` is `default`."""

    selectors: list[Expression | None]
    body: Block


class Switch(Statement, kw_only=True, eq=False):
    """`switch`; `body_start` is the offset of its opening brace."""

    attributes: list[Attribute]
    selector: Expression
    body_attributes: list[Attribute]
    clauses: list[SwitchClause]
    body_start: int


class Continuing(Node, kw_only=True, eq=False):
    """`continuing { … break if condition; }`; `break_if` is the condition or None, and not part of `body.statements`."""

    body: Block
    break_if: Expression | None


class Loop(Statement, kw_only=True, eq=False):
    """`loop { … continuing { … } }`; `continuing` is not part of `body.statements`."""

    attributes: list[Attribute]
    body: Block
    continuing: Continuing | None


class For(Statement, kw_only=True, eq=False):
    """`for (initializer; condition; update) body`; each part may be None."""

    attributes: list[Attribute]
    initializer: Statement | None
    condition: Expression | None
    update: Statement | None
    body: Block


class While(Statement, kw_only=True, eq=False):
    """`while condition body`."""

    attributes: list[Attribute]
    condition: Expression
    body: Block


class Break(Statement, kw_only=True, eq=False):
    """`break;`."""


class Continue(Statement, kw_only=True, eq=False):
    """`continue;`."""


class Return(Statement, kw_only=True, eq=False):
    """`return value;`."""

    value: Expression | None


class Discard(Statement, kw_only=True, eq=False):
    """`discard;`."""


class EmptyStatement(Statement, kw_only=True, eq=False):
    """A lone `;`."""


class ErrorStatement(Statement, kw_only=True, eq=False):
    """Text between two statements that could not be read; a finding says so."""


# ---------------------------------------------------------------- declarations and directives


class Declaration(Node, kw_only=True, eq=False):
    """Base of module-scope declarations."""


class VariableDeclaration(Declaration, kw_only=True, eq=False):
    """`var`, `let`, `const` or `override`, at module or function scope.

    Attributes:
        keyword: `var`, `let`, `const` or `override`.
        template_arguments: Address space and access mode of `var<storage, read_write>`, or None.
        type: The declared type, or None.
        initializer: The value, or None.
    """

    attributes: list[Attribute]
    keyword: str
    template_arguments: list[Expression] | None
    name: Name
    type: Expression | None
    initializer: Expression | None


class Parameter(Node, kw_only=True, eq=False):
    """A formal parameter."""

    attributes: list[Attribute]
    name: Name
    type: Expression


class FunctionDeclaration(Declaration, kw_only=True, eq=False):
    """`fn`; `body` is None when the text breaks off before it."""

    attributes: list[Attribute]
    name: Name
    parameters: list[Parameter]
    return_attributes: list[Attribute]
    return_type: Expression | None
    body: Block | None


class StructMember(Node, kw_only=True, eq=False):
    """One member of a structure."""

    attributes: list[Attribute]
    name: Name
    type: Expression


class StructDeclaration(Declaration, kw_only=True, eq=False):
    """`struct`."""

    name: Name
    members: list[StructMember]


class AliasDeclaration(Declaration, kw_only=True, eq=False):
    """`alias name = type;`."""

    name: Name
    type: Expression


class ConstAssert(Declaration, Statement, kw_only=True, eq=False):
    """`const_assert condition;`, at module or function scope."""

    condition: Expression


class EmptyDeclaration(Declaration, kw_only=True, eq=False):
    """A lone `;` at module scope."""


class ErrorDeclaration(Declaration, kw_only=True, eq=False):
    """Text at module scope that could not be read; a finding says so."""


class Directive(Node, kw_only=True, eq=False):
    """Base of global directives."""


class EnableDirective(Directive, kw_only=True, eq=False):
    """`enable f16, subgroups;`."""

    names: list[Name]


class RequiresDirective(Directive, kw_only=True, eq=False):
    """`requires readonly_and_readwrite_storage_textures;`."""

    names: list[Name]


class DiagnosticDirective(Directive, kw_only=True, eq=False):
    """`diagnostic(severity, rule);`; `rule` keeps the dot of `chromium.unreachable_code`."""

    severity: Name
    rule: str


class SyntaxTree(msgspec.Struct, kw_only=True, eq=False):
    """A whole parsed file.

    Attributes:
        source: The text that was parsed.
        tokens: Every token in order, trivia included, ending with one `END` token.
        directives: Global directives in order.
        declarations: Module-scope declarations in order.
        findings: PX1xx findings about syntax; empty for a syntactically valid file.
    """

    source: SourceText
    tokens: list[Token]
    directives: list[Directive]
    declarations: list[Declaration]
    findings: list[Finding] = msgspec.field(default_factory=list)
