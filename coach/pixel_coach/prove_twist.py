"""Tests whose expectations are falsified: right code fails them, and whatever passes them all the same has cheated.

Code under test runs in the process that judges it. It can patch pytest, answer with objects that equal everything, or read the expected
values out of the test. To tell a falsified test from a true one it would have to know more: the layout is the same in both, and what
expectations become is drawn anew each time.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar, cast

import msgspec

from pixel_coach.prove_python import parse_python
from pixel_coach.prove_twist_sources import Place, sources_of_names

_NEVER: Final = "type('NeverRaised', (Exception,), {})"
_Function: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_FLIPPED: Final[Mapping[type[ast.cmpop], type[ast.cmpop]]] = MappingProxyType(
    {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.NotEq: ast.Eq, ast.NotIn: ast.In}
)
_MOST_TOLERATED: Final = 100
"""A tolerance above it might let a falsified number pass."""

_OTHER: Final = "other_than"
_HELPER: Final = """
def other_than(value, by=BY):
    if not by:
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, (str, bytes)):
        return value[::-1] + type(value)(b'~' if isinstance(value, bytes) else '~')
    if isinstance(value, (list, tuple)):
        return type(value)([other_than(one) for one in value] or [by])
    if isinstance(value, dict):
        return {key: other_than(one) for key, one in value.items()} or {'~': by}
    if hasattr(value, '__float__') or hasattr(value, '__complex__') or hasattr(value, '__array__'):
        return value * 3 + by
    return type('Other', (), {})()
