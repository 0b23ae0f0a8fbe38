"""Reads `prepare`: the steps that make WGSL of a dialect."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import cast

from msgspec.structs import replace

from pixel_core.dialects.steps import (
    MAX_STEPS,
    STEP_KEYS,
    Command,
    Concat,
    Preparation,
    Preprocess,
    Step,
    StripAround,
    StripBetween,
    StripLines,
    Template,
    Written,
)
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, MAX_ENTRIES
from pixel_core.kernels.expressions import Expression, ExpressionProblem, parse_expression
from pixel_core.kernels.functions import CONSTANTS
from pixel_core.kernels.toml_keys import TomlPath

_NAME = re.compile(r"[A-Za-z_]\w*")
_TOGETHER = (frozenset(("define", "include")), frozenset(("template", "delimiters")))
_DELIMITERS = ("{{", "}}")


Macros = dict[tuple[int, str], Expression]

WORKGROUP_SIZES = ("workgroup_size.x", "workgroup_size.y", "workgroup_size.z")
"""What a macro may use of the shader that it is for."""

_AT_FIRST = "1"
"""What a macro that depends on sizes stands for as long as there is no case."""


def read_prepare(reading: Reading, path: TomlPath, value: Toml, sizes: Collection[str]) -> tuple[Preparation | None, Macros]:
    """The steps, and the macros that depend on sizes.

    Args:
        reading: The document.
        path: Of the value.
        value: As tomli gives it.
        sizes: Names of dims, of `let`, of overrides and of workgroup sizes: a macro that is an expression over these has a value in each
            case.

    Returns:
        None where there are no steps, or there is a mistake, which `reading` then tells.
    """
    preparation = _read_steps(reading, path, value)
    macros: Macros = {}
    if preparation is None:
        return None, macros
    steps = list(preparation.steps)
    for number, step in enumerate(steps):
        if isinstance(step, Preprocess):
            found = {name: sized for name, written in step.macros.items() if (sized := _sized(written, sizes)) is not None}
            macros.update({(number, name): sized for name, sized in found.items()})
            at_first = {name: Written(_AT_FIRST, step.macros[name].span) for name in found}
            steps[number] = replace(step, macros={**step.macros, **at_first})
    preparation = replace(preparation, steps=tuple(steps))
    reading.preparations.append(preparation)
    return preparation, macros


def _sized(written: Written, sizes: Collection[str]) -> Expression | None:
    """A macro's text as an expression over sizes; None where it is a text for the preprocessor."""
    try:
        expression = parse_expression(written.text, written.span)
    except ExpressionProblem:
        return None
    names = {use.name for use in expression.used_names()}
    return expression if names and names <= {*sizes, *CONSTANTS} and names & set(sizes) else None


def _read_steps(reading: Reading, path: TomlPath, value: Toml) -> Preparation | None:
    if value is None:
        return None
    if isinstance(value, dict):
        value = [value]
        paths: list[TomlPath] = [path]
    else:
        paths = [(*path, index) for index in range(len(value))] if isinstance(value, list) else []
    if not paths:
        reading.tell_type(path, value, CONTRACT_KEYS["prepare"])
        return None
    if len(paths) > MAX_STEPS:
        reading.tell("PX309", path, f"{len(paths)} steps in `prepare`; at most {MAX_STEPS} are taken")
        return None
    steps = [_step(reading, at, item) for at, item in zip(paths, cast("list[Toml]", value), strict=True)]
    known = tuple(step for step in steps if step is not None)
    if len(known) < len(steps):
        return None
    return Preparation(steps=known, source=reading.text.source, span=reading.value_span(path))


def _step(reading: Reading, path: TomlPath, value: Toml) -> Step | None:
    if not isinstance(value, dict):
        reading.tell_type(path, value, STEP_KEYS["define"])
        return None
    told = len(reading.findings)
    table = cast("dict[str, Toml]", value)
    reading.check_keys(path, table, (*STEP_KEYS, "delimiters"))
    kinds = [key for key in table if key in STEP_KEYS]
    if len(reading.findings) == told and (not kinds or (len(table) > 1 and not any(set(table) <= group for group in _TOGETHER))):
        said = " and ".join(f"`{key}`" for key in table)
        message = f"a step does one thing, and this one has {said}" if kinds else "this step does nothing"
        reading.tell("PX305", path, message, f"known: {', '.join(STEP_KEYS)}; each in braces of its own")
    if len(reading.findings) > told:
        return None
    step = _READERS[kinds[0]](reading, path, table)
    return step if len(reading.findings) == told else None


