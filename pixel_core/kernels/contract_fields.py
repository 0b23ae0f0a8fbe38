"""Values of a contract's TOML, typed: each getter gives what the contract needs, or tells a finding at the value and gives None."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from pixel_core.dialects.steps import Preparation
from pixel_core.findings import Finding, Label, Span
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract_keys import MAX_ENTRIES
from pixel_core.kernels.doc_block import EmbeddedText
from pixel_core.kernels.expression_nodes import locate_part
from pixel_core.kernels.expressions import Expression, ExpressionProblem, parse_expression
from pixel_core.kernels.functions import CONSTANTS
from pixel_core.kernels.toml_keys import KeyPlace, TomlPath
from pixel_core.rules import RULES
from pixel_core.source import SourceText

Toml = Any
"""What tomli gives: str, int, float, bool, dates, list, dict."""


def make_finding(
    code: str, source: SourceText, span: Span, message: str, hint: str | None = None, labels: tuple[Label, ...] = ()
) -> Finding:
    """A finding with its rule's severity."""
    return Finding(code=code, severity=RULES[code].severity, message=message, location=source.location(span), labels=labels, hint=hint)


def type_name(value: Toml) -> str:
    """What TOML calls a value: `a string`, `a table`."""
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A document being read: its text, the places of its keys, and what grows: the findings so far, and every `prepare`."""

    text: EmbeddedText
    places: Mapping[TomlPath, KeyPlace]
    findings: list[Finding] = msgspec.field(default_factory=list[Finding])
    preparations: list[Preparation] = msgspec.field(default_factory=list[Preparation])

    # ------------------------------------------------------------ places

    def value_span(self, path: TomlPath) -> Span:
        """Where a value stands in the file; of an absent one, the nearest table around it."""
        return self.text.span(self._place(path).value)

    def key_span(self, path: TomlPath) -> Span:
        """Where a key stands in the file."""
        return self.text.span(self._place(path).key)

    def text_span(self, path: TomlPath) -> Span:
        """Where the characters of a string stand in the file, without its quotes; of other values, the value."""
        place = self._place(path)
        return self.text.span(place.text or place.value)

    def _place(self, path: TomlPath) -> KeyPlace:
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) or KeyPlace(Span(0, 0), Span(0, 0))

    # ------------------------------------------------------------ findings

    def tell(self, code: str, place: TomlPath | Span, message: str, hint: str | None = None, *labels: Label) -> None:
        """Add a finding, at a value or at a span of the file."""
        span = place if isinstance(place, Span) else self.value_span(place)
        self.findings.append(make_finding(code, self.text.source, span, message, hint, labels))

    def tell_type(self, path: TomlPath, value: Toml, form: str) -> None:
        """Add a finding about a value of the wrong type; `form` shows the right one."""
        self.tell("PX305", path, f"`{_show(path)}` is {type_name(value)}", f"write {form}")

    def check_keys(self, path: TomlPath, table: Mapping[str, Toml], known: Iterable[str]) -> None:
        """Add a finding for every key that is unknown."""
        known = tuple(known)
        if len(table) > MAX_ENTRIES:
            self.tell("PX309", path, f"a table with {len(table):,} keys; at most {MAX_ENTRIES} are read")
            return
        for key in table:
            span = self.key_span((*path, key))
            if key not in known:
                close = closest_name(key, known)
                hint = f"did you mean `{close}`?" if close else f"known here: {', '.join(known)}"
                self.tell("PX303", span, f"unknown key `{key}`", hint)

    # ------------------------------------------------------------ values

    def table(self, path: TomlPath, value: Toml, form: str) -> Mapping[str, Toml]:
        """A table; an absent one (None) is empty."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.tell_type(path, value, form)
            return {}
        table = cast("dict[str, Toml]", value)
        if len(table) > MAX_ENTRIES:
            self.tell("PX309", path, f"`{_show(path)}` has {len(table):,} entries; at most {MAX_ENTRIES} are read")
            return {}
        return table

    def string(self, path: TomlPath, value: Toml, form: str) -> str | None:
        """A string."""
        if isinstance(value, str):
            return value
        if value is not None:
            self.tell_type(path, value, form)
        return None

    def identifier(self, path: TomlPath, name: str, what: str, span: Span | None = None) -> str | None:
        """A name that expressions can use."""
        if name.isidentifier() and not name.startswith("__") and not keyword.iskeyword(name) and name not in CONSTANTS:
            return name
        reason = "has a meaning of its own in expressions" if keyword.iskeyword(name) or name in CONSTANTS else "is not a name"
        self.tell("PX305", span or path, f"`{name}` cannot be {what}: it {reason}", "use letters, digits and `_`")
        return None

    def expression(self, path: TomlPath, value: Toml, form: str = 'a number or an expression: "ceil(N / 16)"') -> Expression | None:
        """A string is an expression, a number or boolean is itself."""
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, (int, float)):
            text = repr(value)
        elif isinstance(value, str):
            text = value
        else:
            self.tell_type(path, value, form)
            return None
        return self.parse(text, self.text_span(path))

    def parse(self, text: str, span: Span) -> Expression | None:
        """An expression that stands at a span of the file."""
        try:
            return parse_expression(text, span)
        except ExpressionProblem as problem:
            self.tell("PX306", locate_part(text, span, problem.span) or span, problem.message, problem.hint)
            return None

    def parts(self, path: TomlPath, text: str, separator: str) -> list[tuple[str, Span]]:
        """The parts of a string between blanks or commas outside brackets, each with its place in the file."""
        whole = self.text_span(path)
        is_plain = whole.end - whole.start == len(text)
        found: list[tuple[str, Span]] = []
        for start, end in _split(text, separator):
            span = Span(whole.start + start, whole.start + end) if is_plain else whole
            found.append((text[start:end], span))
        return found

    def expressions(self, path: TomlPath, text: str, separator: str) -> tuple[Expression, ...] | None:
        """The expressions between blanks or commas outside brackets."""
        read = [self.parse(part, span) for part, span in self.parts(path, text, separator)]
        return None if None in read else tuple(expression for expression in read if expression is not None)

    def named_expressions(self, path: TomlPath, value: Toml, form: str) -> dict[str, Expression]:
        """A table from name to expression."""
        read = {name: self.expression((*path, name), item, form) for name, item in self.table(path, value, form).items()}
        return {name: expression for name, expression in read.items() if expression is not None}

    def by_buffer(self, path: TomlPath, value: Toml, form: str) -> Iterator[tuple[str, TomlPath, Toml]]:
        """The entries of a table by buffer or `buffer.field` (quoted or dotted): name, path, value."""
        for name, item in self.table(path, value, form).items():
            if isinstance(item, dict):
                for member, inner in cast("dict[str, Toml]", item).items():
                    yield f"{name}.{member}", (*path, name, member), inner
            else:
                yield name, (*path, name), item


def dotted(path: TomlPath) -> str:
    """A path inside a contract as one text: `cases[2].dims.M`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _show(path: TomlPath) -> str:
    return dotted(path[1:]) or str(path[0])


def _split(text: str, separator: str) -> Iterator[tuple[int, int]]:
    """Ranges between separators that stand outside brackets; blanks around a part are cut off."""
    depth = 0
    start = 0
    for position, character in enumerate(text + separator):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        at_end = position == len(text)
        if at_end or (depth <= 0 and (character == separator or (separator == " " and character.isspace()))):
            part = text[start:position]
            stripped = part.strip()
            if stripped or separator != " ":
                lead = len(part) - len(part.lstrip()) if stripped else 0
                yield start + lead, start + lead + len(stripped)
            start = position + 1
