"""What the kernel worker does with a request. Everything that goes wrong inside is a reply, and the worker lives on."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Union

import msgspec
import numpy as np
from msgspec.structs import replace

from pixel_core import __version__
from pixel_core.engines.bounded_cache import BoundedCache
from pixel_core.engines.compilers import AbsentCompiler, Compiler, CompilerVerdicts, compile_with
from pixel_core.engines.naga import NAGA, NagaCompiler
from pixel_core.engines.tint import open_tint
from pixel_core.errors import EngineUnavailable
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.draw_inputs import draw_inputs
from pixel_core.kernels.evaluate import split_output
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.load_oracle import OracleKernel, choose_kernel
from pixel_core.kernels.load_shader import sidecar_path, understand
from pixel_core.kernels.open_engine import EngineOpening
from pixel_core.kernels.plan import plan_cases
from pixel_core.kernels.planned import Case, Plan
from pixel_core.kernels.prepare_case import PreparedCases, read_references
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.results import CaseResult, Fault
from pixel_core.kernels.run_case import CheckedKernel, expression_fault, run_case
from pixel_core.kernels.time_case import TimedJobs, time_case
from pixel_core.kernels.unpacked_outputs import UnpackedOutputs
from pixel_core.kernels.worker_messages import (
    CaseReply,
    CheckCase,
    Compile,
    CompileReply,
    DrawInputs,
    DrawReply,
    Hello,
    HelloReply,
    OracleText,
    ShaderText,
    TimeCase,
    TimeReply,
    WorkerRequest,
)
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module, analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import interface_of

_KEPT_CHARACTERS = 1 << 20
"""Total length of the shaders that are kept as trees, and again as plans; a character of a tree costs about 120 bytes."""

_KEPT_SHORT_TEXTS = 32
"""Shaders that are kept however short they are: an edited kernel never comes back to an old text."""

_KEPT_PREPARED_BYTES = 1 << 28
_KEPT_TIMED_BYTES = 1 << 28

_decode = msgspec.json.Decoder(WorkerRequest).decode


class _Kernel(msgspec.Struct, frozen=True):
    """A kernel with its plan."""

    checked: CheckedKernel
    plan: Plan


class RequestAnswerer:
    """Answers the requests of `worker_messages`.

    Args:
        opening: The engine, perhaps still being opened.
    """

    def __init__(self, opening: EngineOpening) -> None:
        self._modules: BoundedCache[str, Module] = BoundedCache(_KEPT_CHARACTERS, lambda module: _weight(module.tree.source.text))
        self._kernels: BoundedCache[tuple[object, ...], _Kernel | None] = BoundedCache(
            _KEPT_CHARACTERS, lambda kernel: _weight("" if kernel is None else kernel.checked.source)
        )
        self._prepared: PreparedCases = BoundedCache(_KEPT_PREPARED_BYTES, lambda prepared: prepared.size_bytes)
        self._timed: TimedJobs = BoundedCache(_KEPT_TIMED_BYTES, lambda timed: timed.size_bytes)
        self._opening = opening
        self._tint: Compiler | AbsentCompiler | None = None
        opening.analyse_with(self._module)

    def answer(self, body: bytes, is_cancelled: Callable[[], bool]) -> Union[HelloReply, DrawReply, CaseReply, CompileReply, TimeReply]:
        """Answer one request.

        Raises:
            msgspec.MsgspecError: It is none; the parent and this worker are of different versions.
        """
        request = _decode(body)
        if isinstance(request, Hello):
            return self._hello()
        if isinstance(request, Compile):
            return CompileReply(verdicts=self._compile(request))
        if isinstance(request, DrawInputs):
            try:
                return self._draw(request)
            except Exception as problem:  # noqa: BLE001 -- a bug of ours must not end the worker
                return DrawReply(fault=_internal(problem))
        if isinstance(request, TimeCase):
            try:
                return self._time(request)
            except Exception as problem:  # noqa: BLE001 -- likewise
                return TimeReply(fault=_internal(problem))
        try:
            return self._check(request, is_cancelled)
        except Exception as problem:  # noqa: BLE001 -- likewise
            return CaseReply(result=_failed(request.shader.case, _internal(problem)))

    def _hello(self) -> HelloReply:
        versions = {"pixel-lsp": __version__, "python": platform.python_version(), "numpy": np.__version__}
        opened = self._opening.wait()
        if isinstance(opened, EngineUnavailable):
            return HelloReply(versions=versions, problem=opened.message, hint=opened.hint or "")
        engine, engine_versions = opened
        return HelloReply(
            versions={**versions, **engine_versions},
            adapter=engine.info,
            limits=engine.limits,
            features=tuple(sorted(engine.features)),
        )

    def _compile(self, request: Compile) -> CompilerVerdicts:
        opened = self._opening.wait()
        if isinstance(opened, EngineUnavailable):
            naga: Compiler | AbsentCompiler = AbsentCompiler(compiler=NAGA, reason=opened.message, hint=opened.hint or "")
        else:
            naga = NagaCompiler(opened[0].refusal)
        if self._tint is None:
            # Not before it is wanted: Dawn takes a tenth of a second to load.
            self._tint = open_tint()
        return compile_with((naga, self._tint), request.text)

    def _draw(self, request: DrawInputs) -> DrawReply:
        found = self._case(request.shader)
        if isinstance(found, Fault):
            return DrawReply(fault=found)
        kernel, case = found
        try:
            inputs = draw_inputs(case, request.only)
            outputs = {output: _shape(case, output) for output in kernel.plan.outputs}
        except ExpressionProblem as problem:
            return DrawReply(fault=expression_fault(problem))
        arrays: dict[str, dict[str, str]] = {}
        for buffer_number, (buffer, parts) in enumerate(inputs.items()):
            for part_number, (part, values) in enumerate(parts.items()):
                # Numbered: a part's name is a path of fields, and no text of a user's becomes a file name.
                name = f"input{buffer_number}_{part_number}.npy"
                np.save(Path(request.folder) / name, values, allow_pickle=False)
                arrays.setdefault(buffer, {})[part] = name
        return DrawReply(arrays=arrays, outputs=outputs)

    def _check(self, request: CheckCase, is_cancelled: Callable[[], bool]) -> CaseReply:
        found = self._case(request.shader)
        if isinstance(found, Fault):
            return CaseReply(result=_failed(request.shader.case, found))
        kernel, case = found
        opened = self._opening.wait()
        if isinstance(opened, EngineUnavailable):
            fault = Fault(kind="unsupported", message=opened.message, hint=opened.hint or "")
            return CaseReply(result=_failed(case.name, fault))
        outputs = UnpackedOutputs(kernel.checked.contract, case, Path(request.folder), request.unpacked)
        try:
            result = run_case(
                opened[0],
                kernel.checked,
                case,
                read_references(Path(request.folder), request.references),
                known=self._prepared,
                watch_loops=request.watch_loops,
                is_cancelled=is_cancelled,
                unpack=outputs.read if outputs.names else None,
            )
        except MemoryError:
            result = _failed(case.name, Fault(kind="out_of_memory", message="the worker reached its memory limit"))
        return CaseReply(result=result or CaseResult(name=case.name, status="inconclusive"), packed=outputs.packed)

    def _time(self, request: TimeCase) -> TimeReply:
        found = self._case(request.shader)
        if isinstance(found, Fault):
            return TimeReply(fault=found)
        opened = self._opening.wait()
        if isinstance(opened, EngineUnavailable):
            return TimeReply(fault=Fault(kind="unsupported", message=opened.message, hint=opened.hint or ""))
        try:
            return time_case(opened[0], found[0].checked, found[1], request.runs, known=self._timed, with_numpy=request.with_numpy)
        except MemoryError:
            return TimeReply(fault=Fault(kind="out_of_memory", message="the worker reached its memory limit"))

    def _case(self, text: ShaderText) -> tuple[_Kernel, Case] | Fault:
        key = (text.text, text.sidecar, text.contract, text.seed, text.oracle, text.cases)
        kernel = self._kernels.get_or_make(key, lambda: self._read(text))
        if kernel is None:
            return Fault(kind="internal", message=f"the worker finds no contract named `{text.contract}` in the text")
        case = next((case for case in kernel.plan.cases if case.name == text.case), None)
        return (
            (kernel, replace(case, files=text.files))
            if case is not None
            else Fault(kind="internal", message=f"the worker plans no case named `{text.case}`")
        )

    def _read(self, text: ShaderText) -> _Kernel | None:
        module = self._module(text.text)
        sidecar = None if text.sidecar is None else SourceText(Path(text.sidecar_path), text.sidecar)
        contracts = read_contracts(module.tree.source, module.tree, sidecar).contracts
        contract = next((contract for contract in contracts if contract.name == text.contract), None)
        if contract is None:
            return None
        if contract.macros:  # the other cases have another text
            contract = replace(contract, cases=tuple(case for case in contract.cases if case.name in text.cases))
        interface = interface_of(module)
        plan = plan_cases(contract, module, interface, seed=text.seed)
        oracle = None if text.oracle is None or contract.oracle is None else self._oracle(contract, text.oracle)
        checked = CheckedKernel(
            source=text.text,
            module=module,
            interface=interface,
            contract=contract,
            oracle=oracle,
            outputs=plan.outputs,
            constrained=plan.constrained,
        )
        return _Kernel(checked, plan)

    def _oracle(self, contract: KernelContract, text: OracleText) -> OracleKernel | None:
        path = Path(text.path)
        sidecar = None if text.sidecar is None else SourceText(sidecar_path(path), text.sidecar)
        assert contract.oracle is not None
        # Whoever asks has read it in the same way, and asks for no case when that is a finding.
        found = choose_kernel(contract, contract.oracle, understand(SourceText(path, text.text), sidecar))
        return found if isinstance(found, OracleKernel) else None

    def _module(self, text: str) -> Module:
        return self._modules.get_or_make(text, lambda: analyse(parse(SourceText(Path("shader.wgsl"), text))))


def _weight(text: str) -> int:
    """What a text counts in a cache. The longest takes all of it: parsing it anew for every case would cost most of all."""
    return min(max(len(text), _KEPT_CHARACTERS // _KEPT_SHORT_TEXTS), _KEPT_CHARACTERS)


def _shape(case: Case, output: str) -> tuple[int, ...]:
    buffer, part = split_output(case, output)
    return buffer.shapes[part]


def _internal(problem: Exception) -> Fault:
    message = f"{type(problem).__name__}: {problem}".splitlines()[0]
    return Fault(kind="internal", message=message, detail=traceback.format_exc())


def _failed(case: str, fault: Fault) -> CaseResult:
    return CaseResult(name=case, status="failed", faults=(fault,))
