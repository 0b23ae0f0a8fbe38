"""One case on one engine: two runs with different fillings, and everything that must hold of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Union

import msgspec
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.engines.base import CompileFailure, Engine, KernelJob, KernelRun, LoopCut, RunFailure
from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.build_jobs import build_jobs, is_poisoned
from pixel_core.kernels.check_invariants import check_invariants, passing_dumb_values
from pixel_core.kernels.check_runs import check_runs, unwritten_elements
from pixel_core.kernels.contents import decode_content, still_holds
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.evaluate import split_output
from pixel_core.kernels.evaluate_tree import KeyedProblem
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.hold_output import hold_output
from pixel_core.kernels.load_oracle import OracleKernel
from pixel_core.kernels.memory import POISONS
from pixel_core.kernels.packing import pack_truth
from pixel_core.kernels.patterns import PatternContext
from pixel_core.kernels.planned import Case, TexturePlan
from pixel_core.kernels.prepare_case import Inputs, PreparedCase, PreparedCases, Reference, prepare_case
from pixel_core.kernels.read_provided import InputProblem
from pixel_core.kernels.results import CaseResult, Fault, OutputResult, Timing
from pixel_core.kernels.run_oracle import OracleAnswer, OracleProblem, run_oracle
from pixel_core.kernels.take_slack import take_slack
from pixel_core.kernels.unpacked_outputs import Unpack, Unpacked
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.reflect import ShaderInterface, interface_of
from pixel_core.wgsl.texel_formats import texture_axes
from pixel_core.wgsl.types import Array, Atomic

_LARGEST_TILE = 4096


class CheckedKernel(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel as the worker has read it.

    Attributes:
        source: Text of the shader.
        module: Of that text.
        interface: With default overrides.
        contract: One contract of it.
        oracle: The kernel that the contract names as its oracle, or None.
        outputs: What is compared with a truth.
        constrained: Outputs of which only invariants speak.
    """

    source: str
    module: Module
    interface: ShaderInterface
    contract: KernelContract
    oracle: OracleKernel | None = None
    outputs: tuple[str, ...] = ()
    constrained: tuple[str, ...] = ()


