"""How much of each output is compared: `valid`, computed once the truths are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.evaluate import Inputs, names_of, split_output
from pixel_core.kernels.evaluate_tree import KeyedProblem, Lookup, evaluate_tree
from pixel_core.kernels.expression_nodes import Expression, ExpressionProblem
from pixel_core.kernels.planned import Case


def evaluate_valid(contract: KernelContract, case: Case, inputs: Inputs, truths: Mapping[str, Bounded]) -> dict[str, int]:
    """The length of the valid prefix, along the first axis, of every output that has one.

    Args:
        contract: Its `valid` and `define`.
        case: Sizes, symbols, parameters.
        inputs: Buffer → part → values before the first pass.
        truths: Output → what it must be. In `valid` the name of an output means this, not what it held before.

    Raises:
        KeyedProblem: A mistake in an expression, or a length that the output cannot have, with its key (`valid.kept`).
    """
    names = names_of(contract, case, inputs)

    def lookup(name: str) -> Bounded:
        return truths[name] if name in truths else names(name)

    return {output: _length(expression, lookup, case, output) for output, expression in contract.valid.items()}


def _length(expression: Expression, lookup: Lookup, case: Case, output: str) -> int:
    try:
        return _whole(evaluate_tree(expression, lookup), case, output)
    except KeyedProblem:
        raise
    except ExpressionProblem as problem:
        raise KeyedProblem(problem, f"valid.{output}") from None


def _whole(found: Bounded, case: Case, output: str) -> int:
    buffer, part = split_output(case, output)
    longest = (*buffer.shapes[part], 1)[0]
    if found.value.size != 1 or not np.isfinite(found.value).all() or float(found.value.reshape(())) % 1:
        raise ExpressionProblem("a length is one whole number", None, 'name the element that holds it: "count[0]"')
    length = int(found.value.reshape(()))
    if not 0 <= length <= longest:
        raise ExpressionProblem(f"{length:,} elements of `{output}` would be valid, and it has {longest:,}")
    return length
