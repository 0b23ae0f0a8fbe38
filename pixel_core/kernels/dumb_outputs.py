"""Outputs that nobody computed: zeros, the best constant, a copy of an input. A case that they would pass says nothing.

An all-zero softmax over 16,384 columns passes `allclose` at 1e-4, and a constant passes the mean square error of a long positive
matrix product: such a case must not count as evidence, whatever the kernel did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.judgement import Yardstick, judge
from pixel_core.kernels.memory import DTYPES

SAMPLE = 64


def passing_dumb_output(standard: Yardstick, inputs: Mapping[str, NDArray[Any]]) -> str | None:
    """The first dumb output that would pass: `zeros`, `the constant 0.5` or ``a copy of `x` ``; None when the case is informative.

    A one-element output is always met by some constant, so that test is left to whoever sees all cases.

    Args:
        standard: What the output is held against.
        inputs: Arrays before the first pass, by name.
    """
    dtype, shape = DTYPES[standard.scalar], standard.expected.shape
    if standard.mode == "argsort" and judge(np.broadcast_to(np.arange(shape[-1], dtype=dtype), shape), standard).passed:
        return "0, 1, 2, …"
    if _may_be_constant(standard, 0.0) and judge(np.zeros(shape, dtype), standard).passed:
        return "zeros"
    constant = _best_constant(standard) if standard.expected.size > 1 else None
    if constant is not None and judge(np.full(shape, constant, dtype), standard).passed:
        return f"the constant {constant:.6g}"
    for name, values in inputs.items():
        is_alike = values.shape == shape and (values.dtype.kind == "f") == (dtype.kind == "f")
        if is_alike and _may_be_copy(standard, values) and judge(values.astype(dtype), standard).passed:
            return f"a copy of `{name}`"
    return None


def _may_be_constant(standard: Yardstick, constant: float) -> bool:
    """A cheap look at a few elements before the whole output is judged."""
    if standard.mode in {"multiset", "argsort", "histogram"}:
        return True
    expected = standard.expected.reshape(-1)[:SAMPLE]
    limit = standard.limit.reshape(-1)[:SAMPLE] if standard.limit.ndim else standard.limit
    return bool((~(np.abs(expected - constant) > limit)).all()) or standard.mode == "ulp"


def _best_constant(standard: Yardstick) -> float | None:
    """A number within every element's limit, if there is one."""
    if standard.mode == "multiset":
        low, high = float(np.max(standard.low)), float(np.min(standard.high))
    else:
        expected = standard.expected.astype(np.float64)
        low, high = float(np.fmax.reduce(expected - standard.limit, axis=None)), float(np.fmin.reduce(expected + standard.limit, axis=None))
        if standard.mode == "ulp" and low != high:
            # Judged as it is: the middle of a narrow range is as good as any.
            return (low + high) / 2
    if not low <= high:
        return None
    middle = (low + high) / 2
    return middle if np.isfinite(middle) else None


def _may_be_copy(standard: Yardstick, values: NDArray[Any]) -> bool:
    if standard.mode != "scaled":
        return True
    expected = standard.expected.reshape(-1)[:SAMPLE]
    limit = standard.limit.reshape(-1)[:SAMPLE] if standard.limit.ndim else standard.limit
    return bool((~(np.abs(values.reshape(-1)[:SAMPLE].astype(np.float64) - expected) > limit)).all())
