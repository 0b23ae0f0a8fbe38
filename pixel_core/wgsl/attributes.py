"""Attributes: which exist, where each may stand, and the integers they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pixel_core.wgsl.arithmetic import is_integer
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.constants import Evaluation, Stage, evaluate, stage_of
from pixel_core.wgsl.syntax import (
    Attribute,
    Declaration,
    Expression,
    FunctionDeclaration,
    StructDeclaration,
    VariableDeclaration,
)


@dataclass(frozen=True, slots=True)
class _Form:
    """Where an attribute may stand, and how many arguments it takes; 0 arguments means no parentheses."""

    places: frozenset[str]
    fewest: int
    most: int


_INTERFACE = frozenset({"a parameter", "a return type", "a structure member"})
_FUNCTION = frozenset({"a function"})

_FORMS: Mapping[str, _Form] = {
    "align": _Form(frozenset({"a structure member"}), 1, 1),
    "binding": _Form(frozenset({"a module-scope `var`"}), 1, 1),
    "blend_src": _Form(_INTERFACE, 1, 1),
    "builtin": _Form(_INTERFACE, 1, 2),
    "color": _Form(_INTERFACE, 1, 1),
    "compute": _Form(_FUNCTION, 0, 0),
    "diagnostic": _Form(_FUNCTION, 2, 2),
    "early_depth_test": _Form(_FUNCTION, 0, 1),
    "fragment": _Form(_FUNCTION, 0, 0),
    "group": _Form(frozenset({"a module-scope `var`"}), 1, 1),
    "id": _Form(frozenset({"an `override`"}), 1, 1),
    "input_attachment_index": _Form(frozenset({"a module-scope `var`"}), 1, 1),
    "interpolate": _Form(_INTERFACE, 1, 2),
    "invariant": _Form(_INTERFACE, 0, 0),
    "location": _Form(_INTERFACE, 1, 1),
    "mesh": _Form(_FUNCTION, 0, 1),
    "must_use": _Form(_FUNCTION, 0, 0),
    "payload": _Form(_FUNCTION, 1, 1),
    "per_primitive": _Form(_INTERFACE, 0, 0),
    "per_vertex": _Form(_INTERFACE, 0, 0),
    "size": _Form(frozenset({"a structure member"}), 1, 1),
    "subgroup_size": _Form(_FUNCTION, 1, 1),
    "task": _Form(_FUNCTION, 0, 0),
    "vertex": _Form(_FUNCTION, 0, 0),
    "workgroup_size": _Form(_FUNCTION, 1, 3),
}

STAGES = ("compute", "vertex", "fragment")


def attribute_of(attributes: Sequence[Attribute], name: str) -> Attribute | None:
    """The first attribute of that name."""
    return next((attribute for attribute in attributes if attribute.name.text == name), None)


def check_attributes(declaration: Declaration, collector: Collector) -> None:
    """Report PX162 for attributes that do not exist, stand in the wrong place, are repeated, or have too many arguments."""
    if isinstance(declaration, FunctionDeclaration):
        _check(declaration.attributes, "a function", collector)
        for parameter in declaration.parameters:
            _check(parameter.attributes, "a parameter", collector)
        _check(declaration.return_attributes, "a return type", collector)
    elif isinstance(declaration, StructDeclaration):
        for member in declaration.members:
            _check(member.attributes, "a structure member", collector)
    elif isinstance(declaration, VariableDeclaration):
        place = "an `override`" if declaration.keyword == "override" else f"a module-scope `{declaration.keyword}`"
        _check(declaration.attributes, place, collector)


def _check(attributes: Sequence[Attribute], place: str, collector: Collector) -> None:
    seen: dict[str, Attribute] = {}
    for attribute in attributes:
        name = attribute.name.text
        form = _FORMS.get(name)
        if form is None:
            close = get_close_matches(name[:32], _FORMS, n=1)
            hint = f"did you mean `@{close[0]}`?" if close else None
            collector.error("PX162", attribute, f"unknown attribute `@{name}`", hint=hint)
            continue
        if place not in form.places:
            allowed = " or ".join(sorted(form.places))
            collector.error("PX162", attribute, f"`@{name}` cannot stand on {place}", hint=f"it belongs on {allowed}")
            continue
        earlier = seen.setdefault(name, attribute)
        if earlier is not attribute and name != "diagnostic":
            label = collector.label(earlier, "first given here")
            collector.error("PX162", attribute, f"`@{name}` is given twice", labels=(label,))
        _check_count(attribute, form, collector)


def _check_count(attribute: Attribute, form: _Form, collector: Collector) -> None:
    name = attribute.name.text
    if attribute.arguments is None:
        if form.fewest > 0:
            collector.error("PX162", attribute, f"`@{name}` needs a value in parentheses", hint=f"write `@{name}(…)`")
    elif form.most == 0:
        collector.error("PX162", attribute, f"`@{name}` takes no value", hint=f"write `@{name}`")
    elif not form.fewest <= len(attribute.arguments) <= form.most:
        expected = str(form.most) if form.fewest == form.most else f"{form.fewest} to {form.most}"
        plural = "" if form.most == 1 else "s"
        collector.error("PX162", attribute, f"`@{name}` takes {expected} value{plural}, and there are {len(attribute.arguments)}")


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
