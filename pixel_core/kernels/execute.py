"""Runs one planned case: through the reference's process if there is one, then through the kernel worker. Whatever they do is a result."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from pixel_core import __version__
from pixel_core.engines.base import AdapterInfo
from pixel_core.engines.compilers import CompilerVerdicts
from pixel_core.errors import EngineUnavailable
from pixel_core.kernels.contract_text import contract_text
from pixel_core.kernels.file_hashes import FileHashes
from pixel_core.kernels.find_interpreter import find_interpreter
from pixel_core.kernels.load_shader import LoadedShader, sidecar_path
from pixel_core.kernels.named_settings import named_settings
from pixel_core.kernels.place import Kernel
from pixel_core.kernels.plan import Case
from pixel_core.kernels.provide_inputs import Call, ProvidedInputs, Providing, provide_inputs
from pixel_core.kernels.provided_file import ProvidedFile
from pixel_core.kernels.result_cache import CaseRun, ResultCache, cache_key
from pixel_core.kernels.results import CaseResult, Fault
from pixel_core.kernels.run_reference import ReferenceCall, ReferenceFailure, ReferenceOutputs, ReferenceRunner
from pixel_core.kernels.unpack_outputs import unpack_outputs
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
)
from pixel_core.kernels.workspace_files import project_root
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.job_folder import JobFolder
from pixel_core.processes.launcher import launch_module
from pixel_core.processes.pool import WorkerPool
from pixel_core.source import SourceText

_START_TIMEOUT_S = 120.0
"""A cold start took 20 s at worst on a busy machine; a driver that needs six times that does not work."""

_COMPILE_TIMEOUT_S = 20.0
"""For a shader whose contracts do not say how long a case may take; compiling took 0.2 s at worst for a thousand lines."""

_KEPT_VERDICTS = 64

_REFERENCE_FAULTS = {
    "raised": "reference",
    "memory": "reference",
    "wrong_result": "reference",
    "outside_workspace": "outside_workspace",
    "no_numpy": "interpreter",
    "no_interpreter": "interpreter",
    "cancelled": "cancelled",
}
"""How a reference failed → kind of fault; what is not listed keeps every case from having a reference."""


class CaseRunner:
    """Runs cases in kernel workers, and references in the user's interpreter. Starts nothing before it is needed.

    Args:
        jobs: Kernel workers at most.
        memory_bytes: Address space of each child.
        interpreter: The user's Python; None finds one per workspace.
        workspace: Folder that references must lie inside; None is each shader's own project root.
        seed: Base seed.
        reuse_results: Whether a case that rests on the same texts and files as an earlier one takes its result.
        environment: Further variables of the kernel workers.
    """

    def __init__(
        self,
        *,
        jobs: int,
        memory_bytes: int,
        interpreter: Path | None,
        workspace: Path | None,
        seed: int,
        reuse_results: bool = True,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        launch = launch_module("pixel_core.kernels.worker", memory_bytes=memory_bytes)
        self._workers = WorkerPool(replace(launch, environment={**launch.environment, **environment}), jobs)
        self._memory_bytes = memory_bytes
        self._interpreter = interpreter
        self._workspace = workspace
        self._seed = seed
        self._reuse_results = reuse_results
        self._verdicts: OrderedDict[str, CompilerVerdicts] = OrderedDict()
        self._hello: asyncio.Task[HelloReply | ChildExit] | None = None
        self._references: dict[Path, ReferenceRunner] = {}
        self._folder: JobFolder | None = None
        self._hashes = FileHashes()
        self._results = ResultCache(self._hashes)

    def prewarm(self) -> None:
        """Start a worker, so that its driver loads while shaders are read."""
        if self._hello is None:
            self._hello = asyncio.ensure_future(self._workers.request(Hello(), HelloReply, timeout_s=_START_TIMEOUT_S))

    async def require_device(self) -> AdapterInfo:
        """Wait until a worker is ready.

        Raises:
            EngineUnavailable: There is no adapter, or the worker did not start.
        """
        self.prewarm()
        assert self._hello is not None
        reply = await asyncio.shield(self._hello)
        if isinstance(reply, ChildExit):
            self._hello = None
            raise EngineUnavailable(f"the kernel worker did not start: {_how_it_ended(reply)}", hint=_last_line(reply.stderr_tail))
        if reply.adapter is None:
            self._hello = None
            raise EngineUnavailable(reply.problem, hint=reply.hint or None)
        return reply.adapter

    async def known(self, loaded: LoadedShader, kernel: Kernel, case: Case) -> CaseRun | None:
        """The result of the latest run that rests on the same texts and files, if it is still there."""
        return self._results.last(await self._key(loaded, kernel, case))

    async def run(
        self,
        loaded: LoadedShader,
        kernel: Kernel,
        case: Case,
        cancel: asyncio.Event | None = None,
        *,
        anew: bool = False,
        watch_loops: bool = True,
    ) -> CaseRun:
        """Run one case of one kernel, or take its result from an earlier run that rests on the same texts and files.

        Args:
            loaded: The shader.
            kernel: The kernel in it.
            case: The case.
            cancel: Set to withdraw it; the run then has a fault `cancelled`.
            anew: Run it although its result is known.
            watch_loops: See `Selection`.
        """
        key = await self._key(loaded, kernel, case)
        run = self._results.find(key) if self._reuse_results and not anew else None
        if run is None:
            run = await self._run(loaded, kernel, case, cancel, watch_loops=watch_loops)
            self._results.keep(key, run)
        return run

    async def _key(self, loaded: LoadedShader, kernel: Kernel, case: Case) -> str:
        adapter = await self.require_device()
        interpreter = find_interpreter(self._root(kernel), self._interpreter, os.environ) if kernel.contract.python_code else None
        sidecar = "" if loaded.sidecar is None else loaded.sidecar.text
        prepared = "" if loaded.expanded is None else loaded.wgsl.text
        oracle = _oracle_text(kernel)
        asked = ("", "") if oracle is None else (oracle.text, repr(oracle.sidecar))
        names = (str(loaded.source.path), kernel.contract.name, case.name, str(self._seed), __version__, str(interpreter), repr(adapter))
        return cache_key(loaded.source.text, sidecar, prepared, *asked, *names)

    def _root(self, kernel: Kernel) -> Path:
        return self._workspace or project_root(kernel.contract.source.path.parent)

    async def _run(self, loaded: LoadedShader, kernel: Kernel, case: Case, cancel: asyncio.Event | None, *, watch_loops: bool) -> CaseRun:
        budget_s = kernel.contract.budget.seconds
        # An endless loop that an adapter ends may leave a right result; the largest case of a kernel would show any.
        largest = max(kernel.plan.cases, key=lambda one: (one.size_bytes, one.invocations)).name
        watch_loops = watch_loops and case.name == largest
        files: dict[str, str] = {}
        with self._job_folder(kernel) as folder:
            provided = await self._provide(loaded, kernel, case, folder, cancel)
            files.update(provided.read)
            if provided.fault is not None:
                return CaseRun(result=_failed(case, provided.fault), files=files)
            text = self._text(loaded, kernel, case, provided.files)
            request = CheckCase(shader=text, watch_loops=watch_loops)
            if kernel.contract.reference is not None:
                answer = await self._reference(kernel, case, text, folder, cancel)
                if isinstance(answer, CaseResult):
                    return CaseRun(result=answer, files=files)
                request = CheckCase(shader=text, folder=str(folder), references=answer.outputs, watch_loops=watch_loops)
                files.update(answer.files)
            if kernel.contract.python_codecs:
                request = msgspec.structs.replace(request, folder=str(folder))
            reply = await self._workers.request(request, CaseReply, timeout_s=budget_s, cancel=cancel)
            if isinstance(reply, CaseReply) and reply.packed:
                call = self._caller(kernel, cancel)
                unpacked = await unpack_outputs(kernel.contract, case, reply.packed, workspace=self._root(kernel), folder=folder, call=call)
                files.update(unpacked.read)
                if unpacked.fault is not None:
                    return CaseRun(result=_failed(case, unpacked.fault), files=files)
                request = msgspec.structs.replace(request, unpacked=unpacked.outputs)
                reply = await self._workers.request(request, CaseReply, timeout_s=budget_s, cancel=cancel)
        result = _unanswered(case, reply, budget_s) if isinstance(reply, ChildExit) else reply.result
        return CaseRun(result=result, files=files)

    @contextmanager
    def _job_folder(self, kernel: Kernel) -> Generator[Path]:
        """A folder for the arrays of one case, where a contract needs one."""
        contract = kernel.contract
        if not contract.data_files:
            yield Path()
            return
        if self._folder is None:
            self._folder = JobFolder()
        folder = self._folder.subfolder()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _provide(
        self, loaded: LoadedShader, kernel: Kernel, case: Case, folder: Path, cancel: asyncio.Event | None
    ) -> ProvidedInputs:
        """What a case does not draw."""
        contract = kernel.contract
        if not case.sources and not contract.python_codecs:
            return ProvidedInputs(files={}, read={})
        budget_s, workspace = contract.budget.seconds, self._root(kernel)

        async def draw(only: Sequence[str], files: Mapping[str, ProvidedFile]) -> DrawReply | Fault:
            request = DrawInputs(shader=self._text(loaded, kernel, case, files), folder=str(folder), only=tuple(only))
            reply = await self._workers.request(request, DrawReply, timeout_s=budget_s, cancel=cancel)
            return _exit_fault(reply, f"the inputs were not drawn within {budget_s:g} s") if isinstance(reply, ChildExit) else reply

        return await provide_inputs(
            Providing(
                case=case,
                dims=contract.dims,
                codecs=contract.python_codecs,
                base=contract.source.path.parent,
                workspace=workspace,
                folder=folder,
                draw=draw,
                call=self._caller(kernel, cancel),
                hashes=self._hashes,
            )
        )

    def _caller(self, kernel: Kernel, cancel: asyncio.Event | None) -> Call:
        """Asks the user's Python within the time that a case may take."""

        async def call(asked: ReferenceCall) -> ReferenceOutputs | ReferenceFailure:
            interpreter = find_interpreter(self._root(kernel), self._interpreter, os.environ)
            if interpreter is None:
                return ReferenceFailure(kind="no_interpreter", message="no Python was found", hint="name one with `--python`")
            return await self._python(interpreter).run(asked, timeout_s=kernel.contract.budget.seconds, cancel=cancel)

        return call

    def _python(self, interpreter: Path) -> ReferenceRunner:
        return self._references.setdefault(interpreter, ReferenceRunner(interpreter, memory_bytes=self._memory_bytes))

    async def time(self, loaded: LoadedShader, kernel: Kernel, case: Case, *, runs: int, with_numpy: bool = False) -> TimeReply:
        """Time one case: as many runs as fit into the time that its contract allows for a case."""
        budget_s = kernel.contract.budget.seconds
        with self._job_folder(kernel) as folder:
            provided = await self._provide(loaded, kernel, case, folder, None)
            if provided.fault is not None:
                return TimeReply(fault=provided.fault)
            request = TimeCase(shader=self._text(loaded, kernel, case, provided.files), runs=runs, with_numpy=with_numpy)
            reply = await self._workers.request(request, TimeReply, timeout_s=budget_s)
        if isinstance(reply, ChildExit):
            return TimeReply(fault=_exit_fault(reply, f"{runs:,} runs of the case did not end within {budget_s:g} s"))
        return reply

    def _text(self, loaded: LoadedShader, kernel: Kernel, case: Case, files: Mapping[str, ProvidedFile]) -> ShaderText:
        contract = _contract_beside(loaded)
        return ShaderText(
            path=str(loaded.source.path),
            text=loaded.wgsl.text,
            sidecar_path=str(contract.path) if contract else "",
            sidecar=contract.text if contract else None,
            contract=kernel.contract.name,
            case=case.name,
            seed=self._seed,
            oracle=_oracle_text(kernel),
            files=files,
            cases=tuple(one.name for one in kernel.contract.cases) if kernel.contract.macros else (),
        )

    async def compile(self, loaded: LoadedShader, cancel: asyncio.Event | None = None) -> CompilerVerdicts | Fault:
        """What naga and Tint say about a shader, within the time that its contracts allow for a case; or how the attempt ended."""
        text = loaded.wgsl.text
        if text in self._verdicts:
            self._verdicts.move_to_end(text)
            return self._verdicts[text]
        self.prewarm()
        assert self._hello is not None
        # Opening the device is not the shader's fault; that it cannot be opened shows in the verdict.
        await asyncio.shield(self._hello)
        limit_s = max((contract.budget.seconds for contract in loaded.contracts.contracts), default=_COMPILE_TIMEOUT_S)
        request = Compile(path=str(loaded.source.path), text=text)
        reply = await self._workers.request(request, CompileReply, timeout_s=limit_s, cancel=cancel)
        if isinstance(reply, CompileReply):
            self._verdicts[text] = reply.verdicts
            if len(self._verdicts) > _KEPT_VERDICTS:
                self._verdicts.popitem(last=False)
            return reply.verdicts
        return _exit_fault(reply, f"the shader did not compile within {limit_s:g} s")

    async def close(self) -> None:
        """End every child process and remove what they left."""
        if self._hello is not None:
            self._hello.cancel()
            await asyncio.gather(self._hello, return_exceptions=True)
        await asyncio.gather(self._workers.close(), *(runner.close() for runner in self._references.values()))
        if self._folder is not None:
            self._folder.remove()

    async def _reference(
        self, kernel: Kernel, case: Case, text: ShaderText, folder: Path, cancel: asyncio.Event | None
    ) -> ReferenceOutputs | CaseResult:
        """Draw the inputs of a case and call the contract's function with them."""
        reference = kernel.contract.reference
        assert reference is not None
        budget_s = kernel.contract.budget.seconds
        workspace = self._root(kernel)
        interpreter = find_interpreter(workspace, self._interpreter, os.environ)
        if interpreter is None:
            return _failed(case, Fault(kind="interpreter", message="no Python was found", hint="name one with `--python`"))
        drawn = await self._workers.request(DrawInputs(shader=text, folder=str(folder)), DrawReply, timeout_s=budget_s, cancel=cancel)
        if isinstance(drawn, ChildExit):
            return _unanswered(case, drawn, budget_s)
        if drawn.fault is not None:
            return _failed(case, drawn.fault)
        call = ReferenceCall(
            file=kernel.contract.source.path.parent / reference.file,
            function=reference.function,
            workspace=workspace,
            folder=folder,
            arrays=drawn.arrays,
            values={name: case.symbols[name] for name in kernel.contract.dims},
            settings=named_settings(case),
            outputs=drawn.outputs,
            optional=tuple(kernel.contract.expect),
        )
        answer = await self._python(interpreter).run(call, timeout_s=budget_s, cancel=cancel)
        if isinstance(answer, ReferenceFailure):
            return _failed(case, _reference_fault(f"`{reference.file}:{reference.function}`", answer))
        return answer


