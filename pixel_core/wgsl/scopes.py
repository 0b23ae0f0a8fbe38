"""What a name can refer to, where it is in scope, and whether it fits the place where it stands."""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum
from typing import Union

import msgspec

from pixel_core.wgsl import builtins
from pixel_core.wgsl.dependencies import Named
from pixel_core.wgsl.syntax import AliasDeclaration, FunctionDeclaration, Parameter, StructDeclaration, VariableDeclaration


class Predeclared(msgspec.Struct, frozen=True):
    """A name that the language declares."""

    name: str


Declared = Union[Named, Parameter, Predeclared]


class Role(Enum):
    """What the place of an identifier asks for."""

    VALUE = "a value"
    TYPE = "a type"
    CALLEE = "a function or a type"
    ARGUMENT = "a template argument"


class Scope:
    """The names of one block, inside those of its parent."""

    __slots__ = ("names", "parent")

    def __init__(self, parent: Scope | None) -> None:
        self.names: dict[str, Declared] = {}
        self.parent = parent

    def find(self, name: str) -> Declared | None:
        """What a name refers to in this scope or those around it."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None


PREDECLARED = {name: Predeclared(name) for name in builtins.PREDECLARED}


def misuse(declared: Declared, name: str, role: Role) -> tuple[str, str | None] | None:
    """What a name is instead of what its place asks for, and what to do; None when it fits."""
    if role is Role.ARGUMENT:
        return None
    if isinstance(declared, (StructDeclaration, AliasDeclaration)):
        return ("a type", f"write `{name}(…)` to make a value of it") if role is Role.VALUE else None
    if isinstance(declared, FunctionDeclaration):
        if role is Role.CALLEE:
            return None
        return "a function", f"write `{name}(…)` to call it" if role is Role.VALUE else None
    if isinstance(declared, (VariableDeclaration, Parameter)):
        what = (
            "a parameter" if isinstance(declared, Parameter) else f"{'an' if declared.keyword == 'override' else 'a'} `{declared.keyword}`"
        )
        return None if role is Role.VALUE else (what, None)
    if name in builtins.TYPES:
        return ("a type", f"write `{name}(…)` to make a value of it") if role is Role.VALUE else None
    if name in builtins.FUNCTIONS:
        if role is Role.CALLEE:
            return None
        return "a built-in function", f"write `{name}(…)` to call it" if role is Role.VALUE else None
    return "the name of an address space, access mode or texel format", None


_MAX_CANDIDATES = 2000


def closest(name: str, candidates: list[str]) -> str | None:
    """The candidate that a misspelt name most likely means; None when none is near."""
    # Comparing takes time; names of a quite different length are not near.
    candidates = [candidate for candidate in candidates if abs(len(candidate) - len(name)) <= 3][:_MAX_CANDIDATES]
    by_folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    if name.casefold() in by_folded:
        return by_folded[name.casefold()]
    found = get_close_matches(name, candidates, n=1, cutoff=0.7)
    return found[0] if found else None
