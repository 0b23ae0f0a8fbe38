"""Judging runs, with an engine that returns what the test says."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pixel_core.engines.base import AdapterInfo, Answer, CompileFailure, KernelJob, KernelRun, LoopCut, RunFailure
from pixel_core.engines.bounded_cache import BoundedCache
from pixel_core.kernels.plan import plan_cases
from pixel_core.kernels.planned import Case
from pixel_core.kernels.prepare_case import PreparedCases, prepare_case
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.results import CaseResult, Fault
from pixel_core.kernels.run_case import CheckedKernel, run_case
from pixel_core.source import SourceText
from pixel_core.wgsl.check import check as check_shader

Run = Callable[[Mapping[str, bytes]], Mapping[str, bytes]]
"""From the initial bytes of every buffer to those afterwards."""

SHADER = """
    //! [main]
    //! dims = "n"
    //! shapes = { x = "n", y = "n", z = "n" }
    //! params = { p = { k = 3 } }
    //! overrides = { K = 2 }
    //! inputs = { x = "arange() + 1" }
    //! expect = { y = "2 * x", z = "x" }
    //! dispatch = "n"
    //! roles = { x = "in" }
    //! cases = ["n=4"]
    //! derive = false
    struct P { k: u32, }
    @id(7) override K: u32 = 2;
    @group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<storage, read_write> z: array<f32>;
    @group(0) @binding(3) var<uniform> p: P;
    @compute @workgroup_size(1)
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < p.k + K) { y[id.x] = 2.0 * x[id.x]; z[id.x] = x[id.x]; }
    }
