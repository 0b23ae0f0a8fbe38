"""Tests whose expectations are falsified: right code fails them, and whatever passes them all the same has cheated.

Code under test runs in the process that judges it. It can patch pytest, answer with objects that equal everything, or read the expected
values out of the test. None of that can tell a falsified test from a true one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from pixel_coach.prove_python import parse_python

_FAR: Final = 12345.678
_NEVER: Final = "type('NeverRaised', (Exception,), {})"
_Function: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_SHIFTED: Final = frozenset({"assertAlmostEqual", "assertGreater", "assertGreaterEqual", "assertLess", "assertLessEqual"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TwistedTests:
    """One file of tests, falsified.

    Attributes:
        text: The whole file.
        must_fail: Functions (`test_a`, `TestA::test_b`) that reach a falsified expectation whatever happens before.
    """

    text: str
    must_fail: frozenset[str]


def twist_tests(text: str) -> TwistedTests | None:
    """Falsify every expectation of a test file; None when it cannot be parsed or has none."""
    try:
        tree = parse_python(text)
    except SyntaxError:
        return None
    twister = _Twister()
    try:
        twisted = ast.unparse(ast.fix_missing_locations(twister.visit(tree)))
    except RecursionError:
        return None
    must_fail = frozenset(_must_fail(tree, twister.twisted))
    return TwistedTests(text=twisted, must_fail=must_fail) if must_fail else None


def names_of_tests(path: str, text: str) -> list[str]:
    """The tests of a file as pytest names them (`tests/test_a.py::TestA::test_b`), parameters aside; none when it cannot be parsed."""
    try:
        body = parse_python(text).body
    except SyntaxError:
        return []
    names = [node.name for node in body if isinstance(node, _Function) and node.name.startswith("test")]
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            names += [f"{node.name}::{one.name}" for one in node.body if isinstance(one, _Function) and one.name.startswith("test")]
    return [f"{path}::{name}" for name in names]


class _Twister(ast.NodeTransformer):
    """Falsifies `assert`, `pytest.raises` and the methods of `unittest.TestCase`; remembers the statements that it changed."""

    def __init__(self) -> None:
        self.twisted: set[int] = set()

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        node.test = _falsify(node.test)
        self.twisted.add(id(node))
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if isinstance(node.value, ast.Call) and _twist_method(node.value):
            self.twisted.add(id(node))
        return node

    def visit_With(self, node: ast.With) -> ast.With:
        self.generic_visit(node)
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _name(call) in {"raises", "assertRaises", "assertRaisesRegex"} and call.args:
                call.args[0] = _expression(_NEVER)
                self.twisted.add(id(node))
        return node


def _falsify(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        test.values = [_falsify(value) for value in test.values]
        return test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        return _falsify_equality(test)
    if isinstance(test, ast.Call) and len(test.args) > 1 and not isinstance(test.args[-1], ast.Starred):
        # `allclose(actual, expected)`: a patched comparison says yes to anything, so the question must change and not the answer.
        test.args[-1] = _shifted(test.args[-1])
        return test
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _falsify_equality(test: ast.Compare) -> ast.expr:
    left, right = test.left, test.comparators[0]
    if (changed := _changed_literal(right)) is not None:
        test.comparators = [changed]
        return test
    if (changed := _changed_literal(left)) is not None:
        test.left = changed
        return test
    for side in (right, left):
        if isinstance(side, ast.Call) and _name(side) == "approx" and side.args:
            side.args[0] = _changed_literal(side.args[0]) or _shifted(side.args[0])
            return test
    return _equals_anything(left, right)


def _equals_anything(left: ast.expr, right: ast.expr) -> ast.expr:
    """`left == object() or object() == right`: true only of what equals everything."""
    nothing = _expression("object()")
    sides = [ast.Compare(left=left, ops=[ast.Eq()], comparators=[nothing]), ast.Compare(left=nothing, ops=[ast.Eq()], comparators=[right])]
    return ast.BoolOp(op=ast.Or(), values=cast("list[ast.expr]", sides))


def _twist_method(call: ast.Call) -> bool:
    """Falsify a call like `self.assertEqual(a, b)`. The method stays the same, since it may be the one that was patched."""
    name, arguments = _name(call), call.args
    if not isinstance(call.func, ast.Attribute) or not arguments:
        return False
    if name in {"assertTrue", "assertFalse"}:
        arguments[0] = ast.UnaryOp(op=ast.Not(), operand=arguments[0])
    elif name in {"assertEqual", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSequenceEqual"} and len(arguments) > 1:
        if (changed := _changed_literal(arguments[1])) is not None:
            arguments[1] = changed
        elif (changed := _changed_literal(arguments[0])) is not None:
            arguments[0] = changed
        else:
            arguments[:2] = [ast.List(elts=[_equals_anything(*arguments[:2])], ctx=ast.Load()), _expression("[True]")]
    elif name in _SHIFTED and len(arguments) > 1:
        arguments[1] = _shifted(arguments[1]) if name == "assertAlmostEqual" else arguments[1]
        if name != "assertAlmostEqual":
            arguments[0], arguments[1] = _expression("0"), _expression("-1" if name.startswith("assertLess") else "1")
    elif name in {"assertRaises", "assertRaisesRegex"}:
        arguments[0] = _expression(_NEVER)
    elif name in {"assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_array_almost_equal"} and len(arguments) > 1:
        arguments[1] = _shifted(arguments[1])
    else:
        return False
    return True


def _changed_literal(node: ast.expr) -> ast.expr | None:
    """Another value of the same type; None for what is no literal."""
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return _expression(repr(_other(value)))


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float, complex)):
        # Not a neighbour: what is off by one must not pass by being wrong.
        return value + 4711
    if isinstance(value, str):
        return value[::-1] + "~"
    if isinstance(value, bytes):
        return value[::-1] + b"~"
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        changed = [_other(item) for item in items] or [4711]
        return changed if isinstance(value, list) else tuple(changed)
    if isinstance(value, dict):
        table = cast("dict[object, object]", value)
        return {key: _other(item) for key, item in table.items()} or {"~": 4711}
    if isinstance(value, set):
        return {4711, "~"}
    return 4711


def _shifted(node: ast.expr) -> ast.expr:
    return _changed_literal(node) or ast.BinOp(left=node, op=ast.Add(), right=ast.Constant(_FAR))


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


# ---------------------------------------------------------------- which tests must fail


def _must_fail(tree: ast.Module, twisted: set[int]) -> list[str]:
    functions = {node.name: node for node in tree.body if isinstance(node, _Function)}
    failing: set[str] = set()
    while found := {name for name, node in functions.items() if name not in failing and _reaches(node.body, twisted, failing)}:
        failing |= found
    names = [name for name in failing if name.startswith("test")]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, _Function) and one.name.startswith("test")]
            names += [f"{node.name}::{one.name}" for one in methods if _reaches(one.body, twisted, failing)]
    return names


def _reaches(body: Sequence[ast.stmt], twisted: set[int], failing: set[str]) -> bool:
    """Whether statements that always run hold a falsified one, or call a function of the file that does."""
    for statement in body:
        if id(statement) in twisted:
            return True
        if isinstance(statement, (ast.Return, ast.Raise)):
            return False
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and _name(statement.value) in failing:
            return True
        if isinstance(statement, (ast.With, ast.AsyncWith)) and _reaches(statement.body, twisted, failing):
            return True
        if isinstance(statement, ast.For) and _runs_at_least_once(statement.iter) and _reaches(statement.body, twisted, failing):
            return True
    return False


def _runs_at_least_once(iterable: ast.expr) -> bool:
    if isinstance(iterable, (ast.List, ast.Tuple, ast.Set)):
        return bool(iterable.elts)
    if isinstance(iterable, ast.Call) and _name(iterable) == "range" and len(iterable.args) == 1:
        count = iterable.args[0]
        return isinstance(count, ast.Constant) and isinstance(count.value, int) and count.value > 0
    return False
