"""Stand-ins for a Python module: one that does nothing, one that says the same in other words, and some with one mistake each."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from pixel_coach.prove_python import parse_python


def python_stub(text: str) -> str:
    """A module with the same names that does nothing; no statement of the original runs when it is imported.

    Functions give None, classes keep their methods' names and those bases that are built in, everything else is None.

    Raises:
        SyntaxError: The text cannot be parsed.
    """
    lines: list[str] = []
    for node in parse_python(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines.append(_function(node, ""))
        elif isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name) and isinstance(getattr(builtins, base.id, None), type)]
            lines.append(f"class {node.name}({', '.join(bases)}):")
            methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
            lines.append("\n".join(_function(one, "    ") for one in methods) or "    pass")
            if not bases:
                lines.append("    def __init__(self, *args, **kwargs): pass" if all(one.name != "__init__" for one in methods) else "")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            lines += [f"{name} = None" for name in names if not name.startswith("__")]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [(one.asname or one.name.partition(".")[0]) for one in node.names]
            lines += [f"{name} = None" for name in names if name != "*" and getattr(node, "module", "") != "__future__"]
    return "\n".join(lines) + "\n"


def same_in_other_words(text: str) -> str:
    """The same module in another layout, and with a variable more in each function: a test that fails on it looks at how it is written.

    Raises:
        SyntaxError: The text cannot be parsed, or is nested too deeply to be written again.
    """
    tree = parse_python(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.For, ast.While, ast.With)):
            node.body.append(ast.Pass())
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            described = ast.get_docstring(node, clean=False) is not None
            # Behind a docstring; compiled code is other code by it, too.
            node.body.insert(int(described), ast.parse("reworded = ()").body[0])
    return f"# the same\n\n{_written(tree)}"


def python_mutants(text: str, *, seed: int, count: int) -> list[tuple[str, str]]:
    """Some mutants of a module: what was changed (`line 3: < becomes <=`), and the text.

    Args:
        text: The module.
        seed: Which ones are taken.
        count: How many at most.

    Raises:
        SyntaxError: The text cannot be parsed.
    """
    tree = parse_python(text)
    places = [(number, what) for number, node in enumerate(ast.walk(tree)) for what in _mutations_of(node)]
    Random(seed).shuffle(places)  # noqa: S311 - not for cryptography
    mutants: dict[str, str] = {}
    original = _written(tree)
    for number, (name, mutate) in places:
        if len(mutants) == count:
            break
        changed = _copied(tree)
        node = next(one for place, one in enumerate(ast.walk(changed)) if place == number)
        mutate(node)
        mutated = _written(changed)
        if mutated != original and mutated not in mutants.values():
            mutants[f"line {getattr(node, 'lineno', 0)}: {name}"] = mutated
    return list(mutants.items())


_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, type[ast.cmpop]]]] = {
    ast.Lt: ("< becomes <=", ast.LtE),
    ast.LtE: ("<= becomes <", ast.Lt),
    ast.Gt: ("> becomes >=", ast.GtE),
    ast.GtE: (">= becomes >", ast.Gt),
    ast.Eq: ("== becomes !=", ast.NotEq),
    ast.NotEq: ("!= becomes ==", ast.Eq),
    ast.In: ("in becomes not in", ast.NotIn),
    ast.NotIn: ("not in becomes in", ast.In),
}
_OPERATORS: Final[dict[type[ast.operator], tuple[str, type[ast.operator]]]] = {
    ast.Add: ("+ becomes -", ast.Sub),
    ast.Sub: ("- becomes +", ast.Add),
    ast.Mult: ("* becomes +", ast.Add),
    ast.Div: ("/ becomes *", ast.Mult),
    ast.FloorDiv: ("// becomes *", ast.Mult),
    ast.Mod: ("% becomes *", ast.Mult),
}
_Mutation = tuple[str, Callable[[ast.AST], None]]


def _mutations_of(node: ast.AST) -> Iterator[_Mutation]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        name, other = _COMPARISONS[type(node.ops[0])]
        yield name, lambda one: _set_comparison(one, other())
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        name, operator = _OPERATORS[type(node.op)]
        yield name, lambda one: setattr(one, "op", operator())
    elif isinstance(node, ast.BoolOp):
        name, boolean = ("and becomes or", ast.Or()) if isinstance(node.op, ast.And) else ("or becomes and", ast.And())
        yield name, lambda one: setattr(one, "op", boolean)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        value = node.value
        yield f"{value!r} becomes {value + 1!r}", lambda one: setattr(one, "value", value + 1)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "the result becomes None", lambda one: setattr(one, "value", ast.Constant(None))


def _written(tree: ast.Module) -> str:
    try:
        return ast.unparse(tree) + "\n"
    except RecursionError:
        raise SyntaxError("nested too deeply") from None


def _copied(tree: ast.Module) -> ast.Module:
    try:
        return copy.deepcopy(tree)
    except RecursionError:
        raise SyntaxError("nested too deeply") from None


def _set_comparison(node: ast.AST, operator: ast.cmpop) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[0] = operator


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, indent: str) -> str:
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{indent}{word} {node.name}(*args, **kwargs): pass"