def _preprocess(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> Step | None:
    macros: dict[str, Written] = {}
    for name, value in reading.table((*path, "define"), table.get("define"), STEP_KEYS["define"]).items():
        at: TomlPath = (*path, "define", name)
        if not _NAME.fullmatch(name) or name == "defined":
            reading.tell("PX305", reading.key_span(at), f"`{name}` cannot be the name of a macro")
        elif isinstance(value, bool):
            macros[name] = Written("true" if value else "false", reading.text_span(at))
        elif isinstance(value, (int, float, str)):
            macros[name] = Written(str(value), reading.text_span(at))
        else:
            reading.tell_type(at, value, STEP_KEYS["define"])
    folders = _texts(reading, (*path, "include"), table.get("include", []), "include")
    return Preprocess(macros=macros, folders=folders, span=reading.value_span(path))


def _strip(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> Step | None:
    at: TomlPath = (*path, "strip")
    span = reading.value_span(path)
    value = table["strip"]
    if not isinstance(value, dict):
        beginnings = _texts(reading, at, value, "strip")
        if any(not one.text.strip() for one in beginnings):
            reading.tell("PX305", at, "every line begins with an empty text")
        return StripLines(beginnings=beginnings, span=span)
    marks = cast("dict[str, Toml]", value)
    reading.check_keys(at, marks, ("after", "before", "from", "to"))
    written: dict[str, Written] = {}
    for key, mark in marks.items():
        text = reading.string((*at, key), mark, STEP_KEYS["strip"])
        if text:
            written[key] = Written(text, reading.text_span((*at, key)))
        elif text is not None:
            reading.tell("PX305", (*at, key), "an empty text is no mark")
    if set(written) == {"from", "to"}:
        return StripBetween(start=written["from"], end=written["to"], span=span)
    if written and set(written) <= {"after", "before"}:
        return StripAround(after=written.get("after"), before=written.get("before"), span=span)
    hint = "`after`, `before` or both keep what stands between; `from` and `to` leave it out"
    reading.tell("PX305", at, "these marks do not say what is left out", hint)
    return None


def _template(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> Step | None:
    values = reading.table((*path, "template"), table["template"], STEP_KEYS["template"])
    delimiters = _DELIMITERS
    if "delimiters" in table:
        texts = [one.text for one in _texts(reading, (*path, "delimiters"), table["delimiters"], "template")]
        if len(texts) != 2 or not all(texts) or texts[0] == texts[1]:
            reading.tell("PX305", (*path, "delimiters"), "two different texts are needed", 'write delimiters = ["${", "}"]')
            return None
        delimiters = (texts[0], texts[1])
    return Template(values=values, delimiters=delimiters, span=reading.value_span(path))


def _concat(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> Step | None:
    files = _texts(reading, (*path, "concat"), table["concat"], "concat")
    return Concat(files=files, span=reading.value_span(path))


def _command(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> Step | None:
    arguments = _texts(reading, (*path, "command"), table["command"], "command")
    if not arguments or not arguments[0].text or any("\0" in one.text for one in arguments):
        reading.tell("PX305", (*path, "command"), "a program is needed", f"write {STEP_KEYS['command']}")
    return Command(arguments=arguments, span=reading.value_span(path))


def _texts(reading: Reading, path: TomlPath, value: Toml, key: str) -> tuple[Written, ...]:
    """A list of strings, each with its place; one string is a list of one."""
    if isinstance(value, str):
        return (Written(value, reading.text_span(path)),)
    if not isinstance(value, list) or len(cast("list[Toml]", value)) > MAX_ENTRIES:
        reading.tell_type(path, value, STEP_KEYS[key])
        return ()
    texts: list[Written] = []
    for index, item in enumerate(cast("list[Toml]", value)):
        at: TomlPath = (*path, index)
        text = reading.string(at, item, STEP_KEYS[key])
        if text is not None:
            texts.append(Written(text, reading.text_span(at)))
    return tuple(texts)


_READERS = {
    "define": _preprocess,
    "include": _preprocess,
    "strip": _strip,
    "template": _template,
    "concat": _concat,
    "command": _command,
}
