"""Calls a contract's reference function in the user's interpreter, in a child process that stays warm until a file of it changes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Union

import msgspec

from pixel_core.kernels.planned import ParameterValue
from pixel_core.kernels.reference_files import ReferenceFiles
from pixel_core.kernels.workspace_files import resolve_inside
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.launcher import Launch
from pixel_core.processes.supervisor import Supervisor

_WORKER = Path(__file__).with_name("reference_worker.py")
_KEPT_CHILDREN = 4

__all__ = ["ReferenceCall", "ReferenceFailure", "ReferenceFiles", "ReferenceOutputs", "ReferenceRunner"]


class ReferenceCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of `f(**buffers, **dims)`.

    Attributes:
        task: `reference`; `input` for a function that makes the content of one buffer, which gets `seed` and `rng` besides and returns the
            array alone; `codec` for an object that packs one buffer; or `unpack` for the same object, to read what a kernel wrote.
        file: Python file; absolute, not resolved yet.
        function: Its name there.
        workspace: Folder that the file must lie inside.
        folder: Where the arrays are, and where the results go.
        arrays: Buffer → part (`""` for a plain array) → name of its `.npy` file in the folder.
        values: Dims by name.
        settings: Uniforms and overrides by name, for functions that name them.
        outputs: Output → shape that it must have.
        optional: Outputs that the function may leave out, because the contract has another truth for them.
        seed: Of an input.
        scalar: Of an input: what the buffer holds.
        memory: Of a codec: path of the bytes to unpack; empty where the array is to be packed. To read what a kernel wrote there may be
            an array as well: the truth, to be packed and unpacked beside it.
        memory_bytes: Of a codec: how many bytes the array has when it is packed.
    """

    task: str = "reference"
    file: Path
    function: str
    workspace: Path
    folder: Path
    arrays: Mapping[str, Mapping[str, str]]
    values: Mapping[str, int | float]
    settings: Mapping[str, ParameterValue] = msgspec.field(default_factory=dict[str, "ParameterValue"])
    outputs: Mapping[str, tuple[int, ...]]
    optional: tuple[str, ...] = ()
    seed: int = 0
    scalar: str = ""
    memory: str = ""
    memory_bytes: int = 0


class ReferenceOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the function returned.

    Attributes:
        outputs: Output → its files in the call's folder.
        files: Every workspace file that took part → its sha256.
    """

    outputs: Mapping[str, ReferenceFiles]
    files: Mapping[str, str]


class ReferenceFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no reference.

    Attributes:
        kind: `no_interpreter`, `no_numpy`, `outside_workspace`, `no_file`, `import`, `wrong_signature`, `raised`, `memory`, `exited`,
            `timeout`, `cancelled` or `wrong_result`.
        message: One sentence.
        hint: What to do; empty for none.
        detail: Traceback or standard error; empty for none.
    """

    kind: str
    message: str
    hint: str = ""
    detail: str = ""


class _Failure(msgspec.Struct, frozen=True):
    kind: str
    message: str
    detail: str


class _Reply(msgspec.Struct, frozen=True):
    outputs: dict[str, ReferenceFiles]
    files: dict[str, str]
    failure: _Failure | None


class _Child:
    """A process that has one file loaded; one call at a time.

    Attributes:
        supervisor: Its parent's end.
        files: What it imported from the workspace → sha256.
        turn: Held during a call.
    """

    def __init__(self, launch: Launch) -> None:
        self.supervisor = Supervisor(launch, keep_spare=False)
        self.files: Mapping[str, str] = {}
        self.turn = asyncio.Lock()


