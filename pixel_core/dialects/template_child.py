"""Renders one jinja2 template in the sandbox, in a process of its own: JSON on standard input, JSON on standard output.

Every literal piece and every expression of the template is marked while it is rendered, so that each piece of the result says where in
the template it is from. Marks could be seen by the template itself (the length of a block that was assigned); so the result is compared
with one without marks, and where they differ that one counts and says nothing of origins.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

OPEN, CLOSE = "\ue000", "\ue001"
_NAME = "<template>"
MAX_CHARACTERS = 1 << 21


def render(request: Mapping[str, Any]) -> dict[str, Any]:
    """Render a template.

    Args:
        request: `text`; `values` by name; `delimiters`, the two of expressions.

    Returns:
        `pieces`: lists of a text, where it is from in the template (start and end), and whether it stands there character by character.
        Else `problem`, with `line` from 1 where it is known; or `absent`, where jinja2 is not installed.
    """
    try:
        import jinja2
        import jinja2.ext
        import jinja2.lexer
        import jinja2.sandbox
    except ImportError:
        return {"absent": True}
    text: str = request["text"]
    ranges: dict[str, list[tuple[int, int]]] = {"data": [], "expression": []}

    class Marking(jinja2.ext.Extension):
        """Puts a mark before every literal piece and every expression."""

        def filter_stream(self, stream: jinja2.lexer.TokenStream) -> Iterable[jinja2.lexer.Token]:
            counts = {"data": 0, "expression": 0}
            for token in stream:
                if token.type == "data":
                    yield jinja2.lexer.Token(token.lineno, "data", f"{OPEN}d{counts['data']}{CLOSE}{token.value}")
                    counts["data"] += 1
                    continue
                if token.type == "variable_begin":
                    yield jinja2.lexer.Token(token.lineno, "data", f"{OPEN}e{counts['expression']}{CLOSE}")
                    counts["expression"] += 1
                yield token

    options: dict[str, Any] = {
        "undefined": jinja2.StrictUndefined,
        "keep_trailing_newline": True,
        "variable_start_string": request["delimiters"][0],
        "variable_end_string": request["delimiters"][1],
    }
    try:
        plain = jinja2.sandbox.SandboxedEnvironment(**options)
        ranges = _ranges(text, plain.lexer.tokeniter(text, _NAME))
        result = _rendered(plain, text, request["values"])
        if OPEN in text or OPEN in result:
            return {"pieces": [[result, 0, len(text), False]]}
        marked = _rendered(jinja2.sandbox.SandboxedEnvironment(extensions=[Marking], **options), text, request["values"])
        pieces = list(_pieces(marked, text, ranges))
        if "".join(piece[0] for piece in pieces) != result:
            pieces = [[result, 0, len(text), False]]
    except jinja2.TemplateSyntaxError as problem:
        return {"problem": problem.message or "it cannot be read", "line": problem.lineno}
    except MemoryError:
        return {"problem": "it needs too much memory"}
    except _TooLong:
        return {"problem": f"it makes more than {MAX_CHARACTERS:,} characters"}
    except Exception as problem:  # noqa: BLE001 -- whatever an expression of a user's raises
        lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == _NAME]
        return {"problem": str(problem).partition("\n")[0] or type(problem).__name__, "line": lines[-1] if lines else None}
    return {"pieces": pieces}


class _TooLong(Exception):  # noqa: N818 -- becomes a finding
    pass


def _rendered(environment: Any, text: str, values: Mapping[str, Any]) -> str:
    code = environment.compile(text, name=_NAME, filename=_NAME)
    template = environment.template_class.from_code(environment, code, environment.make_globals(None))
    pieces: list[str] = []
    length = 0
    for piece in template.generate(values):
        length += len(piece)
        if length > MAX_CHARACTERS * 2:
            raise _TooLong
        pieces.append(piece)
    return "".join(pieces)


def _ranges(text: str, tokens: Iterable[tuple[int, str, str]]) -> dict[str, list[tuple[int, int]]]:
    """Where the literal pieces and the expressions stand. Between two tokens there is nothing but blanks that `-` takes away."""
    ranges: dict[str, list[tuple[int, int]]] = {"data": [], "expression": []}
    position = 0
    for _, kind, value in tokens:
        start = text.find(value, position)
        if start < 0:
            start = position
        position = start + len(value)
        if kind == "data":
            ranges["data"].append((start, position))
        elif kind == "variable_begin":
            ranges["expression"].append((start, position))
        elif kind == "variable_end" and ranges["expression"]:
            end = start + len(value.rstrip())
            ranges["expression"][-1] = (ranges["expression"][-1][0], end)
    return ranges


def _pieces(marked: str, text: str, ranges: Mapping[str, list[tuple[int, int]]]) -> Iterator[list[Any]]:
    first, *rest = marked.split(OPEN)
    if first:
        yield [first, 0, len(text), False]
    for part in rest:
        mark, _, produced = part.partition(CLOSE)
        start, end = ranges["data" if mark[0] == "d" else "expression"][int(mark[1:])]
        literal = text[start:end]
        if mark[0] == "d" and produced.startswith(literal):
            yield [literal, start, end, True]
            produced = produced[len(literal) :]
        if produced:
            yield [produced, start, end, False]


def main() -> None:
    """Answer the one request."""
    request = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(render(request)).encode("ascii"))


if __name__ == "__main__":
    main()
