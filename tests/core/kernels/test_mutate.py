"""Kernels with one mistake each: which are made, and that each differs in one place."""

from __future__ import annotations

from pathlib import Path

from pixel_core.kernels.mutate import mutate
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse


def check(body: str, expected: list[str]) -> None:
    text = f"fn f() {{\n{body}\n}}\n"
    mutants = list(mutate(parse(SourceText(Path("k.wgsl"), text))))
    assert [f"{one.kind} {one.line}: {one.change}" for one in mutants] == expected
    assert all(not parse(SourceText(Path("k.wgsl"), one.text)).findings for one in mutants)
    assert len({one.text for one in mutants}) == len(mutants)


def test_boundaries() -> None:
    check("let a = x < y;", ["boundary 2: `<` becomes `<=`"])
    check("if (a >= b) {}", ["boundary 2: `(a >= b)` becomes `(true)`", "boundary 2: `>=` becomes `>`"])


def test_operators_and_constants() -> None:
    check("let a = b * 3u;", ["operator 2: `*` becomes `+`", "constant 2: `3u` becomes `4u`"])
    check("let a = 0.5f;", ["constant 2: `0.5f` becomes `1.25f`"])
    check("let a = b && c;", ["condition 2: `&&` becomes `||`"])


def test_indices_and_stores() -> None:
    check("a[i] = b;", ["scale 2: `b` becomes `(b) * 1.01`", "index 2: `i` becomes `(i) + 1`"])


def test_barriers() -> None:
    check("workgroupBarrier();", ["barrier 2: `workgroupBarrier();` is left out"])


def test_comments_between_operands_are_no_operators() -> None:
    check("let a = b /* < */ < c;", ["boundary 2: `<` becomes `<=`"])


def test_what_stands_outside_of_functions_stays() -> None:
    text = "const N = 4u;\n@compute @workgroup_size(64) fn f() {}\n"
    assert list(mutate(parse(SourceText(Path("k.wgsl"), text)))) == []