class ReferenceRunner:
    """Runs references in one interpreter, each file in a child of its own.

    Args:
        interpreter: The user's Python.
        memory_bytes: Address space of a child; 0 for no limit.
    """

    def __init__(self, interpreter: Path, *, memory_bytes: int = 0) -> None:
        self._interpreter = interpreter
        self._memory_bytes = memory_bytes
        self._children: dict[Path, _Child] = {}

    async def run(
        self, call: ReferenceCall, *, timeout_s: float, cancel: asyncio.Event | None = None
    ) -> Union[ReferenceOutputs, ReferenceFailure]:
        """Call the function. Whatever it does is a value."""
        name = call.file.name
        file = resolve_inside(call.workspace, call.file)
        if file is None:
            hint = "move it into the workspace"
            return ReferenceFailure(kind="outside_workspace", message=f"`{name}` lies outside of {call.workspace}", hint=hint)
        if not file.is_file():
            return ReferenceFailure(kind="no_file", message=f"`{name}` does not exist", hint=f"it is looked for at {file}")
        # References of other files wait for nothing: one that takes long must not keep them.
        child = self._children[file] = self._children.pop(file, None) or _Child(self._launch())
        async with child.turn:
            if any(_sha256(Path(path)) != known for path, known in child.files.items()):
                await child.supervisor.close()
                child.supervisor = Supervisor(self._launch(), keep_spare=False)
            reply = await child.supervisor.request(_request(call, file), _Reply, timeout_s=timeout_s, cancel=cancel)
            if not isinstance(reply, ChildExit):
                child.files = reply.files
        await self._end_surplus()
        if isinstance(reply, ChildExit):
            return self._ended(reply, timeout_s)
        if reply.failure is not None:
            hint = f"{self._interpreter} -m pip install numpy" if reply.failure.kind == "no_numpy" else ""
            failure = reply.failure
            return ReferenceFailure(kind=failure.kind, message=failure.message, hint=hint, detail=failure.detail)
        return ReferenceOutputs(outputs=reply.outputs, files=reply.files)

    async def close(self) -> None:
        """End every child."""
        children, self._children = list(self._children.values()), {}
        await asyncio.gather(*(child.supervisor.close() for child in children))

    def _launch(self) -> Launch:
        command = (str(self._interpreter), str(_WORKER), "--parent", "{parent}", "--memory-bytes", str(self._memory_bytes))
        return Launch(command=command)

    async def _end_surplus(self) -> None:
        """End the children that were idle for the longest time, as far as there are too many."""
        idle = [file for file, child in self._children.items() if not child.turn.locked()]
        surplus = [self._children.pop(file) for file in idle[: max(len(self._children) - _KEPT_CHILDREN, 0)]]
        await asyncio.gather(*(child.supervisor.close() for child in surplus))

    def _ended(self, end: ChildExit, timeout_s: float) -> ReferenceFailure:
        detail = end.stderr_tail
        if end.reason == "timeout":
            hint = "raise `budget = { seconds = … }`, or use smaller sizes in the cases"
            return ReferenceFailure(kind="timeout", message=f"it did not return within {timeout_s:g} s", hint=hint, detail=detail)
        if end.reason == "cancelled":
            return ReferenceFailure(kind="cancelled", message="the check was cancelled")
        if end.exit_code is None:
            message = f"{self._interpreter} cannot be started"
            return ReferenceFailure(kind="no_interpreter", message=message, hint="name another one with `--python`", detail=detail)
        if end.reason == "memory":
            return ReferenceFailure(kind="memory", message="it needs more memory than it may have", detail=detail)
        how = f"was ended by signal {-end.exit_code}" if end.exit_code < 0 else f"ended with exit code {end.exit_code}"
        return ReferenceFailure(kind="exited", message=f"its process {how} instead of returning", detail=detail)


def _request(call: ReferenceCall, file: Path) -> Mapping[str, object]:
    return {
        "task": call.task,
        "file": str(file),
        "function": call.function,
        "workspace": str(call.workspace.resolve()),
        "folder": str(call.folder),
        "arrays": call.arrays,
        "values": call.values,
        "settings": call.settings,
        "outputs": call.outputs,
        "optional": call.optional,
        "seed": call.seed,
        "scalar": call.scalar,
        "memory": call.memory,
        "memory_bytes": call.memory_bytes,
    }


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
