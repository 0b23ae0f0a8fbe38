"""Rules about single `const`, `override` and `const_assert` declarations."""

from __future__ import annotations

from pixel_core.wgsl.attributes import attribute_of, integer_of
from pixel_core.wgsl.constants import Evaluation, Stage, evaluate, evaluate_declaration, stage_of
from pixel_core.wgsl.layout import describe
from pixel_core.wgsl.resolve_types import TypeResolution, is_override_sized, resolve_type
from pixel_core.wgsl.syntax import Attribute, ConstAssert, Expression, SyntaxTree, VariableDeclaration
from pixel_core.wgsl.types import Scalar

_LARGEST_ID = 65535


def check_constant(declaration: VariableDeclaration, resolution: TypeResolution) -> None:
    """Check a `const` at module or function scope: its value is known when the shader is made (PX140, PX142)."""
    evaluation = resolution.evaluation
    if declaration.type is not None:
        resolve_type(declaration.type, resolution)
    if declaration.initializer is None:
        return
    if _is_known_by(declaration.initializer, Stage.CONST, f"`{declaration.name.text}`", evaluation):
        evaluate_declaration(declaration, evaluation)


def check_override(declaration: VariableDeclaration, resolution: TypeResolution) -> None:
    """Check an `override`: a scalar type, a default known before the shader runs (PX142, PX150, PX167)."""
    collector = resolution.evaluation.collector
    name = declaration.name.text
    if declaration.type is not None:
        type_ = resolve_type(declaration.type, resolution)
        if type_ is not None and not isinstance(type_, Scalar):
            message = f"an override must be a scalar, and `{name}` is `{describe(type_)}`"
            collector.error("PX167", declaration.type, message, hint="`bool`, `i32`, `u32`, `f32` or `f16`")
        elif type_ is None and is_override_sized(declaration.type, resolution):
            collector.error("PX167", declaration.type, f"an override must be a scalar, and `{name}` is an array")
    if declaration.initializer is not None:
        _is_known_by(declaration.initializer, Stage.OVERRIDE, f"`{name}`", resolution.evaluation)


def check_override_ids(tree: SyntaxTree, evaluation: Evaluation) -> dict[VariableDeclaration, int]:
    """The `@id` of each override that has one; reports ids out of range or given twice (PX162)."""
    ids: dict[VariableDeclaration, int] = {}
    first: dict[int, Attribute] = {}
    for declaration in tree.declarations:
        if not isinstance(declaration, VariableDeclaration) or declaration.keyword != "override":
            continue
        attribute = attribute_of(declaration.attributes, "id")
        number = integer_of(attribute, evaluation, maximum=_LARGEST_ID) if attribute is not None else None
        if attribute is None or number is None:
            continue
        ids[declaration] = number
        earlier = first.setdefault(number, attribute)
        if earlier is not attribute:
            label = evaluation.collector.label(earlier, "first used here")
            evaluation.collector.error("PX162", attribute, f"two overrides have the id {number}", labels=(label,))
    return ids


def check_assertion(assertion: ConstAssert, evaluation: Evaluation) -> None:
    """Check a `const_assert` (PX141, PX142)."""
    if not _is_known_by(assertion.condition, Stage.CONST, "the condition of `const_assert`", evaluation):
        return
    value = evaluate(assertion.condition, evaluation)
    if value is None:
        return
    if not value.is_scalar or value.scalar != "bool":
        evaluation.collector.error("PX141", assertion.condition, "the condition of `const_assert` must be a `bool`")
    elif not value.value:
        source = evaluation.collector.source.text
        condition = _shortened(source[assertion.condition.start : assertion.condition.end])
        evaluation.collector.error("PX141", assertion.condition, f"this assertion does not hold: `{condition}`")


def _is_known_by(expression: Expression, latest: Stage, what: str, evaluation: Evaluation) -> bool:
    stage, culprit = stage_of(expression, evaluation.names)
    if stage <= latest:
        return True
    if latest is Stage.CONST:
        hint = "an `override` has its value too late here: use a `const`" if stage is Stage.OVERRIDE else "it may use numbers and `const`s"
        message = f"the value of {what} must be known when the shader is compiled"
    else:
        hint = "it may use numbers, `const`s and other overrides"
        message = f"the value of {what} must be known before the shader runs"
    evaluation.collector.error("PX142", culprit or expression, message, hint=hint)
    return False


def _shortened(text: str, limit: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
