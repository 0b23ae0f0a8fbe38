"""Lets the user's Python unpack what a kernel wrote, where no codec of ours can."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from math import prod
from pathlib import Path

import msgspec

from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.planned import Case
from pixel_core.kernels.provide_inputs import Call, python_fault
from pixel_core.kernels.reference_files import ReferenceFiles
from pixel_core.kernels.results import Fault
from pixel_core.kernels.run_reference import ReferenceCall, ReferenceFailure
from pixel_core.kernels.worker_messages import PackedFiles, UnpackedFiles


class UnpackedByPython(msgspec.Struct, frozen=True, kw_only=True):
    """What Python made of the outputs of a case.

    Attributes:
        outputs: By name.
        read: Every file of the workspace that took part → its SHA-256.
        fault: Why something is missing, or None.
    """

    outputs: Mapping[str, UnpackedFiles]
    read: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    fault: Fault | None = None


async def unpack_outputs(
    contract: KernelContract, case: Case, packed: Mapping[str, PackedFiles], *, workspace: Path, folder: Path, call: Call
) -> UnpackedByPython:
    """Unpack each output, and beside it what the codec makes of the truth. What goes wrong is a fault in the result.

    Args:
        contract: Its codecs in Python.
        case: Planned.
        packed: Output → what the kernel worker left in the folder.
        workspace: Folder that the user's files must lie inside.
        folder: Where the arrays are, and where the results go.
        call: Asks the user's Python.
    """
    outputs: dict[str, UnpackedFiles] = {}
    read: dict[str, str] = {}
    for number, (name, files) in enumerate(packed.items()):
        codec, shape = contract.python_codecs[name], case.buffer(name).shapes[""]
        asked = ReferenceCall(
            task="unpack",
            file=contract.source.path.parent / codec.file,
            function=codec.name,
            workspace=workspace,
            folder=folder,
            arrays={name: {"": files.truth}} if files.truth else {},
            values={},
            outputs={name: shape},
            memory=files.memory,
            memory_bytes=prod(shape) // codec.values * codec.bytes,
        )
        answer = await call(asked)
        if isinstance(answer, ReferenceFailure):
            read.setdefault(str(asked.file), "")
            return UnpackedByPython(outputs={}, read=read, fault=python_fault(answer, codec.text, f"codecs.{name}"))
        read.update(answer.files)
        made = answer.outputs[name]
        kept = ReferenceFiles(
            value=_kept(folder, number, made.value),
            nearest=None if made.nearest is None else _kept(folder, number, made.nearest),
            step=None if made.step is None else _kept(folder, number, made.step),
        )
        sha256 = await asyncio.to_thread(_sha256, Path(files.memory))
        outputs[name] = UnpackedFiles(files=kept, key=f"codecs.{name}", name=codec.text, sha256=sha256)
    return UnpackedByPython(outputs=outputs, read=read)


def _kept(folder: Path, number: int, name: str) -> str:
    """A file that Python wrote, under a name that its next answer does not take."""
    return (folder / name).rename(folder / f"output{number}_{name}").name


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
