"""Falsified tests: what each expectation becomes, and which tests must then fail."""

from __future__ import annotations

import textwrap

import pytest

from pixel_coach.prove_stub import python_mutants, python_stub, same_in_other_words
from pixel_coach.prove_twist import names_of_tests, twist_tests


def check(body: str, expected: str) -> None:
    twisted = twist_tests(f"def test_a():\n{textwrap.indent(body, '    ')}\n")
    assert twisted is not None
    assert textwrap.dedent(twisted.text.partition("\n")[2]).strip() == expected
    assert twisted.must_fail == {"test_a"}


def test_literals_become_others() -> None:
    check("assert f(1) == 4", "assert f(1) == 4715")
    check("assert 'ab' == f()", "assert 'ba~' == f()")
    check("assert f() == [1, (True, None)]", "assert f() == [4712, (False, 4711)]")


def test_what_is_no_literal_is_compared_with_nothing() -> None:
    check("assert f() == want", "assert f() == object() or object() == want")


def test_approximations_are_shifted() -> None:
    check("assert f() == approx(0.5)", "assert f() == approx(4711.5)")
    check("assert allclose(f(), want)", "assert allclose(f(), want + 12345.678)")


def test_other_conditions_are_turned_round() -> None:
    check("assert f() < 3", "assert not f() < 3")
    check("assert f() == 1 and g()", "assert f() == 4712 and (not g())")


def test_exceptions() -> None:
    check("with raises(ValueError):\n    f()", "with raises(type('NeverRaised', (Exception,), {})):\n    f()")


def test_methods_of_unittest() -> None:
    check("self.assertEqual(f(), 1)", "self.assertEqual(f(), 4712)")
    check("self.assertEqual(f(), want)", "self.assertEqual([f() == object() or object() == want], [True])")
    check("self.assertTrue(f())", "self.assertTrue(not f())")
    check("self.assertLess(f(), 3)", "self.assertLess(0, -1)")


def check_must_fail(text: str, expected: set[str]) -> None:
    twisted = twist_tests(textwrap.dedent(text))
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
    assert twist_tests(text) is None


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
    assert len(other) != len(text)


def test_mutants_of_python() -> None:
    text = "def f(x):\n    return x < 3\n"
    expected = {"line 2: < becomes <=", "line 2: 3 becomes 4", "line 2: the result becomes None"}
    assert {name for name, _ in python_mutants(text, seed=1, count=9)} == expected
    assert python_mutants(text, seed=1, count=2) == python_mutants(text, seed=1, count=9)[:2]
