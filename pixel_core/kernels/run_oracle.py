"""The truth from another kernel: it runs on the same engine, from the same inputs, twice, and is judged by its own contract first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Union

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.engines.base import CompileFailure, Engine, KernelJob, KernelRun, RunFailure
from pixel_core.kernels.bound_from_reference import bound_from_reference
from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.build_jobs import build_jobs
from pixel_core.kernels.check_invariants import check_invariants
from pixel_core.kernels.check_runs import check_runs, unwritten_elements
from pixel_core.kernels.contents import decode_content, encode_content
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.evaluate import evaluate_expect, output_scalar, split_output
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.hold_output import hold_output
from pixel_core.kernels.infer_roles import CONTENT_ROLES
from pixel_core.kernels.load_oracle import OracleKernel
from pixel_core.kernels.packing import pack_truth
from pixel_core.kernels.patterns import PatternContext
from pixel_core.kernels.plan_oracle import plan_oracle
from pixel_core.kernels.plan_problem import PlanProblem
from pixel_core.kernels.planned import Case
from pixel_core.kernels.results import Fault
from pixel_core.kernels.take_slack import take_slack
from pixel_core.wgsl.reflect import interface_of

Inputs = Mapping[str, Mapping[str, NDArray[Any]]]


class OracleProblem(Exception):  # noqa: N818 -- a user's mistake, not an error of ours
    """An oracle that gave no truth.

    Attributes:
        fault: What is told; of kind `cancelled` where the run was withdrawn.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class OracleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an oracle said in one case.

    Attributes:
        truths: Output → value with an estimated error.
        job: Its first run, to look for a loop that the adapter ended.
    """

    truths: Mapping[str, Bounded]
    job: KernelJob


def run_oracle(
    engine: Engine,
    oracle: OracleKernel,
    contract: KernelContract,
    outputs: Iterable[str],
    case: Case,
    inputs: Inputs,
    is_cancelled: Callable[[], bool],
) -> OracleAnswer:
    """Ask an oracle for the truth of one case.

    Args:
        engine: What runs it: the same as runs the kernel.
        oracle: Read and understood.
        contract: The contract that asks.
        outputs: What that contract compares.
        case: Its case.
        inputs: Buffer → part → values before the first pass; the oracle gets those of the names that it has.
        is_cancelled: Asked between the steps.

    Raises:
        OracleProblem: It cannot run, does not compile, or is not to be trusted: it fails its own contract, differs from run to run,
            leaves an output unwritten, changes an input.
    """
    answers_for = [output for output in outputs if output not in contract.expect]
    try:
        own, planned = plan_oracle(oracle, contract, answers_for, case)
        contents = {one.name: encode_content(one, inputs[one.name]) for one in planned.buffers if one.role in CONTENT_ROLES}
        overrides = {name: value for dispatch in planned.dispatches for name, value in dispatch.overrides.items()}
        interface = interface_of(oracle.loaded.module, overrides) if overrides else oracle.loaded.interface
        jobs = build_jobs(oracle.loaded.source.text, interface, planned, contents)
    except PlanProblem as problem:
        raise OracleProblem(_fault(oracle, problem.finding.message, problem.finding.hint or "")) from None
    except ExpressionProblem as problem:
        raise OracleProblem(_fault(oracle, problem.message, problem.hint or "")) from None
    answer = engine.run(jobs, is_cancelled)
    if not isinstance(answer, tuple):
        raise OracleProblem(_refusal(oracle, answer))
    (first, changed), (second, changed_again) = (take_slack(planned, run, number) for number, run in enumerate(answer))
    faults = changed or changed_again
    faults += check_runs(planned, contents, first, second, lambda: _again(engine, planned, jobs[0], is_cancelled))
    if faults:
        raise OracleProblem(_fault(oracle, faults[0].message, kind=faults[0].kind))
    _judge(oracle, own, planned, inputs, first)
    values = {
        buffer.name: decode_content(buffer, first.buffers[buffer.name])
        for buffer in planned.buffers
        if buffer.name in {_buffer(one) for one in answers_for}
    }
    truths: dict[str, Bounded] = {}
    for output in answers_for:
        name, _, part = output.partition(".")
        if unwritten_elements(planned.buffer(name), part, first, second):
            raise OracleProblem(_fault(oracle, f"it leaves elements of `{output}` unwritten", "give it more workgroups"))
        asked = case.buffer(name)
        scalar, its_scalar = output_scalar(asked, part), output_scalar(planned.buffer(name), part)
        truths[output] = _bounded(values[name][part], scalar, its_scalar, inputs)
    return OracleAnswer(truths=truths, job=jobs[0])


def _bounded(value: NDArray[Any], scalar: str, its_scalar: str, inputs: Inputs) -> Bounded:
    """Both sides round: the worst cases add up, and independent errors do in the square."""
    coarser = "f16" if "f16" in (scalar, its_scalar) else scalar
    one_side = bound_from_reference(value, None, scalar=coarser, inputs=inputs)
    return replace(one_side, kind=scalar, bound=2 * one_side.bound, spread=math.sqrt(2) * one_side.spread)


def _judge(oracle: OracleKernel, own: KernelContract, case: Case, inputs: Inputs, run: KernelRun) -> None:
    """What its own contract expects of it must hold on these inputs too."""
    given = {buffer.name: inputs[buffer.name] for buffer in case.buffers if buffer.role in CONTENT_ROLES}
    try:
        truths = evaluate_expect(own, case, given)
        after = {buffer.name: decode_content(buffer, run.buffers[buffer.name]) for buffer in case.buffers if buffer.name in run.buffers}
        broken = check_invariants(own, case, given, after) if own.invariants else []
    except ExpressionProblem as problem:
        raise OracleProblem(_fault(oracle, f"its own contract cannot be computed: {problem.message}", problem.hint or "")) from None
    if broken:
        raise OracleProblem(_fault(oracle, f"it fails its own contract: {broken[0].message}"))
    for output, truth in truths.items():
        buffer, part = split_output(case, output)
        if output in own.valid:
            continue
        context = PatternContext(workgroup_size=case.dispatches[-1].workgroup_size, tiles=(), inputs={})
        actual = decode_content(buffer, run.buffers[buffer.name])[part]
        result = hold_output(own, case, given, output, truth, actual, context, pack_truth(buffer, truth))
        if not result.passed:
            wrong = result.mismatch.wrong if result.mismatch else 0
            message = f"it fails its own contract: `{output}` is wrong in {wrong:,} of {int(np.prod(result.shape)):,} elements"
            raise OracleProblem(_fault(oracle, message, f"mend it first: pixel-lsp check {oracle.oracle.file}"))


def _buffer(output: str) -> str:
    return output.partition(".")[0]


def _again(engine: Engine, case: Case, job: KernelJob, is_cancelled: Callable[[], bool]) -> KernelRun | None:
    answer = engine.run((job,), is_cancelled)
    return take_slack(case, answer[0], 0)[0] if isinstance(answer, tuple) else None


def _refusal(oracle: OracleKernel, failure: Union[CompileFailure, RunFailure]) -> Fault:
    if isinstance(failure, RunFailure):
        if failure.reason in {"cancelled", "device_lost", "out_of_memory"}:
            return Fault(kind=failure.reason, message=failure.message)
        return _fault(oracle, f"the adapter refuses to run it: {failure.message}")
    where = f" ({oracle.oracle.file}:{failure.line})" if failure.line else ""
    return _fault(oracle, f"it does not compile: {failure.message}{where}")


def _fault(oracle: OracleKernel, message: str, hint: str = "", kind: str = "") -> Fault:
    told = {
        "not_repeatable": "it differs between two runs with the same inputs",
        "depends_on_poison": "it depends on what an output held before",
    }
    return Fault(kind="oracle", message=f"`{oracle.oracle.name}`: {told[kind] + ': ' if kind in told else ''}{message}", hint=hint)