def run_case(
    engine: Engine,
    kernel: CheckedKernel,
    case: Case,
    references: Mapping[str, Reference],
    *,
    known: PreparedCases,
    watch_loops: bool = False,
    is_cancelled: Callable[[], bool] = lambda: False,
    unpack: Unpack | None = None,
) -> CaseResult | None:
    """Run and judge one case.

    Args:
        engine: What executes it.
        kernel: Shader and contract.
        case: Planned.
        references: Output → what the contract's function returned.
        known: Cases prepared before.
        watch_loops: Look for a loop that the adapter ended even if every output is right.
        is_cancelled: Asked between the steps.
        unpack: Reads the outputs that only the user's Python can unpack, from the first run and the truths; None while it cannot.

    Returns:
        The result; a mistake in the contract, a refusal and a cancellation are results too. None when `unpack` could not.
    """
    started = time.perf_counter()
    too_large = _size_fault(engine, case)
    if too_large is not None:
        return _result(engine, case, started, faults=[too_large])
    asked: list[OracleAnswer] = []

    def ask(inputs: Inputs) -> Mapping[str, Bounded]:
        if kernel.oracle is None:
            return {}
        asked.append(run_oracle(engine, kernel.oracle, kernel.contract, kernel.outputs, case, inputs, is_cancelled))
        return asked[0].truths

    try:
        prepared = prepare_case(kernel.contract, case, references, known, ask)
        interface = case_interface(kernel, case)
        jobs = build_jobs(kernel.source, interface, case, prepared.contents)
    except ExpressionProblem as problem:
        return _result(engine, case, started, faults=[expression_fault(problem)])
    except OracleProblem as problem:
        status = "inconclusive" if problem.fault.kind == "cancelled" else None
        return _result(engine, case, started, status=status, faults=[problem.fault])
    except MemoryError:
        return _result(engine, case, started, faults=[Fault(kind="out_of_memory", message="the worker reached its memory limit")])
    too_much = _workgroup_memory_fault(engine, interface, case)
    if too_much is not None:
        return _result(engine, case, started, faults=[too_much])
    if is_cancelled():
        return _cancelled(engine, case, started)
    answer = engine.run(jobs, is_cancelled)
    if not isinstance(answer, tuple):
        if isinstance(answer, RunFailure) and answer.reason == "cancelled":
            return _cancelled(engine, case, started)
        return _result(engine, case, started, faults=[failure_fault(answer)])
    (first, changed), (second, changed_again) = (take_slack(case, run, number) for number, run in enumerate(answer))
    compared = time.process_time()
    faults = changed or changed_again
    sums = _float_sums(case, prepared)
    faults += check_runs(
        case,
        prepared.contents,
        first,
        second,
        lambda: _run_again(engine, case, jobs[0], is_cancelled),
        valid=prepared.valid,
        unordered=[output for output, compare in kernel.contract.compare.items() if compare.mode == "multiset"],
        judged_twice=sums,
    )
    unpacked: Mapping[str, Unpacked] = {}
    if unpack is not None and not faults:
        try:
            found = unpack(first, prepared.truths)
        except KeyedProblem as problem:
            return _result(engine, case, started, faults=[expression_fault(problem)])
        if found is None:
            return None
        unpacked = found
    # What a kernel left unwritten means nothing, and the user's Python would stumble over it.
    is_readable = unpack is None or not faults
    try:
        outputs = _judge_outputs(kernel, case, prepared, first, unpacked) if is_readable else []
        again = _judge_outputs(kernel, case, prepared, second, {}, only=sums) if sums else []
    except ExpressionProblem as problem:
        return _result(engine, case, started, faults=[expression_fault(problem)])
    if all(output.passed for output in outputs):
        message = "it is right in one run and wrong in another"
        faults += [Fault(kind="not_repeatable", subject=output.output, message=message) for output in again if not output.passed]
    faults += _unwritten_faults(case, outputs, prepared.valid, first, second)
    try:
        broken, dumb = _invariants(kernel, case, prepared.inputs, first, second, unpacked) if is_readable else ([], None)
    except ExpressionProblem as problem:
        broken, dumb = [expression_fault(problem)], None
    faults += broken
    timing = Timing(
        inputs_s=prepared.inputs_s,
        device_s=first.device_s + second.device_s,
        device_cpu_s=first.cpu_s + second.cpu_s,
        reference_s=prepared.reference_s,
        compare_s=time.process_time() - compared,
    )
    if watch_loops or faults or not all(output.passed for output in outputs):
        cut = engine.find_loop_cut(jobs[0])
        if cut is not None:
            return _result(engine, case, started, status="inconclusive", faults=[_loop_fault(cut)], timing=timing)
        for answer in asked:
            cut = engine.find_loop_cut(answer.job)
            if cut is not None:
                return _result(engine, case, started, status="inconclusive", faults=[_oracle_loop_fault(kernel, cut)], timing=timing)
    status = "partly_proved" if kernel.constrained and not faults and all(output.passed for output in outputs) else None
    result = _result(engine, case, started, outputs=outputs, faults=faults, status=status, timing=timing)
    return result if dumb is None else replace(result, passing_dumb_values=dumb)


def expression_fault(problem: ExpressionProblem) -> Fault:
    """A mistake in one of the contract's expressions."""
    return Fault(
        kind="input" if isinstance(problem, InputProblem) else "expression",
        message=problem.message,
        subject=problem.key if isinstance(problem, KeyedProblem) else "",
        expression_start=-1 if problem.span is None else problem.span.start,
        expression_end=-1 if problem.span is None else problem.span.end,
        hint=problem.hint or "",
    )


