"""Names and scopes: which declaration each identifier means.

Follows the specification's section "Declaration and Scope". Module scope has no order; inside a function a declaration is in
scope from its end to the end of its block. Every predeclared name may be shadowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from pixel_core.findings import Finding
from pixel_core.wgsl import builtins
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.dependencies import Named, Reference, report_cycles, sort_by_dependency
from pixel_core.wgsl.keywords import RESERVED_WORDS
from pixel_core.wgsl.scopes import PREDECLARED, Declared, Predeclared, Role, Scope, closest, misuse
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Assignment,
    Attribute,
    Binary,
    Block,
    Call,
    CallStatement,
    ConstAssert,
    Continuing,
    Declaration,
    DeclarationStatement,
    ErrorDeclaration,
    ErrorStatement,
    Expression,
    For,
    FunctionDeclaration,
    Identifier,
    If,
    Increment,
    Index,
    Loop,
    Member,
    Name,
    Node,
    Parameter,
    Parenthesized,
    Return,
    StructDeclaration,
    Switch,
    SyntaxTree,
    TokenKind,
    Unary,
    VariableDeclaration,
    While,
)
from pixel_core.wgsl.walk import walk


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What every identifier of a tree means.

    Attributes:
        module: Module-scope declarations by name; of duplicates the first.
        uses: What each identifier in use refers to; an unresolved identifier is absent.
        references: For each module-scope declaration (and module-scope `const_assert`), the module-scope declarations that
            its text refers to, in order.
        order: Module-scope declarations, each after those it refers to (members of a cycle in any order).
        cycles: Groups of declarations that refer to each other, or one that refers to itself.
        cyclic: The members of all these groups; never evaluate them.
        findings: PX13x.
    """

    module: Mapping[str, Named]
    uses: Mapping[Identifier, Declared]
    references: Mapping[Declaration, tuple[Reference, ...]]
    order: tuple[Declaration, ...]
    cycles: tuple[tuple[Declaration, ...], ...]
    cyclic: frozenset[Declaration]
    findings: tuple[Finding, ...]

    def declared(self, expression: Expression) -> Declared | None:
        """What an identifier refers to; None for any other expression and for an unresolved identifier."""
        return self.uses.get(expression) if isinstance(expression, Identifier) else None

    def predeclared(self, expression: Expression) -> str | None:
        """The predeclared name that an identifier refers to; None when it is anything else."""
        declared = self.declared(expression)
        return declared.name if isinstance(declared, Predeclared) else None


def resolve_names(tree: SyntaxTree) -> Names:
    """Resolve every identifier of a tree.

    Args:
        tree: From `parse`; where the text could not be read, names that stand there are not reported as unknown.
    """
    resolver = _Resolver(tree)
    resolver.declare_module()
    for declaration in tree.declarations:
        resolver.resolve_declaration(declaration)
    references = {node: tuple(found) for node, found in resolver.references.items()}
    order, groups = sort_by_dependency(references)
    report_cycles(groups, references, resolver.collector)
    return Names(
        module=MappingProxyType(resolver.module),
        uses=MappingProxyType(resolver.uses),
        references=MappingProxyType(references),
        order=order,
        cycles=tuple(tuple(group) for group in groups),
        cyclic=frozenset(member for group in groups for member in group),
        findings=tuple(resolver.collector.findings),
    )


_MAX_SUGGESTIONS = 40
_MAX_SUGGESTED_LENGTH = 64


