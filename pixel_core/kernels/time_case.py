"""How long one case takes on one engine, and numpy for the same product. Judges nothing: what is timed was checked before."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.engines.base import Engine, KernelJob, TimedRuns
from pixel_core.engines.bounded_cache import BoundedCache
from pixel_core.kernels.build_jobs import build_jobs
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expression_nodes import BinaryOperation, ExpressionProblem, NameUse
from pixel_core.kernels.planned import Case
from pixel_core.kernels.prepare_case import Inputs, draw_contents
from pixel_core.kernels.run_case import CheckedKernel, case_interface, expression_fault, failure_fault
from pixel_core.kernels.worker_messages import TimeReply

RESTORED_ROLES = frozenset({"inout", "accumulate"})
"""Buffers and textures that a run needs as they were before it."""

_LEAST_NUMPY_S = 0.01


class TimedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A case that is ready to be run any number of times.

    Attributes:
        job: What is run.
        restored: Buffers and textures that are written anew before each run.
        factors: The two matrices of the product that the contract expects, f32; None where it expects anything else.
    """

    job: KernelJob
    restored: frozenset[str]
    factors: tuple[NDArray[np.float32], NDArray[np.float32]] | None

    @property
    def size_bytes(self) -> int:
        """Memory that its contents take."""
        return sum(len(buffer.initial) for buffer in self.job.buffers.values()) + sum(one.nbytes for one in self.factors or ())


TimedJobs = BoundedCache[tuple[object, ...], TimedJob]


def time_case(engine: Engine, kernel: CheckedKernel, case: Case, runs: int, *, known: TimedJobs, with_numpy: bool) -> TimeReply:
    """Run a case many times.

    Args:
        engine: What executes it.
        kernel: Shader and contract.
        case: Planned.
        runs: How many times.
        known: Cases that were timed before, so that drawing their inputs again does not heat the machine.
        with_numpy: Time numpy's product as well.
    """
    files = tuple((name, file.sha256) for name, file in case.files.items())
    key = (kernel.source, kernel.contract.source.text, kernel.contract.name, case.name, case.seed, files)
    try:
        timed = known.get_or_make(key, lambda: _timed_job(kernel, case))
    except ExpressionProblem as problem:
        return TimeReply(fault=expression_fault(problem))
    answer = engine.time(timed.job, runs, timed.restored)
    if not isinstance(answer, TimedRuns):
        return TimeReply(fault=failure_fault(answer))
    numpy_s = _product_seconds(*timed.factors) if with_numpy and timed.factors is not None else None
    return TimeReply(timed=answer, numpy_s=numpy_s)


def _timed_job(kernel: CheckedKernel, case: Case) -> TimedJob:
    inputs, contents = draw_contents(case)
    job = build_jobs(kernel.source, case_interface(kernel, case), case, contents)[0]
    restored = frozenset(buffer.name for buffer in case.buffers if buffer.role in RESTORED_ROLES)
    return TimedJob(job=job, restored=restored, factors=_factors(kernel.contract, inputs))


def _factors(contract: KernelContract, inputs: Inputs) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """The operands of an only expectation `a @ b` of two plain f32 matrices."""
    if len(contract.expect) != 1:
        return None
    (expression,) = contract.expect.values()
    node = expression.tree
    if not (
        isinstance(node, BinaryOperation) and node.operator == "@" and isinstance(node.left, NameUse) and isinstance(node.right, NameUse)
    ):
        return None
    left, right = (_plain(inputs, side.name) for side in (node.left, node.right))
    return None if left is None or right is None else (left, right)


def _plain(inputs: Inputs, name: str) -> NDArray[np.float32] | None:
    parts: Mapping[str, NDArray[np.float32]] = inputs.get(name, {})
    values = parts.get("")
    return values if values is not None and values.dtype == np.float32 and values.ndim == 2 else None


def _product_seconds(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    np.matmul(left, right)  # starts the threads of numpy's library
    products, spent, started = 0, 0.0, time.process_time()
    while spent < _LEAST_NUMPY_S:
        np.matmul(left, right)
        products += 1
        spent = time.process_time() - started
    return spent / products
