"""`argsort(of)`: indices are right when they lead to the right values, whichever of several equal ones they take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import Bounded, Floats
from pixel_core.kernels.expression_nodes import ExpressionProblem

Bits = NDArray[np.bool_]


def judge_indices(candidate: NDArray[Any], expected: NDArray[Any], keys: Bounded) -> tuple[Bits, Floats]:
    """Which indices are wrong, and by how much what they lead to differs.

    An index is wrong when it is out of range, occurs a second time in its row, or leads to another value than the expected one does.
    Values that may be equal within their errors are.

    Args:
        candidate: Whole numbers of shape [..., k].
        expected: Of the same shape.
        keys: What the indices sort, of shape [..., n]; the axes before the last are those of the indices.

    Raises:
        ExpressionProblem: The shapes do not fit.
    """
    value = keys.value
    if not value.ndim or value.shape[:-1] != candidate.shape[:-1] or candidate.shape[-1] > value.shape[-1]:
        shapes = f"[{', '.join(map(str, candidate.shape))}] and [{', '.join(map(str, value.shape))}]"
        raise ExpressionProblem(
            f"indices and what they sort have the shapes {shapes}, which do not fit", None, "axes before the last are equal"
        )
    found, wanted = candidate.astype(np.int64), expected.astype(np.int64)
    length = value.shape[-1]
    inside = (found >= 0) & (found < length)
    held = np.where(inside, found, 0)
    bound = np.broadcast_to(keys.bound, value.shape)
    taken, right = np.take_along_axis(value, held, -1), np.take_along_axis(value, wanted, -1)
    room = np.take_along_axis(bound, held, -1) + np.take_along_axis(bound, wanted, -1)
    error = np.abs(taken.astype(np.float64) - right.astype(np.float64))
    alike = (error <= room) | (taken == right) | (np.isnan(taken.astype(np.float64)) & np.isnan(right.astype(np.float64)))
    wrong = ~alike | ~inside | _repeated(held)
    return wrong, np.where(inside, np.where(taken == right, 0.0, error), np.inf)


def _repeated(indices: NDArray[np.int64]) -> Bits:
    """Where an index stands that occurs earlier in its row."""
    order = np.argsort(indices, axis=-1, kind="stable")
    ascending = np.take_along_axis(indices, order, -1)
    again = np.zeros(indices.shape, dtype=np.bool_)
    again[..., 1:] = ascending[..., 1:] == ascending[..., :-1]
    repeated = np.zeros(indices.shape, dtype=np.bool_)
    np.put_along_axis(repeated, order, again, -1)
    return repeated
