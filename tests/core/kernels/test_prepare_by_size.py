"""A contract whose shader depends on sizes: one text for the cases that share it, and one report of them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pixel_core.kernels.examine import examine
from pixel_core.kernels.hidden_cases import hidden_cases
from pixel_core.kernels.load_shader import LoadedShader, understand
from pixel_core.kernels.prepare_by_size import MAX_TEXTS
from pixel_core.source import SourceText
from pixel_core.speed.choose_targets import choose_targets

SHADER = """//! [k]
//! dims = "n"
//! prepare = [{ define = { N = "DEFINED" } }]
//! shapes = { y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect = { y = "arange(n)" }
//! cases = [CASES]
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn k(@builtin(global_invocation_id) id: vec3<u32>) { if (id.x < N) { y[id.x] = f32(id.x); } }
"""


def load(defined: str, sizes: Sequence[int]) -> LoadedShader:
    text = SHADER.replace("DEFINED", defined).replace("CASES", ", ".join(f'"n={size}"' for size in sizes))
    return understand(SourceText(Path("k.wgsl"), text), None)


def check_texts(defined: str, sizes: Sequence[int], texts: dict[str, list[str]]) -> None:
    """Which condition each text has, and the cases that have it."""
    found: dict[str, list[str]] = {}
    for examined in examine(load(defined, sizes)).kernels:
        assert [finding.message for finding in examined.findings] == []
        condition = examined.loaded.wgsl.text.partition("id.x < ")[2].partition(")")[0]
        found[condition] = [case.name for case in examined.cases]
    assert found == texts


@pytest.mark.parametrize(
    ("defined", "texts"),
    [
        ("n", {"7": ["n=7"], "64": ["n=64"], "9": ["n=9"]}),
        ("ceil(n / 64) * 64", {"64": ["n=7", "n=64", "n=9"]}),
        ("n > 8", {"0": ["n=7"], "1": ["n=64", "n=9"]}),
    ],
)
def test_each_text_has_the_cases_that_make_it(defined: str, texts: dict[str, list[str]]) -> None:
    check_texts(defined, [7, 64, 9], texts)


@pytest.mark.parametrize("defined", ["64", "M", "a + b", "n + k", "n;", "n ="])
def test_what_is_no_expression_over_sizes_is_a_text(defined: str) -> None:
    loaded = load(defined, [64])
    assert loaded.variants == ()
    assert f"id.x < {defined})" in loaded.wgsl.text
    assert len(loaded.contracts.contracts[0].cases) == 1


def test_so_many_texts_and_no_more() -> None:
    assert len(examine(load("n", range(1, MAX_TEXTS + 1))).kernels) == MAX_TEXTS
    examination = examine(load("n", range(1, MAX_TEXTS + 2)))
    assert [(one.code, one.message) for one in examination.findings] == [
        ("PX309", "the cases make 17 different texts of the shader; at most 16 are checked")
    ]
    assert examination.kernels == ()


def test_one_case_is_asked_of_the_part_that_has_it() -> None:
    (kernel,) = examine(load("n", [7, 64]), case="n=64").kernels
    assert [case.name for case in kernel.cases] == ["n=64"]
    (without,) = examine(load("n", [7, 64]), case="n=8").kernels[:1]
    assert [finding.code for finding in without.findings] == ["PX393"]


def test_hidden_cases_have_texts_of_their_own() -> None:
    hidden = hidden_cases(load("ceil(n / 64)", [64, 100, 7]), seed=1)
    assert hidden is not None
    assert len(examine(hidden.loaded).kernels) > 1
    kernels = [kernel for loaded in hidden.shaders for kernel in examine(loaded).kernels]
    assert {case.name for kernel in kernels for case in kernel.cases} == set(hidden.kinds["k"])


def test_a_size_is_timed_once() -> None:
    loaded = load("n", [7, 64])
    for case in ("n=64", "n=1000"):
        targets, refusals = choose_targets([loaded], kernel=None, cases=[case])
        assert ([target.case.name for target in targets], refusals) == ([case], ())
        assert f"id.x < {case[2:]})" in targets[0].examined.loaded.wgsl.text


TILED = """//! [k]
//! dims = "n"
//! let = { cells = "workgroup_size.x * 2" }
//! prepare = [{ define = { N = "DEFINED" } }]
//! overrides = { WIDTH = 32 }
//! shapes = { y = "n" }
//! dispatch = "ceil(n / workgroup_size.x)"
//! expect = { y = "arange(n)" }
//! cases = ["n=64", { name = "wide", dims = { n = 64 }, overrides = { WIDTH = 128 } }]
override WIDTH = 64;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
var<workgroup> cells: array<f32, N>;
@compute @workgroup_size(SIZE) fn k(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = f32(id.x); }
"""


def load_tiled(defined: str, size: str) -> LoadedShader:
    return understand(SourceText(Path("k.wgsl"), TILED.replace("DEFINED", defined).replace("SIZE", size)), None)


@pytest.mark.parametrize(
    ("defined", "size", "texts"),
    [
        ("2 * WIDTH", "WIDTH", {"64": ["n=64"], "256": ["wide"]}),
        ("workgroup_size.x + 1", "WIDTH", {"33": ["n=64"], "129": ["wide"]}),
        ("workgroup_size.x + 1", "16, 4", {"17": ["n=64", "wide"]}),
        ("cells", "WIDTH", {"64": ["n=64"], "256": ["wide"]}),
        ("workgroup_size.x * workgroup_size.y", "16, 4", {"64": ["n=64", "wide"]}),
    ],
)
def test_macros_know_overrides_and_the_workgroup_size(defined: str, size: str, texts: dict[str, list[str]]) -> None:
    found: dict[str, list[str]] = {}
    for examined in examine(load_tiled(defined, size)).kernels:
        assert [finding.message for finding in examined.findings] == []
        found[examined.loaded.wgsl.text.partition("array<f32, ")[2].partition(">")[0]] = [case.name for case in examined.cases]
    assert found == texts


@pytest.mark.parametrize(
    ("defined", "size", "message", "hint"),
    [
        (
            "2 * workgroup_size.x",
            "N",
            "`2 * workgroup_size.x` depends on the workgroup size, and decides it (case n=64)",
            "name the size in `let` or `overrides`, and use that for both",
        ),
        (
            "cells",
            "N",
            "`cells` depends on the workgroup size, and decides it (case n=64)",
            "name the size in `let` or `overrides`, and use that for both",
        ),
        (
            "workgroup_size.x",
            "N",
            "`workgroup_size.x` depends on the workgroup size, and decides it (case n=64)",
            "name the size in `let` or `overrides`, and use that for both",
        ),
        ("workgroup_size.x / 3", "64", "`workgroup_size.x / 3` is 64/3; a whole number is needed here (case n=64)", "round it with `ceil`"),
    ],
)
def test_a_macro_cannot_decide_what_it_depends_on(defined: str, size: str, message: str, hint: str) -> None:
    examination = examine(load_tiled(defined, size))
    assert [(one.code, one.message, one.hint) for one in examination.findings] == [("PX325", message, hint)]


def test_a_case_that_does_not_say_an_override_is_told() -> None:
    text = TILED.replace("DEFINED", "2 * WIDTH").replace("SIZE", "WIDTH").replace("//! overrides = { WIDTH = 32 }\n", "")
    (finding,) = examine(understand(SourceText(Path("k.wgsl"), text), None)).findings
    assert finding.message == "`WIDTH` cannot be known before the shader is prepared (case n=64)"
    assert finding.hint == "this case does not say it, and the shader's own value is not read: overrides = { WIDTH = … }"


def test_a_mistake_in_the_shader_is_told_and_not_the_macro() -> None:
    text = TILED.replace("DEFINED", "workgroup_size.x").replace("SIZE", "WIDTH").replace("y[id.x] = ", "y[id.x] + ")
    assert {one.code for one in examine(understand(SourceText(Path("k.wgsl"), text), None)).findings} == {"PX105"}
