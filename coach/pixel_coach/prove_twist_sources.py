"""Where the names of a test get the values that it expects: literals, in its own lines or in the rows of its parameters."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec


class Place(msgspec.Struct, frozen=True):
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
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "parametrize"):
            continue
        rows = call.args[1] if len(call.args) > 1 else None
        if isinstance(rows, (ast.List, ast.Tuple)):
            names = _names(call.args[0])
            for index in range(len(rows.elts)):
                yield from _cells(names, rows, index)


def _cells(names: Sequence[str], rows: ast.List | ast.Tuple, index: int) -> Iterator[tuple[str, Place]]:
    """What one row of parameters gives each name."""
    row = rows.elts[index]
    if isinstance(row, ast.Call) and len(row.args) == len(names):
        yield from ((name, Place(row, "args", number)) for number, name in enumerate(names))
    elif isinstance(row, (ast.Tuple, ast.List)) and len(names) > 1 and len(row.elts) == len(names):
        yield from ((name, Place(row, "elts", number)) for number, name in enumerate(names))
    else:
        # One name's value, or a row that is not understood: then it is no literal, and none of the names is known.
        yield from ((name, Place(rows, "elts", index)) for name in names)


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
