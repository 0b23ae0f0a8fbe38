"""One expression tree in bounded values: names from an environment, functions from a table, mistakes on the node that made them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import numpy as np

from pixel_core.findings import Span
from pixel_core.kernels import operators, reductions
from pixel_core.kernels.array_functions import ARRAY_FUNCTIONS, Implementation
from pixel_core.kernels.bounded import Argument, Array, Bounded, literal
from pixel_core.kernels.elementwise import power
from pixel_core.kernels.expression_nodes import (
    BinaryOperation,
    Comparison,
    Conditional,
    Expression,
    ExpressionProblem,
    FunctionCall,
    NameUse,
    Node,
    Number,
    Sequence,
    Slice,
    Subscript,
    UnaryOperation,
)
from pixel_core.kernels.functions import FUNCTIONS
from pixel_core.kernels.rearrange import as_array, gather, whole_indices

Result = TypeVar("Result")


class Lookup(Protocol):
    """Finds the value of a name; raises ExpressionProblem for one that means nothing here."""

    def __call__(self, name: str) -> Bounded:
        """The value of `name`."""
        ...


class KeyedProblem(ExpressionProblem):
    """An expression problem that knows whose expression it is.

    Attributes:
        key: Dotted key of the contract: `expect.c`, `define.e`, `inputs.x`.
    """

    def __init__(self, problem: ExpressionProblem, key: str) -> None:
        super().__init__(problem.message, problem.span, problem.hint)
        self.key = key


def evaluate_tree(expression: Expression, lookup: Lookup, functions: Mapping[str, Implementation] = ARRAY_FUNCTIONS) -> Bounded:
    """The value of an expression.

    Args:
        expression: A parsed expression.
        lookup: Value of a name.
        functions: Implementations by name.

    Raises:
        ExpressionProblem: A mistake, with the span of the node that made it.
    """
    with np.errstate(all="ignore"):
        return as_array(_Evaluator(lookup, functions).evaluate(expression.tree))


CONSTANTS: Mapping[str, float | bool] = {"pi": math.pi, "inf": math.inf, "nan": math.nan, "true": True, "false": False}


class _Evaluator:
    def __init__(self, lookup: Lookup, functions: Mapping[str, Implementation]) -> None:
        self._lookup = lookup
        self._functions = functions

    def evaluate(self, node: Node) -> Argument:
        # Depth is bounded by the parser (MAX_DEPTH), so recursion is safe.
        match node:
            case Number():
                return literal(float(node.value) if node.is_float or node.value.denominator != 1 else int(node.value))
            case NameUse():
                return _guarded(node.span, lambda: self._name(node.name))
            case UnaryOperation():
                operand = self._array(node.operand)
                return _guarded(node.span, lambda: _unary(node.operator, operand))
            case BinaryOperation():
                left, right = self._array(node.left), self._array(node.right)
                return _guarded(node.span, lambda: _binary(node.operator, left, right))
            case Comparison():
                left, right = self._array(node.left), self._array(node.right)
                return _guarded(node.span, lambda: operators.compare(node.operator, left, right))
            case Conditional():
                return self._conditional(node)
            case FunctionCall():
                return self._call(node)
            case Subscript():
                return self._subscript(node)
            case Sequence():
                return tuple(self.evaluate(item) for item in node.items)

    def _array(self, node: Node) -> Bounded:
        value = self.evaluate(node)
        return value if isinstance(value, Bounded) else _guarded(node.span, lambda: as_array(value))

    def _name(self, name: str) -> Bounded:
        return literal(CONSTANTS[name]) if name in CONSTANTS else self._lookup(name)

    def _conditional(self, node: Conditional) -> Argument:
        condition = self._array(node.condition)
        if condition.value.ndim:
            raise ExpressionProblem("`if` takes one condition, and this is an array", node.condition.span, "write `where(condition, a, b)`")
        if not condition.is_exact:
            return operators.where(condition, self._array(node.then), self._array(node.otherwise))
        return self.evaluate(node.then if bool(condition.value) else node.otherwise)

    def _call(self, node: FunctionCall) -> Argument:
        implementation = self._functions.get(node.function)
        if implementation is None:
            raise ExpressionProblem(f"`{node.function}` is not a function of arrays", node.span)
        arguments = [self.evaluate(argument) for argument in node.arguments]
        keywords = {name: self.evaluate(value) for name, value in node.keywords}
        rule = FUNCTIONS.get(node.function)
        signature = rule.signature if rule is not None else node.function
        # The reader has checked the number of arguments and their names; what is left is a keyword given twice.
        return _guarded(
            node.span, lambda: implementation(*arguments, **keywords), wrong_call=f"`{signature}` is called with other arguments"
        )

    def _subscript(self, node: Subscript) -> Bounded:
        base = self._array(node.base)
        arrays = [item for item in node.indices if item is not None and not isinstance(item, Slice)]
        if len(arrays) == 1:
            index = self._array(arrays[0])
            if index.value.ndim or not index.is_exact:
                return _guarded(node.span, lambda: self._gathered(base, node, index))
        indices = tuple(self._index(item, base, position) for position, item in enumerate(node.indices))
        return _guarded(node.span, lambda: base.rearranged(lambda array: np.asarray(array[indices])))

    def _gathered(self, base: Bounded, node: Subscript, index: Bounded) -> Bounded:
        """`x[:, ids]`: one array of indices, whole axes elsewhere."""
        position = next(place for place, item in enumerate(node.indices) if item is not None and not isinstance(item, Slice))
        if any(item is None or not _is_whole_axis(item) for place, item in enumerate(node.indices) if place != position):
            raise ExpressionProblem("an array of indices goes with whole axes only", None, "index in two steps: `x[ids][:, a:b]`")
        if index.kind == "bool":
            raise ExpressionProblem(
                "a condition cannot choose elements, because the shape would depend on data", None, "write `where(condition, x, 0)`"
            )
        return gather(base, index, literal(position))

    def _index(self, item: Node | Slice | None, base: Bounded, position: int) -> int | slice | Array | None:
        if item is None:
            return None
        if isinstance(item, Slice):
            return slice(*(None if part is None else self._whole(part) for part in (item.start, item.stop, item.step)))
        value = self._array(item)
        axis = position  # a new axis before it only makes the range check below more lenient; numpy checks again
        if not value.value.ndim:
            return self._whole(item)
        if axis >= base.value.ndim:
            raise ExpressionProblem(f"too many indices: the array has {base.value.ndim} axes", item.span)
        return _guarded(item.span, lambda: whole_indices(value, base.shape[axis])).value

    def _whole(self, node: Node) -> int:
        value = self._array(node)
        return _guarded(node.span, lambda: reductions.whole_number(value, "an index"))


def _guarded(span: Span, compute: Callable[[], Result], wrong_call: str | None = None) -> Result:
    """Run one step; whatever it refuses is put on the node's span."""
    try:
        return compute()
    except ExpressionProblem as problem:
        if problem.span is not None:
            raise
        raise ExpressionProblem(problem.message, span, problem.hint) from None
    except MemoryError:
        raise ExpressionProblem("this needs more memory than the worker may use", span, "use smaller cases") from None
    except TypeError:
        if wrong_call is None:
            raise
        raise ExpressionProblem(wrong_call, span) from None
    except (ValueError, IndexError) as error:
        # numpy's own words: every shape that it can refuse was made by this expression.
        raise ExpressionProblem(str(error), span) from None


def _is_whole_axis(item: Node | Slice) -> bool:
    return isinstance(item, Slice) and item.start is None and item.stop is None and item.step is None


def _unary(operator: str, operand: Bounded) -> Bounded:
    match operator:
        case "-":
            return operators.negate(operand)
        case "~":
            return operators.invert(operand)
        case "not":
            return operators.logical_not(operand)
        case _:
            return operand


def _binary(operator: str, left: Bounded, right: Bounded) -> Bounded:
    if operator == "@":
        return reductions.matmul(left, right)
    if operator == "**":
        return power(left, right)
    if operator in operators.BINARY:
        return operators.BINARY[operator](left, right)
    return operators.bitwise(operator, left, right)
