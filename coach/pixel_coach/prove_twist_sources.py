"""Where the names of a test get the values that it expects: literals, in its own lines or in the rows of its parameters."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A child of a node: in one of its fields, or in a list there."""

    node: ast.AST
    field: str
    index: int | None = None

    def get(self) -> ast.expr:
        """The expression that stands there."""
        value = getattr(self.node, self.field)
        return value if self.index is None else value[self.index]

    def set(self, expression: ast.expr) -> None:
        """Put another one there."""
        if self.index is None:
            setattr(self.node, self.field, expression)
        else:
            getattr(self.node, self.field)[self.index] = expression


def sources_of_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, Sequence[Place]]:
    """The literals that each name stands for, of those names that the function uses once: changing them changes nothing else."""
    uses = Counter(
        node.id for one in function.body for node in ast.walk(one) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    found: dict[str, list[Place]] = {}
    for name, place in (*_assigned(function), *_parameters(function)):
        found.setdefault(name, []).append(place)
    stores = Counter(
        node.id for one in function.body for node in ast.walk(one) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    parameters = {name for name, _ in _parameters(function)}
    return {
        name: places
        for name, places in found.items()
        if uses[name] == 1 and stores[name] == (0 if name in parameters else 1) and all(_is_literal(place.get()) for place in places)
    }


def _assigned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, Place]]:
    """`expected = 8`, in a line of the function that always runs."""
    for statement in function.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, Place(statement, "value")


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, Place]]:
    """`@pytest.mark.parametrize(("number", "expected"), [(2, 8), pytest.param(3, 27)])`."""
    for call in function.decorator_list:
        is_parametrize = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "parametrize"
        if not is_parametrize or len(call.args) < 2 or not isinstance(call.args[1], (ast.List, ast.Tuple)):
            continue
        names = _names(call.args[0])
        for index, row in enumerate(call.args[1].elts):
            is_param = isinstance(row, ast.Call) and isinstance(row.func, (ast.Attribute, ast.Name))
            cells = row.args if is_param else row.elts if isinstance(row, (ast.Tuple, ast.List)) else []
            if len(names) == 1 and not is_param:
                yield names[0], Place(call.args[1], "elts", index)
            elif len(cells) == len(names):
                yield from ((name, Place(row, "args" if is_param else "elts", number)) for number, name in enumerate(names))
            else:
                # A row that is not understood: none of the names is known.
                yield from ((name, Place(call.args[1], "elts", index)) for name in names)


def _names(node: ast.expr) -> list[str]:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return []
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [name for name in value if isinstance(name, str)] if isinstance(value, (list, tuple)) else []


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
