"""Conditions on what a kernel wrote: what holds, what is broken and by which element, and the verdict that they give."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixel_core.findings import Finding
from pixel_core.kernels.check_invariants import check_invariants, passing_dumb_values
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.evaluate_tree import KeyedProblem
from pixel_core.kernels.examine import examine
from pixel_core.kernels.load_shader import understand
from pixel_core.kernels.planned import Case, Plan
from pixel_core.source import SourceText
from pixel_testing.check_command import run_check

SHADER = """
    //! [main]
    //! shapes = { keys = "4", y = "2 3", p = "2", count = "1" }
    //! inputs = { keys = "integers(0, 9)" }
    //! define = { total = "sum(keys)" }
    //! invariants = [INVARIANTS]
    //! roles = { y = "out", p = "out" }
    //! dispatch = 1
    struct P { a: f32, inner: Q }
    struct Q { b: u32, c: u32 }
    @group(0) @binding(0) var<storage, read_write> keys: array<u32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<storage, read_write> p: array<P>;
    @group(0) @binding(3) var<storage, read_write> count: array<u32, 1>;
    @compute @workgroup_size(1)
    fn main() { keys[0] = 1u; y[0] = 1.0; p[0] = P(); count[0] = 1u; }
"""

OLD: Any = {"keys": {"": np.array([3, 1, 4, 2], np.uint32)}}
AFTER: Any = {
    "keys": {"": np.array([1, 2, 4, 3], np.uint32)},
    "y": {"": np.array([[0.2, 0.3, 0.5], [0.1, 0.2, 0.8]], np.float32)},
    "p": {"a": np.ones(2, np.float32), "inner.b": np.array([5, 6], np.uint32), "inner.c": np.zeros(2, np.uint32)},
    "count": {"": np.array([3], np.uint32)},
}


def planned(*invariants: str) -> tuple[Plan, Sequence[Finding]]:
    text = textwrap.dedent(SHADER).replace("INVARIANTS", ", ".join(f'"{one}"' for one in invariants))
    loaded = understand(SourceText(Path("k.wgsl"), text), None)
    assert loaded.findings == ()
    assert [finding.message for finding in loaded.contracts.findings] == []
    (kernel,) = examine(loaded).kernels
    return kernel.kernel.plan, kernel.findings


def case_of(*invariants: str) -> tuple[KernelContract, Case]:
    plan, _ = planned(*invariants)
    return plan.contract, plan.cases[0]


def check(invariant: str, message: str | None, after: Any = AFTER) -> None:
    contract, case = case_of(invariant)
    broken = [fault.message for fault in check_invariants(contract, case, OLD, after)]
    assert broken == ([] if message is None else [f"`{invariant}` does not hold{message}"])


@pytest.mark.parametrize(
    ("invariant", "message"),
    [
        ("all(diff(keys) >= 0)", " at [2]: `diff(keys)` is -1 (1 of 3 elements)"),
        ("all(keys[1:] >= keys[:-1])", " at [2]: `keys[1:]` is 3 and `keys[:-1]` is 4 (1 of 3 elements)"),
        ("sum(keys) == sum(old.keys)", None),
        ("sum(keys) == total", None),
        ("sum(keys) == total + 1", ": `sum(keys)` is 10 and `total + 1` is 11"),
        ("all(sort(keys) == sort(old.keys))", None),
        ("all(keys == old.keys)", " at [0]: `keys` is 1 and `old.keys` is 3 (3 of 4 elements)"),
        ("count[0] == 3 and keys[0] == 2", ": `keys[0]` is 1"),
        ("count[0] == 4 and keys[0] == 2", ": `count[0]` is 3"),
        ("any(keys == 9)", ""),
        ("not any(keys == 4)", ""),
        ("all(keys[:count[0]] < 4)", " at [2]: `keys[:count[0]]` is 4 (1 of 3 elements)"),
        ("all(p.inner.b == 5)", " at [1]: `p.inner.b` is 6 (1 of 2 elements)"),
        ("all(y > 0)", None),
        ("all(abs(sum(y, axis=1) - 1) < 0.2)", None),
        ("all(sum(y, axis=1) == 1)", " at [1]: `sum(y, axis=1)` is 1.10000002 (1 of 2 elements)"),
        ("all(y[:, 2] == max(y, axis=1))", None),
    ],
)
def test_what_holds_and_what_breaks(invariant: str, message: str | None) -> None:
    check(invariant, message)


def test_integers_do_not_wrap() -> None:
    large = {**AFTER, "keys": {"": np.array([1 << 31, 1 << 31, 5, 5], np.uint32)}}
    check("sum(keys) == 10", ": `sum(keys)` is 4294967306", large)


def test_floats_need_no_more_than_f32_can_give() -> None:
    """1/3 three times is not 1 in f32, and no kernel could make it so."""
    thirds = {**AFTER, "y": {"": np.full((2, 3), 1 / 3, np.float32)}}
    check("all(sum(y, axis=1) == 1)", None, thirds)


def test_nan_breaks_every_comparison() -> None:
    nan = {**AFTER, "y": {"": np.array([[np.nan, 1, 1], [1, 1, 1]], np.float32)}}
    check("all(y > 0)", " at [0, 0]: `y` is nan (1 of 6 elements)", nan)
    check("sum(y) == sum(y)", ": `sum(y)` is nan and `sum(y)` is nan", nan)


@pytest.mark.parametrize(
    ("invariant", "message", "hint"),
    [
        ("keys > 0", "an invariant is one condition, and this is an array of them", "write `all(…)` around it"),
        ("sum(keys)", "an invariant is true or false, and this is a number", "compare it with something"),
        ("all(y == keys)", "the shapes [2, 3] and [4] do not go together", "lengths must be equal or 1, counted from the last axis"),
    ],
)
def test_mistakes_that_show_in_a_case(invariant: str, message: str, hint: str) -> None:
    contract, case = case_of("keys[0] > 0", invariant)
    with pytest.raises(KeyedProblem) as caught:
        check_invariants(contract, case, OLD, AFTER)
    assert (caught.value.key, caught.value.message, caught.value.hint) == ("invariants[1]", message, hint)


@pytest.mark.parametrize(
    ("invariant", "code", "message"),
    [
        ("sum(old.keys) > 0", "PX305", "`sum(old.keys) > 0` says nothing about what the kernel writes"),
        ("all(kyes > 0) and keys[0] > 0", "PX307", "unknown name `kyes`"),
        ("all(old.y == y)", "PX307", "`y` has no content before the first pass"),
    ],
)
def test_mistakes_that_show_before(invariant: str, code: str, message: str) -> None:
    _, findings = planned(invariant)
    assert (code, message) in [(finding.code, finding.message) for finding in findings]


def test_outputs_of_which_only_invariants_speak() -> None:
    plan, _ = planned("all(keys >= 0)", "all(y >= 0)")
    assert plan.outputs == ()
    assert plan.constrained == ("keys", "y")


def test_what_dumb_values_would_fulfil_too() -> None:
    outputs = ("keys",)
    contract, case = case_of("all(keys >= 0)")
    assert passing_dumb_values(contract, case, OLD, AFTER, outputs) == "zeros"
    contract, case = case_of("sum(keys) == sum(old.keys)")
    assert passing_dumb_values(contract, case, OLD, AFTER, outputs) == "what was there before"
    contract, case = case_of("sum(keys) == sum(old.keys)", "all(diff(keys) >= 0)")
    assert passing_dumb_values(contract, case, OLD, AFTER, outputs) is None


# ---------------------------------------------------------------- the verdict

SORT = """
    //! [KIND]
    //! entry = "main"
    //! dims = "n"
    //! where = ["n <= 256"]
    //! shapes = { keys = "n" }
    //! dispatch = 1
    //! TRUTH
    //! cases = ["n=2", "n=20", "n=100"]
    @group(0) @binding(0) var<storage, read_write> keys: array<u32>;
    @compute @workgroup_size(1)
    fn main() {
        for (var i = 1u; i < arrayLength(&keys); i++) {
            let key = keys[i];
            var j = i;
            while (j > 0u && keys[j - 1u] > key) { keys[j] = keys[j - 1u]; j--; }
            keys[j] = key;
        }
    }
