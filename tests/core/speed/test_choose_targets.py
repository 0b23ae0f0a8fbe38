from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.findings import Finding
from pixel_core.kernels.load_shader import LoadedShader, load_shader, understand
from pixel_core.source import SourceText
from pixel_core.speed.choose_targets import Target, choose_targets

SHADERS = Path(__file__).parents[3] / "shaders"


def shipped(name: str) -> LoadedShader:
    loaded = load_shader(SHADERS / f"{name}.wgsl")
    assert not isinstance(loaded, Finding)
    return loaded


def named(targets: tuple[Target, ...]) -> list[tuple[str, str]]:
    return [(target.contract, target.case.name) for target in targets]


def the_reason(loaded: LoadedShader, case: str) -> str:
    targets, refusals = choose_targets((loaded,), kernel=None, cases=(case,))
    assert targets == ()
    (refusal,) = refusals
    assert refusal.is_failure
    return refusal.reason


def test_sizes_that_the_contract_does_not_list() -> None:
    targets, refusals = choose_targets(
        (shipped("matmul"), shipped("matmul_registers")), kernel=None, cases=("M=512 N=512 K=512", " M=8  N=16 K=4")
    )
    assert refusals == ()
    assert named(targets) == [
        ("matmul", "M=512 N=512 K=512"),
        ("matmul_registers", "M=512 N=512 K=512"),
        ("matmul", "M=8 N=16 K=4"),
        ("matmul_registers", "M=8 N=16 K=4"),
    ]
    assert targets[0].work.flops == 2 * 512**3
    assert targets[0].work.size_bytes == 3 * 4 * 512**2


def test_a_case_of_the_contract_is_taken_as_it_is() -> None:
    (target,), _ = choose_targets((shipped("softmax"),), kernel=None, cases=("large values",))
    assert target.case.name == "large values"
    assert target.examined.loaded is target.original


def test_without_a_case_the_largest_multiple_that_is_cheap() -> None:
    (target,), _ = choose_targets((shipped("matmul"),), kernel=None, cases=())
    assert target.case.name == "M=256 N=256 K=256"


def test_only_the_kernel_that_is_asked_for() -> None:
    targets, refusals = choose_targets((shipped("matmul"), shipped("softmax")), kernel="softmax", cases=())
    assert [target.contract for target in targets] == ["softmax"]
    assert refusals == ()


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("M=512 N=512", "the case gives no `K` (a case gives every dim)"),
        ("M=512 N=512 Q=4", "`Q` is not one of the dims (dims: M N K; overrides go into a table: { overrides = { … } })"),
        ("nonsense", '`nonsense` is not a size: a name, `=` and a whole number (write `"M=64 N=64 K=64"`)'),
        ("M=4 N=6 K=4", "N % 4 == 0"),
        ("M=100000 N=100000 K=4", "`c` has 40,000,000,000 bytes; a binding has at most 2,147,483,644"),
        ("M=8000 N=8000 K=4", "134,217,728"),
    ],
)
def test_sizes_that_cannot_be(case: str, reason: str) -> None:
    assert reason in the_reason(shipped("matmul_registers"), case)


def test_hostile_sizes_are_refused_in_words() -> None:
    for case in ('"]\nevil = 1', "M=" + "9" * 5000, "\0", "M=1 " * 10_000, "M=4 N=4 K=-1", ""):
        assert the_reason(shipped("matmul"), case)


def test_a_shader_without_a_contract_has_nothing_to_time() -> None:
    loaded = understand(SourceText(Path("a.wgsl"), "@compute @workgroup_size(1) fn main() {}\n"), None)
    targets, refusals = choose_targets((loaded,), kernel=None, cases=())
    assert targets == ()
    assert [(refusal.reason, refusal.is_failure) for refusal in refusals] == [("it has no contract", False)]


def test_a_contract_that_cannot_be_read_is_a_failure() -> None:
    loaded = understand(SourceText(Path("a.wgsl"), "//! [main]\n//! dims = 3\n@compute @workgroup_size(1) fn main() {}\n"), None)
    _, refusals = choose_targets((loaded,), kernel=None, cases=())
    assert [refusal.is_failure for refusal in refusals] == [True]