"""


class FakeEngine:
    """Runs a Python function instead of a kernel.

    Args:
        runs: One for each run, the last for all that follow.
        failure: Returned instead of runs.
        cut: What watching the loops says.
    """

    def __init__(self, runs: Sequence[Run] = (), failure: CompileFailure | RunFailure | None = None, cut: LoopCut | None = None) -> None:
        self.info = AdapterInfo(engine="device", name="fake", backend="none", driver="none", is_software=True)
        self.limits: Mapping[str, int] = {"max-storage-buffer-binding-size": 1000, "max-compute-workgroup-storage-size": 100}
        self.features: frozenset[str] = frozenset()
        self.jobs: list[KernelJob] = []
        self.broken_guards: tuple[str, ...] = ()
        self._runs = list(runs)
        self._failure = failure
        self._cut = cut

    def run(self, jobs: Sequence[KernelJob], is_cancelled: Callable[[], bool] = lambda: False) -> Answer:
        if self._failure is not None:
            return self._failure
        done: list[KernelRun] = []
        for job in jobs:
            self.jobs.append(job)
            run = self._runs.pop(0) if len(self._runs) > 1 else self._runs[0]
            before = {name: bytes(buffer.initial) for name, buffer in job.buffers.items()}
            after = {**before, **run(before)}
            wanted = {name: content for name, content in after.items() if job.buffers[name].read_back}
            done.append(KernelRun(buffers=wanted, broken_guards=self.broken_guards, device_s=0.0))
        return tuple(done)

    def find_loop_cut(self, job: KernelJob) -> LoopCut | None:
        return self._cut


def kernel_of(shader: str = SHADER) -> tuple[CheckedKernel, Case]:
    source = SourceText(Path("k.wgsl"), textwrap.dedent(shader))
    checked = check_shader(source)
    contracts = read_contracts(source, checked.tree, None)
    plan = plan_cases(contracts.contracts[0], checked.module, checked.interface)
    assert [finding.message for finding in (*contracts.findings, *plan.findings)] == []
    kernel = CheckedKernel(source=source.text, module=checked.module, interface=checked.interface, contract=contracts.contracts[0])
    return kernel, plan.cases[0]


def run(engine: FakeEngine, shader: str = SHADER, *, cancelled: bool = False) -> CaseResult:
    kernel, case = kernel_of(shader)
    return run_case(engine, kernel, case, {}, known=BoundedCache(1 << 20), is_cancelled=lambda: cancelled)


def check(engine: FakeEngine, status: str, *faults: tuple[str, str, str]) -> CaseResult:
    result = run(engine)
    assert [(fault.kind, fault.subject, fault.message) for fault in result.faults] == list(faults)
    assert result.status == status
    return result


def floats(*values: float) -> bytes:
    return np.array(values, np.float32).tobytes()


def right(before: Mapping[str, bytes]) -> dict[str, bytes]:
    x = np.frombuffer(before["x"], np.float32)
    return {"y": (2 * x).tobytes(), "z": x.tobytes()}


def test_a_right_run_passes() -> None:
    result = check(FakeEngine([right]), "passed")
    assert [(output.output, output.passed) for output in result.outputs] == [("y", True), ("z", True)]


def test_what_the_engine_is_given() -> None:
    engine = FakeEngine([right])
    check(engine, "passed")
    first, second = engine.jobs
    assert {name: bytes(buffer.initial) for name, buffer in first.buffers.items()} == {
        "x": floats(1, 2, 3, 4),
        "y": b"\xc1\x7f\xc1\x7f" * 4,
        "z": b"\xc1\x7f\xc1\x7f" * 4,
        "uniform 0": b"\3\0\0\0",
    }
    assert bytes(second.buffers["y"].initial) == b"\x49\x71\x49\x71" * 4
    # The same object, so that the engine can keep it on the device for both.
    assert first.buffers["uniform 0"].initial is second.buffers["uniform 0"].initial
    assert [name for name, buffer in first.buffers.items() if buffer.read_back] == ["x", "y", "z"]
    assert [name for name, buffer in second.buffers.items() if buffer.read_back] == ["y", "z"]
    (dispatch,) = first.dispatches
    assert dispatch.constants == {"7": 2.0}
    assert [(one.binding, one.buffer, one.writable) for one in dispatch.bindings] == [
        (0, "x", True),
        (1, "y", True),
        (2, "z", True),
        (3, "uniform 0", False),
    ]


def test_immediate_data_is_no_buffer() -> None:
    engine = FakeEngine([right])
    assert run(engine, SHADER.replace("@group(0) @binding(3) var<uniform> p", "var<immediate> p")).status == "passed"
    assert list(engine.jobs[0].buffers) == ["x", "y", "z"]
    (dispatch,) = engine.jobs[0].dispatches
    assert dispatch.immediates == b"\3\0\0\0"
    assert [one.binding for one in dispatch.bindings] == [0, 1, 2]


def test_a_wrong_number_fails_without_a_fault() -> None:
    result = check(FakeEngine([lambda before: {**right(before), "y": floats(2, 4, 6, 9)}]), "failed")
    assert [output.passed for output in result.outputs] == [False, True]


def test_a_broken_guard() -> None:
    engine = FakeEngine([right])
    engine.broken_guards = ("y",)
    check(engine, "failed", ("guard_overwritten", "y", "the 256 bytes before or after `y` changed"))


def test_a_changed_input() -> None:
    engine = FakeEngine([lambda before: {**right(before), "x": floats(1, 2, 7, 8)}])
    check(engine, "failed", ("input_changed", "x", "x[2] is 3 before and 7 afterwards (2 of 4 elements)"))


def test_a_result_that_depends_on_the_filling() -> None:
    other = FakeEngine([right, lambda before: {**right(before), "y": floats(2, 4, 6, 0)}, right])
    check(other, "failed", ("depends_on_poison", "y", "y[3] is 8 after one filling and 0 after another (1 of 4 elements)"))


def test_a_result_that_depends_on_chance() -> None:
    chance = FakeEngine([right, right, lambda before: {**right(before), "y": floats(2, 4, 6, 0)}])
    check(chance, "passed")
    both = lambda value: lambda before: {**right(before), "y": floats(2, 4, 6, value)}  # noqa: E731
    check(
        FakeEngine([right, both(0), both(1)]),
        "failed",
        ("not_repeatable", "y", "y[3] is 8 in one run and 1 in another (1 of 4 elements)"),
    )


def test_an_element_that_was_never_written_is_only_wrong() -> None:
    result = check(FakeEngine([lambda before: {**right(before), "y": floats(2, 4, 6) + before["y"][12:]}]), "failed")
    assert [output.passed for output in result.outputs] == [False, True]


def test_an_element_that_was_never_written_and_passes_is_a_fault() -> None:
    shader = SHADER.replace('y = "2 * x"', 'y = "2 * x + where(x > 3, nan, 0)"').replace(
        "//! derive = false", '//! derive = false\n    //! compare = { y = { mode = "scaled", nan = "equal" } }'
    )
    result = run(FakeEngine([lambda before: {**right(before), "y": floats(2, 4, 6) + before["y"][12:]}]), shader)
    assert result.faults == (Fault(kind="depends_on_poison", subject="y", message="1 of its elements were never written"),)
    assert result.status == "failed"


def test_a_failure_on_an_adapter_that_ended_a_loop_is_inconclusive() -> None:
    wrong: Run = lambda before: {**right(before), "y": floats(0, 0, 0, 0)}  # noqa: E731
    result = run(FakeEngine([wrong], cut=LoopCut(line=3, column=5)))
    assert result.status == "inconclusive"
    assert result.faults == (Fault(kind="loop_cap", message="the adapter ended this loop", line=3, column=5),)
    assert result.outputs == ()
    assert run(FakeEngine([right], cut=LoopCut(line=3, column=5))).status == "passed"


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        (
            CompileFailure(stage="module", message="no", line=3, column=4, detail="all"),
            Fault(kind="compile", message="no", line=3, column=4, detail="all"),
        ),
        (
            CompileFailure(stage="pipeline", message="no", line=0, column=0, detail="all", entry_point="main"),
            Fault(kind="pipeline", message="no", subject="main", detail="all"),
        ),
        (RunFailure(reason="out_of_memory", message="no"), Fault(kind="out_of_memory", message="no")),
        (RunFailure(reason="device_lost", message="no"), Fault(kind="device_lost", message="no")),
    ],
)
def test_what_the_engine_refuses(failure: CompileFailure | RunFailure, fault: Fault) -> None:
    result = run(FakeEngine(failure=failure))
    assert (result.status, result.faults) == ("failed", (fault,))


def test_cancelling_is_inconclusive() -> None:
    before, within = run(FakeEngine([right]), cancelled=True), run(FakeEngine(failure=RunFailure(reason="cancelled", message="")))
    for result in (before, within):
        assert (result.status, [fault.kind for fault in result.faults]) == ("inconclusive", ["cancelled"])


def test_what_the_adapter_cannot_hold_is_found_before_it_is_drawn() -> None:
    result = run(FakeEngine(), SHADER.replace("n=4", "n=251"))
    message = "`x` holds 1,004 bytes; this adapter binds storage buffers of at most 1,000"
    assert result.faults == (Fault(kind="validation", message=message, subject="shapes.x"),)
    shader = SHADER.replace("struct P", "var<workgroup> w: array<u32, 32>;\n    struct P").replace("p.k + K", "p.k + K + w[0]")
    message = "`main` uses 128 bytes of workgroup memory, and this adapter has 100"
    assert run(FakeEngine(), shader).faults == (Fault(kind="pipeline", message=message, subject="main"),)


def test_a_parameter_that_does_not_fit_is_found_here_or_before() -> None:
    result = run(FakeEngine([right]), SHADER.replace('y = "2 * x"', 'y = "x[:2]"'))
    assert [(fault.kind, fault.subject) for fault in result.faults] == [("expression", "expect.y")]


def test_what_lies_behind_the_valid_part_may_hold_anything() -> None:
    shader = SHADER.replace("//! derive = false", '//! derive = false\n    //! valid = { y = "z[0] + 1" }')
    beyond: Sequence[Run] = [lambda before, rest=rest: {**right(before), "y": floats(2, 4, *rest)} for rest in ((7, 8), (9, 10))]
    assert run(FakeEngine(beyond), shader).status == "passed"
    within: Run = lambda before: {**right(before), "y": floats(2, 5, 6, 8)}  # noqa: E731
    assert [output.passed for output in run(FakeEngine([within]), shader).outputs] == [False, True]
    unwritten: Run = lambda before: {**right(before), "y": floats(2) + before["y"][4:]}  # noqa: E731
    assert run(FakeEngine([unwritten]), shader).status == "failed"


@pytest.mark.parametrize(
    ("valid", "message"),
    [
        ("z[3] + 1", "5 elements of `y` would be valid, and it has 4"),
        ("x / 2", "a length is one whole number"),
        ("x[0] / 2", "a length is one whole number"),
    ],
)
def test_a_length_that_an_output_cannot_have(valid: str, message: str) -> None:
    shader = SHADER.replace("//! derive = false", f'//! derive = false\n    //! valid = {{ y = "{valid}" }}')
    (fault,) = run(FakeEngine([right]), shader).faults
    assert (fault.kind, fault.subject, fault.message) == ("expression", "valid.y", message)


SLACK = SHADER.replace("//! derive = false", "//! derive = false\n    //! slack = { x = 1, y = 2 }")


def right_with_slack(before: Mapping[str, bytes]) -> dict[str, bytes]:
    x = np.frombuffer(before["x"][:16], np.float32)
    return {"y": (2 * x).tobytes() + before["y"][16:], "z": x.tobytes()}


def test_slack_may_be_read_and_differs_between_the_runs() -> None:
    engine = FakeEngine([right_with_slack])
    assert run(engine, SLACK).status == "passed"
    first, second = engine.jobs
    assert [len(first.buffers[name].initial) for name in "xyz"] == [20, 24, 16]
    assert first.buffers["x"].initial[:16] == second.buffers["x"].initial[:16]
    assert first.buffers["x"].initial[16:] != second.buffers["x"].initial[16:]


def test_slack_may_not_be_written() -> None:
    written: Run = lambda before: {**right_with_slack(before), "x": before["x"][:16] + bytes(4)}  # noqa: E731
    (fault,) = run(FakeEngine([written]), SLACK).faults
    message = "the 4 bytes of slack behind `x` may be read, and were written"
    assert fault == Fault(kind="guard_overwritten", subject="x", message=message)


def test_the_order_of_a_multiset_may_differ_between_runs() -> None:
    shader = SHADER.replace("//! derive = false", '//! derive = false\n    //! compare = { y = "multiset" }')
    turned: Run = lambda before: {**right(before), "y": floats(8, 2, 4, 6)}  # noqa: E731
    assert run(FakeEngine([right, turned]), shader).status == "passed"
    changed: Run = lambda before: {**right(before), "y": floats(8, 2, 4, 7)}  # noqa: E731
    assert [fault.kind for fault in run(FakeEngine([right, changed, right]), shader).faults] == ["depends_on_poison"]


def test_a_case_is_prepared_once_for_as_long_as_its_numbers_stay() -> None:
    known: PreparedCases = BoundedCache(1 << 20, lambda prepared: prepared.size_bytes)

    def prepare(shader: str) -> object:
        kernel, case = kernel_of(shader)
        return prepare_case(kernel.contract, case, {}, known).inputs

    first = prepare(SHADER)
    assert prepare(SHADER.replace("2.0 * x", "3.0 * x").replace("struct P", "// moved\n\n    struct P")) is first
    assert prepare(SHADER.replace("arange() + 1", "arange() + 2")) is not first
    assert prepare(SHADER.replace('"2 * x"', '"4 * x"')) is not first
    assert prepare(SHADER.replace("k = 3", "k = 4")) is not first
    assert prepare(SHADER) is first
