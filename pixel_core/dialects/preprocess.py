"""The macro preprocessor: `#define`, `#include`, `#if` and their kin, as C has them, and what naga_oil adds. Never raises for any text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from pixel_core.dialects.build_text import TextBuilder
from pixel_core.dialects.conditions import BadCondition, evaluate_condition
from pixel_core.dialects.emit_tokens import emit_tokens
from pixel_core.dialects.expand_macros import MacroExpander
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.files import Files
from pixel_core.dialects.imports import read_imports, unqualified
from pixel_core.dialects.lex_macros import TRIVIA, Kind, Token, lex_macros
from pixel_core.dialects.macros import Macro, read_macro
from pixel_core.dialects.problems import Problems, TooMuch, place
from pixel_core.findings import Label, Location, Severity
from pixel_core.source import SourceText

MAX_DEPTH = 32
"""Files that include each other, one inside the next."""

_CONDITIONS = ("if", "ifdef", "ifndef")
_GROWING = frozenset((Kind.WORD, Kind.NUMBER))


class _Branches(msgspec.Struct):
    """An `#if` with what follows it.

    Attributes:
        opening: The directive's name.
        is_active: Whether the present branch is read.
        is_done: Whether a branch was taken already.
        is_outer_active: Whether the text around it is read.
        has_else: Whether `#else` was seen.
    """

    opening: Token
    is_active: bool
    is_done: bool
    is_outer_active: bool
    has_else: bool = False


class _File(msgspec.Struct):
    """A file being read."""

    home: ExpandedText
    path: Path
    branches: list[_Branches] = msgspec.field(default_factory=list[_Branches])

    @property
    def is_active(self) -> bool:
        return not self.branches or self.branches[-1].is_active


def preprocess(main: ExpandedText, path: Path, macros: Mapping[str, Macro], files: Files, problems: Problems) -> ExpandedText:
    """Run the preprocessor over a text.

    Lines of directives, and those that are left out, leave their line ends behind.

    Args:
        main: The text.
        path: Of the file that names in `#include` are relative to.
        macros: Those that are defined from the beginning.
        files: Reads what is included.
        problems: Gets what is wrong.
    """
    run = _Run(macros, files, problems, main)
    try:
        run.read(_File(main, path))
    except TooMuch as problem:
        problems.tell("PX342", problem.location, problem.message)
    return run.builder.finish(run.sources, run.included_from, main)


class _Run:
    def __init__(self, macros: Mapping[str, Macro], files: Files, problems: Problems, main: ExpandedText) -> None:
        self.builder = TextBuilder()
        self.sources = dict(main.sources)
        self.included_from = dict(main.included_from)
        self._macros = dict(macros)
        self._files = files
        self._problems = problems
        self._expander = MacroExpander(self._macros, problems)
        self._open: list[Path] = []
        self._seen: set[Path] = set()
        self._qualifiers: set[tuple[str, ...]] = set()
        self._directives: Mapping[str, Callable[[_File, Token, Sequence[Token]], None]] = {
            "define": self._define,
            "undef": self._undef,
            "include": self._include,
            "import": self._import,
            "error": self._error,
        }

    def read(self, file: _File) -> None:
        self._open.append(file.path)
        self._seen.add(file.path)
        tokens = lex_macros(file.home)
        waiting: list[Token] = []
        index = 0
        while index < len(tokens):
            name = _directive(tokens, index)
            if name is not None:
                self._flush(waiting)
                end = _end_of_directive(tokens, name)
                self._obey(file, tokens[name], tokens[name + 1 : end])
                index = end
                waiting.extend(tokens[index : index + 1])  # the line end
                index += 1
                continue
            end = _end_of_line(tokens, index)
            waiting.extend(tokens[index : end + 1] if file.is_active else tokens[end : end + 1])
            index = end + 1
        self._flush(waiting)
        for branches in file.branches:
            self._tell(branches.opening, f"`#{branches.opening.text}` without `#endif`")
        self._open.pop()

    def _flush(self, waiting: list[Token]) -> None:
        tokens = unqualified(_substitutions(waiting, self._macros), frozenset(self._qualifiers))
        waiting.clear()
        emit_tokens(self._expander.expand(tokens), self.builder)

    # ------------------------------------------------------------ directives

    def _obey(self, file: _File, name: Token, rest: Sequence[Token]) -> None:
        if name.text in _CONDITIONS:
            is_true = file.is_active and self._holds(name.text, name, rest)
            file.branches.append(_Branches(name, is_true, is_true, file.is_active))
        elif name.text in ("elif", "else"):
            self._next_branch(file, name, rest)
        elif name.text == "endif":
            if file.branches:
                file.branches.pop()
            else:
                self._tell(name, "`#endif` without `#if`")
        elif file.is_active and name.text in self._directives:
            self._directives[name.text](file, name, rest)
        elif file.is_active and name.text not in ("pragma", "define_import_path", "line", "warning"):
            self._tell(name, f"`#{name.text}` is no directive", "`#define`, `#include`, `#if` and their kin are")

    def _next_branch(self, file: _File, name: Token, rest: Sequence[Token]) -> None:
        if not file.branches:
            self._tell(name, f"`#{name.text}` without `#if`")
            return
        branches = file.branches[-1]
        if branches.has_else:
            self._tell(name, f"`#{name.text}` behind `#else`")
        significant = [token for token in rest if token.kind not in TRIVIA]
        kind = "if" if name.text == "elif" else ""
        if name.text == "else" and significant and significant[0].text in _CONDITIONS:
            # naga_oil writes `#else ifdef NAME`.
            kind, rest = significant[0].text, significant[1:]
        branches.has_else = branches.has_else or not kind
        may_hold = branches.is_outer_active and not branches.is_done
        branches.is_active = may_hold and (not kind or self._holds(kind, name, rest))
        branches.is_done = branches.is_done or branches.is_active

    def _holds(self, kind: str, name: Token, rest: Sequence[Token]) -> bool:
        significant = [token for token in rest if token.kind not in TRIVIA]
        if kind != "if":
            if not significant or significant[0].kind is not Kind.WORD:
                self._tell(name, f"`#{kind}` needs a name")
                return False
            return (significant[0].text in self._macros) == (kind == "ifdef")
        if not significant:
            self._tell(name, f"`#{name.text}` needs a condition")
            return False
        try:
            return evaluate_condition(self._expander.expand(self._without_defined(significant)))
        except BadCondition as problem:
            at = problem.token or significant[-1]
            where = at.use.location if at.use else place(at.home, at.start, at.end)
            self._problems.tell("PX340", where, f"this condition cannot be evaluated: {problem.message}")
            return False

    def _without_defined(self, tokens: Sequence[Token]) -> list[Token]:
        kept: list[Token] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            index += 1
            if token.text == "defined":
                in_parentheses = index < len(tokens) and tokens[index].text == "("
                index += in_parentheses
                if index >= len(tokens) or tokens[index].kind is not Kind.WORD:
                    raise BadCondition(token, "`defined` needs a name")
                value = str(int(tokens[index].text in self._macros))
                token = Token(Kind.NUMBER, value, token.home, token.start, token.end, is_exact=False)
                index += 1
                if in_parentheses:
                    if index >= len(tokens) or tokens[index].text != ")":
                        raise BadCondition(token, "`)` is missing behind `defined(`")
                    index += 1
            kept.append(token)
        return kept

    def _define(self, _: _File, directive: Token, rest: Sequence[Token]) -> None:
        start = _first(rest)
        name = rest[start] if start is not None else None
        if start is None or name is None or name.kind is not Kind.WORD or name.text == "defined":
            self._tell(name or directive, "`#define` needs a name")
            return
        macro = read_macro(name, rest[start + 1 :])
        if not isinstance(macro, Macro):
            self._tell(macro[0], macro[1])
            return
        known = self._macros.get(name.text)
        if known is not None and not known.is_same(macro):
            label = Label(place(known.name.home, known.name.start, known.name.end), "the other definition")
            where = place(name.home, name.start, name.end)
            message = f"`{name.text}` is defined again as something else"
            self._problems.tell("PX340", where, message, hint="`#undef` it first", labels=(label,), severity=Severity.WARNING)
        self._macros[name.text] = macro

    def _undef(self, _: _File, directive: Token, rest: Sequence[Token]) -> None:
        start = _first(rest)
        if start is None or rest[start].kind is not Kind.WORD:
            self._tell(directive, "`#undef` needs a name")
        else:
            self._macros.pop(rest[start].text, None)

    def _error(self, _: _File, directive: Token, rest: Sequence[Token]) -> None:
        words = "".join(token.text for token in rest).strip()
        self._tell(directive, f"`#error`: {words}" if words else "`#error`")

    # ------------------------------------------------------------ other files

    def _include(self, file: _File, directive: Token, rest: Sequence[Token]) -> None:
        name = _quoted(rest)
        if name is None:
            self._tell(directive, '`#include` needs a name in quotes: `#include "file.wgsl"`')
            return
        first, last, text = name
        where = place(first.home, first.start, last.end)
        found = self._files.find(text, file.path)
        if isinstance(found, str):
            self._problems.tell("PX341", where, f"`{text}` {found}", hint=_where_to_look(found))
        else:
            self._enter(found, where, text)

    def _import(self, file: _File, directive: Token, rest: Sequence[Token]) -> None:
        if _quoted(rest) is not None:
            self._include(file, directive, rest)
            significant = [token for token in rest if token.kind not in TRIVIA]
            if len(significant) > 1 and significant[-2].text == "as":
                self._qualifiers.add((significant[-1].text,))
            return
        imports = read_imports(rest)
        if imports is None or isinstance(imports, Token):
            self._tell(imports or directive, "this `#import` cannot be read", "write `#import path::name` or `#import path::{name, other}`")
            return
        for one in imports:
            where = (
                place(one.start.home, one.start.start, one.end.end)
                if one.end.home is one.start.home
                else place(one.start.home, one.start.start, one.start.end)
            )
            for length in (len(one.path), len(one.path) - 1):
                module = self._files.find_module("::".join(one.path[:length]), file.path) if length else None
                if module is not None:
                    self._qualifiers.update((one.path[:length], one.path[length - 1 : length]))
                    if one.alias and length == len(one.path):
                        self._qualifiers.add((one.alias,))
                    elif one.alias:
                        self._problems.tell("PX340", where, f"`as {one.alias}` is understood for modules, not for what they hold")
                    self._enter(module, where, module.path.name)
                    break
            else:
                path = "::".join(one.path)
                hint = f"a file beside this one, or in a folder of `include`, must say `#define_import_path {path}`"
                self._problems.tell("PX341", where, f"no file defines the import path `{path}`", hint=hint)

    def _enter(self, text: SourceText, where: Location, name: str) -> None:
        if text.path in self._open:
            circle = " → ".join(path.name for path in (*self._open[self._open.index(text.path) :], text.path))
            self._problems.tell("PX341", where, f"`{name}` includes itself: {circle}")
            return
        if text.path in self._seen:
            return
        if len(self._open) >= MAX_DEPTH:
            raise TooMuch(where, f"files include each other more than {MAX_DEPTH} deep")
        self.sources[text.path] = text
        self.included_from[text.path] = where
        self.read(_File(ExpandedText.of(text), text.path))

    def _tell(self, token: Token, message: str, hint: str | None = None) -> None:
        self._problems.tell("PX340", place(token.home, token.start, token.end), message, hint=hint)


def _directive(tokens: Sequence[Token], index: int) -> int | None:
    """The index of the name of the directive that begins here, at the beginning of a line; None for another line."""
    while index < len(tokens) and tokens[index].kind in (Kind.BLANK, Kind.COMMENT):
        index += 1
    if index >= len(tokens) or tokens[index].text != "#":
        return None
    index += 1
    while index < len(tokens) and tokens[index].kind is Kind.BLANK:
        index += 1
    return index if index < len(tokens) and tokens[index].kind is Kind.WORD else None


def _end_of_line(tokens: Sequence[Token], index: int) -> int:
    while index < len(tokens) and tokens[index].kind is not Kind.LINE_END:
        index += 1
    return index


def _end_of_directive(tokens: Sequence[Token], name: int) -> int:
    """The index of the line end that ends a directive; the braces of an `#import` may go over several lines."""
    end = _end_of_line(tokens, name)
    if tokens[name].text != "import":
        return end
    start, depth = name, 0
    while True:
        depth += sum((one.text == "{") - (one.text == "}") for one in tokens[start:end])
        if depth <= 0 or end >= len(tokens):
            return end
        start, end = end, _end_of_line(tokens, end + 1)


def _first(tokens: Sequence[Token]) -> int | None:
    return next((index for index, token in enumerate(tokens) if token.kind not in TRIVIA), None)


def _quoted(rest: Sequence[Token]) -> tuple[Token, Token, str] | None:
    """The first and the last token of a name in quotes or angle brackets, and the name."""
    start = _first(rest)
    closing = {'"': '"', "<": ">"}.get(rest[start].text) if start is not None else None
    if start is None or closing is None:
        return None
    end = next((index for index in range(start + 1, len(rest)) if rest[index].text == closing), None)
    if end is None or end == start + 1:
        return None
    return rest[start], rest[end], "".join(token.text for token in rest[start + 1 : end])


def _substitutions(tokens: Sequence[Token], macros: Mapping[str, Macro]) -> list[Token]:
    """`#{NAME}` of naga_oil as the name alone, where it is a macro; words and numbers beside it grow together with what it stands for."""
    kept: list[Token] = []
    closed: Token | None = None
    index = 0
    while index < len(tokens):
        texts = [token.text for token in tokens[index : index + 4]] if tokens[index].text == "#" else []
        if len(texts) == 4 and texts[1] == "{" and texts[3] == "}" and texts[2] in macros:
            opening, name, closing = tokens[index], tokens[index + 2], tokens[index + 3]
            before = tokens[index - 1] if index else None
            if before is not None and before.end == opening.start and (before.kind in _GROWING or closed is before):
                kept.append(_nothing(opening))
            kept.append(name)
            closed = closing
            index += 4
            if index < len(tokens) and tokens[index].kind in _GROWING and closing.end == tokens[index].start:
                kept.append(_nothing(closing))
        else:
            kept.append(tokens[index])
            index += 1
    return kept


def _nothing(beside: Token) -> Token:
    """An empty comment: what stands before and behind it is not kept apart."""
    return Token(Kind.COMMENT, "", beside.home, beside.start, beside.start, is_exact=False)


def _where_to_look(reason: str) -> str | None:
    return 'names are relative to this file; more folders: `prepare = [{ include = ["folder"] }]`' if reason == "does not exist" else None