def _oracle_text(kernel: Kernel) -> OracleText | None:
    if kernel.oracle is None:
        return None
    shader = kernel.oracle.loaded
    contract = _contract_beside(shader)
    return OracleText(path=str(shader.source.path), text=shader.wgsl.text, sidecar=None if contract is None else contract.text)


def _contract_beside(loaded: LoadedShader) -> SourceText | None:
    """The contract as a text of its own, where the WGSL does not hold it: from the sidecar, or from a shader that was prepared."""
    if loaded.sidecar is not None or loaded.expanded is None:
        return loaded.sidecar
    text = contract_text(loaded.source)
    return None if text is None else SourceText(sidecar_path(loaded.source.path), text)


def _reference_fault(name: str, failure: ReferenceFailure) -> Fault:
    kind = _REFERENCE_FAULTS.get(failure.kind, "no_reference")
    message = f"{name}: {failure.message}" if kind in ("reference", "no_reference") else failure.message
    return Fault(kind=kind, message=message, hint=failure.hint, detail=failure.detail)


def _unanswered(case: Case, end: ChildExit, budget_s: float) -> CaseResult:
    return _failed(case, _exit_fault(end, f"the case did not end within {budget_s:g} s"))


def _exit_fault(end: ChildExit, timed_out: str) -> Fault:
    if end.reason == "timeout":
        return Fault(kind="timeout", message=timed_out)
    if end.reason == "cancelled":
        return Fault(kind="cancelled", message="cancelled")
    if end.reason == "memory":
        return Fault(kind="out_of_memory", message="the worker reached its memory limit", detail=end.stderr_tail)
    return Fault(kind="worker_ended", message=_how_it_ended(end), detail=end.stderr_tail)


def _failed(case: Case, fault: Fault) -> CaseResult:
    # What was withdrawn has shown nothing, neither for the kernel nor against it.
    status = "inconclusive" if fault.kind == "cancelled" else "failed"
    return CaseResult(name=case.name, status=status, faults=(fault,))


def _how_it_ended(end: ChildExit) -> str:
    if end.reason == "timeout":
        return "it took too long"
    if end.exit_code is None:
        return "it could not be started"
    if end.exit_code >= 0:
        return f"it ended with exit code {end.exit_code}"
    try:
        return f"it was ended by {signal.Signals(-end.exit_code).name}"
    except ValueError:
        return f"it was ended by signal {-end.exit_code}"


def _last_line(text: str) -> str | None:
    lines = text.strip().splitlines()
    return lines[-1] if lines else None
