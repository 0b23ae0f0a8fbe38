"""One output of a run, held against its truth in the way that its contract says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.compare import compare_output
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.default_compare import default_compare
from pixel_core.kernels.evaluate import Inputs, names_of, output_scalar, split_output
from pixel_core.kernels.evaluate_tree import KeyedProblem, evaluate_tree
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.packing import Packing, held_by_packing
from pixel_core.kernels.patterns import PatternContext
from pixel_core.kernels.planned import Case
from pixel_core.kernels.results import OutputResult


def hold_output(
    contract: KernelContract,
    case: Case,
    inputs: Inputs,
    output: str,
    truth: Bounded,
    actual: NDArray[Any],
    context: PatternContext,
    packing: Packing | None = None,
) -> OutputResult:
    """Judge one output.

    Args:
        contract: Its `compare`.
        case: Sizes, symbols, buffers.
        inputs: Values before the first pass.
        output: `c` or `particles.pos`.
        truth: What it must be.
        actual: What the kernel wrote, of the same shape.
        context: For patterns and dumb outputs.
        packing: What its codec makes of the truth, of the same shape; None where it has none, or one that rounds to no steps.

    Raises:
        KeyedProblem: What `argsort(…)` names cannot be computed, or has another shape.
    """
    buffer, part = split_output(case, output)
    scalar = output_scalar(buffer, part)
    has_steps = packing is not None and packing.step is not None
    compare = contract.compare.get(output) or default_compare(scalar, contract.span, has_steps=has_steps)
    if packing is not None:
        truth = held_by_packing(truth, packing, compare.mode)
    if scalar == "f16":
        actual = actual.astype(np.float16)  # packed halves were read as f32, which changes none
    level = packing.step if packing is not None and packing.step is not None else 1.0
    try:
        keys = None if compare.of is None else evaluate_tree(compare.of, names_of(contract, case, inputs))
        return compare_output(truth, actual, compare, output=output, context=context, keys=keys, level=level)
    except KeyedProblem:
        raise
    except ExpressionProblem as problem:
        raise KeyedProblem(problem, f"compare.{output}") from None
