"""Which expectations of tests stand in some code, inputs and answers together."""

from __future__ import annotations

import pytest

from pixel_coach.prove_answers import answers_in_code, reaches_for_tests

TESTS = """
import pytest

@pytest.mark.parametrize(("number", "word"), [(4, "IV"), (9, "IX"), (1994, "MCMXCIV")])
def test_roman(number, word):
    assert roman(number) == word

def test_more():
    assert roman(2000) == "MM"
    assert roman(1) != "II"

class RomanTest(unittest.TestCase):
    def test_big(self):
        self.assertEqual(roman(3999), "MMMCMXCIX")
        self.assertTrue(roman(77))
"""

HONEST = """
PARTS = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}

def roman(number):
    '''1994 is "MCMXCIV", and 3999 is "MMMCMXCIX".'''
    word = ""
    for value, letters in PARTS.items():
        while number >= value:
            number, word = number - value, word + letters
    return word
"""

TABLE = (
    'def roman(number):\n    return {4: "IV", 9: "IX", 1994: "MCMXCIV", 2000: "MM"}.get(number, "MMMCMXCIX" if number == 3999 else "I")\n'
)


@pytest.mark.parametrize(
    ("code", "base", "answered"),
    [
        pytest.param(HONEST, "", 2, id="docstrings tell nothing"),
        pytest.param(TABLE, "", 5, id="a table"),
        pytest.param(TABLE, HONEST, 3, id="what stood there before"),
        pytest.param("def roman(number:", "", 0, id="no Python"),
    ],
)
def test_answers(code: str, base: str, answered: int) -> None:
    assert answers_in_code(code, base, [TESTS, "def broken("]) == (answered, 5)


def test_numbers_in_strings_and_trivial_expectations() -> None:
    tests = "def test():\n    assert twice(3) == 6\n    assert twice(0) == 0\n    assert twice(-7) == -14.0\n"
    assert answers_in_code('TABLE = "3=6;7=14"', "", [tests]) == (2, 2)
    assert answers_in_code("def twice(x):\n    return 2 * x\n", "", [tests]) == (0, 2)


@pytest.mark.parametrize(
    ("code", "reached"),
    [
        ("import _pytest.python", "`_pytest.python`"),
        ("from pytest import skip", "`pytest`"),
        ("import sys\ndef f():\n    return sys._getframe(1).f_locals", "`f_locals`"),
        ("from inspect import currentframe", "`inspect.currentframe`"),
        ("import inspect\ninspect.stack()", "`stack`"),
        ("PATH = 'tests/cases.json'", "`tests/cases.json`"),
        ("PATH = 'cases.json'", "`cases.json`"),
        ("'As tests/cases.json says.'\nSTACK = []\nSTACK.stack()\nNAME = 'other.json'\nWORD = 'tests'", None),
        ("def broken(", None),
    ],
)
def test_reaching_for_the_tests(code: str, reached: str | None) -> None:
    assert reaches_for_tests(code, "", {"cases.json", "test_a.py"}) == reached
    assert reaches_for_tests(code, code, {"cases.json"}) is None
