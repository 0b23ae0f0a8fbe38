"""Workgroup memory that is read before a barrier lets the others' stores be seen, which an adapter that runs in lockstep hides.

A look along the statements of each entry point, not a sanitizer: an element is known by the text of its index, and functions that are
called are looked at only for barriers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.wgsl.reflect import EntryPoint
from pixel_core.wgsl.syntax import (
    Assignment,
    Binary,
    Block,
    Call,
    CallStatement,
    DeclarationStatement,
    Expression,
    For,
    FunctionDeclaration,
    Identifier,
    If,
    Increment,
    Index,
    Loop,
    Member,
    Node,
    Return,
    Statement,
    Switch,
    Unary,
    VariableDeclaration,
    While,
)
from pixel_core.wgsl.walk import walk

_BARRIERS = frozenset({"workgroupBarrier", "workgroupUniformLoad"})

_LITERAL_INDEX = re.compile(r"\[(\d+)[ui]\]")

_Written = frozenset[tuple[str, str]]
"""Variable and text of the element, of every store since the last barrier."""


def find_missing_barrier(loaded: LoadedShader) -> str | None:
    """Workgroup memory that invocations share without a barrier in between; None when this simple look finds nothing.

    A kernel in which each invocation keeps to its own element would be safe, and has no use for workgroup memory.
    """
    has_barrier = any(isinstance(node, Call) and node.callee.name.text in _BARRIERS for node in walk(loaded.tree))
    for entry in loaded.interface.entry_points:
        shared = {name for name in entry.workgroup_variables if not _is_atomic(loaded, name)}
        if entry.workgroup_size == (1, 1, 1) or not shared:
            continue
        if not has_barrier:
            return f"`{entry.name}` uses `{min(shared)}` in workgroup memory, and there is no `workgroupBarrier()`"
        found = _Look(loaded, entry, shared).find()
        if found is not None:
            return found
    return None


def _is_atomic(loaded: LoadedShader, name: str) -> bool:
    declared = (one for one in loaded.tree.declarations if isinstance(one, VariableDeclaration) and one.name.text == name)
    return any(isinstance(node, Identifier) and node.name.text == "atomic" for one in declared for node in walk(one))


class _Found(Exception):  # noqa: N818 - ends the look
    """A load of what another invocation may have stored just before."""


class _Look:
    """The statements of one entry point, in the order in which they run."""

    def __init__(self, loaded: LoadedShader, entry: EntryPoint, shared: set[str]) -> None:
        self._loaded = loaded
        self._function = entry.function
        self._shared = shared
        functions = {one.name.text: one for one in loaded.tree.declarations if isinstance(one, FunctionDeclaration)}
        self._waiting = _functions_with_barriers(functions)

    def find(self) -> str | None:
        """One sentence about the first such load."""
        if self._function.body is None:
            return None
        try:
            self._run(self._function.body.statements, frozenset())
        except _Found as found:
            return str(found)
        return None

    def _run(self, statements: Sequence[Statement], written: _Written) -> _Written:
        for statement in statements:
            written = self._step(statement, written)
            if isinstance(statement, Return):
                return frozenset()
        return written

    def _step(self, statement: Statement, written: _Written) -> _Written:
        if isinstance(statement, Block):
            return self._run(statement.statements, written)
        if isinstance(statement, If):
            return self._branch(statement, self._read(statement.condition, written))
        if isinstance(statement, Switch):
            written = self._read(statement.selector, written)
            return written.union(*(self._run(clause.body.statements, written) for clause in statement.clauses))
        if isinstance(statement, (For, While, Loop)):
            # Twice, so that what the end of one turn stores meets what the beginning of the next one loads.
            return self._turn(statement, self._turn(statement, self._begin(statement, written)))
        return self._simple(statement, written)

    def _branch(self, statement: If, written: _Written) -> _Written:
        if _chooses_one(statement.condition):
            # One invocation may load what it has stored itself; what the others stored before, it may not.
            inside = written | self._run_alone(statement.then.statements, self._as_seen_by_one(statement.condition, written))
        else:
            inside = self._run(statement.then.statements, written)
        otherwise = written if statement.otherwise is None else self._step(statement.otherwise, written)
        return inside | otherwise

    def _run_alone(self, statements: Sequence[Statement], written: _Written) -> _Written:
        stored: set[tuple[str, str]] = set()
        targets: set[int] = set()
        for statement in statements:
            for node in walk(statement):
                if isinstance(node, Assignment) and node.target is not None and node.operator == "=":
                    stored.update(self._element(node.target))
                    targets.update(id(part) for part in _parts(node.target))
                elif id(node) not in targets:
                    self._check(node, written - stored)
        return frozenset(stored)

    def _as_seen_by_one(self, condition: Expression, written: _Written) -> _Written:
        """Where `lane == 0u`, what was stored as `sums[lane]` is `sums[0]`."""
        pairs = [(node.left, node.right) for node in walk(condition) if isinstance(node, Binary) and node.operator == "=="]
        for old, new in pairs:
            before, after = (_plain(f"[{self._spelt(side)}]") for side in (old, new))
            written = frozenset((name, text.replace(before, after)) for name, text in written)
        return written

    def _spelt(self, node: Node) -> str:
        return "".join(self._loaded.source.text[node.start : node.end].split())

    def _begin(self, statement: For | While | Loop, written: _Written) -> _Written:
        return self._step(statement.initializer, written) if isinstance(statement, For) and statement.initializer else written

    def _turn(self, statement: For | While | Loop, written: _Written) -> _Written:
        if isinstance(statement, (For, While)) and statement.condition is not None:
            written = self._read(statement.condition, written)
        after = self._run(statement.body.statements, written)
        if isinstance(statement, For) and statement.update is not None:
            after = self._step(statement.update, after)
        if isinstance(statement, Loop) and statement.continuing is not None:
            after = self._run(statement.continuing.body.statements, after)
        return after

    def _simple(self, statement: Statement, written: _Written) -> _Written:
        if isinstance(statement, DeclarationStatement):
            value = statement.declaration.initializer
            return written if value is None else self._read(value, written)
        if isinstance(statement, CallStatement):
            return self._read(statement.call, written)
        if isinstance(statement, Return):
            return written if statement.value is None else self._read(statement.value, written)
        if isinstance(statement, Assignment):
            written = self._read(statement.value, written)
            if statement.target is None:
                return written
            if statement.operator != "=":
                return self._read(statement.target, written) | self._element(statement.target)
            for part in _parts(statement.target):
                written = self._read(part.index, written) if isinstance(part, Index) else written
            return written | self._element(statement.target)
        if isinstance(statement, Increment):
            return self._read(statement.target, written) | self._element(statement.target)
        return written

    def _read(self, expression: Expression, written: _Written) -> _Written:
        """What is still not to be seen after an expression was evaluated."""
        if any(_is_call_of(node, self._waiting) for node in walk(expression)):
            return frozenset()
        for node in walk(expression):
            self._check(node, written)
        return written

    def _check(self, node: Node, written: _Written) -> None:
        if not isinstance(node, Index):
            return
        for name, element in self._element(node):
            # `tile[i]` is part of `tile[i][j]`, and the other way round.
            if any(variable == name and not (text.startswith(element) or element.startswith(text)) for variable, text in written):
                line = self._loaded.source.position(node.start)[0]
                raise _Found(f"line {line}: `{name}` is read at `{element}` before a barrier lets the others' stores be seen")

    def _element(self, target: Expression) -> frozenset[tuple[str, str]]:
        """The variable in workgroup memory that an expression means an element of, and the text of that."""
        *_, root = _parts(target)
        if not (isinstance(root, Identifier) and root.name.text in self._shared):
            return frozenset()
        return frozenset({(root.name.text, _plain(self._spelt(target)))})


def _plain(text: str) -> str:
    """`[0u]` and `[0]` are one index."""
    return _LITERAL_INDEX.sub(r"[\1]", text)


def _parts(target: Expression) -> Iterator[Expression]:
    """`tile[i].x`, `tile[i]`, `tile`: an element, what it is part of, and the variable."""
    yield target
    while isinstance(target, (Index, Member)):
        target = target.base
        yield target


def _chooses_one(condition: Expression) -> bool:
    """`lane == 0u`, alone or joined by `&&`: one invocation."""
    return any(isinstance(node, Binary) and node.operator == "==" for node in walk(condition)) and not any(
        isinstance(node, Binary) and node.operator == "||" for node in walk(condition)
    )


def _is_call_of(node: Node, names: frozenset[str]) -> bool:
    """Whether a node waits for the others, or may have anything done to what it is given a pointer to."""
    if isinstance(node, Unary):
        return node.operator == "&"
    return isinstance(node, Call) and node.callee.name.text in names


def _functions_with_barriers(functions: dict[str, FunctionDeclaration]) -> frozenset[str]:
    waiting, before = set(_BARRIERS), -1
    while len(waiting) != before:
        before = len(waiting)
        for name, function in functions.items():
            if any(isinstance(node, Call) and node.callee.name.text in waiting for node in walk(function)):
                waiting.add(name)
    return frozenset(waiting)
