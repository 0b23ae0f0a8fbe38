"""Content that is not drawn: arrays and bytes that a file, a function or a codec in Python left. In the kernel worker."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import show_shape
from pixel_core.kernels.evaluate_tree import KeyedProblem
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.plan_buffers import fits_memory
from pixel_core.kernels.planned import BufferPlan, Case
from pixel_core.kernels.provided_file import ProvidedFile

_NPY_MAGIC = b"\x93NUMPY"


class InputProblem(KeyedProblem):
    """A file or a function that does not give what the contract says."""


def read_memory(case: Case, buffer: BufferPlan) -> bytes | None:
    """The bytes of a buffer, without its slack, where something provides them; None where not.

    Raises:
        InputProblem: They cannot be read, or are too many or too few.
    """
    file = case.files.get(buffer.name)
    if file is None or not file.memory:
        return None
    data = _read(file, file.memory)
    needed = buffer.size_bytes - buffer.slack_bytes
    if not fits_memory(buffer, len(data)):
        raise _problem(file, f"has {len(data):,} bytes, and `{buffer.name}` has {needed:,}")
    return data.ljust(needed, b"\0")


def read_values(case: Case, buffer: BufferPlan, part: str, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """The values of a part, where something provides them; None where not.

    Args:
        case: Says where they are.
        buffer: The buffer.
        part: Of the buffer.
        dtype: What it holds.

    Raises:
        InputProblem: They cannot be read, or are of another shape or type.
    """
    file = case.files.get(f"{buffer.name}.{part}" if part else buffer.name)
    if file is None or not file.values:
        return None
    data = _read(file, file.values)
    if not data.startswith(_NPY_MAGIC):
        raise _problem(file, "is no .npy file", "save one array with `numpy.save`")
    try:
        values: NDArray[Any] = np.load(BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        # numpy's own words advise to load what could run code.
        raise _problem(
            file, "is damaged, or holds Python objects instead of numbers", "save one array of numbers with `numpy.save`"
        ) from None
    if values.dtype.kind not in "biuf":
        raise _problem(file, f"holds {values.dtype}; numbers are needed", f"save it as {dtype}")
    if values.shape != buffer.shapes[part]:
        raise _problem(
            file,
            f"has the shape {show_shape(values.shape)}, and the contract says {show_shape(buffer.shapes[part])}",
            "correct the shape, or the sizes of the case",
        )
    if file.is_exact and not np.can_cast(values.dtype, dtype, "safe"):
        raise _problem(file, f"holds {values.dtype}, and `{buffer.name}` holds {dtype}", f"save it as {dtype}: `x.astype(numpy.{dtype})`")
    return values


def _read(file: ProvidedFile, path: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise _problem(file, f"cannot be read: {problem.strerror}") from None
    if file.is_exact and hashlib.sha256(data).hexdigest() != file.sha256:
        raise _problem(file, "changed while it was read", "check again")
    return data


def _problem(file: ProvidedFile, what: str, hint: str | None = None) -> InputProblem:
    return InputProblem(ExpressionProblem(f"`{file.name}` {what}", None, hint), file.key)
