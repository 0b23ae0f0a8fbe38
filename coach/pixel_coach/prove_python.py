"""Python as a tree, without running any of it."""

from __future__ import annotations

import ast
import warnings


def parse_python(text: str) -> ast.Module:
    """The tree of a module.

    Raises:
        SyntaxError: It is no Python; a text that is too deep or holds null characters counts as none.
    """
    try:
        with warnings.catch_warnings():
            # An invalid escape in a string is for a linter to say.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from None


def is_python(text: str) -> bool:
    """Whether a text can be parsed."""
    try:
        parse_python(text)
    except SyntaxError:
        return False
    return True