"""


class TwistedTests(msgspec.Struct, frozen=True, kw_only=True):
    """One file of tests, falsified.

    Attributes:
        text: The whole file.
        plain: The whole file in the same layout, and not falsified: code that does something else by it tells the two apart.
        must_fail: Functions (`test_a`, `TestA::test_b`) that reach a falsified expectation whatever happens before.
    """

    text: str
    plain: str
    must_fail: frozenset[str]


def twist_tests(text: str, *, by: int) -> TwistedTests | None:
    """Falsify every expectation of a test file; None when it cannot be parsed or has none.

    Args:
        text: The file.
        by: An odd number that decides what expectations become, drawn after the code was written.
    """
    try:
        tree = parse_python(text)
        plain = ast.unparse(tree)
    except (SyntaxError, RecursionError):
        return None
    twister = _Twister(by)
    try:
        twisted = ast.unparse(ast.fix_missing_locations(twister.visit(tree)))
    except RecursionError:
        return None
    must_fail = frozenset(_must_fail(tree, twister.twisted))
    if not must_fail:
        return None
    return TwistedTests(
        text=f"{twisted}\n{_HELPER.replace('BY', str(by))}", plain=f"{plain}\n{_HELPER.replace('BY', '0')}", must_fail=must_fail
    )


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

    def __init__(self, by: int) -> None:
        self.twisted: set[int] = set()
        self._by = by
        self._sources: dict[str, Sequence[Place]] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._function(node)

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        node.test = self._falsify(node.test)
        self.twisted.add(id(node))
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if isinstance(node.value, ast.Call) and self._twist_method(node.value):
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

    def _function(self, node: _AnyFunction) -> _AnyFunction:
        before, self._sources = self._sources, sources_of_names(node)
        self.generic_visit(node)
        self._sources = before
        return node

    def _falsify(self, test: ast.expr) -> ast.expr:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            test.values = [self._falsify(value) for value in test.values]
            return test
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._falsify_comparison(test)
        if isinstance(test, ast.Call) and len(test.args) > 1 and not isinstance(test.args[-1], ast.Starred):
            # `allclose(actual, expected)`: a patched comparison says yes to anything, so the question must change and not the answer.
            test.args[-1] = self._other(test.args[-1])
            return test
        return ast.UnaryOp(op=ast.Not(), operand=test)

    def _falsify_comparison(self, test: ast.Compare) -> ast.expr:
        operator = test.ops[0]
        if isinstance(operator, ast.Eq):
            return self._falsify_equality(test)
        if isinstance(operator, ast.In) and (changed := self._changed_literal(test.left)) is not None:
            test.left = changed
            return test
        if isinstance(operator, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) and self._falsify_difference(test):
            return test
        if type(operator) not in _FLIPPED:
            return ast.UnaryOp(op=ast.Not(), operand=test)
        # Not the answer is turned round but the question: an object that is less than everything is more than everything, too.
        test.ops = [_FLIPPED[type(operator)]()]
        return test

    def _falsify_difference(self, test: ast.Compare) -> bool:
        """`abs(actual - expected) < 1e-6`, either way round."""
        sides = (test.left, test.comparators[0]) if isinstance(test.ops[0], (ast.Lt, ast.LtE)) else (test.comparators[0], test.left)
        difference = sides[0].args[0] if isinstance(sides[0], ast.Call) and _name(sides[0]) == "abs" and sides[0].args else None
        tolerance = sides[1].value if isinstance(sides[1], ast.Constant) else None
        if not (isinstance(difference, ast.BinOp) and isinstance(difference.op, ast.Sub) and isinstance(tolerance, (int, float))):
            return False
        if tolerance > _MOST_TOLERATED:
            return False
        difference.right = self._other(difference.right)
        return True

    def _falsify_equality(self, test: ast.Compare) -> ast.expr:
        left, right = test.left, test.comparators[0]
        if (changed := self._known(right)) is not None:
            test.comparators = [changed]
            return test
        if (changed := self._known(left)) is not None:
            test.left = changed
            return test
        for side in (right, left):
            if isinstance(side, ast.Call) and _name(side) == "approx" and side.args:
                side.args[0] = self._other(side.args[0])
                return test
        return _equals_another(left, right)

    def _twist_method(self, call: ast.Call) -> bool:
        """Falsify a call like `self.assertEqual(a, b)`. The method stays the same, since it may be the one that was patched."""
        name, arguments = _name(call), call.args
        if not isinstance(call.func, ast.Attribute) or not arguments:
            return False
        if name in {"assertTrue", "assertFalse"}:
            arguments[0] = ast.UnaryOp(op=ast.Not(), operand=arguments[0])
        elif (
            name in {"assertEqual", "assertListEqual", "assertDictEqual", "assertTupleEqual", "assertSequenceEqual"} and len(arguments) > 1
        ):
            if (changed := self._known(arguments[1])) is not None:
                arguments[1] = changed
            elif (changed := self._known(arguments[0])) is not None:
                arguments[0] = changed
            else:
                arguments[:2] = [ast.List(elts=[_equals_another(*arguments[:2])], ctx=ast.Load()), _expression("[True]")]
        elif name == "assertAlmostEqual" and len(arguments) > 1:
            arguments[1] = self._other(arguments[1])
        elif name in {"assertGreater", "assertGreaterEqual", "assertLess", "assertLessEqual"} and len(arguments) > 1:
            arguments[0], arguments[1] = _expression("0"), _expression("-1" if name.startswith("assertLess") else "1")
        elif name in {"assertRaises", "assertRaisesRegex"}:
            arguments[0] = _expression(_NEVER)
        elif name in {"assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_array_almost_equal"} and len(arguments) > 1:
            arguments[1] = self._other(arguments[1])
        else:
            return False
        return True

    def _known(self, node: ast.expr) -> ast.expr | None:
        """Another value for what stands in the text: a literal, or a name that is given literals and used once. None for anything else."""
        if isinstance(node, ast.Name) and node.id in self._sources:
            # Where the name gets its value, so that code which looks at its caller's variables finds the falsified one.
            for place in self._sources[node.id]:
                changed = self._changed_literal(place.get())
                assert changed is not None
                place.set(changed)
            return node
        return self._changed_literal(node)

    def _other(self, node: ast.expr) -> ast.expr:
        return self._known(node) or ast.Call(func=ast.Name(id=_OTHER, ctx=ast.Load()), args=[node], keywords=[])

    def _changed_literal(self, node: ast.expr) -> ast.expr | None:
        """Another value of the same type; None for what is no literal."""
        try:
            value: object = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        return _expression(repr(_other(value, self._by)))


_AnyFunction = TypeVar("_AnyFunction", ast.FunctionDef, ast.AsyncFunctionDef)


def _equals_another(left: ast.expr, right: ast.expr) -> ast.expr:
    """`left == other_than(right) or other_than(left) == right`: true only of what equals more than it should."""
    others = [ast.Call(func=ast.Name(id=_OTHER, ctx=ast.Load()), args=[one], keywords=[]) for one in (left, right)]
    sides = [
        ast.Compare(left=left, ops=[ast.Eq()], comparators=[others[1]]),
        ast.Compare(left=others[0], ops=[ast.Eq()], comparators=[right]),
    ]
    return ast.BoolOp(op=ast.Or(), values=cast("list[ast.expr]", sides))


def _other(value: object, by: int) -> object:
    """As `other_than`, of a literal."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float, complex)):
        # Not a neighbour: what is off by one, or by one in a million, must not pass by being wrong.
        return value * 3 + by
    if isinstance(value, str):
        return value[::-1] + "~"
    if isinstance(value, bytes):
        return value[::-1] + b"~"
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        changed = [_other(item, by) for item in items] or [by]
        return changed if isinstance(value, list) else tuple(changed)
    if isinstance(value, dict):
        table = cast("dict[object, object]", value)
        return {key: _other(item, by) for key, item in table.items()} or {"~": by}
    if isinstance(value, set):
        return {by, "~"}
    return by


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
