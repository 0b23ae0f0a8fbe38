"""Attributes, and the integers that they carry. Which exist and where they may stand is a matter of syntax."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_core.wgsl.arithmetic import is_integer
from pixel_core.wgsl.constants import Evaluation, Stage, evaluate, stage_of
from pixel_core.wgsl.syntax import Attribute, Expression


def attribute_of(attributes: Sequence[Attribute], name: str) -> Attribute | None:
    """The first attribute of that name."""
    return next((attribute for attribute in attributes if attribute.name.text == name), None)


def integer_of(attribute: Attribute, evaluation: Evaluation, *, minimum: int = 0, maximum: int | None = None) -> int | None:
    """The integer that an attribute carries: `@binding(2)`.

    Returns:
        None when it is not known or wrong; what is wrong is reported (PX142, PX162).
    """
    if not attribute.arguments:
        return None
    return constant_integer(attribute.arguments[0], f"`@{attribute.name.text}`", evaluation, minimum=minimum, maximum=maximum)


def constant_integer(
    expression: Expression, what: str, evaluation: Evaluation, *, minimum: int = 0, maximum: int | None = None
) -> int | None:
    """The value of a const-expression that must be an integer in a range; `what` names the thing in messages."""
    stage, culprit = stage_of(expression, evaluation.names)
    if stage is not Stage.CONST:
        hint = "an `override` has its value too late here" if stage is Stage.OVERRIDE else "use a number or a `const`"
        evaluation.collector.error("PX142", culprit or expression, f"the value of {what} must be a const-expression", hint=hint)
        return None
    value = evaluate(expression, evaluation)
    if value is None:
        return None
    if not value.is_scalar or not is_integer(value.scalar):
        evaluation.collector.error("PX162", expression, f"the value of {what} must be an integer")
        return None
    number = int(value.value)
    if number < minimum or (maximum is not None and number > maximum):
        bound = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        evaluation.collector.error("PX162", expression, f"the value of {what} must be {bound}, and this is {number}")
        return None
    return number
