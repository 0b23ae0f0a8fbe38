"""Races that are found in the text, since running would not show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.prove_races import find_lost_update, find_missing_barrier
from pixel_core.kernels.load_shader import LoadedShader, load_shader, understand
from pixel_core.source import SourceText

SHADERS = sorted((Path(__file__).parents[2] / "shaders").glob("*.wgsl"))

HEAD = """\
//! [k]
//! dims = "n"
//! shapes = { x = "n", s = "1" }
//! dispatch = "GROUPS"
//! expect = { s = "sum(x, keepdims=True)" }
//! roles = { s = "accumulate" }
//! cases = ["n=8"]
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> s: array<f32>;
var<workgroup> w: array<f32, 8>;
@compute @workgroup_size(1)
fn k(@builtin(global_invocation_id) id: vec3<u32>) {
"""


def check(body: str, expected: str | None, *, groups: str = "n") -> None:
    loaded = understand(SourceText(Path("k.wgsl"), f"{HEAD.replace('GROUPS', groups)}{body}\n}}\n"), None)
    assert loaded.findings == ()
    assert find_lost_update(loaded) == expected


LOST = "line 13: every invocation reads an element of `s` and writes it again, so additions get lost"


@pytest.mark.parametrize(
    "body",
    [
        "s[0] = s[0] + x[id.x];",
        "s[0] += x[id.x];",
        "if (x[id.x] > 0.0) { s[0] += x[id.x]; }",
        "for (var i = 0u; i < 2u; i++) { s[0] += x[id.x]; }",
        "{ if (x[0] > 0.0) {} else { s[0] += x[id.x]; } }",
    ],
)
def test_lost_updates(body: str) -> None:
    check(body, LOST)


@pytest.mark.parametrize(
    "body",
    [
        "s[id.x] += x[id.x];",
        "if (id.x == 0u) { s[0] += x[0]; }",
        "if (id.x > 0u) { return; } s[0] += x[0];",
        "let first = id.x == 0u; if (first) { s[0] += x[0]; }",
        "let i = id.x * 2u; s[i] = s[i] + 1.0;",
        "s[0] = x[0];",
    ],
)
def test_updates_that_are_not_lost(body: str) -> None:
    check(body, None)


def test_single_invocation_may_add() -> None:
    check("for (var i = 0u; i < arrayLength(&x); i++) { s[0] += x[i]; }", None, groups="1")


def test_workgroup_memory_without_a_barrier() -> None:
    text = HEAD.replace("@workgroup_size(1)", "@workgroup_size(8)").replace("GROUPS", "n") + "w[id.x] = 1.0; s[id.x] = w[id.x + 1u];\n"
    loaded = understand(SourceText(Path("k.wgsl"), text + "}\n"), None)
    assert find_missing_barrier(loaded) == "`k` uses `w` in workgroup memory, and there is no `workgroupBarrier()`"
    assert find_missing_barrier(understand(SourceText(Path("k.wgsl"), text + "workgroupBarrier(); }\n"), None)) is None
    alone = text.replace("@workgroup_size(8)", "@workgroup_size(1)")
    assert find_missing_barrier(understand(SourceText(Path("k.wgsl"), alone + "}\n"), None)) is None


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_shipped_kernels_have_none(path: Path) -> None:
    loaded = load_shader(path)
    assert isinstance(loaded, LoadedShader)
    assert (find_missing_barrier(loaded), find_lost_update(loaded)) == (None, None)
