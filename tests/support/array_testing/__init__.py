"""Short ways to make contracts, cases and bounded values in tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.findings import Span
from pixel_core.kernels.bounded import Bounded, from_input, literal
from pixel_core.kernels.contract import Budget, Compare, KernelContract
from pixel_core.kernels.evaluate_tree import evaluate_tree
from pixel_core.kernels.expressions import parse_expression
from pixel_core.kernels.memory import DTYPES, buffer_size
from pixel_core.kernels.planned import BindingPlan, BufferPlan, Case, DispatchPlan, ParameterValue
from pixel_core.source import SourceText
from pixel_core.wgsl.types import Array, Scalar, Type

NOWHERE = Span(0, 0)
SCALED = Compare(mode="scaled", span=NOWHERE)


def scalar_of(values: NDArray[Any]) -> str:
    return next(name for name, dtype in DTYPES.items() if dtype == values.dtype)


def evaluate(text: str, **names: Any) -> Bounded:
    """The bounded value of an expression over arrays (of a buffer's dtype) and numbers."""
    values = {
        name: from_input(value, scalar_of(value)) if isinstance(value, np.ndarray) else literal(value) for name, value in names.items()
    }
    return evaluate_tree(parse_expression(text), values.__getitem__)


def buffer(name: str, shape: Any, scalar: str = "f32", role: str = "in", codec: str | None = None, type_: Type | None = None) -> BufferPlan:
    """A plain array unless a type is given; `shape` is a tuple, or a mapping by field."""
    store = type_ or Array(Scalar(scalar), None)
    shapes: Mapping[str, tuple[int, ...]] = shape if isinstance(shape, Mapping) else {"": shape}
    return BufferPlan(name=name, role=role, type=store, shapes=shapes, codec=codec, size_bytes=buffer_size(store, shapes, codec))


def case(
    *buffers: BufferPlan,
    inputs: Mapping[str, str] | None = None,
    symbols: Mapping[str, int | float] | None = None,
    uniforms: Mapping[str, tuple[Type, ParameterValue]] | None = None,
    seed: int = 0,
) -> Case:
    bindings = tuple(
        BindingPlan(group=0, binding=number, variable=name, buffer=None, uniform_type=type_, uniform_value=value)
        for number, (name, (type_, value)) in enumerate((uniforms or {}).items())
    )
    dispatch = DispatchPlan(entry="main", workgroups=(1, 1, 1), workgroup_size=(64, 1, 1), overrides={}, bindings=bindings)
    return Case(
        name="test",
        derived=False,
        symbols=symbols or {},
        seed=seed,
        buffers=buffers,
        dispatches=(dispatch,),
        inputs={name: parse_expression(text) for name, text in (inputs or {}).items()},
        invocations=64,
        size_bytes=0,
    )


def contract(expect: Mapping[str, str], define: Mapping[str, str] | None = None) -> KernelContract:
    return KernelContract(
        name="test", dims=(), where=(), let={}, shapes={}, params={}, overrides={}, inputs={}, roles={}, codecs={},
        buffers={}, textures={}, samplers={}, slack={}, valid={}, schedule=(),
        define={name: parse_expression(text) for name, text in (define or {}).items()},
        expect={name: parse_expression(text) for name, text in expect.items()},
        reference=None, compare={}, cases=(), derive=False, budget=Budget(), flops=None, prepare=None, span=NOWHERE, key_spans={},
        source=SourceText(Path("test.wgsl"), ""),
    )  # fmt: skip
