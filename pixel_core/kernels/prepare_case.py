"""What a case needs before it runs: inputs, the bytes of every buffer, and the truth of every output."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.engines.bounded_cache import BoundedCache
from pixel_core.kernels.bound_from_reference import bound_from_reference
from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.contents import encode_content
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.draw_inputs import draw_inputs
from pixel_core.kernels.evaluate import evaluate_expect, held_by, input_scalar, split_output
from pixel_core.kernels.evaluate_valid import evaluate_valid
from pixel_core.kernels.planned import Case
from pixel_core.kernels.read_provided import read_memory
from pixel_core.kernels.reference_files import ReferenceFiles

Inputs = Mapping[str, Mapping[str, NDArray[Any]]]
Reference = tuple[NDArray[Any], NDArray[Any] | None]
"""Value and scale of one output, as a reference function gave them."""

PreparedCases = BoundedCache[str, "PreparedCase"]

_INPUT_ROLES = frozenset({"in", "table", "inout", "accumulate"})


class PreparedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case before it runs.

    Attributes:
        inputs: Buffer → part → values before the first pass.
        contents: Bytes of every buffer that has content before the first pass.
        truths: Output → its value with its error.
        valid: Output → how many elements of its first axis are compared, where that is not all.
        inputs_s: CPU seconds to draw and encode; 0 when it was known already.
        reference_s: CPU seconds to compute the truths; likewise.
    """

    inputs: Inputs
    contents: Mapping[str, bytes]
    truths: Mapping[str, Bounded]
    valid: Mapping[str, int]
    inputs_s: float
    reference_s: float

    @property
    def size_bytes(self) -> int:
        """Memory that its arrays take."""
        arrays = [values for parts in self.inputs.values() for values in parts.values()]
        arrays += [array for truth in self.truths.values() for array in (truth.value, truth.bound, truth.spread)]
        return sum(array.nbytes for array in arrays) + sum(len(content) for content in self.contents.values())


def prepare_case(
    contract: KernelContract,
    case: Case,
    references: Mapping[str, Reference],
    known: PreparedCases,
    ask: Callable[[Inputs], Mapping[str, Bounded]] = lambda _: {},
) -> PreparedCase:
    """Draw, encode, and compute what must come out.

    Args:
        contract: Its `expect`, `define` and `codecs`.
        case: Sizes, symbols, seed, input expressions.
        references: Output → what the reference function returned.
        known: Cases prepared before; a case is found again when nothing that determines its numbers has changed.
        ask: An oracle: inputs → the truths of outputs.

    Raises:
        ExpressionProblem: A mistake in an expression of the contract; as a `KeyedProblem` it knows in which.
    """
    before = time.process_time()
    prepared = known.get_or_make(_fingerprint(contract, case), lambda: _prepare(contract, case))
    truths = {**ask(prepared.inputs), **prepared.truths}
    for output, (value, scale) in references.items():
        buffer, part = split_output(case, output)
        scalar = input_scalar(buffer, part)
        truths[output] = held_by(buffer, bound_from_reference(value, scale, scalar=scalar, inputs=prepared.inputs))
    valid = evaluate_valid(contract, case, prepared.inputs, truths)
    spent = time.process_time() - before
    inputs_s = min(prepared.inputs_s, spent)
    return PreparedCase(
        inputs=prepared.inputs,
        contents=prepared.contents,
        truths=truths,
        valid=valid,
        inputs_s=inputs_s,
        reference_s=max(spent - inputs_s, 0.0),
    )


def read_references(folder: Path, files: Mapping[str, ReferenceFiles]) -> dict[str, Reference]:
    """The arrays that a reference function left in a folder.

    Raises:
        ValueError: A file is damaged, or holds objects.
        OSError: A file is not there.
    """
    return {
        output: (
            np.load(folder / one.value, allow_pickle=False),
            None if one.scale is None else np.load(folder / one.scale, allow_pickle=False),
        )
        for output, one in files.items()
    }


def draw_contents(case: Case) -> tuple[Inputs, dict[str, bytes]]:
    """The inputs of a case, and the bytes of every buffer that has content before the first pass.

    Raises:
        ExpressionProblem: A mistake in an expression of the contract.
    """
    inputs = draw_inputs(case)
    contents = {
        buffer.name: read_memory(case, buffer) or encode_content(buffer, inputs.get(buffer.name, {}))
        for buffer in case.buffers
        if buffer.role in _INPUT_ROLES
    }
    return inputs, contents


def _prepare(contract: KernelContract, case: Case) -> PreparedCase:
    before = time.process_time()
    inputs, contents = draw_contents(case)
    drawn = time.process_time()
    truths = evaluate_expect(contract, case, inputs)
    reference_s = time.process_time() - drawn
    return PreparedCase(inputs=inputs, contents=contents, truths=truths, valid={}, inputs_s=drawn - before, reference_s=reference_s)


def _hashes(case: Case) -> dict[str, str]:
    return {name: file.sha256 for name, file in case.files.items()}


def _fingerprint(contract: KernelContract, case: Case) -> str:
    """Everything that the numbers of a case depend on, and nothing of where it stands in a file."""
    uniforms = [
        (binding.variable, binding.uniform_type, binding.uniform_value)
        for dispatch in case.dispatches
        for binding in dispatch.bindings
        if binding.uniform_type is not None
    ]
    samplers = [(one.variable, one.sampler) for dispatch in case.dispatches for one in dispatch.bindings if one.sampler is not None]
    texts = [
        {name: expression.text for name, expression in expressions.items()}
        for expressions in (case.inputs, contract.define, contract.expect)
    ]
    return hashlib.sha256(
        repr((case.seed, dict(case.symbols), case.buffers, uniforms, samplers, texts, _hashes(case))).encode("utf-8", "surrogatepass")
    ).hexdigest()
