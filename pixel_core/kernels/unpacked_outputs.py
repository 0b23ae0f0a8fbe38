"""Outputs that only the user's Python can unpack: left in a folder for it, and read when it has. In the kernel worker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Union

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.engines.base import KernelRun
from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.infer_roles import OUTPUT_ROLES
from pixel_core.kernels.packing import Packing
from pixel_core.kernels.planned import Case
from pixel_core.kernels.read_provided import InputProblem
from pixel_core.kernels.worker_messages import PackedFiles, UnpackedFiles


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """An output as the user's Python read it.

    Attributes:
        values: What the kernel wrote, f32 of the logical shape.
        packing: What the codec makes of the truth; None where it was not asked, or has no `encode`.
    """

    values: NDArray[Any]
    packing: Packing | None


Unpack = Callable[[KernelRun, Mapping[str, Bounded]], Union[Mapping[str, Unpacked], None]]
"""The outputs of a run that Python unpacks, by name; None while it has not."""


class UnpackedOutputs:
    """The outputs of one case that only Python can unpack.

    Args:
        contract: Its codecs and compare modes.
        case: Planned.
        folder: Where files are left and found.
        unpacked: What Python has made of them; empty at first.

    Attributes:
        names: Of these outputs.
        packed: What `read` has left for Python.
    """

    def __init__(self, contract: KernelContract, case: Case, folder: Path, unpacked: Mapping[str, UnpackedFiles]) -> None:
        self._contract = contract
        self._case = case
        self._folder = folder
        self._unpacked = unpacked
        self.names = tuple(one.name for one in case.buffers if one.has_python_codec and one.role in OUTPUT_ROLES)
        self.packed: dict[str, PackedFiles] = {}

    def read(self, run: KernelRun, truths: Mapping[str, Bounded]) -> dict[str, Unpacked] | None:
        """What Python has unpacked of a run; None, with `packed` filled, where it has not been asked yet.

        Raises:
            InputProblem: It unpacked the bytes of another run, or says too little for the way in which the output is compared.
        """
        if not self._unpacked:
            for number, name in enumerate(self.names):
                self.packed[name] = self._left(name, number, run, truths.get(name))
            return None
        return {name: self._found(name, self._unpacked[name], run) for name in self.names}

    def _left(self, name: str, number: int, run: KernelRun, truth: Bounded | None) -> PackedFiles:
        memory = self._folder / f"output{number}.bin"
        memory.write_bytes(run.buffers[name])
        if truth is None:
            return PackedFiles(memory=str(memory))
        with np.errstate(all="ignore"):
            np.save(self._folder / f"truth{number}.npy", truth.value.astype(np.float32), allow_pickle=False)
        return PackedFiles(memory=str(memory), truth=f"truth{number}.npy")

    def _found(self, name: str, unpacked: UnpackedFiles, run: KernelRun) -> Unpacked:
        if hashlib.sha256(run.buffers[name]).hexdigest() != unpacked.sha256:
            hint = "look for a missing barrier, or for two invocations that store into one word"
            raise _problem(unpacked, f"`{name}` differs between two runs with the same inputs", hint)
        values, nearest, step = (self._array(one) for one in (unpacked.files.value, unpacked.files.nearest, unpacked.files.step))
        assert values is not None
        packing = None if nearest is None else Packing(nearest=nearest.astype(np.float64), step=step)
        compare = self._contract.compare.get(name)
        if compare is not None and compare.mode == "quantised" and step is None:
            hint = "let `decode` return (values, step): how far each value lies from its neighbours"
            raise _problem(unpacked, f"`{name}` is compared as `quantised`, and `{unpacked.name}` says no steps", hint)
        return Unpacked(values=values, packing=packing)

    def _array(self, name: str | None) -> NDArray[Any] | None:
        return None if name is None else np.load(self._folder / name, allow_pickle=False)


def _problem(unpacked: UnpackedFiles, message: str, hint: str) -> InputProblem:
    return InputProblem(ExpressionProblem(message, None, hint), unpacked.key)
