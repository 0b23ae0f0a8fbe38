"""Attributes: known, in their place, with their arguments, and not twice."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pixel_core.findings import Finding
from pixel_core.source import SourceText
from pixel_core.wgsl.extensions import (
    ATTRIBUTES,
    BUILTIN_VALUES,
    FUNCTION,
    INTERPOLATION_SAMPLING,
    INTERPOLATION_TYPES,
    SEVERITIES,
    STAGES,
)
from pixel_core.wgsl.keywords import RESERVED_WORDS
from pixel_core.wgsl.syntax import Attribute, Expression, FunctionDeclaration, Identifier, Member
from pixel_core.wgsl.syntax_findings import syntax_finding


def validate_attributes(source: SourceText, attributes: list[Attribute], place: str) -> Iterator[Finding]:
    """Check the attributes of one declaration, type or statement.

    Args:
        source: The text they stand in.
        attributes: In the order written.
        place: One of the places of `extensions`.
    """
    seen: dict[str, Attribute] = {}
    for attribute in attributes:
        name = attribute.name.text
        form = ATTRIBUTES.get(name)
        if form is None:
            if name:
                close = get_close_matches(name, ATTRIBUTES, n=1)
                hint = f"did you mean `@{close[0]}`?" if close else None
                yield syntax_finding(source, "PX110", f"there is no attribute `@{name}`", attribute.span, hint=hint)
            continue
        if place not in form.places:
            places = " or ".join(sorted(form.places))
            yield syntax_finding(source, "PX113", f"`@{name}` cannot stand on {place}", attribute.span, hint=f"it belongs on {places}")
            continue
        # Each filter of a diagnostic rule stands for itself.
        key = f"diagnostic of {_rule(attribute)}" if name == "diagnostic" else name
        if key in seen:
            what = f"`@diagnostic` for `{_rule(attribute)}`" if name == "diagnostic" else f"`@{name}`"
            labels = ((seen[key].span, "first here"),)
            yield syntax_finding(source, "PX112", f"{what} stands here twice", attribute.span, hint="remove one", labels=labels)
        seen.setdefault(key, attribute)
        yield from _validate_arguments(source, attribute, form.least, form.most)
    yield from _validate_companions(source, seen)


def validate_entry_point(source: SourceText, function: FunctionDeclaration) -> Iterator[Finding]:
    """Check what a function needs and may not have according to its stage."""
    attributes = {attribute.name.text: attribute for attribute in function.attributes}
    if not attributes.keys() <= ATTRIBUTES.keys():
        # A misspelt stage would make the rest wrong.
        return
    stages = [attribute for attribute in function.attributes if attribute.name.text in STAGES]
    if len(stages) > 1 and stages[0].name.text != stages[1].name.text:
        yield syntax_finding(source, "PX113", "a function has only one stage", stages[1].span, labels=((stages[0].span, "already here"),))
    stage = stages[0].name.text if stages else None
    if stage == "compute" and "workgroup_size" not in attributes:
        yield syntax_finding(
            source,
            "PX113",
            f"the compute entry point `{function.name.text}` has no `@workgroup_size`",
            stages[0].span,
            hint="write `@compute @workgroup_size(64)`",
        )
    if stage != "compute" and "workgroup_size" in attributes:
        yield syntax_finding(
            source, "PX113", "`@workgroup_size` is only for `@compute` functions", attributes["workgroup_size"].span, hint="add `@compute`"
        )
    if stage == "vertex" and function.return_type is None:
        yield syntax_finding(
            source,
            "PX113",
            "a vertex entry point must return a `@builtin(position)`",
            function.name.span,
            hint="add `-> @builtin(position) vec4f`",
        )
    if stage == "compute" and function.return_type is not None:
        yield syntax_finding(source, "PX113", "a compute entry point returns nothing", function.return_type.span)
    if stage is not None and "must_use" in attributes:
        yield syntax_finding(source, "PX113", "`@must_use` cannot stand on an entry point", attributes["must_use"].span)
    if stage is None and function.return_type is None and "must_use" in attributes:
        yield syntax_finding(source, "PX113", "`@must_use` needs a function that returns a value", attributes["must_use"].span)
    for parameter in function.parameters:
        yield from _validate_interface(source, parameter.attributes, stage, "input")
    yield from _validate_interface(source, function.return_attributes, stage, "output")


def _validate_interface(source: SourceText, attributes: list[Attribute], stage: str | None, direction: str) -> Iterator[Finding]:
    """Attributes of the parameters and the result of a function."""
    for attribute in attributes:
        name = attribute.name.text
        if name not in ATTRIBUTES or FUNCTION in ATTRIBUTES[name].places:
            continue
        if stage is None:
            yield syntax_finding(
                source, "PX113", f"`@{name}` is only for entry points", attribute.span, hint="give the function a stage, or remove it"
            )
        elif name == "location" and stage == "compute":
            yield syntax_finding(
                source, "PX113", "a compute entry point has no `@location`", attribute.span, hint="read from a buffer instead"
            )
        elif name == "builtin" and attribute.arguments:
            value = _word(attribute.arguments[0])
            uses = BUILTIN_VALUES.get(value)
            if uses is not None and f"{stage} {direction}" not in uses:
                yield syntax_finding(
                    source,
                    "PX113",
                    f"`{value}` is not a built-in {direction} of the {stage} stage",
                    attribute.span,
                    hint=f"it is a {' and a '.join(sorted(uses))}",
                )


def _validate_arguments(source: SourceText, attribute: Attribute, least: int, most: int) -> Iterator[Finding]:
    name, arguments = attribute.name.text, attribute.arguments
    if most == 0:
        if arguments is not None:
            yield syntax_finding(source, "PX111", f"`@{name}` takes no arguments and no parentheses", attribute.span)
        return
    count = len(arguments) if arguments else 0
    if not arguments or not least <= count <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        noun = "argument" if wanted == "1" else "arguments"
        yield syntax_finding(source, "PX111", f"`@{name}` takes {wanted} {noun}, not {count}", attribute.span)
        return
    first, word = arguments[0], _word(arguments[0])
    if name == "diagnostic":
        if word not in SEVERITIES:
            yield unknown_severity(source, first)
        if not _rule(attribute):
            yield syntax_finding(source, "PX118", "expected the name of a diagnostic rule", arguments[1].span)
    elif name == "builtin":
        if word not in BUILTIN_VALUES:
            close = get_close_matches(word, BUILTIN_VALUES, n=1)
            hint = f"did you mean `{close[0]}`?" if close else None
            yield syntax_finding(source, "PX111", "there is no such built-in value", first.span, hint=hint)
        elif count == 2 and word != "frag_depth":
            yield syntax_finding(source, "PX111", f"`{word}` takes no further argument", arguments[1].span)
    elif name == "interpolate":
        if word in RESERVED_WORDS:
            # The lexer has told of it.
            return
        if word not in INTERPOLATION_TYPES:
            yield syntax_finding(source, "PX111", "expected `flat`, `linear` or `perspective`", first.span)
        elif count == 2 and _word(arguments[1]) not in INTERPOLATION_SAMPLING[word]:
            allowed = ", ".join(f"`{sampling}`" for sampling in sorted(INTERPOLATION_SAMPLING[word]))
            yield syntax_finding(source, "PX111", f"`{word}` interpolation is sampled by one of {allowed}", arguments[1].span)


def _validate_companions(source: SourceText, seen: dict[str, Attribute]) -> Iterator[Finding]:
    """Attributes that need another one beside them, or exclude it."""
    if "builtin" in seen and "location" in seen:
        yield syntax_finding(
            source,
            "PX113",
            "`@builtin` and `@location` exclude each other",
            seen["location"].span,
            labels=((seen["builtin"].span, "here"),),
        )
    if "interpolate" in seen and "location" not in seen:
        yield syntax_finding(source, "PX113", "`@interpolate` needs a `@location`", seen["interpolate"].span)
    if "blend_src" in seen and "location" not in seen:
        yield syntax_finding(source, "PX113", "`@blend_src` needs a `@location`", seen["blend_src"].span)
    if "invariant" in seen:
        builtin = seen.get("builtin")
        if builtin is None or not builtin.arguments or _word(builtin.arguments[0]) != "position":
            yield syntax_finding(source, "PX113", "`@invariant` needs `@builtin(position)`", seen["invariant"].span)


def unknown_severity(source: SourceText, where: Expression | Attribute) -> Finding:
    """The finding about a severity that does not exist."""
    text = source.text[where.start : where.end]
    return syntax_finding(source, "PX118", f"there is no severity `{text}`", where.span, hint="use `error`, `warning`, `info` or `off`")


def _word(expression: Expression) -> str:
    """The name that an argument consists of; empty for anything else."""
    if isinstance(expression, Identifier) and expression.template_arguments is None:
        return expression.name.text
    return ""


def _rule(attribute: Attribute) -> str:
    """The rule of a `@diagnostic`, with its dot; empty for anything else."""
    if attribute.arguments is None or len(attribute.arguments) != 2:
        return ""
    rule = attribute.arguments[1]
    if isinstance(rule, Member):
        prefix = _word(rule.base)
        return f"{prefix}.{rule.member.text}" if prefix else ""
    return _word(rule)
