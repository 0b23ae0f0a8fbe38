"""The one-token edits of a shader: for each token of a function what could stand there instead, of its own kind.

Kinds are made of our own tokens and of how a name is used (called, indexed, a member, a value), not of types: an edit that does not
fit is refuted by the parser in a moment. The space is what a repair searches, and what its grammar allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from pixel_core.source import SourceText
from pixel_core.wgsl import builtins
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.syntax import FunctionDeclaration, StructDeclaration, Token, TokenKind, VariableDeclaration
from pixel_core.wgsl.walk import walk

_OPERATORS: Final = (
    ("+", "-", "*", "/", "%"),
    ("&", "|", "^"),
    ("<<", ">>"),
    ("<", "<=", ">", ">=", "==", "!="),
    ("&&", "||"),
    ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="),
    ("++", "--"),
)
_FUNCTIONS: Final = (
    tuple(sorted(name for name in builtins.FUNCTIONS if name.startswith("atomic"))),
    tuple(sorted(builtins.BARRIERS)),
    ("min", "max"),
    ("ceil", "floor", "round", "trunc"),
    ("exp", "exp2", "log", "log2"),
    ("sqrt", "inverseSqrt"),
    ("sin", "cos", "tan"),
    ("all", "any"),
    ("i32", "u32", "f32"),
)
_COMPONENTS: Final = ("x", "y", "z", "w")
_STEPS: Final = (-1, 1)


class EditableToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token, and what could stand in its place.

    Attributes:
        start: Offset in the text, in code points.
        end: Likewise.
        line: From 1.
        text: As it is.
        alternatives: Others of its kind, without itself.
    """

    start: int
    end: int
    line: int
    text: str
    alternatives: tuple[str, ...]


def token_edits(text: str) -> tuple[EditableToken, ...]:
    """Every token inside a function or a module's constant that has alternatives, in order."""
    source = SourceText(Path("repair.wgsl"), text)
    tree = parse(source)
    tokens = [token for token in tree.tokens if token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT, TokenKind.END)]
    kinds = _Kinds(tokens, tree.declarations)
    spans = [
        (node.body.start if isinstance(node, FunctionDeclaration) and node.body else node.start, node.end)
        for node in tree.declarations
        if isinstance(node, (FunctionDeclaration, VariableDeclaration)) and not (isinstance(node, VariableDeclaration) and node.attributes)
    ]
    found: list[EditableToken] = []
    for number, token in enumerate(tokens):
        if any(start <= token.start < end for start, end in spans):
            others = tuple(dict.fromkeys(other for other in kinds.alternatives(number) if other != token.text))
            if others:
                line = source.position(token.start)[0]
                found.append(EditableToken(start=token.start, end=token.end, line=line, text=token.text, alternatives=others))
    return tuple(found)


class _Kinds:
    """What kind of token stands where, over one text."""

    def __init__(self, tokens: Sequence[Token], declarations: Iterable[object]) -> None:
        self._tokens = tokens
        self._numbers = tuple(dict.fromkeys(token.text for token in tokens if token.kind is TokenKind.NUMBER))
        self._members = [tuple(member.name.text for member in node.members) for node in declarations if isinstance(node, StructDeclaration)]
        functions = [node for node in declarations if isinstance(node, FunctionDeclaration)]
        entries = {node.name.text for node in functions if node.attributes}
        self._own_functions = tuple(node.name.text for node in functions if node.name.text not in entries)
        values = [node.name.text for node in declarations if isinstance(node, VariableDeclaration)]
        self._scopes = [
            (node.start, node.end, (*(parameter.name.text for parameter in node.parameters), *_locals(node))) for node in functions
        ]
        self._module_values = tuple(values)
        self._used = {kind: tuple(dict.fromkeys(self._names_before(kind))) for kind in ("[", ".", "")}

    def alternatives(self, number: int) -> Iterable[str]:
        """What could stand in the place of a token, itself perhaps included."""
        token = self._tokens[number]
        if token.kind is TokenKind.PUNCTUATION:
            is_sign = token.text in ("-", "*", "&") and self._is_prefix(number)
            is_fixed = is_sign or (token.text == "=" and self._declares(number))
            return () if is_fixed else next((group for group in _OPERATORS if token.text in group), ())
        if token.kind is TokenKind.NUMBER:
            return self._other_numbers(token.text)
        if token.kind is TokenKind.IDENTIFIER:
            return self._other_names(number)
        return ()

    def _is_prefix(self, number: int) -> bool:
        """Whether an operator has nothing on its left."""
        before = self._tokens[number - 1] if number else None
        if before is None:
            return True
        is_operand = before.kind in (TokenKind.IDENTIFIER, TokenKind.NUMBER) or before.text in (")", "]")
        return not is_operand

    def _declares(self, number: int) -> bool:
        """Whether a `=` gives a declared name its value."""
        for token in reversed(self._tokens[:number]):
            if token.text in (";", "{", "}", "("):
                return False
            if token.text in ("let", "var", "const", "override"):
                return True
        return False

    def _other_numbers(self, text: str) -> Iterable[str]:
        digits = text.rstrip("iufh") if not text.startswith(("0x", "0X")) else text
        suffix = text[len(digits) :]
        same = (other for other in self._numbers if other.endswith(suffix) and ("." in other) == ("." in text))
        if digits.isdigit():
            value = int(digits[:18])
            near = [value + step for step in _STEPS if value + step >= 0] + [value * 2, value // 2, 0, 1]
            return (*(f"{number}{suffix}" for number in near), *same)
        return ("0.0" + suffix, "1.0" + suffix, *same) if "." in digits else same

    def _other_names(self, number: int) -> Iterable[str]:
        token = self._tokens[number]
        before = self._tokens[number - 1].text if number else ""
        after = self._tokens[number + 1].text if number + 1 < len(self._tokens) else ""
        if before == ".":
            if token.text in _COMPONENTS:
                return _COMPONENTS
            return next((members for members in self._members if token.text in members), ())
        if before in ("@", "fn", "let", "var", "const", ":", "->", ">") and before != ">":
            return ()  # an attribute, a declared name, a type
        if after == "(":
            group = next((names for names in _FUNCTIONS if token.text in names), ())
            return group or (self._own_functions if token.text in self._own_functions else ())
        kind = after if after in ("[", ".") else ""
        scope = next((names for start, end, names in self._scopes if start <= token.start < end), ())
        visible = frozenset((*scope, *self._module_values))
        if token.text not in visible:
            return ()
        return (name for name in self._used[kind] if name in visible)

    def _names_before(self, kind: str) -> Iterable[str]:
        """Names that are used with an index, with a member, or plainly; where they are declared they are not used."""
        for before, token, after in zip(self._tokens, self._tokens[1:], self._tokens[2:], strict=False):
            is_declared = before.text in ("let", "var", "const", "override", "fn", ".") or before.kind is TokenKind.TEMPLATE_END
            if token.kind is TokenKind.IDENTIFIER and not is_declared and after.text != ":":
                used = after.text if after.text in ("[", ".", "(") else ""
                if used == kind:
                    yield token.text


def _locals(function: FunctionDeclaration) -> Iterable[str]:
    return [node.name.text for node in walk(function) if isinstance(node, VariableDeclaration)]