class _Resolver:
    """One walk over a tree. Statements and expressions are taken from explicit stacks: their nesting has no bound here."""

    def __init__(self, tree: SyntaxTree) -> None:
        self.collector = Collector(tree.source)
        self.module: dict[str, Named] = {}
        self.uses: dict[Identifier, Declared] = {}
        self.references: dict[Declaration, list[Reference]] = {}
        self._tree = tree
        self._empty = Scope(None)
        self._current: list[Reference] = []
        self._locals: dict[str, Name] = {}
        self._unknown: list[tuple[Identifier, Role, Scope]] = []
        self._suggestions: dict[tuple[str, Role], str | None] = {}
        self._unread = _unread_names(tree)

    def declare_module(self) -> None:
        for declaration in self._tree.declarations:
            if isinstance(declaration, (VariableDeclaration, FunctionDeclaration, StructDeclaration, AliasDeclaration)):
                earlier = self.module.setdefault(declaration.name.text, declaration)
                if earlier is not declaration:
                    self._report_duplicate(declaration.name, earlier.name)

    def resolve_declaration(self, declaration: Declaration) -> None:
        self._current = self.references.setdefault(declaration, [])
        scope = self._empty
        if isinstance(declaration, VariableDeclaration):
            self._resolve_variable(declaration, scope)
        elif isinstance(declaration, FunctionDeclaration):
            self._resolve_function(declaration)
        elif isinstance(declaration, StructDeclaration):
            members: dict[str, Name] = {}
            for member in declaration.members:
                earlier = members.setdefault(member.name.text, member.name)
                if earlier is not member.name:
                    self._report_duplicate(member.name, earlier)
                self._resolve_attributes(member.attributes, scope)
                self._resolve(member.type, Role.TYPE, scope)
        elif isinstance(declaration, AliasDeclaration):
            self._resolve(declaration.type, Role.TYPE, scope)
        elif isinstance(declaration, ConstAssert):
            self._resolve(declaration.condition, Role.VALUE, scope)
        self._report_unknown()

    # ------------------------------------------------------------ functions

    def _resolve_function(self, function: FunctionDeclaration) -> None:
        self._resolve_attributes(function.attributes, self._empty)
        scope = Scope(None)
        self._locals = {}
        for parameter in function.parameters:
            self._resolve_attributes(parameter.attributes, self._empty)
            self._resolve(parameter.type, Role.TYPE, self._empty)
        for parameter in function.parameters:
            self._declare(parameter.name, parameter, scope)
        self._resolve_attributes(function.return_attributes, self._empty)
        if function.return_type is not None:
            self._resolve(function.return_type, Role.TYPE, self._empty)
        if function.body is not None:
            # Parameters and the outermost block share one scope: `fn f(a: i32) { let a = 1; }` declares `a` twice.
            self._resolve_attributes(function.body.attributes, scope)
            self._resolve_statements([(statement, scope) for statement in reversed(function.body.statements)])

    def _resolve_statements(self, pending: list[tuple[Node, Scope]]) -> None:
        while pending:
            node, scope = pending.pop()
            if isinstance(node, Expression):
                self._resolve(node, Role.VALUE, scope)
            elif isinstance(node, DeclarationStatement):
                self._resolve_variable(node.declaration, scope)
                self._declare(node.declaration.name, node.declaration, scope)
            elif isinstance(node, Block):
                self._resolve_attributes(node.attributes, scope)
                inner = Scope(scope)
                pending.extend((statement, inner) for statement in reversed(node.statements))
            elif isinstance(node, Loop):
                self._resolve_attributes(node.attributes, scope)
                # `continuing` sees the declarations of the loop body, and `break if` those of `continuing`.
                inner = Scope(scope)
                if node.continuing is not None:
                    pending.append((node.continuing, inner))
                pending.extend((statement, inner) for statement in reversed(node.body.statements))
            elif isinstance(node, Continuing):
                inner = Scope(scope)
                if node.break_if is not None:
                    pending.append((node.break_if, inner))
                pending.extend((statement, inner) for statement in reversed(node.body.statements))
            elif isinstance(node, For):
                self._resolve_attributes(node.attributes, scope)
                inner = Scope(scope)
                parts = (node.initializer, node.condition, node.update, node.body)
                pending.extend((part, inner) for part in reversed(parts) if part is not None)
            elif isinstance(node, Switch):
                self._resolve_attributes(node.attributes, scope)
                self._resolve(node.selector, Role.VALUE, scope)
                self._resolve_attributes(node.body_attributes, scope)
                for clause in reversed(node.clauses):
                    pending.append((clause.body, scope))
                    pending.extend((selector, scope) for selector in reversed(clause.selectors) if selector is not None)
            else:
                attributes, parts = _parts(node)
                self._resolve_attributes(attributes, scope)
                pending.extend((part, scope) for part in reversed(parts) if part is not None)

    def _resolve_variable(self, variable: VariableDeclaration, scope: Scope) -> None:
        self._resolve_attributes(variable.attributes, scope)
        for argument in variable.template_arguments or ():
            self._resolve(argument, Role.ARGUMENT, scope)
        if variable.type is not None:
            self._resolve(variable.type, Role.TYPE, scope)
        if variable.initializer is not None:
            self._resolve(variable.initializer, Role.VALUE, scope)

    def _declare(self, name: Name, declared: VariableDeclaration | Parameter, scope: Scope) -> None:
        self._locals.setdefault(name.text, name)
        earlier = scope.names.get(name.text)
        if isinstance(earlier, (VariableDeclaration, Parameter)):
            self._report_duplicate(name, earlier.name)
            return
        scope.names[name.text] = declared

    # ------------------------------------------------------------ expressions

    def _resolve_attributes(self, attributes: Sequence[Attribute], scope: Scope) -> None:
        for attribute in attributes:
            if attribute.name.text not in builtins.CONTEXT_DEPENDENT_ATTRIBUTES:
                for argument in attribute.arguments or ():
                    self._resolve(argument, Role.VALUE, scope)

    def _resolve(self, root: Expression, root_role: Role, scope: Scope) -> None:
        pending: list[tuple[Expression, Role]] = [(root, root_role)]
        while pending:
            node, role = pending.pop()
            if isinstance(node, Identifier):
                self._use(node, role, scope)
                if node.template_arguments:
                    pending.extend((argument, Role.ARGUMENT) for argument in reversed(node.template_arguments))
            elif isinstance(node, Binary):
                pending.append((node.right, Role.VALUE))
                pending.append((node.left, Role.VALUE))
            elif isinstance(node, Call):
                pending.extend((argument, Role.VALUE) for argument in reversed(node.arguments))
                pending.append((node.callee, Role.CALLEE))
            elif isinstance(node, Index):
                pending.append((node.index, Role.VALUE))
                pending.append((node.base, Role.VALUE))
            elif isinstance(node, Member):
                pending.append((node.base, Role.VALUE))
            elif isinstance(node, Unary):
                pending.append((node.operand, Role.VALUE))
            elif isinstance(node, Parenthesized):
                pending.append((node.inner, Role.VALUE))

    def _use(self, identifier: Identifier, role: Role, scope: Scope) -> None:
        name = identifier.name.text
        declared: Declared | None = scope.find(name)
        if declared is None:
            declared = self.module.get(name)
            if declared is not None:
                self._current.append((identifier, declared))
            else:
                declared = PREDECLARED.get(name)
        if declared is None:
            self._unknown.append((identifier, role, scope))
            return
        self.uses[identifier] = declared
        complaint = misuse(declared, name, role)
        if complaint is not None:
            self.collector.error("PX134", identifier, f"`{name}` is {complaint[0]}, but {role.value} is needed here", hint=complaint[1])

    # ------------------------------------------------------------ findings

    def _report_duplicate(self, name: Name, earlier: Name) -> None:
        self.collector.error(
            "PX132",
            name,
            f"`{name.text}` is declared twice in one scope",
            labels=(self.collector.label(earlier, "first declared here"),),
            hint="rename one of them",
        )

    def _report_unknown(self) -> None:
        """Report the unknown names of one declaration, when all its local names are known."""
        for identifier, role, scope in self._unknown:
            name = identifier.name.text
            local = self._locals.get(name)
            if local is not None and local.start > identifier.start:
                self.collector.error(
                    "PX131",
                    identifier,
                    f"`{name}` is used before its declaration",
                    labels=(self.collector.label(local, "declared here"),),
                    hint="move the declaration up",
                )
            elif local is not None:
                self.collector.error(
                    "PX131",
                    identifier,
                    f"`{name}` is not in scope here",
                    labels=(self.collector.label(local, "in scope only inside the block that declares it"),),
                    hint="declare it before the block",
                )
            elif name not in self._unread and name not in RESERVED_WORDS:
                self.collector.error("PX130", identifier, f"unknown {_NOUNS[role]} `{name}`", hint=self._hint(name, role, scope))
        self._unknown.clear()
        self._locals = {}

    def _hint(self, name: str, role: Role, scope: Scope) -> str | None:
        if name in builtins.RENAMED:
            return f"WGSL's name for it is `{builtins.RENAMED[name]}`"
        # Also remembered when there is none: looking through every name of a long file for each use of one takes seconds.
        is_new = (name, role) not in self._suggestions
        if is_new and len(self._suggestions) < _MAX_SUGGESTIONS and len(name) <= _MAX_SUGGESTED_LENGTH:
            self._suggestions[name, role] = closest(name, self._candidates(role, scope))
        suggestion = self._suggestions.get((name, role))
        return f"did you mean `{suggestion}`?" if suggestion else None

    def _candidates(self, role: Role, scope: Scope) -> list[str]:
        candidates: list[str] = []
        inner: Scope | None = scope
        while inner is not None:
            candidates.extend(name for name, declared in inner.names.items() if misuse(declared, name, role) is None)
            inner = inner.parent
        candidates.extend(name for name, declared in self.module.items() if misuse(declared, name, role) is None)
        if role is not Role.VALUE:
            candidates.extend(name for name, declared in PREDECLARED.items() if misuse(declared, name, role) is None)
        return candidates


