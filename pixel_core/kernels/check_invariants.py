"""Conditions on the values after the last pass: which of them are broken, and by which element.

Numbers are taken as they came out. Integers are whole numbers here and do not wrap, so that `diff(keys) >= 0` says what it seems to
say of u32. Floats are computed in float64 with the error that f32 arithmetic could make on the way, and a comparison that this error
leaves open counts as holding: `sum(y, axis=1) == 1` asks for no more than f32 can give.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.kernels.bounded import INTEGER_KINDS, Bounded, from_input
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.evaluate import Inputs, output_scalar, whole_names_of
from pixel_core.kernels.evaluate_tree import KeyedProblem, Lookup, evaluate_tree
from pixel_core.kernels.expression_nodes import BinaryOperation, Comparison, Expression, ExpressionProblem, FunctionCall, Node
from pixel_core.kernels.operators import truth
from pixel_core.kernels.planned import Case
from pixel_core.kernels.read_invariants import OLD
from pixel_core.kernels.results import Fault

After = Mapping[str, Mapping[str, NDArray[Any]]]
"""Buffer → part → values after the last pass."""


def check_invariants(contract: KernelContract, case: Case, inputs: Inputs, after: After) -> list[Fault]:
    """The broken invariants of a case, each with the two sides of its comparison, at the first element that breaks it.

    Args:
        contract: Its `invariants` and `define`.
        case: Sizes, symbols, parameters.
        inputs: Values before the first pass; in `define` the name of a buffer means these.
        after: Values after the last pass, of every buffer but scratch.

    Raises:
        KeyedProblem: A mistake in an invariant, with its key (`invariants[0]`).
    """
    lookup = _names(contract, case, inputs, after)
    broken: list[Fault] = []
    for number, invariant in enumerate(contract.invariants):
        key = f"invariants[{number}]"
        witness = _checked(invariant, lookup, key)
        if witness is not None:
            broken.append(Fault(kind="invariant", subject=key, message=f"`{invariant.text.strip()}` does not hold{witness}"))
    return broken


def passing_dumb_values(contract: KernelContract, case: Case, inputs: Inputs, after: After, outputs: tuple[str, ...]) -> str | None:
    """What else would satisfy every invariant: `zeros`, or `what was there before`; None when these tell right from dumb.

    Args:
        contract: As above.
        case: As above.
        inputs: As above.
        after: As above.
        outputs: Those that only invariants speak of.
    """
    for name, dumb in (("zeros", _zeros(after, outputs)), ("what was there before", _before(inputs, after, outputs))):
        if dumb is None:
            continue
        lookup = _names(contract, case, inputs, dumb)
        try:
            if all(_checked(invariant, lookup, "") is None for invariant in contract.invariants):
                return name
        except KeyedProblem:
            # An index that came out of the kernel means nothing among zeros.
            continue
    return None


def _zeros(after: After, outputs: tuple[str, ...]) -> After:
    return {
        buffer: {part: np.zeros_like(values) if _named(buffer, part) in outputs else values for part, values in parts.items()}
        for buffer, parts in after.items()
    }


def _before(inputs: Inputs, after: After, outputs: tuple[str, ...]) -> After | None:
    if not all(buffer in inputs and part in inputs[buffer] for buffer, _, part in (output.partition(".") for output in outputs)):
        return None
    return {
        buffer: {part: inputs[buffer][part] if _named(buffer, part) in outputs else values for part, values in parts.items()}
        for buffer, parts in after.items()
    }


def _named(buffer: str, part: str) -> str:
    return f"{buffer}.{part}" if part else buffer


def _names(contract: KernelContract, case: Case, inputs: Inputs, after: After) -> Lookup:
    before = whole_names_of(contract, case, inputs)

    def lookup(name: str) -> Bounded:
        if name.startswith(OLD):
            return before(name[len(OLD) :])
        buffer, _, part = name.partition(".")
        if name not in contract.define and buffer in after and part in after[buffer]:
            scalar = output_scalar(case.buffer(buffer), part)
            return from_input(after[buffer][part], "int" if scalar in INTEGER_KINDS else scalar)
        return before(name)

    return lookup


def _checked(invariant: Expression, lookup: Lookup, key: str) -> str | None:
    """None when it holds; else where and how not."""
    try:
        return _broken(invariant, invariant.tree, lookup)
    except KeyedProblem:
        raise
    except ExpressionProblem as problem:
        raise KeyedProblem(problem, key) from None


def _broken(invariant: Expression, node: Node, lookup: Lookup) -> str | None:
    if isinstance(node, BinaryOperation) and node.operator == "and":
        left = _broken(invariant, node.left, lookup)
        return left if left is not None else _broken(invariant, node.right, lookup)
    value = evaluate_tree(replace(invariant, tree=node), lookup)
    if value.value.ndim:
        raise ExpressionProblem("an invariant is one condition, and this is an array of them", node.span, "write `all(…)` around it")
    if value.kind != "bool":
        raise ExpressionProblem("an invariant is true or false, and this is a number", node.span, "compare it with something")
    if bool(truth(value)[1]):
        return None
    if isinstance(node, FunctionCall) and node.function == "all" and len(node.arguments) == 1 and not node.keywords:
        return _first_breaking(invariant, node.arguments[0], lookup)
    if isinstance(node, Comparison):
        return f": {_sides(invariant, node, lookup, ())}"
    return f": `{_text(invariant, node)}` is false" if node is not invariant.tree else ""


def _first_breaking(invariant: Expression, inner: Node, lookup: Lookup) -> str:
    possible = np.asarray(truth(evaluate_tree(replace(invariant, tree=inner), lookup))[1])
    wrong = ~possible
    index = tuple(int(place) for place in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    at = f" at [{', '.join(map(str, index))}]" if index else ""
    many = f" ({int(wrong.sum()):,} of {wrong.size:,} elements)" if wrong.size > 1 else ""
    if not isinstance(inner, Comparison):
        return f"{at}{many}"
    return f"{at}: {_sides(invariant, inner, lookup, index)}{many}"


def _sides(invariant: Expression, node: Comparison, lookup: Lookup, index: tuple[int, ...]) -> str:
    """`diff(keys)` is -3, and `0` is … said only of what is not a plain number."""
    shown: list[str] = []
    for side in (node.left, node.right):
        value = evaluate_tree(replace(invariant, tree=side), lookup).value
        shape = (1,) * (len(index) - value.ndim) + value.shape
        place = tuple(0 if length == 1 else at for at, length in zip(index, shape, strict=True))
        number = value.reshape(shape)[place]
        text, figures = _text(invariant, side), _number(number)
        if text != figures:
            shown.append(f"`{text}` is {figures}")
    return " and ".join(shown)


def _number(number: Any) -> str:
    if isinstance(number, np.bool_):
        return "true" if number else "false"
    return str(int(number)) if isinstance(number, np.integer) else f"{float(number):.9g}"


def _text(invariant: Expression, node: Node) -> str:
    return invariant.text[node.span.start : node.span.end].strip()