def _judge_outputs(
    kernel: CheckedKernel,
    case: Case,
    prepared: PreparedCase,
    run: KernelRun,
    unpacked: Mapping[str, Unpacked],
    only: Collection[str] | None = None,
) -> list[OutputResult]:
    decoded: dict[str, dict[str, NDArray[Any]]] = {}
    results: list[OutputResult] = []
    for output, truth in prepared.truths.items():
        if only is not None and output not in only:
            continue
        buffer, part = split_output(case, output)
        if buffer.name not in decoded:
            in_python = unpacked.get(buffer.name)
            decoded[buffer.name] = decode_content(buffer, run.buffers[buffer.name]) if in_python is None else {"": in_python.values}
        context = _pattern_context(kernel, case, prepared.inputs, buffer.name)
        if buffer.texture is not None:
            context = replace(context, axes=texture_axes(buffer.texture.dimension))
        if buffer.texture is not None and is_poisoned(buffer.role):
            context = replace(context, unwritten=still_holds(buffer, run.buffers[buffer.name], POISONS[0])[part])
        actual = decoded[buffer.name][part]
        packing = unpacked[buffer.name].packing if buffer.name in unpacked else pack_truth(buffer, truth)
        length = prepared.valid.get(output)
        if length is not None:
            if context.unwritten is not None:
                context = replace(context, unwritten=context.unwritten[:length])
            truth, actual = truth.rearranged(lambda array, length=length: array[:length]), actual[:length]
            packing = None if packing is None else packing.first(length)
        if actual.size:
            results.append(hold_output(kernel.contract, case, prepared.inputs, output, truth, actual, context, packing))
    return results


def _float_sums(case: Case, prepared: PreparedCase) -> list[str]:
    """Outputs that atomics add up as floats, in whatever order: two runs need not agree in the last bits, and both are judged."""
    found: list[str] = []
    for output in prepared.truths:
        buffer, _ = split_output(case, output)
        if buffer.codec == "f32" and isinstance(buffer.type, Array) and isinstance(buffer.type.element, Atomic):
            found.append(output)
    return found


def _invariants(
    kernel: CheckedKernel, case: Case, inputs: Inputs, first: KernelRun, second: KernelRun, unpacked: Mapping[str, Unpacked]
) -> tuple[list[Fault], str | None]:
    """The broken invariants; and which dumb values would break none, where nothing but invariants speaks of an output."""
    if not kernel.contract.invariants:
        return [], None
    unwritten = [
        Fault(kind="depends_on_poison", subject=output, message=f"{count:,} of its elements were never written")
        for output, count in ((one, unwritten_elements(*split_output(case, one), first, second)) for one in kernel.constrained)
        if count
    ]
    decoded = [one for one in case.buffers if one.name in first.buffers and not one.has_python_codec]
    after = {buffer.name: decode_content(buffer, first.buffers[buffer.name]) for buffer in decoded}
    after.update({name: {"": one.values} for name, one in unpacked.items()})
    broken = check_invariants(kernel.contract, case, inputs, after)
    if broken or unwritten or not kernel.constrained:
        return [*unwritten, *broken], None
    return [], passing_dumb_values(kernel.contract, case, inputs, after, kernel.constrained)


def _pattern_context(kernel: CheckedKernel, case: Case, inputs: Inputs, buffer: str) -> PatternContext:
    writers = [dispatch for dispatch in case.dispatches if any(binding.buffer == buffer for binding in dispatch.bindings)]
    last = (writers or list(case.dispatches))[-1]
    sizes = [*last.overrides.values(), *kernel.interface.constants.values()]
    tiles = {int(size) for size in sizes if not isinstance(size, bool) and size == int(size) and 1 < size <= _LARGEST_TILE}
    # Nothing is a copy of an input that lies in memory in another way.
    alike = [name for name in inputs if case.buffer(name).codec == case.buffer(buffer).codec]
    arrays = {f"{name}.{part}" if part else name: values for name in alike for part, values in inputs[name].items()}
    return PatternContext(workgroup_size=last.workgroup_size, tiles=tuple(sorted(tiles)), inputs=arrays)


def _unwritten_faults(
    case: Case, outputs: list[OutputResult], valid: Mapping[str, int], first: KernelRun, second: KernelRun
) -> list[Fault]:
    """An element that nobody wrote and that passes all the same (the filling is NaN, and NaN was expected) is no evidence."""
    faults: list[Fault] = []
    for output in outputs:
        buffer, part = split_output(case, output.output)
        count = unwritten_elements(buffer, part, first, second, valid.get(output.output)) if output.passed else 0
        if count:
            message = f"{count:,} of its elements were never written"
            faults.append(Fault(kind="depends_on_poison", subject=output.output, message=message))
    return faults


def case_interface(kernel: CheckedKernel, case: Case) -> ShaderInterface:
    """What the shader offers under the overrides of a case."""
    overrides = {name: value for dispatch in case.dispatches for name, value in dispatch.overrides.items()}
    return interface_of(kernel.module, overrides) if overrides else kernel.interface


