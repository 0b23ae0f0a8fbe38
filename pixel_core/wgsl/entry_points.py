"""Entry points: their stage and workgroup size."""

from __future__ import annotations

from pixel_core.wgsl.arithmetic import is_integer
from pixel_core.wgsl.attributes import attribute_of
from pixel_core.wgsl.constants import Evaluation, Stage, evaluate, stage_of
from pixel_core.wgsl.extensions import STAGES
from pixel_core.wgsl.syntax import Expression, FunctionDeclaration


def stage_of_entry(function: FunctionDeclaration) -> str | None:
    """`compute`, `vertex` or `fragment`; None for a function that is no entry point."""
    return next((attribute.name.text for attribute in function.attributes if attribute.name.text in STAGES), None)


def workgroup_size_of(function: FunctionDeclaration, evaluation: Evaluation) -> tuple[int, int, int] | None:
    """x, y and z of `@workgroup_size`, 1 where omitted; None when it has none, or it is not known or wrong (PX142, PX163)."""
    attribute = attribute_of(function.attributes, "workgroup_size")
    if attribute is None or not attribute.arguments or len(attribute.arguments) > 3:
        return None
    sizes = [_dimension(expression, evaluation) for expression in attribute.arguments]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    types = {value.scalar for value in (evaluate(expression, evaluation) for expression in attribute.arguments) if value is not None}
    if {"i32", "u32"} <= types:
        message = "`@workgroup_size` mixes `i32` and `u32`"
        evaluation.collector.error("PX163", attribute, message, hint="give all its values one type")
        return None
    x, y, z = (*known, 1, 1)[:3]
    return x, y, z


def _dimension(expression: Expression, evaluation: Evaluation) -> int | None:
    stage, culprit = stage_of(expression, evaluation.names)
    if stage is Stage.RUNTIME:
        message = "the workgroup size must be known before the shader runs"
        evaluation.collector.error("PX142", culprit or expression, message, hint="use a `const` or an `override`")
        return None
    value = evaluate(expression, evaluation)
    if value is None:
        return None
    if not value.is_scalar or not is_integer(value.scalar):
        evaluation.collector.error("PX163", expression, "the workgroup size must be an `i32` or `u32`")
        return None
    size = int(value.value)
    if not 0 < size <= 0xFFFFFFFF:
        evaluation.collector.error("PX163", expression, f"the workgroup size must be at least 1, and this is {size}")
        return None
    return size
