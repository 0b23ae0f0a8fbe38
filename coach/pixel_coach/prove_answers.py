"""Code that holds the tests' answers beside their inputs, or fetches them: it passes every visible test and may do nothing else.

No hidden test tells such a table from a solution, as hidden sizes do for kernels. So it proves nothing, and a person decides: an honest
table of names looks the same. Answers that are spelt otherwise than as literals are not noticed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from pixel_coach.prove_python import parse_python

_COMMON: Final = frozenset({0, 1, 2, ""})
"""Literals that any code may hold."""

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_EQUAL: Final = frozenset({"assertEqual", "assertEquals", "assertAlmostEqual", "assertSequenceEqual", "assertListEqual", "assertDictEqual"})

_JUDGES: Final = frozenset({"pytest", "_pytest", "unittest", "pluggy"})
_FRAMES: Final = frozenset(
    {"_getframe", "_current_frames", "currentframe", "f_back", "f_locals", "f_globals", "tb_frame", "get_objects", "get_referrers"}
)
_TEST_FOLDERS: Final = frozenset({"test", "tests", "__tests__"})
_LONGEST_PATH: Final = 400

Literals = frozenset[object]


def answers_in_code(code: str, base: str, tests: Iterable[str]) -> tuple[int, int]:
    """How many expectations of tests stand in some code with all their literals, inputs and answers; and how many there are.

    Args:
        code: The candidate, Python.
        base: What it replaces, or the empty string: what stood there before was not put there to pass.
        tests: Texts of test files, Python.
    """
    held, before = _held(code), _held(base)
    facts = [fact for text in tests for fact in _facts(text)]
    return sum(fact <= held and not fact <= before for fact in facts), len(facts)


def reaches_for_tests(code: str, base: str, names: Collection[str]) -> str | None:
    """The first thing in some code by which it could know how it is judged: files of the tests, pytest, its callers; None without one.

    Args:
        code: The candidate, Python.
        base: What it replaces, or the empty string: what stood there before counts for nothing.
        names: Names of the files that belong to the tests.
    """
    before = set(_reached(base, names))
    return next((found for found in _reached(code, names) if found not in before), None)


def _reached(code: str, names: Collection[str]) -> Iterator[str]:
    try:
        tree = parse_python(code)
    except SyntaxError:
        return
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"`{one.name}`" for one in node.names if one.name.partition(".")[0] in _JUDGES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.partition(".")[0] in _JUDGES:
                yield f"`{node.module}`"
            yield from (f"`{node.module}.{one.name}`" for one in node.names if one.name in _FRAMES)
        elif isinstance(node, ast.Attribute) and (node.attr in _FRAMES or (node.attr == "stack" and ast.unparse(node) == "inspect.stack")):
            yield f"`{node.attr}`"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            path = PurePosixPath(node.value[:_LONGEST_PATH])
            if path.name in names or (len(path.parts) > 1 and _TEST_FOLDERS.intersection(path.parts)):
                yield f"`{path}`"


def _facts(text: str) -> Iterator[Literals]:
    try:
        tree = parse_python(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], (ast.Eq, ast.Is, ast.In)):
            yield from _telling(node.test)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _EQUAL:
                yield from _telling(*node.args[:2])
            elif node.func.attr == "parametrize" and len(node.args) > 1 and isinstance(node.args[1], (ast.List, ast.Tuple)):
                for row in node.args[1].elts:
                    yield from _telling(row)


def _telling(*nodes: ast.AST) -> Iterator[Literals]:
    literals = frozenset(_literals(nodes)) - _COMMON
    if literals:
        yield literals


def _literals(nodes: Iterable[ast.AST]) -> Iterator[object]:
    for node in nodes:
        for part in ast.walk(node):
            # True equals 1, and names a switch rather than an answer.
            if (
                isinstance(part, ast.Constant)
                and isinstance(part.value, (int, float, complex, str, bytes))
                and not isinstance(part.value, bool)
            ):
                yield part.value


def _held(code: str) -> Literals:
    """The literals of some code, and the numbers in its strings; its docstrings aside."""
    try:
        tree = parse_python(code)
    except SyntaxError:
        return frozenset()
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    held = set(_literals(node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose))
    spelt = [_NUMBER.findall(value) for value in held if isinstance(value, str)]
    held.update(float(number) for numbers in spelt for number in numbers)
    return frozenset(held)