def _size_fault(engine: Engine, case: Case) -> Fault | None:
    """Found before gigabytes are drawn for a buffer that the adapter cannot bind."""
    limit = engine.limits.get("max-storage-buffer-binding-size")
    for buffer in case.buffers:
        if limit is not None and buffer.texture is None and buffer.size_bytes > limit:
            message = f"`{buffer.name}` holds {buffer.size_bytes:,} bytes; this adapter binds storage buffers of at most {limit:,}"
            return Fault(kind="validation", subject=f"shapes.{buffer.name}", message=message)
        too_wide = None if buffer.texture is None else _texture_fault(engine, buffer.name, buffer.texture)
        if too_wide is not None:
            return too_wide
    return None


def _texture_fault(engine: Engine, name: str, texture: TexturePlan) -> Fault | None:
    longest = max(texture.axes[texture.dimension == "2d-array" :])
    limit = engine.limits.get(f"max-texture-dimension-{texture.dimension[:2]}")
    if limit is None or longest <= limit:
        return None
    message = f"`{name}` is {longest:,} texels long; this adapter has {texture.dimension[:2]} textures of at most {limit:,}"
    return Fault(kind="validation", subject=f"textures.{name}.size", message=message)


def _workgroup_memory_fault(engine: Engine, interface: ShaderInterface, case: Case) -> Fault | None:
    """A limit that browsers hold a pipeline to, and wgpu does not."""
    limit = engine.limits.get("max-compute-workgroup-storage-size")
    for name in dict.fromkeys(dispatch.entry for dispatch in case.dispatches):
        entry = interface.entry_point(name)
        used = None if entry is None else entry.workgroup_bytes
        if used is not None and limit is not None and used > limit:
            message = f"`{name}` uses {used:,} bytes of workgroup memory, and this adapter has {limit:,}"
            return Fault(kind="pipeline", subject=name, message=message)
    return None


def _run_again(engine: Engine, case: Case, job: KernelJob, is_cancelled: Callable[[], bool]) -> KernelRun | None:
    answer = engine.run((job,), is_cancelled)
    return take_slack(case, answer[0], 0)[0] if isinstance(answer, tuple) else None


def failure_fault(failure: Union[CompileFailure, RunFailure]) -> Fault:
    """What kept a job from running, as a fault."""
    if isinstance(failure, RunFailure):
        return Fault(kind=failure.reason, message=failure.message)
    return Fault(
        kind="compile" if failure.stage == "module" else "pipeline",
        message=failure.message,
        subject=failure.entry_point,
        line=failure.line,
        column=failure.column,
        detail=failure.detail,
    )


def _loop_fault(cut: LoopCut) -> Fault:
    return Fault(kind="loop_cap", message="the adapter ended this loop", line=cut.line, column=cut.column)


def _oracle_loop_fault(kernel: CheckedKernel, cut: LoopCut) -> Fault:
    name = "" if kernel.oracle is None else kernel.oracle.oracle.file
    return Fault(kind="oracle_loop_cap", message=f"the adapter ended a loop of the oracle ({name}:{cut.line})")


def _cancelled(engine: Engine, case: Case, started: float) -> CaseResult:
    return _result(engine, case, started, status="inconclusive", faults=[Fault(kind="cancelled", message="cancelled")])


def _result(
    engine: Engine,
    case: Case,
    started: float,
    *,
    outputs: list[OutputResult] | None = None,
    faults: list[Fault] | None = None,
    status: str | None = None,
    timing: Timing | None = None,
) -> CaseResult:
    found = timing or Timing()
    passed = not faults and all(output.passed for output in outputs or [])
    return CaseResult(
        name=case.name,
        status=status or ("passed" if passed else "failed"),
        outputs=tuple(outputs or ()),
        faults=tuple(faults or ()),
        adapter=engine.info,
        timing=Timing(
            inputs_s=found.inputs_s,
            device_s=found.device_s,
            device_cpu_s=found.device_cpu_s,
            reference_s=found.reference_s,
            compare_s=found.compare_s,
            total_s=time.perf_counter() - started,
        ),
    )
