"""Falsified tests: what each expectation becomes, and which tests must then fail."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable

import pytest

from pixel_coach.prove_stub import python_mutants, python_stub, same_in_other_words
from pixel_coach.prove_twist import names_of_tests, twist_tests


def check(body: str, expected: str) -> None:
    written = f"def test_a():\n{textwrap.indent(body, '    ')}\n"
    twisted = twist_tests(written, by=4711)
    assert twisted is not None
    assert body_of(twisted.text) == expected
    assert ast.dump(ast.parse(body_of(twisted.plain))) == ast.dump(ast.parse(body))
    assert twisted.must_fail == {"test_a"}


def body_of(text: str) -> str:
    return textwrap.dedent(text.partition("\ndef other_than(")[0].partition("\n")[2]).strip()


def test_literals_become_others() -> None:
    check("assert f(1) == 4", "assert f(1) == 4723")
    check("assert 'ab' == f()", "assert 'ba~' == f()")
    check("assert f() == [1, (True, None)]", "assert f() == [4714, (False, 4711)]")
    check("assert 'ab' in f()", "assert 'ba~' in f()")


def test_what_is_no_literal_is_compared_with_another() -> None:
    check("assert f() == want", "assert f() == other_than(want) or other_than(f()) == want")


def test_names_are_falsified_where_they_get_their_values() -> None:
    check("want = 8\nassert f() == want", "want = 4735\nassert f() == want")
    check("want = 8\nassert f() == approx(want)", "want = 4735\nassert f() == approx(want)")
    other = "other_than(want) or other_than(f(want)) == want"
    check("want = 8\nassert f(want) == want", f"want = 8\nassert f(want) == {other}")
    check("want = g()\nassert f() == want", "want = g()\nassert f() == other_than(want) or other_than(f()) == want")
    check("want = 8\nwant = 9\nassert f() == want", "want = 8\nwant = 9\nassert f() == other_than(want) or other_than(f()) == want")


@pytest.mark.parametrize(
    ("rows", "falsified"),
    [
        ("'x, want', [(1, 2), (3, 'ab')]", "'x, want', [(1, 4717), (3, 'ba~')]"),
        ("('x', 'want'), [pytest.param(1, 2, id='a')]", "('x', 'want'), [pytest.param(1, 4717, id='a')]"),
        ("('want',), [2, 3]", "('want',), [4717, 4720]"),
        ("('x', 'want'), [(1, 2), pair]", None),
        ("('x', 'want'), [(1, g())]", None),
        ("('x', 'want'), ROWS", None),
    ],
)
def test_parameters_are_falsified_in_their_rows(rows: str, falsified: str | None) -> None:
    text = "@pytest.mark.parametrize({})\ndef test_a(x, want):\n    assert f(x) == {}\n"
    twisted = twist_tests(text.format(rows, "want"), by=4711)
    assert twisted is not None
    expected = text.format(falsified or rows, "want" if falsified else "other_than(want) or other_than(f(x)) == want")
    assert twisted.text.partition("\ndef other_than(")[0].strip() == expected.strip()


@pytest.mark.parametrize("value", [3, 0.5, 1j, True, "ab", b"ab", "", [1, []], (), {"a": 1}, {}, None, object()])
def test_nothing_equals_what_it_becomes(value: object) -> None:
    twisted = twist_tests("def test_a():\n    assert f() == want\n", by=4711)
    assert twisted is not None
    falsified: dict[str, Callable[[object], object]] = {}
    plain: dict[str, Callable[[object], object]] = {}
    exec(twisted.text, falsified)
    exec(twisted.plain, plain)
    assert falsified["other_than"](value) != value
    assert plain["other_than"](value) == value


def test_approximations_are_shifted() -> None:
    check("assert f() == approx(0.5)", "assert f() == approx(4712.5)")
    check("assert allclose(f(), want)", "assert allclose(f(), other_than(want))")
    check("assert abs(f() - 3.0) < 1e-6", "assert abs(f() - 4720.0) < 1e-06")
    check("assert 1e-6 >= abs(f() - g())", "assert 1e-06 >= abs(f() - other_than(g()))")


def test_other_conditions_are_turned_round() -> None:
    check("assert f() < 3", "assert f() >= 3")
    check("assert abs(f() - 3.0) < 1e9", "assert abs(f() - 3.0) >= 1000000000.0")
    check("assert 1 < f() < 3", "assert not 1 < f() < 3")
    check("assert f() != 3", "assert f() == 3")
    check("assert 3 not in f()", "assert 3 in f()")
    check("assert g() in f()", "assert not g() in f()")
    check("assert f() == 1 and g()", "assert f() == 4714 and (not g())")


def test_exceptions() -> None:
    check("with raises(ValueError):\n    f()", "with raises(type('NeverRaised', (Exception,), {})):\n    f()")


def test_methods_of_unittest() -> None:
    check("self.assertEqual(f(), 1)", "self.assertEqual(f(), 4714)")
    check("self.assertEqual(f(), want)", "self.assertEqual([f() == other_than(want) or other_than(f()) == want], [True])")
    check("self.assertAlmostEqual(f(), want)", "self.assertAlmostEqual(f(), other_than(want))")
    check("self.assertTrue(f())", "self.assertTrue(not f())")
    check("self.assertLess(f(), 3)", "self.assertLess(0, -1)")


def check_must_fail(text: str, expected: set[str]) -> None:
    twisted = twist_tests(textwrap.dedent(text), by=4711)
    assert (set() if twisted is None else twisted.must_fail) == expected


def test_only_what_is_always_reached_must_fail() -> None:
    check_must_fail("def test_a():\n    if x:\n        assert 1 == 1\n", set())
    check_must_fail("def test_a():\n    return\n    assert 1 == 1\n", set())
    check_must_fail("def test_a():\n    for x in found():\n        assert x == 1\n", set())
    check_must_fail("def test_a():\n    for x in [1, 2]:\n        assert x == 1\n", {"test_a"})


def test_through_a_helper() -> None:
    text = """
        def test_a():
            check(1, 2)

        def check(a, b):
            same(a, b)

        def same(a, b):
            assert a == b
    """
    check_must_fail(text, {"test_a"})


def test_methods_of_a_class() -> None:
    text = """
        class TestA:
            def test_b(self):
                assert f() == 1
    """
    check_must_fail(text, {"TestA::test_b"})
    assert names_of_tests("tests/test_a.py", textwrap.dedent(text)) == ["tests/test_a.py::TestA::test_b"]


@pytest.mark.parametrize("text", ["", "def test_a(): pass", "def (", "x = " + "(" * 10_000, "a\0b"])
def test_nothing_to_falsify(text: str) -> None:
    assert twist_tests(text, by=4711) is None


# ---------------------------------------------------------------- stand-ins


MODULE = '''
import numpy as np
from os import path as p
LIMIT: int = 3
raise SystemExit("this must not run")

class Wrong(ValueError):
    pass

class Box(Base):
    def size(self):
        return self.a < 3

async def later(): ...

def total(x):
    """Sum."""
    return x + 1
'''


def test_stub_runs_nothing_of_the_module() -> None:
    found: dict[str, object] = {}
    exec(python_stub(MODULE), found)
    assert (found["np"], found["p"], found["LIMIT"]) == (None, None, None)
    assert issubclass(found["Wrong"], ValueError)  # type: ignore[arg-type]
    assert found["Box"](1, a=2).size(3) is None  # type: ignore[operator]
    assert found["total"](1, 2) is None  # type: ignore[operator]


def test_other_words_do_the_same() -> None:
    text = "def f(x):  # a comment\n    if x: return (1)\n    return 2\n"
    other = same_in_other_words(text)
    found: dict[str, object] = {}
    exec(other, found)
    assert [found["f"](0), found["f"](1)] == [2, 1]  # type: ignore[operator]
    assert "comment" not in other
    before: dict[str, object] = {}
    exec(text, before)
    assert found["f"].__code__.co_code != before["f"].__code__.co_code  # type: ignore[attr-defined]


def test_mutants_of_python() -> None:
    text = "def f(x):\n    return x < 3\n"
    expected = {"line 2: < becomes <=", "line 2: 3 becomes 4", "line 2: the result becomes None"}
    assert {name for name, _ in python_mutants(text, seed=1, count=9)} == expected
    assert python_mutants(text, seed=1, count=2) == python_mutants(text, seed=1, count=9)[:2]