_NOUNS = {Role.VALUE: "name", Role.TYPE: "type", Role.CALLEE: "function", Role.ARGUMENT: "name"}


def _parts(node: Node) -> tuple[Sequence[Attribute], Sequence[Node | None]]:
    """Attributes and parts, in order, of the statements that open no scope of their own."""
    if isinstance(node, Assignment):
        return (), (node.target, node.value)
    if isinstance(node, CallStatement):
        return (), (node.call,)
    if isinstance(node, If):
        return node.attributes, (node.condition, node.then, node.otherwise)
    if isinstance(node, While):
        return node.attributes, (node.condition, node.body)
    if isinstance(node, Increment):
        return (), (node.target,)
    if isinstance(node, Return):
        return (), (node.value,)
    if isinstance(node, ConstAssert):
        return (), (node.condition,)
    return (), ()


def _unread_names(tree: SyntaxTree) -> frozenset[str]:
    """Identifiers inside text that could not be parsed: their declarations may be there."""
    if not tree.findings:
        return frozenset()
    spans = [(node.start, node.end) for node in tree.declarations if isinstance(node, ErrorDeclaration)]
    for declaration in tree.declarations:
        if isinstance(declaration, FunctionDeclaration) and declaration.body is not None:
            spans.extend((node.start, node.end) for node in _error_statements(declaration.body))
    spans.sort()
    names: set[str] = set()
    position = 0
    for token in tree.tokens:
        while position < len(spans) and spans[position][1] <= token.start:
            position += 1
        if position < len(spans) and token.kind is TokenKind.IDENTIFIER and spans[position][0] <= token.start:
            names.add(token.text)
    return frozenset(names)


def _error_statements(body: Block) -> list[ErrorStatement]:
    return [node for node in walk(body) if isinstance(node, ErrorStatement)]
