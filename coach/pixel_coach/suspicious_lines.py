"""Which lines of a wrong kernel to suspect first: those that a failure named, then those that feed them, step by step.

A backward slice by names: a line feeds another when it gives a value to a name that the other uses, or when it is the `if` or `for`
around it. See M. Weiser, "Program Slicing", ICSE 1981. Lines that the slice does not reach come last.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from pixel_core.source import SourceText
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.syntax import Token, TokenKind

_ASSIGNMENTS: Final = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "++", "--"})


class _Line(msgspec.Struct, frozen=True):
    uses: frozenset[str]
    gives: frozenset[str]
    depth: int
    is_header: bool


def suspicious_lines(text: str, named: Collection[int], candidates: Collection[int]) -> tuple[int, ...]:
    """Order lines by suspicion.

    Args:
        text: The kernel.
        named: Lines, from 1, that a failure pointed at; without any, lines keep their order.
        candidates: The lines to order: those that hold anything to edit.
    """
    lines = _read_lines(text)
    order: list[int] = []
    frontier = sorted(line for line in named if line in lines)
    reached = set(frontier)
    while frontier:
        order += [line for line in frontier if line in candidates]
        used = frozenset[str]().union(*(lines[line].uses for line in frontier))
        around = frozenset(header for line in frontier for header in _headers_around(lines, line))
        frontier = [line for line in lines if line not in reached and (line in around or not used.isdisjoint(lines[line].gives))]
        reached.update(frontier)
    return (*order, *(line for line in sorted(candidates) if line not in reached))


def named_lines(feedback: str, name: str) -> frozenset[int]:
    """Lines that a check's text names as `NAME:LINE:COLUMN`."""
    return frozenset(int(match[1]) for match in re.finditer(rf"{re.escape(name)}:(\d{{1,9}}):\d", feedback))


def _read_lines(text: str) -> dict[int, _Line]:
    source = SourceText(Path("repair.wgsl"), text)
    by_line: dict[int, list[Token]] = {}
    for token in lex(source)[0]:
        if token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT, TokenKind.END):
            by_line.setdefault(source.position(token.start)[0], []).append(token)
    found: dict[int, _Line] = {}
    depth = 0
    for line, tokens in by_line.items():
        found[line] = _read_line(tokens, depth)
        depth += sum((token.text == "{") - (token.text == "}") for token in tokens)
    return found


def _read_line(tokens: Sequence[Token], depth: int) -> _Line:
    names = [token.text for token in tokens if token.kind is TokenKind.IDENTIFIER]
    texts = [token.text for token in tokens]
    gives: set[str] = set()
    for number, text in enumerate(texts):
        if text in _ASSIGNMENTS:
            target = _target(tokens[:number])
            if target is not None:
                gives.add(target)
    gives.update(after.text for before, after in pairwise(tokens) if before.text in ("let", "var", "const", "fn"))
    # A called function gives what it computes; what it is given are uses.
    leading = len(texts) - len([text for text in texts if text != "}"])
    return _Line(
        uses=frozenset(names),
        gives=frozenset(gives),
        depth=depth - leading,
        is_header=bool(texts) and texts[-1] == "{" and any(text in ("if", "for", "while", "switch", "loop", "else") for text in texts),
    )


def _target(before: Sequence[Token]) -> str | None:
    """The name that an assignment gives a value to: `c` of `c[row * n + col]`, `i` of `i`."""
    depth = 0
    for token in reversed(before):
        if token.text in ("]", ")"):
            depth += 1
        elif token.text in ("[", "("):
            if depth == 0:
                return None
            depth -= 1
        elif depth == 0 and token.kind is TokenKind.IDENTIFIER:
            return token.text
        elif depth == 0 and token.text in (";", "{", "}"):
            return None
    return None


def _headers_around(lines: dict[int, _Line], line: int) -> list[int]:
    """The `if`, `for` and so on whose blocks a line stands in."""
    found: list[int] = []
    depth = lines[line].depth
    for other in sorted((number for number in lines if number < line), reverse=True):
        if lines[other].depth < depth:
            depth = lines[other].depth
            if lines[other].is_header:
                found.append(other)
    return found
