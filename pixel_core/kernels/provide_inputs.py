"""Gathers what a case does not draw: files of the workspace, what functions in Python make, what codecs in Python pack."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Union

import msgspec
from msgspec.structs import replace

from pixel_core.kernels.file_hashes import FileHashes
from pixel_core.kernels.infer_roles import CONTENT_ROLES
from pixel_core.kernels.input_sources import InputFile, InputFunction, PythonCodec
from pixel_core.kernels.plan_buffers import fits_memory
from pixel_core.kernels.plan_case import fills_memory, scalar_of
from pixel_core.kernels.planned import BufferPlan, Case, PlannedSource
from pixel_core.kernels.provided_file import ProvidedFile
from pixel_core.kernels.results import Fault
from pixel_core.kernels.run_reference import ReferenceCall, ReferenceFailure, ReferenceOutputs
from pixel_core.kernels.worker_messages import DrawReply
from pixel_core.kernels.workspace_files import resolve_inside

_NPY_HEADER_BYTES = 1 << 16
_LARGEST_ITEM_BYTES = 16

_FAILURE_KINDS = {
    "raised": "input",
    "memory": "input",
    "wrong_result": "input",
    "outside_workspace": "outside_workspace",
    "no_numpy": "interpreter",
    "no_interpreter": "interpreter",
    "cancelled": "cancelled",
}
"""How a function failed → kind of fault; what is not listed keeps every case from having its input."""

Draw = Callable[[Sequence[str], Mapping[str, ProvidedFile]], Awaitable[Union[DrawReply, Fault]]]
"""Draws some inputs as arrays in the folder, from what is provided so far."""


Call = Callable[[ReferenceCall], Awaitable[Union[ReferenceOutputs, ReferenceFailure]]]
"""Asks the user's Python."""


class ProvidedInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What was gathered.

    Attributes:
        files: Buffer (or `buffer.field`) → its content.
        read: Every file of the workspace that took part → its SHA-256; empty where it does not exist.
        fault: Why something is missing, or None.
    """

    files: Mapping[str, ProvidedFile]
    read: Mapping[str, str]
    fault: Fault | None = None


class Providing(msgspec.Struct, frozen=True, kw_only=True):
    """What gathering needs.

    Attributes:
        case: Planned.
        dims: Names of the sizes; functions can have their values.
        codecs: Buffer → its codec in Python.
        base: The contract's folder.
        workspace: What files must lie inside.
        folder: For arrays; exists.
        draw: See `Draw`.
        call: See `Call`.
        hashes: Of files that were read before.
    """

    case: Case
    dims: tuple[str, ...]
    codecs: Mapping[str, PythonCodec]
    base: Path
    workspace: Path
    folder: Path
    draw: Draw
    call: Call
    hashes: FileHashes


async def provide_inputs(providing: Providing) -> ProvidedInputs:
    """Gather everything, in the order of the contract. What goes wrong is a fault in the result."""
    gathering = _Gathering(providing)
    fault = await gathering.all()
    return ProvidedInputs(files=gathering.files, read=gathering.read, fault=fault)


class _Gathering:
    def __init__(self, providing: Providing) -> None:
        self._providing = providing
        self.files: dict[str, ProvidedFile] = {}
        self.read: dict[str, str] = {}

    async def all(self) -> Fault | None:
        case = self._providing.case
        for name, planned in case.sources.items():
            fault = await self._source(name, planned)
            if fault is not None:
                return fault
        for buffer in case.buffers:
            fault = await self._packed(buffer.name)
            if fault is not None:
                return fault
        return None

    async def _source(self, name: str, planned: PlannedSource) -> Fault | None:
        source = planned.source
        if isinstance(source, InputFile):
            return await self._file(name, source)
        above = tuple(dict.fromkeys(one.partition(".")[0] for one in planned.above))
        for earlier in above:
            fault = await self._packed(earlier)
            if fault is not None:
                return fault
        return await self._function(name, source, planned.above)

    # ------------------------------------------------------------ files

    async def _file(self, name: str, source: InputFile) -> Fault | None:
        providing = self._providing
        path = resolve_inside(providing.workspace, providing.base / source.file)
        if path is None:
            message = f"`{source.file}` lies outside of {providing.workspace}"
            return Fault(kind="outside_workspace", message=message, subject=source.key, hint="move it into the workspace")
        self.read[str(path)] = ""
        buffer, part = self._target(name)
        problem = _size_problem(path, source, buffer, part)
        if problem is not None:
            return Fault(kind="input", message=f"`{source.file}` {problem[0]}", subject=source.key, hint=problem[1])
        self.read[str(path)] = sha256 = await asyncio.to_thread(providing.hashes.sha256, path)
        place = {"memory": str(path)} if fills_memory(source) else {"values": str(path)}
        self.files[name] = ProvidedFile(key=source.key, name=source.file, is_exact=True, sha256=sha256, **place)
        return None

    def _target(self, name: str) -> tuple[BufferPlan, str]:
        buffer_name, _, part = name.partition(".")
        return self._providing.case.buffer(buffer_name), part

    # ------------------------------------------------------------ functions

    async def _function(self, name: str, source: InputFunction, above: Sequence[str]) -> Fault | None:
        buffer, part = self._target(name)
        drawn = await self._drawn([one.partition(".")[0] for one in above])
        if isinstance(drawn, Fault):
            return drawn
        known = {one.partition(".")[0] for one in above}
        call = ReferenceCall(
            task="input",
            file=self._providing.base / source.file,
            function=source.function,
            workspace=self._providing.workspace,
            folder=self._providing.folder,
            arrays={one: parts for one, parts in drawn.items() if one in known},
            values=self._values(),
            outputs={name: buffer.shapes[part]},
            seed=_seed(self._providing.case.seed, name),
            scalar="f32" if buffer.codec is not None else scalar_of(buffer.type, part),
        )
        answer = await self._call(call, source.text, source.key)
        if isinstance(answer, Fault):
            return answer
        values = self._kept(answer.outputs[name].value)
        self.files[name] = ProvidedFile(key=source.key, name=source.text, values=str(values), sha256=await _sha256(values))
        return None

    # ------------------------------------------------------------ codecs

    async def _packed(self, name: str) -> Fault | None:
        """Let Python pack the values of a buffer, or unpack the bytes that a file gives it."""
        codec = self._providing.codecs.get(name)
        buffer = next((one for one in self._providing.case.buffers if one.name == name), None)
        given = self.files.get(name)
        if codec is None or buffer is None or buffer.role not in CONTENT_ROLES or (given is not None and given.values and given.memory):
            return None
        key = f"codecs.{name}"
        has_bytes = given is not None and bool(given.memory)
        drawn = {} if has_bytes else await self._drawn([name])
        if isinstance(drawn, Fault):
            return drawn
        call = ReferenceCall(
            task="codec",
            file=self._providing.base / codec.file,
            function=codec.name,
            workspace=self._providing.workspace,
            folder=self._providing.folder,
            arrays={} if has_bytes else {name: drawn[name]},
            values={},
            outputs={name: buffer.shapes[""]},
            memory=given.memory if given is not None else "",
            memory_bytes=prod(buffer.shapes[""]) // codec.values * codec.bytes,
        )
        answer = await self._call(call, codec.text, key)
        if isinstance(answer, Fault):
            return answer
        files = answer.outputs[name]
        values, memory = self._kept(files.value), given.memory if has_bytes and given else str(self._kept(files.memory or ""))
        sha256 = f"{await _sha256(values)} {await _sha256(Path(memory))}"
        self.files[name] = ProvidedFile(key=key, name=codec.text, values=str(values), memory=memory, sha256=sha256)
        return None

    # ------------------------------------------------------------ what both need

    def _kept(self, name: str) -> Path:
        """A file that Python wrote, under a name that its next answer does not take."""
        return (self._providing.folder / name).rename(self._providing.folder / f"provided{len(self.files)}_{name}")

    async def _drawn(self, names: Sequence[str]) -> Mapping[str, Mapping[str, str]] | Fault:
        if not names:
            return {}
        reply = await self._providing.draw(names, self.files)
        if isinstance(reply, Fault):
            return reply
        return reply.arrays if reply.fault is None else reply.fault

    async def _call(self, call: ReferenceCall, name: str, key: str) -> ReferenceOutputs | Fault:
        answer = await self._providing.call(call)
        if isinstance(answer, ReferenceOutputs):
            self.read.update(answer.files)
            return answer
        self.read.setdefault(str(call.file), "")
        return python_fault(answer, name, key)

    def _values(self) -> dict[str, int | float]:
        return {dim: self._providing.case.symbols[dim] for dim in self._providing.dims}


def python_fault(failure: ReferenceFailure, name: str, key: str) -> Fault:
    """Why the user's Python gave nothing: `name` as the contract calls it, on the line of `key`."""
    kind = _FAILURE_KINDS.get(failure.kind, "no_input")
    message = f"`{name}`: {failure.message}" if kind in ("input", "no_input") else failure.message
    return Fault(kind=kind, message=message, subject=key, hint=failure.hint, detail=failure.detail)


def with_files(case: Case, files: Mapping[str, ProvidedFile]) -> Case:
    """The case with its content."""
    return replace(case, files=files) if files else case


def _size_problem(path: Path, source: InputFile, buffer: BufferPlan, part: str) -> tuple[str, str] | None:
    """Why a file cannot be the content of a buffer, as far as its size says, before a byte of it is read; and what to do."""
    try:
        status = path.stat()
    except OSError as problem:
        return (f"cannot be read: {problem.strerror}", "") if path.exists() else ("does not exist", f"it is looked for at {path}")
    if not stat.S_ISREG(status.st_mode):
        return "is not a file", ""
    if fills_memory(source):
        needed = buffer.size_bytes - buffer.slack_bytes
        if not fits_memory(buffer, status.st_size):
            hint = "bytes are taken as they are; write an .npy file for an array with a shape and a type of its own"
            return f"has {status.st_size:,} bytes, and `{buffer.name}` has {needed:,}", hint
        return None
    most = prod(buffer.shapes[part]) * _LARGEST_ITEM_BYTES + _NPY_HEADER_BYTES
    if status.st_size > most:
        return (
            f"has {status.st_size:,} bytes; no array of {prod(buffer.shapes[part]):,} numbers has more than {most:,}",
            "does its shape fit?",
        )
    return None


def _seed(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:4], "little")


async def _sha256(path: Path) -> str:
    return await asyncio.to_thread(lambda: hashlib.sha256(path.read_bytes()).hexdigest())
