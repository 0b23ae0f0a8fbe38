"""Races that are found in the text, since running would not show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.prove_barriers import find_missing_barrier
from pixel_coach.prove_races import find_lost_update
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
        "let old = s[0]; let one = old + x[id.x]; s[0] = one;",
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
        "let old = s[id.x]; s[0] = old;",
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
    late = "line 13: `w` is read at `w[id.x+1u]` before a barrier lets the others' stores be seen"
    assert find_missing_barrier(understand(SourceText(Path("k.wgsl"), text + "workgroupBarrier(); }\n"), None)) == late
    alone = text.replace("@workgroup_size(8)", "@workgroup_size(1)")
    assert find_missing_barrier(understand(SourceText(Path("k.wgsl"), alone + "}\n"), None)) is None


def missing_barrier(body: str) -> str | None:
    text = HEAD.replace("@workgroup_size(1)", "@workgroup_size(8)").replace("GROUPS", "n").replace("{ // ", "{")
    pair = "var<workgroup> rows: array<array<f32, 8>, 8>;\nfn pause() { workgroupBarrier(); }\n"
    loaded = understand(SourceText(Path("k.wgsl"), f"{text}let i = id.x;\n{body}\nworkgroupBarrier();\n}}\n{pair}"), None)
    assert loaded.findings == ()
    found = find_missing_barrier(loaded)
    assert found is None or found.startswith("line 14: ")
    return found and found.partition(": ")[2].removesuffix(" before a barrier lets the others' stores be seen")


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("workgroupBarrier(); w[i] = 1.0; s[i] = w[i + 1u];", "`w` is read at `w[i+1u]`"),
        ("w[i] = 1.0; for (var j = 0u; j < 8u; j++) { s[i] += w[j]; }", "`w` is read at `w[j]`"),
        ("for (var j = 4u; j > 0u; j /= 2u) { if (i < j) { w[i] += w[i + j]; } }", "`w` is read at `w[i+j]`"),
        ("w[i] = 1.0; if (i == 0u) { s[0] = w[1]; }", "`w` is read at `w[1]`"),
        ("if (i < 4u) { w[i] = 1.0; } else { w[i] = 2.0; } s[i] = w[7u - i];", "`w` is read at `w[7u-i]`"),
        ("rows[i][0] = 1.0; s[i] = rows[0][i];", "`rows` is read at `rows[0][i]`"),
        ("loop { s[i] = w[7u - i]; w[i] = 1.0; if (s[i] > 0.0) { break; } }", "`w` is read at `w[7u-i]`"),
        ("w[i] = 1.0; switch (i) { case 0u: { s[i] = w[3]; } default: {} }", "`w` is read at `w[3]`"),
    ],
)
def test_barriers_in_the_wrong_place(body: str, read: str) -> None:
    assert missing_barrier(body) == read


@pytest.mark.parametrize(
    "body",
    [
        "w[i] = 1.0; workgroupBarrier(); s[i] = w[i + 1u];",
        "w[i] = 1.0; pause(); s[i] = w[i + 1u];",
        "w[i] = 1.0; s[i] = w[i];",
        "rows[i][0] = 1.0; rows[i][1] = rows[i][0]; let row = rows[i];",
        "for (var j = 4u; j > 0u; j /= 2u) { if (i < j) { w[i] += w[i + j]; } workgroupBarrier(); }",
        "while (s[i] > 0.0) { workgroupBarrier(); let a = w[7u - i]; workgroupBarrier(); w[i] = a; }",
        "if (i == 0u) { w[0] = 1.0; for (var j = 1u; j < 8u; j++) { w[j] = w[j - 1u] * 2.0; } }",
        "w[i] = 1.0; if (i == 0u) { w[7] = 2.0; }",
        "if (i < 4u) { w[i] = 1.0; return; } s[i] = w[0];",
        "w[i] = 1.0; let a = workgroupUniformLoad(&w[0]); s[i] = a + w[1];",
    ],
)
def test_barriers_in_the_right_place(body: str) -> None:
    assert missing_barrier(body) is None


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_shipped_kernels_have_none(path: Path) -> None:
    loaded = load_shader(path)
    assert isinstance(loaded, LoadedShader)
    assert (find_missing_barrier(loaded), find_lost_update(loaded)) == (None, None)
