"""The WGSL syntax tree: tokens and nodes, as data.

Lossless: the texts of `SyntaxTree.tokens`, trivia included, concatenate to the source. Every node has an exact half-open
code-point span. Nodes are plain slotted classes, immutable by convention (frozen dataclasses cost three times as much to build).
A statement, directive or module-scope declaration includes its `;` and its attributes; the `VariableDeclaration` inside a
`DeclarationStatement` does not include the `;`. Where a name is missing, its text is empty and its span has no length.
Names follow the WGSL specification's grammar. Types are written as expressions (template-elaborated identifiers), as in the specification.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

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


@dataclass(slots=True, eq=False)
class Token:
    """One token; `text` is the exact source text (empty for `END`)."""

    kind: TokenKind
    text: str
    start: int
    end: int


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """Base of every node; `start` and `end` are code-point offsets into the source."""

    start: int
    end: int

    @property
    def span(self) -> Span:
        """The half-open range of this node."""
        return Span(self.start, self.end)


@dataclass(slots=True, eq=False, kw_only=True)
class Name(Node):
    """An identifier where it is declared, or a member name."""

    text: str


@dataclass(slots=True, eq=False, kw_only=True)
class Attribute(Node):
    """`@name` or `@name(arguments)`. `arguments` is None without parentheses."""

    name: Name
    arguments: list[Expression] | None


# ---------------------------------------------------------------- expressions


@dataclass(slots=True, eq=False, kw_only=True)
class Expression(Node):
    """Base of expressions; types are expressions too."""


@dataclass(slots=True, eq=False, kw_only=True)
class NumberLiteral(Expression):
    """A numeric literal.

    Attributes:
        text: As written.
        suffix: `""`, `i`, `u`, `f` or `h`.
        value: Exact value: int for integer literals, float (nearest double) for floating-point ones.
    """

    text: str
    suffix: str
    value: int | float


@dataclass(slots=True, eq=False, kw_only=True)
class BooleanLiteral(Expression):
    """`true` or `false`."""

    value: bool


@dataclass(slots=True, eq=False, kw_only=True)
class Identifier(Expression):
    """An identifier in use, with its template list where it has one (`array<f32, 4>`)."""

    name: Name
    template_arguments: list[Expression] | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Call(Expression):
    """A function call, value constructor or conversion."""

    callee: Identifier
    arguments: list[Expression]


@dataclass(slots=True, eq=False, kw_only=True)
class Index(Expression):
    """`base[index]`."""

    base: Expression
    index: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class Member(Expression):
    """`base.member`: a structure member or a swizzle."""

    base: Expression
    member: Name


@dataclass(slots=True, eq=False, kw_only=True)
class Unary(Expression):
    """`operator operand`; operators `- ! ~ * &`."""

    operator: str
    operand: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class Binary(Expression):
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class Parenthesized(Expression):
    """`( inner )`."""

    inner: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class ErrorExpression(Expression):
    """Where an expression should be and none could be read; a finding says so."""


# ---------------------------------------------------------------- statements


class Statement(Node):
    """Base of statements."""

    # No dataclass of its own: Python 3.10 would repeat the inherited slots, and `ConstAssert` could not join two such bases.
    __slots__ = ()


@dataclass(slots=True, eq=False, kw_only=True)
class Block(Statement):
    """A compound statement: `attributes { statements }`."""

    attributes: list[Attribute]
    statements: list[Statement]


@dataclass(slots=True, eq=False, kw_only=True)
class Assignment(Statement):
    """`target operator value`; operator `=` or compound (`+=`, `<<=`, …). `target` is None in a phony assignment `_ = value`."""

    target: Expression | None
    operator: str
    value: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class Increment(Statement):
    """`target++` or `target--`."""

    target: Expression
    operator: str


@dataclass(slots=True, eq=False, kw_only=True)
class CallStatement(Statement):
    """A call whose value is not used."""

    call: Call


@dataclass(slots=True, eq=False, kw_only=True)
class DeclarationStatement(Statement):
    """A `var`, `let` or `const` inside a function."""

    declaration: VariableDeclaration


@dataclass(slots=True, eq=False, kw_only=True)
class If(Statement):
    """`if`; `otherwise` is the `else` block, another `If` for `else if`, or None."""

    attributes: list[Attribute]
    condition: Expression
    then: Block
    otherwise: Block | If | None


@dataclass(slots=True, eq=False, kw_only=True)
class SwitchClause(Node):
    """One clause of a switch. A `None` in `selectors` is `default`."""

    selectors: list[Expression | None]
    body: Block


@dataclass(slots=True, eq=False, kw_only=True)
class Switch(Statement):
    """`switch`; `body_start` is the offset of its opening brace."""

    attributes: list[Attribute]
    selector: Expression
    body_attributes: list[Attribute]
    clauses: list[SwitchClause]
    body_start: int


@dataclass(slots=True, eq=False, kw_only=True)
class Continuing(Node):
    """`continuing { … break if condition; }`; `break_if` is the condition or None, and not part of `body.statements`."""

    body: Block
    break_if: Expression | None


@dataclass(slots=True, eq=False, kw_only=True)
class Loop(Statement):
    """`loop { … continuing { … } }`; `continuing` is not part of `body.statements`."""

    attributes: list[Attribute]
    body: Block
    continuing: Continuing | None


@dataclass(slots=True, eq=False, kw_only=True)
class For(Statement):
    """`for (initializer; condition; update) body`; each part may be None."""

    attributes: list[Attribute]
    initializer: Statement | None
    condition: Expression | None
    update: Statement | None
    body: Block


@dataclass(slots=True, eq=False, kw_only=True)
class While(Statement):
    """`while condition body`."""

    attributes: list[Attribute]
    condition: Expression
    body: Block


@dataclass(slots=True, eq=False, kw_only=True)
class Break(Statement):
    """`break;`."""


@dataclass(slots=True, eq=False, kw_only=True)
class Continue(Statement):
    """`continue;`."""


@dataclass(slots=True, eq=False, kw_only=True)
class Return(Statement):
    """`return value;`."""

    value: Expression | None


@dataclass(slots=True, eq=False, kw_only=True)
class Discard(Statement):
    """`discard;`."""


@dataclass(slots=True, eq=False, kw_only=True)
class EmptyStatement(Statement):
    """A lone `;`."""


@dataclass(slots=True, eq=False, kw_only=True)
class ErrorStatement(Statement):
    """Text between two statements that could not be read; a finding says so."""


# ---------------------------------------------------------------- declarations and directives


class Declaration(Node):
    """Base of module-scope declarations."""

    # No dataclass of its own: Python 3.10 would repeat the inherited slots, and `ConstAssert` could not join two such bases.
    __slots__ = ()


@dataclass(slots=True, eq=False, kw_only=True)
class VariableDeclaration(Declaration):
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


@dataclass(slots=True, eq=False, kw_only=True)
class Parameter(Node):
    """A formal parameter."""

    attributes: list[Attribute]
    name: Name
    type: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class FunctionDeclaration(Declaration):
    """`fn`; `body` is None when the text breaks off before it."""

    attributes: list[Attribute]
    name: Name
    parameters: list[Parameter]
    return_attributes: list[Attribute]
    return_type: Expression | None
    body: Block | None


@dataclass(slots=True, eq=False, kw_only=True)
class StructMember(Node):
    """One member of a structure."""

    attributes: list[Attribute]
    name: Name
    type: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class StructDeclaration(Declaration):
    """`struct`."""

    name: Name
    members: list[StructMember]


@dataclass(slots=True, eq=False, kw_only=True)
class AliasDeclaration(Declaration):
    """`alias name = type;`."""

    name: Name
    type: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class ConstAssert(Declaration, Statement):
    """`const_assert condition;`, at module or function scope."""

    condition: Expression


@dataclass(slots=True, eq=False, kw_only=True)
class EmptyDeclaration(Declaration):
    """A lone `;` at module scope."""


@dataclass(slots=True, eq=False, kw_only=True)
class ErrorDeclaration(Declaration):
    """Text at module scope that could not be read; a finding says so."""


@dataclass(slots=True, eq=False, kw_only=True)
class Directive(Node):
    """Base of global directives."""


@dataclass(slots=True, eq=False, kw_only=True)
class EnableDirective(Directive):
    """`enable f16, subgroups;`."""

    names: list[Name]


@dataclass(slots=True, eq=False, kw_only=True)
class RequiresDirective(Directive):
    """`requires readonly_and_readwrite_storage_textures;`."""

    names: list[Name]


@dataclass(slots=True, eq=False, kw_only=True)
class DiagnosticDirective(Directive):
    """`diagnostic(severity, rule);`; `rule` keeps the dot of `chromium.unreachable_code`."""

    severity: Name
    rule: str


@dataclass(slots=True, eq=False, kw_only=True)
class SyntaxTree:
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
    findings: list[Finding] = field(default_factory=list)