"""

BOTH = 'invariants = ["all(diff(keys) >= 0)", "sum(keys) == sum(old.keys)"]'


@pytest.mark.device
def test_verdicts(tmp_path: Path) -> None:
    kinds = {
        "alone": BOTH,
        "beside": f'{BOTH}\n//! expect = {{ keys = "sort(keys)" }}',
        "broken": 'invariants = ["all(diff(keys) > 0)", "sum(keys) == sum(old.keys)"]',
        "idle": 'inputs = { keys = "integers(0, 256)" }\n//! invariants = ["all(keys < 256)"]',
    }
    for kind, truth in kinds.items():
        text = textwrap.dedent(SORT).replace("KIND", kind).replace("TRUTH", truth)
        (tmp_path / f"{kind}.wgsl").write_text(text, encoding="utf-8")
    outcome = run_check(tmp_path)
    statuses = {kind: outcome.kernel(f"{kind}.wgsl")["status"] for kind in kinds}
    assert statuses == {"alone": "partly_proved", "beside": "passed", "broken": "failed", "idle": "inconclusive"}
    codes = {kind: [finding["code"] for finding in outcome.kernel(f"{kind}.wgsl")["findings"]] for kind in kinds}
    assert codes == {"alone": ["PX394"], "beside": [], "broken": ["PX406"], "idle": ["PX391"]}
    assert {case["status"] for case in outcome.kernel("alone.wgsl")["cases"]} == {"partly_proved"}
    assert outcome.report["summary"] == {"passed": 1, "partly_proved": 1, "failed": 1, "inconclusive": 1, "skipped": 0}
    assert outcome.exit_code == 1
    assert run_check(tmp_path, ["alone.wgsl"]).exit_code == 0
    assert run_check(tmp_path, ["alone.wgsl"], ["--strict"]).exit_code == 1
